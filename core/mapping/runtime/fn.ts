import type { Frame } from './frame.ts';
import type { SafeRegex } from './regex/index.ts';
import type { Signature } from './signature.ts';
import type { RunState } from './state.ts';

/** What a built-in looks like inside. `s` is the state of the run. */
export type Impl = (s: RunState, ...args: unknown[]) => unknown;

/** One row of the table of built-in functions. */
export interface Builtin {
  readonly name: string;
  readonly signature: Signature;
  /** Parameter names as partial application sees them; undefined: it refuses this function. */
  readonly params: readonly string[] | undefined;
  /** How many arguments a higher-order function passes on. */
  readonly arity: number;
  readonly impl: Impl;
}

/** How a family of functions declares its rows; parameters undefined: see {@link Builtin.params}. */
export type BuiltinRow = readonly [
  name: string,
  signature: string,
  params: readonly string[] | undefined,
  arity: number,
  impl: Impl,
];

/**
 * A function value of the language. Everything callable is an instance: JavaScript functions in the input are plain
 * unreadable values.
 *
 * - `builtin`: row of the table; `lambda`: written in the mapping; `closure`: any function passed as an argument;
 * - `native`: made by the runtime (matchers, transformers) without positional context.
 */
export class Fn {
  readonly kind: 'builtin' | 'lambda' | 'closure' | 'native';
  readonly arity: number;
  readonly code: (...args: unknown[]) => unknown;
  readonly signature: Signature | undefined;
  /** A lambda that needs neither argument check nor trampoline: higher-order functions may call `code` directly. */
  readonly plain: boolean;
  readonly builtin: Builtin | undefined;
  readonly inner: Fn | undefined;
  /** Where a function was passed as an argument, for `$eval`. */
  readonly frame: Frame | undefined;
  /** The function is the matcher of this regular expression. */
  readonly regex: SafeRegex | undefined;

  constructor(o: {
    kind: Fn['kind'];
    arity: number;
    code: (...args: unknown[]) => unknown;
    signature?: Signature | undefined;
    plain?: boolean;
    builtin?: Builtin;
    inner?: Fn;
    frame?: Frame;
    regex?: SafeRegex;
  }) {
    this.kind = o.kind;
    this.arity = o.arity;
    this.code = o.code;
    this.signature = o.signature;
    this.plain = o.plain ?? false;
    this.builtin = o.builtin;
    this.inner = o.inner;
    this.frame = o.frame;
    this.regex = o.regex;
  }

  /** A function that ends up in a result is as empty as `$string` makes it. */
  toJSON(): string {
    return '';
  }
}

/** A call in tail position, left to the caller's trampoline. To everything else it looks like a function. */
export class Tail extends Fn {
  readonly proc: unknown;
  readonly args: unknown[];
  readonly position: number;
  readonly token: string;

  constructor(proc: unknown, args: unknown[], position: number, token: string) {
    super(TAIL);
    this.proc = proc;
    this.args = args;
    this.position = position;
    this.token = token;
  }
}

const TAIL = { kind: 'native', arity: 0, code: () => undefined } as const;
