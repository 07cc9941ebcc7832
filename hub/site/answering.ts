import type { ResultBody } from '../../model/index.ts';
import type { Decision } from './types.ts';

export interface AnsweringOptions {
  /** The answer for what went wrong while it was worked out. */
  readonly failed: (e: unknown) => ResultBody;
  /** It was worked out, or was there before; called once. */
  readonly answered: (result: ResultBody) => void;
}

/** A decision whose answer may be read late, but is told once and never throws. One without a target is read at once. */
export function answering(decision: Decision, { failed, answered }: AnsweringOptions): Decision {
  let result: ResultBody | undefined;
  const read = (): ResultBody => {
    if (result !== undefined) return result;
    try {
      result = decision.result;
    } catch (e) {
      result = failed(e);
    }
    answered(result);
    return result;
  };
  const { target } = decision;
  if (target === undefined) return { result: read() };
  return {
    target,
    get result() {
      return read();
    },
  };
}
