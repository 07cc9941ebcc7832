import type { NodeMessage, Outgoing } from 'node-red';
import { describe, expect, it } from 'vitest';
import { manualClock } from '../../core/clock.ts';
import { codeOf } from '../../core/errors.ts';
import { LeaseRegistry } from '../../core/lease.ts';
import { silentLog } from '../../core/log.ts';
import type { GatewayRuntime, ProgramListener, ProgramPort, SimulatorProgram } from '../../hub/ports.ts';
import type { NodeHost } from '../../nodes/base/host.ts';
import type { LinkHolder } from '../../nodes/base/link-holder.ts';
import { Virtual } from '../../nodes/virtual/controller.ts';
import { createVirtualFleet } from '../../nodes/virtual-fleet/controller.ts';
import { FleetTally } from '../../nodes/virtual-fleet/tally.ts';
import { createVirtualFo } from '../../nodes/virtual-fo/controller.ts';
import { OperatorTally } from '../../nodes/virtual-fo/tally.ts';

interface Started {
  readonly program: SimulatorProgram;
  readonly hears: ProgramListener;
  readonly told: object[];
  stopped: boolean;
}

/** A site with one operator, whose link is up once the test says so. */
const SITE = {
  operatorId: 'cso:yard',
  parties: [
    { partyId: 'cso:yard', role: 'cso' },
    { partyId: 'fo:mine', role: 'fo' },
  ],
  partySecrets: [{ partyId: 'fo:mine', tokenRef: 'fo-mine' }],
  contracts: [{ contractId: 'C-1', foId: 'fo:mine' }],
  groups: [{ groupId: 'g:yard', members: [] }],
  stations: [{ identity: 'CS1', passwordRef: 'stations', evses: [] }],
};

function world({ demo = false, secrets = { stations: 'S3cret', 'fo-mine': 'T0ken' } as Record<string, string> } = {}) {
  const clock = manualClock();
  const started: Started[] = [];
  const programs: ProgramPort = {
    start(program, hears) {
      const one: Started = { program, hears, told: [], stopped: false };
      started.push(one);
      return {
        tell: (order) => void one.told.push(order),
        stop: async () => {
          one.stopped = true;
        },
      };
    },
  };
  const runtime: Partial<GatewayRuntime> = {
    clock,
    log: silentLog,
    leases: new LeaseRegistry({ clock, log: silentLog }),
    programs,
    secret: (ref) => secrets[ref],
  };
  Object.assign(runtime, { settings: { demo } });
  const listeners = new Set<() => void>();
  const link: { kind: string; url: string | undefined; site: object; on: LinkHolder['on'] } = {
    kind: 'link',
    url: undefined,
    site: { require: () => ({ file: () => SITE }) },
    on(_event, listener) {
      const call = (): void => Reflect.apply(listener, undefined, []);
      listeners.add(call);
      return () => listeners.delete(call);
    },
  };
  const statuses: string[] = [];
  const sent: NodeMessage[] = [];
  const failures: unknown[] = [];
  const host = (type: string): NodeHost => ({
    id: 'n1',
    name: 'mine',
    type,
    runtime: runtime as GatewayRuntime,
    credentials: {},
    status: (mood, words) => void statuses.push(`${mood}: ${words}`),
    send: (message: Outgoing) => void sent.push(message as NodeMessage),
    fail: (e) => void failures.push(e),
    controllerOf: () => link,
    onFlowsStarted: () => () => undefined,
    announceLink: () => undefined,
    withdrawLink: () => undefined,
  });
  const settled = async (): Promise<void> => {
    for (let i = 0; i < 5; i++) await new Promise<void>((done) => setImmediate(done));
  };
  return {
    clock,
    started,
    statuses,
    sent,
    failures,
    settled,
    fleet: (config: object = {}) => createVirtualFleet(host('v2gate-virtual-fleet'), { server: 'x', ...config }),
    operator: (config: object = {}) => createVirtualFo(host('v2gate-virtual-fo'), { link: 'x', ...config }),
    /** The link is at this address. */
    async up(url = 'ws://127.0.0.1:1/ocpp') {
      link.url = url;
      for (const call of [...listeners]) call();
      await settled();
    },
    withoutPrograms: () =>
      new Virtual({ ...host('t'), runtime: { ...runtime, programs: undefined } as never }, {}, {} as never),
  };
}

