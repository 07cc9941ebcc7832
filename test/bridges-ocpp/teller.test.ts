import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Teller } from '../../bridges/ocpp/teller.ts';
import { iso, manualClock, stamps } from '../../core/clock.ts';
import { uuids } from '../../core/ids.ts';
import type { CommandOutcome } from '../../model/index.ts';
import { accept, BridgeWorld, say } from './world.ts';

type State = CommandOutcome['state'];

const MANY = 40;

/** A teller, what it has told so far, and commands that are answered when the test says so. */
function teller(counted: (o: CommandOutcome) => boolean = () => true) {
  const clock = manualClock();
  const site: CommandOutcome[] = [];
  const flows: CommandOutcome[] = [];
  const t = new Teller({
    clock,
    wire: { newId: uuids(clock), stamp: stamps(clock), linkId: 'ocpp:test' },
    site: { outcomes: (messages) => void site.push(...messages.map((m) => m.payload)), isCounted: counted },
    emit: (m) => void flows.push(m.payload),
  });
  const tell = (n: number, state: State, own = true): void =>
    t.tell(
      { commandId: `${own ? 'alloc:' : 'env:'}${n}`, resourceId: `R-${n}`, state, at: iso(clock.now()) },
      `S-${n}`,
    );
  const open: (() => void)[] = [];
  const batch = (size: number): void =>
    t.together(size, () =>
      Array.from({ length: size }, (_, n) => {
        tell(n, 'sent');
        return new Promise<void>((resolve) => open.push(resolve));
      }),
    );
  const answer = (n: number): void => {
    tell(n, 'accepted');
    open[n]?.();
  };
  const said = (): string[] => site.map((o) => `${o.commandId} ${o.state}`);
  return { clock, t, site, flows, tell, batch, answer, said };
}

