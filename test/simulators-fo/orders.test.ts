import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { manualClock } from '../../core/clock.ts';
import { codeOf } from '../../core/errors.ts';
import { runOperator } from '../../simulators/fo/run.ts';
import { ACTS, Act, type Scenario } from '../../simulators/fo/scenario-file.ts';
import { player } from './player.ts';

const SCENARIO: Scenario = {
  services: [
    {
      type: 'setpoint',
      durationS: 120,
      minW: -9000,
      maxW: 9000,
      steps: [
        { atS: 0, targetW: 5000 },
        { atS: 40, targetW: 1000 },
      ],
    },
  ],
  pauseS: 10,
};

const order = (fields: object) => ({ kind: 'order', act: Act.parse({ ...fields, atS: 0 }) }) as const;

function running() {
  const p = player(SCENARIO);
  p.take({ kind: 'up' });
  p.accept();
  return p;
}

describe('orders to an operator that runs', () => {
  it('a setpoint by hand holds against the steps for its time, then the scenario goes on', () => {
    const p = running();
    p.to(10);
    p.take(order({ do: 'setpoint', targetW: -3000, forS: 35 }));
    p.to(60);
    const targets = p.told('setpoint').map((e) => [e.atS, Reflect.get(e, 'targetW')]);
    expect(targets).toEqual([
      [0, 5000],
      [10, -3000],
      [45, 1000],
    ]);
    const seqs = p.setpoints().map((s) => s.seq);
    expect(seqs).toEqual([...seqs].sort((a, b) => a - b));
  });

  it('silence begins at once and ends after its time, which is told', () => {
    const p = running();
    p.to(5);
    p.take(order({ do: 'mute', forS: 20 }));
    p.to(40);
    expect(p.log.filter((l) => l.action.do === 'mute').map((l) => l.atS)).toEqual([5, 25]);
    expect(p.told('loud').map((l) => l.atS)).toEqual([25]);
    expect(p.setpoints().filter((s) => s.atS > 5 && s.atS < 25)).toEqual([]);
  });

  it('what needs a service says so while there is none; silence does not need one', () => {
    const p = player(SCENARIO);
    p.take(order({ do: 'setpoint', targetW: 1000 }));
    p.take(order({ do: 'cancel' }));
    expect(p.told('controlFailed')).toHaveLength(2);
    p.take(order({ do: 'mute', forS: 5 }));
    expect(p.log.at(-1)?.action).toMatchObject({ do: 'mute', on: true });
    expect(p.told('controlFailed')).toHaveLength(2);
  });

  it('a cancelled service is followed by the next one', () => {
    const p = running();
    p.to(5);
    p.take(order({ do: 'cancel' }));
    expect(p.requests('CancelService')).toHaveLength(1);
    p.to(30);
    expect(p.requests('RequestService')).toHaveLength(2);
  });

  it('a setpoint needs its value', () => {
    expect(Act.check({ do: 'setpoint', atS: 0 })[0]?.path).toBe('/targetW');
  });

  it('whatever is ordered whenever, setpoints keep their order and time goes on', () => {
    const anyOrder = fc.record(
      {
        do: fc.constantFrom(...ACTS.filter((a) => !['optIn', 'optOut', 'staleSetpoint'].includes(a))),
        targetW: fc.integer({ min: -9000, max: 9000 }),
        forS: fc.integer({ min: 1, max: 30 }),
      },
      { requiredKeys: ['do', 'targetW'] },
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: 15 }), anyOrder), { maxLength: 12 }), (plan) => {
        const p = running();
        let at = 0;
        for (const [gapS, fields] of plan) {
          at += gapS;
          p.to(at);
          p.take(order(fields));
        }
        p.to(at + 200);
        const byService = Object.groupBy(p.setpoints(), (s) => s.fsrId);
        for (const list of Object.values(byService)) {
          const seqs = (list ?? []).map((s) => s.seq);
          for (const [i, seq] of seqs.entries()) expect(seq).toBeGreaterThan(seqs[i - 1] ?? 0);
        }
      }),
      { numRuns: 50 },
    );
  });
});

describe('order of a running operator', () => {
  it('takes lines of JSON; what is no order is refused with the field', () => {
    const events: string[] = [];
    const operator = runOperator({
      scenario: SCENARIO,
      contractId: 'C-9',
      groupId: 'g:depot',
      prefix: 'sim',
      clock: manualClock(),
      connect: () => ({
        request: () => new Promise(() => undefined),
        answer: () => true,
        close: async () => undefined,
      }),
      onEvent: (e) => void events.push(e.event),
    });
    operator.order('{"do":"mute","forS":3}');
    expect(events).toEqual(['act']);
    const code = (input: unknown): string | undefined => {
      try {
        operator.order(input);
      } catch (e) {
        return codeOf(e);
      }
      return undefined;
    };
    expect(code('{"do":"dance"}')).toMatch(/^schema\./);
    expect(code('nonsense')).toMatch(/^json\./);
    expect(code(7)).toMatch(/^schema\./);
    expect(events).toEqual(['act']);
    void operator.stop();
  });
});
