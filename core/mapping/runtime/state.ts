import type { Frame } from './frame.ts';

/** Bounds of one run. */
export interface Limits {
  /** Loop iterations and calls. */
  readonly steps: number;
  /** Nested calls of functions that are not tail calls. */
  readonly depth: number;
  /** Items of one array and characters of one padded text. */
  readonly sequence: number;
  /** Characters of one text that the run puts together. */
  readonly text: number;
}

export const DEFAULT_LIMITS: Limits = { steps: 1_000_000, depth: 400, sequence: 100_000, text: 4_000_000 };

/**
 * What `$now`, `$millis`, `$random`, `$shuffle` and dates that are not complete take from outside. Mappings do without;
 * an engine that is given none refuses these functions.
 */
export interface Effects {
  /** Milliseconds since 1970; asked once per run. */
  now(): number;
  /** From 0 (inclusive) to 1 (exclusive). */
  random(): number;
}

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
  /** What made the evaluated text of `$eval` fail. */
  readonly cause?: Failure;
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

/** Gives the code of a text for a frame and a context value. Throws a Failure when the text cannot be parsed. */
export type Evaluator = (text: string) => (frame: Frame, x: unknown) => unknown;

/** What one run uses up. One per mapping, reset by every run: a run is synchronous and never re-entered. */
export class RunState {
  readonly limits: Limits;
  readonly effects: Effects | undefined;
  left: number;
  depth = 0;
  /** Start of the run by the clock of the effects. */
  now = Number.NaN;
  /** Where and on what the running call of `$eval` was written. */
  frame: Frame | undefined;
  context: unknown;
  /** Compiles an argument of `$eval`; set where the expression mentions it. */
  evaluator: Evaluator | undefined;
  /** Arrays with marks that became part of a result; the marks are taken off at the end. */
  readonly marked: Marked[] = [];

  constructor(limits: Limits, effects?: Effects) {
    this.limits = limits;
    this.effects = effects;
    this.left = limits.steps;
  }

  reset(): void {
    this.left = this.limits.steps;
    this.depth = 0;
    if (this.effects) this.now = this.effects.now();
    this.frame = undefined;
    this.context = undefined;
    this.marked.length = 0;
  }
}

/** Charges `n` steps. */
export function charge(s: RunState, n: number): void {
  s.left -= n;
  if (s.left < 0) fail('D1012', -1, { value: s.limits.steps });
}

/** Characters from which on the length of a text counts. */
const LONG = 64;

/** Charges what a function does to an argument as a whole: it may go through a long text or array once. */
export function weigh(s: RunState, v: unknown): void {
  if (typeof v === 'string') {
    if (v.length > LONG) charge(s, v.length >> 6);
  } else if (Array.isArray(v)) charge(s, v.length >> 3);
}

/** Holds a text that a run puts together to the bound of its length. */
export function checkText(s: RunState, length: number): void {
  if (length <= LONG) return;
  if (length > s.limits.text) fail('X0006', -1, { value: s.limits.text });
  charge(s, length >> 10);
}

/** Holds an array to the bound of the sequence length and charges its items. */
export function checkLength(s: RunState, length: number): void {
  if (length > s.limits.sequence) fail('D2015', -1, { value: s.limits.sequence });
  charge(s, length);
}

/** The same before `n` items are added to an array of `length`: adding costs less than making. */
export function checkRoom(s: RunState, length: number, n: number): void {
  if (length + n > s.limits.sequence) fail('D2015', -1, { value: s.limits.sequence });
  if (n > 8) charge(s, n >> 3);
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
