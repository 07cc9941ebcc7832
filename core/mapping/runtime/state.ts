/** Bounds of one run. */
export interface Limits {
  /** Loop iterations and calls. */
  readonly steps: number;
  /** Nested calls of functions that are not tail calls. */
  readonly depth: number;
  /** Items of one array and characters of one padded text. */
  readonly sequence: number;
}

export const DEFAULT_LIMITS: Limits = { steps: 1_000_000, depth: 400, sequence: 100_000 };

/** An array with the marks that the language keeps on it; only arrays made by this engine carry any. */
export interface Marked extends Array<unknown> {
  /** A result sequence: empty means nothing, one item means the item. */
  sequence?: boolean;
  keepSingleton?: boolean;
  cons?: boolean;
  tupleStream?: boolean;
  /** The sequence around an input that is itself an array. */
  outerWrapper?: boolean;
}

export interface FailureInfo {
  readonly value?: unknown;
  readonly value2?: unknown;
  readonly index?: number;
  readonly token?: string;
  readonly text?: string;
}

/**
 * A run-time error of the language. Deliberately no Error object: taking a stack costs more than a whole mapping.
 * The door turns it into a V2gateError.
 */
export class Failure {
  /** The interpreter's code, e.g. `T2001`. */
  readonly code: string;
  readonly info: FailureInfo;
  /** Offset of the failing operator or call in the text; −1 until known. */
  position: number;
  token: string | undefined;

  constructor(code: string, position: number, info: FailureInfo = {}) {
    this.code = code;
    this.position = position;
    this.info = info;
    this.token = info.token;
  }
}

export function fail(code: string, position = -1, info: FailureInfo = {}): never {
  throw new Failure(code, position, info);
}

/** Adds the place of the call to an error that does not know its place yet, and gives it back for throwing. */
export function located(e: unknown, position: number, token: string): unknown {
  if (e instanceof Failure && e.position < 0) {
    e.position = position;
    e.token ??= token;
  }
  return e;
}

/** What one run uses up. One per mapping, reset by every run: a run is synchronous and never re-entered. */
export class RunState {
  readonly limits: Limits;
  left: number;
  depth = 0;
  /** Arrays with marks that became part of a result; the marks are taken off at the end. */
  readonly marked: Marked[] = [];

  constructor(limits: Limits) {
    this.limits = limits;
    this.left = limits.steps;
  }

  reset(): void {
    this.left = this.limits.steps;
    this.depth = 0;
    this.marked.length = 0;
  }
}

/** Charges `n` steps. */
export function charge(s: RunState, n: number): void {
  s.left -= n;
  if (s.left < 0) fail('D1012', -1, { value: s.limits.steps });
}

/** Holds an array to the bound of the sequence length and charges its items. */
export function checkLength(s: RunState, length: number): void {
  if (length > s.limits.sequence) fail('D2015', -1, { value: s.limits.sequence });
  charge(s, length);
}

/** Takes the engine's marks off the arrays of a result. */
export function finish(s: RunState, result: unknown): unknown {
  if (Array.isArray(result)) unmark(result);
  for (const array of s.marked) unmark(array);
  s.marked.length = 0;
  return result;
}

function unmark(array: Marked): void {
  if (array.keepSingleton !== undefined) delete array.keepSingleton;
  if (array.tupleStream !== undefined) delete array.tupleStream;
  if (array.sequence !== undefined) delete array.sequence;
  if (array.cons !== undefined) delete array.cons;
}
