import jsonata from 'jsonata';
import { toMappingError } from './errors.ts';
import { SafeRegex } from './runtime/regex/index.ts';
import { DEFAULT_LIMITS, Failure, RunState } from './runtime/state.ts';

/** Runs a mapping that cannot be compiled. Time and length are bounded, like the steps of compiled ones. */
const GUARDS = { timeout: 1000, stack: 400, sequence: 100_000 };

/** The interpreter's own guards plus regular expressions that cannot hang. */
function guards(): object {
  const state = new RunState(DEFAULT_LIMITS);
  class RegexEngine {
    lastIndex = 0;
    private readonly regex: SafeRegex;

    constructor(literal: RegExp) {
      this.regex = new SafeRegex(literal.source, literal.flags);
    }

    exec(text: unknown): object | null {
      const found = this.regex.find(state, String(text), this.lastIndex);
      this.lastIndex = found?.end ?? 0;
      if (!found) return null;
      return Object.assign([String(text).slice(found.start, found.end), ...found.groups], { index: found.start });
    }
  }
  return { ...GUARDS, RegexEngine };
}

/** Rejects with a MappingError. */
export async function interpret(
  text: string,
  file: string | undefined,
  input: unknown,
  ctx: unknown,
): Promise<unknown> {
  try {
    const result: unknown = await jsonata(text, guards()).evaluate(input, { ctx });
    return result;
  } catch (e) {
    throw toMappingError(asFailure(e), text, file);
  }
}

function asFailure(e: unknown): unknown {
  if (typeof e !== 'object' || e === null) return e;
  const { code, position, token, value, message } = e as Record<string, unknown>;
  if (typeof code !== 'string') return e;
  const text = typeof message === 'string' ? { text: message } : {};
  const at = typeof position === 'number' ? Math.max(0, position - 1) : -1;
  return new Failure(code, at, { value, ...text, ...(typeof token === 'string' ? { token } : {}) });
}
