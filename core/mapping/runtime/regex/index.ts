import { charge, fail, type RunState } from '../state.ts';
import { type Bound, boundOf, worstCase } from './bound.ts';
import { execute, type Found, type Program, programOf } from './machine.ts';
import { parseRegex } from './syntax.ts';

/** Steps of the native engine that one search may take at most: about a millisecond. */
const NATIVE_STEPS = 300_000;

/** So many of them take as long as one step of a run. */
const NATIVE_SHARE = 64;

/** A regular expression that cannot hang the process. */
export class SafeRegex {
  readonly source: string;
  private readonly flags: string;
  private readonly native: RegExp;
  private bound: Bound | undefined;
  private program: Program | undefined;

  /** Throws a SyntaxError for what `RegExp` does not accept. */
  constructor(source: string, flags: string) {
    this.source = source;
    this.flags = flags;
    this.native = new RegExp(source, `${flags.replace(/[gy]/g, '')}g`);
  }

  /**
   * Finds the first match at or behind `from`. The engine of JavaScript does it where the pattern and the length of the
   * text bound its time, else one that counts its steps. Fails with D1012, or X0005 for a pattern that it does not know.
   */
  find(s: RunState, text: string, from: number): Found | undefined {
    if (from > text.length) return undefined;
    if (!this.mayBeNative(s, text, from)) return this.guarded(s, text, from);
    this.native.lastIndex = from;
    const m = this.native.exec(text);
    return m === null ? undefined : { start: m.index, end: m.index + m[0].length, groups: m.slice(1) };
  }

  /** Whether it occurs in the text. */
  holds(s: RunState, text: string): boolean {
    if (!this.mayBeNative(s, text, 0)) return this.guarded(s, text, 0) !== undefined;
    this.native.lastIndex = 0;
    return this.native.test(text);
  }

  private mayBeNative(s: RunState, text: string, from: number): boolean {
    this.bound ??= this.measure();
    const steps = worstCase(this.bound, text.length - from);
    if (steps > NATIVE_STEPS) return false;
    charge(s, 1 + Math.floor(steps / NATIVE_SHARE));
    return true;
  }

  private measure(): Bound {
    const syntax = parseRegex(this.source, this.flags);
    return syntax ? boundOf(syntax) : { degree: 0, factor: Number.POSITIVE_INFINITY };
  }

  private guarded(s: RunState, text: string, from: number): Found | undefined {
    this.program ??= this.translate();
    return execute(this.program, text, from, (steps) => charge(s, steps));
  }

  private translate(): Program {
    const syntax = parseRegex(this.source, this.flags);
    return syntax ? programOf(syntax) : fail('X0005', -1, { value: this.source });
  }
}
