import jsonata from 'jsonata';
import { MAX_DEFAULTS, nestedDefaults } from './nesting.ts';

/** A predicate (`[…]`) or a positional binding (`#$i`) that follows a step. */
export type Stage =
  | { readonly type: 'filter'; readonly expr: Node; readonly position: number }
  | { readonly type: 'index'; readonly value: string; readonly position: number };

export type Pair = readonly [key: Node, value: Node];

export interface Group {
  readonly lhs: readonly Pair[];
  readonly position: number;
}

interface Base {
  readonly position?: number;
  /** `[]` behind the expression: a sequence of one stays an array. */
  readonly keepArray?: boolean;
  readonly predicate?: readonly Stage[];
  readonly stages?: readonly Stage[];
  readonly group?: Group;
  /** Array constructor at the start or end of a path: not flattened into the surrounding sequence. */
  readonly consarray?: boolean;
  readonly tuple?: boolean;
  readonly focus?: string;
  readonly index?: string;
  readonly ancestor?: { readonly label: string };
}

export interface PathNode extends Base {
  readonly type: 'path';
  readonly steps: readonly Node[];
  readonly keepSingletonArray?: boolean;
}
export interface BinaryNode extends Base {
  readonly type: 'binary';
  readonly value: string;
  readonly lhs: Node;
  readonly rhs: Node;
}
export interface MinusNode extends Base {
  readonly type: 'unary';
  readonly value: '-';
  readonly expression: Node;
}
export interface ArrayNode extends Base {
  readonly type: 'unary';
  readonly value: '[';
  readonly expressions: readonly Node[];
}
export interface ObjectNode extends Base {
  readonly type: 'unary';
  readonly value: '{';
  readonly lhs: readonly Pair[];
  readonly position: number;
}
export interface NameNode extends Base {
  readonly type: 'name';
  readonly value: string;
}
export interface LiteralNode extends Base {
  readonly type: 'string' | 'number' | 'value';
  readonly value: string | number | boolean | null;
}
export interface ParentNode extends Base {
  readonly type: 'parent';
  readonly slot: { readonly label: string };
}
export interface ConditionNode extends Base {
  readonly type: 'condition';
  readonly condition: Node;
  readonly then: Node;
  readonly else?: Node;
}
export interface BlockNode extends Base {
  readonly type: 'block';
  readonly expressions: readonly Node[];
}
export interface BindNode extends Base {
  readonly type: 'bind';
  readonly lhs: VariableNode;
  readonly rhs: Node;
}
export interface RegexNode extends Base {
  readonly type: 'regex';
  readonly value: unknown;
}
export interface CallNode extends Base {
  readonly type: 'function';
  readonly procedure: Node;
  readonly arguments: readonly Node[];
}
export interface PartialNode extends Base {
  readonly type: 'partial';
  readonly procedure: Node;
  readonly arguments: readonly Node[];
}
export interface VariableNode extends Base {
  readonly type: 'variable';
  readonly value: string;
}
export interface LambdaNode extends Base {
  readonly type: 'lambda';
  readonly arguments: readonly VariableNode[];
  readonly signature?: { readonly definition: string };
  readonly body: Node;
  /** A call in tail position, wrapped by the parser. */
  readonly thunk?: boolean;
}
export interface ApplyNode extends Base {
  readonly type: 'apply';
  readonly lhs: Node;
  readonly rhs: Node;
}
export interface TransformNode extends Base {
  readonly type: 'transform';
  readonly pattern: Node;
  readonly update: Node;
  readonly delete?: Node;
}
export interface SortNode extends Base {
  readonly type: 'sort';
  readonly terms: readonly { readonly descending: boolean; readonly expression: Node }[];
}
export interface PlainNode extends Base {
  readonly type: 'wildcard' | 'descendant';
}
/** `?` in the arguments of a partial application. */
export interface PlaceholderNode extends Base {
  readonly type: 'operator';
  readonly value: '?';
}

