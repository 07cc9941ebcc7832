import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isRunning, nextState, SERVICE_MOVES, SERVICE_STATES, type ServiceEvent } from '../../hub/services/machine.ts';

const EVENTS: ServiceEvent[] = [
  'formOk',
  'formBad',
  'credentialsOk',
  'credentialsBad',
  'feasible',
  'infeasible',
  'optOut',
  'decisionLapsed',
  'planned',
  'begin',
  'end',
  'cancel',
  'lost',
  'settle',
];
const FINAL = ['rejected', 'optedOut', 'settled'];

describe('flexibility service (fo 6.2)', () => {
  it('reaches every state from received', () => {
    const seen = new Set<string>(['received']);
    for (let grew = true; grew; ) {
      const before = seen.size;
      for (const s of SERVICE_STATES) if (seen.has(s)) for (const e of EVENTS) seen.add(nextState(s, e) ?? s);
      grew = seen.size > before;
    }
    expect([...seen].sort()).toEqual([...SERVICE_STATES].sort());
  });

  it('acts on stations only between acceptance and end, whatever happens in which order', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...EVENTS), { maxLength: 40 }), (events) => {
        let state: (typeof SERVICE_STATES)[number] = 'received';
        let accepted = false;
        let ended = false;
        for (const e of events) {
          const next = nextState(state, e);
          if (next === undefined) continue;
          if (next === 'accepted') accepted = true;
          if (isRunning(state) && !isRunning(next)) ended = true;
          state = next;
          expect(isRunning(state)).toBe(accepted && !ended);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('never leaves a final state', () => {
    for (const s of FINAL) expect(SERVICE_MOVES[s as keyof typeof SERVICE_MOVES]).toEqual({});
  });

  it.each([
    ['accepted', 'cancel', 'aborted'],
    ['active', 'end', 'completed'],
    ['active', 'lost', 'failed'],
    ['credentialChecked', 'optOut', 'optedOut'],
    ['validated', 'decisionLapsed', 'rejected'],
    ['completed', 'settle', 'settled'],
  ] as const)('%s on %s becomes %s', (from, event, to) => {
    expect(nextState(from, event)).toBe(to);
  });
});
