import { children, type Node } from '../ast.ts';
import type { Report } from '../diagnostic.ts';
import { startOf } from '../position.ts';

/** Expressions inside each other; a step of a path, a link of a chain of operators and an `else` count as one each. */
const MAX_NESTING = 300;

/** Reports a text that is nested too deeply for everything that follows it by calling itself. Looks without doing so. */
export function checkDepth(ast: Node): Report[] {
  let level: readonly Node[] = [ast];
  for (let depth = 0; level.length > 0; depth++) {
    const [first] = level;
    if (depth > MAX_NESTING && first) return [tooDeep(first)];
    const next: Node[] = [];
    for (const node of level) {
      if (node.type === 'path' && node.steps.length > MAX_NESTING) return [tooDeep(node)];
      for (const child of children(node)) next.push(child);
    }
    level = next;
  }
  return [];
}

const tooDeep = (node: Node): Report => ({
  code: 'mapping.nested',
  message: `More than ${MAX_NESTING} expressions stand inside each other here.`,
  at: startOf(node),
});
