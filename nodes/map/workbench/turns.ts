import { NODE_ERRORS } from '../../base/errors.ts';

/** Runs one request after the other; at most `max` run or wait, more are refused with `nodes.busy`. */
export function oneAtATime<Q, A>(max: number, run: (request: Q) => Promise<A>): (request: Q) => Promise<A> {
  let present = 0;
  let last: Promise<unknown> = Promise.resolve();
  return async (request) => {
    if (present >= max) throw NODE_ERRORS.fail('nodes.busy');
    present++;
    const mine = last.then(() => run(request));
    last = mine.then(leave, leave);
    return mine;
  };

  function leave(): void {
    present--;
  }
}
