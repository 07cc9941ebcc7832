import type { BinaryNode } from '../ast.ts';
import { startOf } from '../position.ts';
import { type Form, itemOf, kindNames, listed, simpleKinds, wordsOf } from './form.ts';
import { nearest } from './text.ts';
import type { Tracer } from './trace.ts';

/** Comparisons that can only have one outcome because of what their sides are. */
export function checkComparison(t: Tracer, node: BinaryNode, left: Form, right: Form): void {
  const other = node.value === 'in' ? itemOf(right) : right;
  const [a, b] = [simpleKinds(left), simpleKinds(other)];
  if (a === undefined || b === undefined) return;
  if ((a & b) === 0) {
    const always = node.value === '!=' ? 'always true' : ['=', 'in'].includes(node.value) ? 'never true' : 'an error';
    const message = `${kindNames(a)} is compared with ${kindNames(b)}: that is ${always}.`;
    t.report({
      code: 'mapping.comparedTypes',
      message: message.charAt(0).toUpperCase() + message.slice(1),
      at: startOf(node),
    });
    return;
  }
  if (!['=', '!=', 'in'].includes(node.value)) return;
  if (isLiteral(other)) checkWords(t, other, left);
  else if (isLiteral(left)) checkWords(t, left, other);
}

/** Consists of constants of the mapping alone. */
const isLiteral = (f: Form): boolean => f.parts.every((p) => p.is === 'simple' && p.at !== undefined);

/** Each constant must be among the words that the other side can be. Two constants are no business of this check. */
function checkWords(t: Tracer, constants: Form, other: Form): void {
  const words = wordsOf(other);
  if (words === undefined || isLiteral(other)) return;
  for (const p of constants.parts) {
    const literal = p.is === 'simple' ? p.words?.[0] : undefined;
    if (p.is !== 'simple' || p.at === undefined || literal === undefined || words.includes(literal)) continue;
    const meant = typeof literal === 'string' ? nearest(literal, words.map(String)) : undefined;
    t.report({
      code: 'mapping.neverEqual',
      message: `${other.handed[0]?.name ?? 'The other side'} is never ${JSON.stringify(literal)}.`,
      at: p.at,
      hint: meant === undefined ? `It is one of ${listed(words)}.` : `Is ${JSON.stringify(meant)} meant?`,
    });
  }
}
