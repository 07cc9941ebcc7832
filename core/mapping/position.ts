import type { Node } from './ast.ts';

/** Where a node begins, as offset in the text. The parser notes where a node's first token ends. */
export function startOf(node: Node): number {
  const end = node.position ?? 0;
  switch (node.type) {
    case 'path':
      return node.steps[0] ? startOf(node.steps[0]) : end;
    case 'binary':
    case 'apply':
      return startOf(node.lhs);
    case 'condition':
      return startOf(node.condition);
    case 'bind':
      return startOf(node.lhs);
    case 'function':
    case 'partial':
      return startOf(node.procedure);
    case 'lambda':
      return node.thunk ? startOf(node.body) : Math.max(0, end - 'function('.length);
    case 'variable':
      return Math.max(0, end - node.value.length - 1);
    case 'name':
      return Math.max(0, end - node.value.length);
    case 'string':
      return Math.max(0, end - String(node.value).length - 2);
    case 'number':
    case 'value':
      return Math.max(0, end - String(node.value).length);
    case 'descendant':
      return Math.max(0, end - 2);
    case 'parent':
      return end;
    default:
      return Math.max(0, end - 1);
  }
}

export interface Place {
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
}

export function placeOf(text: string, offset: number): Place {
  const at = Math.min(Math.max(offset, 0), text.length);
  const before = text.slice(0, at);
  const line = before.split('\n').length;
  return { line, column: at - before.lastIndexOf('\n') };
}

/** The line of the place with a caret below it. */
export function excerpt(text: string, place: Place): string {
  const line = (text.split('\n')[place.line - 1] ?? '').replaceAll('\t', ' ').replace(/\r$/, '');
  const from = Math.max(0, place.column - 60);
  const shown = line.slice(from, from + 100);
  return `${shown}\n${' '.repeat(Math.max(0, place.column - 1 - from))}^`;
}
