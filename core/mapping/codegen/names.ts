import { children, type Node } from '../ast.ts';

/** Whether an expression mentions the variable or function `$name`, wherever. */
export function mentions(node: Node, name: string): boolean {
  if (node.type === 'variable' && node.value === name) return true;
  return children(node).some((child) => mentions(child, name));
}

/** Names that functions and transforms outside of `part` mention: they may run at any time. */
export function heard(node: Node, part: Node): Set<string> {
  const names = new Set<string>();
  const visit = (n: Node): void => {
    if (n === part) return;
    if ((n.type === 'lambda' && !n.thunk) || n.type === 'transform') mentioned(n, names);
    else children(n).forEach(visit);
  };
  visit(node);
  return names;
}

/** Names of all variables and functions that an expression mentions. */
export function mentioned(node: Node, into: Set<string>): Set<string> {
  if (node.type === 'variable') into.add(node.value);
  for (const child of children(node)) mentioned(child, into);
  return into;
}
