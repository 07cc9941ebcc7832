import type { Marked } from './state.ts';

/**
 * Variables of one frame at run time. Only expressions that use `$eval` have frames: what it evaluates may read and bind
 * any variable in sight. All other variables are those of the generated JavaScript.
 */
export class Frame {
  readonly parent: Frame | undefined;
  readonly names = new Map<string, unknown>(); // bounded by: the names that the expression binds, within its steps

  constructor(parent: Frame | undefined) {
    this.parent = parent;
  }
}

export const frame = (parent: Frame | undefined): Frame => new Frame(parent);

/** The frame of a function call: parameters, each with its argument. */
export function paramFrame(parent: Frame | undefined, names: readonly string[], args: readonly unknown[]): Frame {
  const f = new Frame(parent);
  names.forEach((name, i) => {
    f.names.set(name, args[i]);
  });
  return f;
}

/** The frame of one row of a tuple stream. */
export function rowFrame(parent: Frame | undefined, row: Readonly<Record<string, unknown>>): Frame {
  const f = new Frame(parent);
  for (const name of Object.keys(row)) f.names.set(name, row[name]);
  return f;
}

export function bind(f: Frame, name: string, value: unknown): unknown {
  f.names.set(name, value);
  return value;
}

/** The frame that binds `name`. */
export function binding(f: Frame | undefined, name: string): Frame | undefined {
  for (let at = f; at; at = at.parent) if (at.names.has(name)) return at;
  return undefined;
}

/** An array as input is one value, not a sequence. */
export function wrapped(input: unknown): unknown {
  if (!Array.isArray(input) || (input as Marked).sequence === true) return input;
  const seq: Marked = [input];
  seq.sequence = true;
  seq.outerWrapper = true;
  return seq;
}