const SUMMARY = { event: 'summary', station: '*', stations: 8, online: 7, charging: 3 };

describe('a virtual fleet', () => {
  it('waits for its link, starts by hand, says in words how it is, and stops', async () => {
    const w = world();
    const fleet = w.fleet({ start: 'demo', scenario: 'many', count: '20', versions: 'ocpp2.1' });
    expect(w.statuses.at(-1)).toBe('waiting: waiting for the link');
    await w.up();
    expect(w.statuses.at(-1)).toBe('waiting: stopped');
    expect(w.started).toEqual([]);
    await fleet.input({ payload: 'start' });
    const [one] = w.started;
    expect(one?.program).toEqual({
      kind: 'fleet',
      url: 'ws://127.0.0.1:1/ocpp',
      scenario: 'many',
      count: 20,
      versions: 'ocpp2.1',
      password: 'S3cret',
    });
    one?.hears.line(SUMMARY);
    expect(w.statuses.at(-1)).toBe('good: 8 stations · 1 offline · 3 charging');
    expect(w.sent.at(-1)).toMatchObject({ topic: 'virtual-fleet/summary', payload: SUMMARY });
    await fleet.turn('toggle');
    expect(one?.stopped).toBe(true);
    expect(w.statuses.at(-1)).toBe('waiting: stopped');
    await fleet.close(true);
  });

  it.each([
    ['demo', true, 1],
    ['demo', false, 0],
    ['always', false, 1],
    ['never', true, 0],
  ])('that starts %s, in a demo: %s, is started %s times by itself', async (start, demo, times) => {
    const w = world({ demo });
    const fleet = w.fleet({ start });
    await w.up();
    expect(w.started).toHaveLength(times);
    await fleet.close(true);
  });

  it('keeps running over a deploy that does not change it, and is another program after one that does', async () => {
    const w = world();
    const config = { start: 'always', name: 'a' };
    const first = w.fleet(config);
    await w.up();
    await first.close(false);
    const second = w.fleet({ ...config, name: 'another name' });
    await w.settled();
    expect(w.started).toHaveLength(1);
    w.started[0]?.hears.line(SUMMARY);
    expect(w.statuses.at(-1)).toContain('8 stations');
    await second.close(false);
    const third = w.fleet({ ...config, scenario: 'depot' });
    await w.settled();
    expect(w.started.map((s) => [s.program.scenario, s.stopped])).toEqual([
      ['demo', true],
      ['depot', false],
    ]);
    await third.close(true);
    expect(w.started[1]?.stopped).toBe(true);
  });

  it('that nobody takes over after a deploy ends', async () => {
    const w = world();
    const fleet = w.fleet({ start: 'always' });
    await w.up();
    await fleet.close(false);
    await w.clock.advance(11_000);
    await w.settled();
    expect(w.started[0]?.stopped).toBe(true);
    expect(w.clock.pending).toBe(0);
  });

  it('is disturbed by messages, which must be orders, while it runs', async () => {
    const w = world();
    const fleet = w.fleet({ start: 'always' });
    await w.up();
    await fleet.input({ payload: { station: 'CS1', fault: 'refuse' } });
    await fleet.input({ payload: { baseW: 4000 } });
    expect(w.started[0]?.told).toEqual([{ station: 'CS1', fault: 'refuse' }, { baseW: 4000 }]);
    await expect(fleet.input({ payload: 'dance' })).rejects.toMatchObject({ code: 'nodes.message' });
    await fleet.turn('stop');
    await expect(fleet.input({ payload: { station: '*', fault: 'none' } })).rejects.toMatchObject({
      code: 'nodes.notReady',
    });
    await fleet.close(true);
  });

  it('whose program fails says why; one that is tried again says that', async () => {
    const w = world();
    const fleet = w.fleet({ start: 'always', scenario: 'file', file: '/no/such.json' });
    await w.up();
    w.started[0]?.hears.state('waiting', 'ended with exit code 1');
    expect(w.statuses.at(-1)).toBe('attention: ended with exit code 1');
    w.started[0]?.hears.state('running', 'running');
    expect(w.statuses.at(-1)).toBe('good: starting');
    w.started[0]?.hears.state('failed', 'no such file');
    expect(w.statuses.at(-1)).toBe('bad: no such file');
    expect(fleet.now()).toEqual({ running: false, mood: 'bad', words: 'no such file' });
    await fleet.turn('start');
    expect(w.started).toHaveLength(2);
    await fleet.close(true);
  });

  it('whose password nobody knows does not start, and says which secret is missing', async () => {
    const w = world({ secrets: {} });
    const fleet = w.fleet({ start: 'always' });
    await w.up();
    expect(w.statuses.at(-1)).toMatch(/^bad: .*“stations”/);
    await expect(fleet.turn('start')).rejects.toMatchObject({ code: 'nodes.config' });
    expect(w.started).toEqual([]);
    await fleet.close(true);
  });

  it('says so where no programs can be run', () => {
    const act = (): unknown => {
      try {
        return world().withoutPrograms();
      } catch (e) {
        return codeOf(e);
      }
    };
    expect(act()).toBe('nodes.noPrograms');
  });
});