/** The syntax tree of the pinned `jsonata` package, as far as this engine reads it. */
export type Node =
  | PathNode
  | BinaryNode
  | MinusNode
  | ArrayNode
  | ObjectNode
  | NameNode
  | LiteralNode
  | ParentNode
  | ConditionNode
  | BlockNode
  | BindNode
  | RegexNode
  | CallNode
  | PartialNode
  | VariableNode
  | LambdaNode
  | ApplyNode
  | TransformNode
  | SortNode
  | PlainNode
  | PlaceholderNode;

/** What the parser throws. */
export interface ParseFailure {
  readonly code: string;
  readonly message: string;
  readonly position: number;
}

/** The parser of the package alone: an environment for evaluation costs as much again. */
const PARSER: unknown = Reflect.get(jsonata, 'parser');

/** Parses a mapping. Never throws. */
export function parse(text: string): { ast: Node } | { failure: ParseFailure } {
  if (nestedDefaults(text) > MAX_DEFAULTS) return { failure: TOO_NESTED };
  try {
    const ast: unknown = typeof PARSER === 'function' ? PARSER(text) : jsonata(text).ast();
    return { ast: ast as Node };
  } catch (e) {
    return { failure: toParseFailure(described(e, text), text) };
  }
}

/** No code of the language: the interpreter would take very long, but in the end not fail. */
const TOO_NESTED: ParseFailure = {
  code: 'S0500',
  message: `The operators ?? and ?: stand inside each other more than ${MAX_DEFAULTS} times`,
  position: 0,
};

/** What the package adds to errors of its parser: a message. */
function described(e: unknown, text: string): unknown {
  try {
    jsonata(text);
    return e;
  } catch (full) {
    return full;
  }
}

/** The parser says where the unexpected token ends; it gives texts without quotes and variables without `$`. */
function startOfToken(token: string, end: number, text: string): number {
  const start = end - token.length;
  if (text.slice(start, end) === token) return text.charAt(start - 1) === '$' ? start - 1 : start;
  const quoted = '"\'`'.includes(text.charAt(end - 1)) && text.slice(end - 1 - token.length, end - 1) === token;
  return quoted ? end - token.length - 2 : end;
}

function toParseFailure(e: unknown, text: string): ParseFailure {
  const raw: Partial<Record<keyof ParseFailure | 'token', unknown>> = typeof e === 'object' && e !== null ? e : {};
  const end = typeof raw.position === 'number' ? raw.position : text.length;
  const token = typeof raw.token === 'string' || typeof raw.token === 'number' ? String(raw.token) : '';
  return {
    code: typeof raw.code === 'string' ? raw.code : 'S0500',
    message: typeof raw.message === 'string' ? raw.message : 'The expression cannot be parsed.',
    position: token === '' ? end : startOfToken(token, end, text),
  };
}

/** The direct children of a node, in the order of evaluation. */
export function children(node: Node): readonly Node[] {
  const inner = ownChildren(node);
  if (!node.predicate && !node.stages && !node.group) return inner;
  const own = [...inner];
  for (const stage of [...(node.predicate ?? []), ...(node.stages ?? [])]) {
    if (stage.type === 'filter') own.push(stage.expr);
  }
  for (const pair of node.group?.lhs ?? []) own.push(...pair);
  return own;
}

const NONE: readonly Node[] = [];

function ownChildren(node: Node): readonly Node[] {
  switch (node.type) {
    case 'path':
      return node.steps;
    case 'binary':
    case 'apply':
      return [node.lhs, node.rhs];
    case 'unary':
      if (node.value === '-') return [node.expression];
      return node.value === '[' ? node.expressions : node.lhs.flat();
    case 'condition':
      return node.else ? [node.condition, node.then, node.else] : [node.condition, node.then];
    case 'block':
      return node.expressions;
    case 'bind':
      return [node.rhs];
    case 'function':
    case 'partial':
      return [node.procedure, ...node.arguments];
    case 'lambda':
      return [node.body];
    case 'transform':
      return node.delete ? [node.pattern, node.update, node.delete] : [node.pattern, node.update];
    case 'sort':
      return node.terms.map((t) => t.expression);
    default:
      return NONE;
  }
}
