import { type Node, type Pair, parse } from '../ast.ts';
import { startOf } from '../position.ts';
import { builtin } from '../runtime/builtins.ts';
import { heard, mentioned, mentions } from './names.ts';
import { bindsOf, boundNames, type Cx, sameFrame } from './scope.ts';
import { SLOW_CONSTRUCTS } from './slow.ts';

/*
 * The interpreter evaluates the parts of a constructor at the same time: which part sees what another one binds is
 * chance. A variable that only its own part deals with is no race.
 */

/** Notes the parts of a constructor that bind what other parts use. */
export function noteRaces(parts: readonly Node[], cx: Cx): void {
  if (parts.length < 2) return;
  // Hardly any constructor binds something.
  if (!cx.frame && parts.every((part) => bindsOf(part, cx.p.binds).length === 0)) return;
  const dealings = parts.map((part) => dealingsOf(part, cx));
  dealings.forEach((own, i) => {
    const part = parts[i];
    if (!part || !mayBind(own)) return;
    const used = heard(cx.p.ast, part);
    const others = dealings.filter((_, k) => k !== i);
    for (const other of others) for (const name of [...other.uses, ...other.binds]) used.add(name);
    used.delete('');
    const meets = own.anything ? used.size > 0 : [...own.binds].some((name) => used.has(name));
    if (meets || others.some((other) => other.anything)) {
      cx.p.slow.push({ construct: SLOW_CONSTRUCTS.race.construct, position: startOf(part) });
    }
  });
}

/** Notes values of a grouping with computed keys that bind: they are evaluated for several groups at the same time. */
export function noteGroupBinds(pairs: readonly Pair[], cx: Cx): void {
  for (const [, value] of pairs) {
    if (mayBind(dealingsOf(value, cx))) {
      cx.p.slow.push({ construct: SLOW_CONSTRUCTS.groupBind.construct, position: startOf(value) });
    }
  }
}

/** The variables that an expression deals with. */
interface Dealings {
  /** Bound in the frame of the expression. */
  readonly binds: Set<string>;
  readonly uses: Set<string>;
  /** It may bind and use whatever there is. */
  anything: boolean;
}

const mayBind = (d: Dealings): boolean => d.anything || d.binds.size > 0;

function dealingsOf(part: Node, cx: Cx): Dealings {
  const d: Dealings = {
    binds: boundNames([part], cx.p.binds),
    uses: mentioned(part, new Set()),
    anything: false,
  };
  if (cx.frame) addEvaluated(part, d);
  return d;
}

/** Adds what texts of `$eval` deal with: they belong to the frame in which it is called. */
function addEvaluated(node: Node, d: Dealings): void {
  if (node.type === 'apply' && node.rhs.type !== 'function') d.anything = true;
  if (node.type === 'function') addCall(node, d);
  for (const child of sameFrame(node)) addEvaluated(child, d);
}

function addCall(node: Extract<Node, { type: 'function' }>, d: Dealings): void {
  const { procedure, arguments: args } = node;
  const known = procedure.type === 'variable' ? builtin(procedure.value) : undefined;
  // A function that is called or passed on may be $eval, or call it as the last thing it does.
  if (known?.name !== 'eval') {
    if (!known || known.signature.definition.includes('f')) d.anything = true;
    return;
  }
  const [text] = args;
  const parsed = text?.type === 'string' && !text.predicate && !text.group ? parse(String(text.value)) : undefined;
  if (!parsed || ('ast' in parsed && mentions(parsed.ast, 'eval'))) d.anything = true;
  else if ('ast' in parsed) {
    for (const name of boundNames([parsed.ast])) d.binds.add(name);
    mentioned(parsed.ast, d.uses);
    addEvaluated(parsed.ast, d);
  }
}