describe('a virtual operator', () => {
  it('is the first operator of the site, under its contract, with its token, unless it is told who to be', async () => {
    const w = world();
    const usual = w.operator({ start: 'always', scenario: 'congestion' });
    await w.up('ws://127.0.0.1:2/fo');
    const expected = {
      kind: 'operator',
      url: 'ws://127.0.0.1:2/fo',
      scenario: 'congestion',
      partyId: 'fo:mine',
      to: 'cso:yard',
      contractId: 'C-1',
      groupId: 'g:yard',
      token: 'T0ken',
    };
    expect(w.started[0]?.program).toEqual(expected);
    await usual.close(true);
    const other = w.operator({ start: 'always', party: 'fo:else', contract: 'C-7', group: 'g:2' });
    await w.settled();
    const { token: _, ...rest } = expected;
    expect(w.started[1]?.program).toEqual({
      ...rest,
      scenario: 'setpoints',
      partyId: 'fo:else',
      contractId: 'C-7',
      groupId: 'g:2',
    });
    await other.close(true);
  });

  it('that cannot be told apart names what is missing', async () => {
    const w = world();
    const stranger = w.operator({ start: 'always', party: 'fo:else' });
    await w.up();
    expect(w.statuses.at(-1)).toMatch(/^bad: Name the contract/);
    await stranger.close(true);
  });

  it('takes numbers as setpoints', async () => {
    const w = world();
    const operator = w.operator({ start: 'always' });
    await w.up();
    await operator.input({ payload: -5000 });
    await operator.input({ payload: { do: 'mute', forS: 20 } });
    expect(w.started[0]?.told).toEqual([
      { do: 'setpoint', targetW: -5000, forS: 60 },
      { do: 'mute', forS: 20 },
    ]);
    await expect(operator.input({ payload: Number.NaN })).rejects.toMatchObject({ code: 'nodes.message' });
    await operator.close(true);
  });
});

describe('words for what simulators say', () => {
  it('a fleet', () => {
    const tally = new FleetTally();
    expect(tally.words()).toBe('starting');
    tally.hear({ event: 'booted', station: 'CS1' });
    expect(tally.words()).toBe('starting');
    tally.hear({ event: 'summary', stations: 1, online: 1, charging: 0 });
    expect(tally.words()).toBe('1 station · 0 charging');
    tally.reset();
    expect(tally.words()).toBe('starting');
  });

  it('an operator', () => {
    const tally = new OperatorTally();
    const hearing = (event: Readonly<Record<string, unknown>>): string => {
      tally.hear(event);
      return tally.words();
    };
    expect(tally.words()).toBe('connecting');
    expect(hearing({ event: 'up' })).toBe('connected');
    expect(hearing({ event: 'requested' })).toBe('connected · asked for a service');
    expect(hearing({ event: 'decision', decision: 'accepted' })).toBe('connected · service runs');
    expect(hearing({ event: 'setpoint', targetW: -4000 })).toBe('connected · service runs · -4000 W');
    expect(hearing({ event: 'act', what: 'mute' })).toBe('silent · service runs · -4000 W');
    expect(hearing({ event: 'loud' })).toBe('connected · service runs · -4000 W');
    expect(hearing({ event: 'over' })).toBe('connected · between two services');
    expect(hearing({ event: 'down' })).toBe('not connected · between two services');
    expect(hearing({ event: 'decision', decision: 'rejected' })).toBe('not connected · refused');
  });
});