describe('what became of commands', () => {
  it('of a small batch is told at once', () => {
    const w = teller();
    w.batch(3);
    expect(w.said()).toEqual(['alloc:0 sent', 'alloc:1 sent', 'alloc:2 sent']);
    w.answer(1);
    expect(w.said().at(-1)).toBe('alloc:1 accepted');
    expect(w.flows).toEqual(w.site);
  });

  it('of a large batch is told when the last station has answered', async () => {
    const w = teller();
    w.batch(MANY);
    for (let n = 0; n < MANY; n++) w.answer(n);
    expect(w.said()).toEqual([]);
    await w.clock.advance(2);
    expect(w.said()).toHaveLength(2 * MANY);
    expect(w.flows).toEqual(w.site);
    expect(w.t.stats().size).toBe(0);
  });

  it('does not wait for a station that stays silent', async () => {
    const w = teller();
    w.batch(MANY);
    w.answer(0);
    await w.clock.advance(20 + 0.2 * MANY);
    expect(w.said()).toHaveLength(MANY + 1);
    w.answer(1);
    await w.clock.advance(20);
    expect(w.said().at(-1)).toBe('alloc:1 accepted');
  });

  it('of one batch waits no longer because others follow', async () => {
    const w = teller();
    for (let i = 0; i < 4; i++) {
      w.batch(MANY);
      await w.clock.advance(10);
    }
    expect(w.said().length).toBeGreaterThanOrEqual(3 * MANY);
  });

  it('is told at once where something goes wrong, after all that was before', () => {
    for (const state of ['refused', 'expired', 'unknown', 'effective', 'notEffective'] as const) {
      const w = teller();
      w.batch(MANY);
      w.tell(7, state);
      expect(w.said()).toHaveLength(MANY + 1);
      expect(w.said().at(-1)).toBe(`alloc:7 ${state}`);
    }
  });

  it('is told at once where more was sent than the site counts, and where the link acts by itself', () => {
    const raised = teller((o) => o.resourceId !== 'R-30');
    raised.batch(MANY);
    expect(raised.said()).toHaveLength(31);
    const own = teller((o) => o.commandId.startsWith('alloc:'));
    own.batch(MANY);
    own.tell(99, 'accepted', false);
    expect(own.said().at(-1)).toBe('env:99 accepted');
  });

  it('is told in pieces, so that stations are heard in between', async () => {
    const w = teller();
    w.batch(1_000);
    for (let n = 0; n < 1_000; n++) w.answer(n);
    const sizes: number[] = [];
    const { push } = w.site;
    w.site.push = (...more) => {
      sizes.push(more.length);
      return push.apply(w.site, more);
    };
    await w.clock.advance(2);
    expect(sizes).toEqual([512, 512, 512, 464]);
  });

  it('is told when the link closes', () => {
    const w = teller();
    w.batch(MANY);
    w.t.flush();
    expect(w.said()).toHaveLength(MANY);
    expect(w.clock.pending).toBe(0);
  });

  it('keeps its order for every command and loses nothing, whatever happens when (property)', async () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant('batch' as const), size: fc.integer({ min: 1, max: 60 }) }),
      fc.record({
        do: fc.constant('tell' as const),
        n: fc.nat(9),
        state: fc.constantFrom<State>('sent', 'accepted', 'superseded', 'refused', 'effective', 'unknown'),
        own: fc.boolean(),
      }),
      fc.record({ do: fc.constant('answer' as const), n: fc.nat(59) }),
      fc.record({ do: fc.constant('wait' as const), ms: fc.nat(40) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), fc.boolean(), async (steps, counts) => {
        const w = teller(() => counts);
        const all: string[] = [];
        const tell = w.t.tell.bind(w.t);
        w.t.tell = (o, identity) => {
          all.push(`${o.commandId} ${o.state}`);
          tell(o, identity);
        };
        for (const s of steps) {
          if (s.do === 'batch') w.batch(s.size);
          else if (s.do === 'tell') w.tell(s.n, s.state, s.own);
          else if (s.do === 'answer') w.answer(s.n);
          else await w.clock.advance(s.ms);
        }
        w.t.flush();
        expect(w.said()).toEqual(all);
        expect(w.flows).toEqual(w.site);
      }),
      { numRuns: 60 },
    );
  });
});

describe('a batch for many outlets of the link', () => {
  const evses = Array.from({ length: MANY }, (_, i) => ({
    evse: i + 1,
    current: 'ac' as const,
    phases: 3 as const,
    maxImportW: 11_040,
  }));

  it('tells site and flows of every command, in its order, once', async () => {
    const w = await BridgeWorld.open({
      circuits: [],
      stations: [{ identity: 'AC-1', evses }],
      groups: [],
      contracts: [],
    });
    try {
      const s = await w.scripted('ocpp1.6', 'AC-1');
      for (let i = 1; i <= MANY; i++)
        await s.call('StatusNotification', { ...say.status16('Charging'), connectorId: i });
      await w.run(1_000);
      s.script = (action, payload) =>
        JSON.stringify(payload).includes('"connectorId":5,') ? { status: 'Rejected' } : accept(action, payload);
      const commands = evses.map(({ evse }) => ({
        commandId: `alloc:${evse}`,
        resourceId: `AC-1.${evse}`,
        kind: 'setpoint' as const,
        powerW: 6_000,
        validUntil: iso(w.clock.now() + 120_000),
        level: 6,
      }));
      w.outcomes.length = 0;
      const at = iso(w.clock.now());
      await w.link.send(w.wire('hub/CommandBatch', { batchId: 'b-1', siteId: w.file.siteId, at, commands }));
      await w.run(1_000);
      for (const { evse } of evses) {
        const states = w.states(`alloc:${evse}`);
        expect(states[0]).toBe('sent');
        expect(states.at(-1)).toBe(evse === 5 ? 'refused' : 'accepted');
        expect(states.length).toBe(evse === 5 ? 3 : 2);
      }
    } finally {
      await w.close();
    }
  });
});
