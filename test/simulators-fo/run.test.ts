import { afterAll, describe, expect, it } from 'vitest';
import { type Clock, realClock } from '../../core/clock.ts';
import { silentLog } from '../../core/log.ts';
import type { PublicJwk } from '../../core/signing.ts';
import { scaledClock } from '../../simulators/core/index.ts';
import { openLink } from '../../simulators/fo/link.ts';
import { runOperator } from '../../simulators/fo/run.ts';
import type { Scenario } from '../../simulators/fo/scenario-file.ts';
import { obligingGateway, obligingMqttGateway } from './gateway.ts';

const cleanups: (() => void | Promise<void>)[] = [];

afterAll(async () => {
  for (const f of cleanups.splice(0).reverse()) await f();
});

const SERVICE = {
  type: 'setpoint' as const,
  durationS: 30,
  cancelAtS: 1,
  minW: -5000,
  maxW: 5000,
  steps: [{ atS: 0, targetW: -4000 }],
};
const QUICK: Scenario = { services: [SERVICE], pauseS: 0, repeat: false };

interface PlayOptions {
  readonly party?: string;
  readonly keys?: () => readonly PublicJwk[];
  readonly clock?: Clock;
}

function play(url: string, scenario: Scenario, { party = 'fo:test', keys, clock = realClock() }: PlayOptions = {}) {
  // The backoff of the link does not make tests wait.
  const quick = { ...clock, after: (ms: number, fn: () => void) => clock.after(ms === 1000 ? 20 : ms, fn) };
  const events: { readonly event: string; readonly at: string; readonly [field: string]: unknown }[] = [];
  const operator = runOperator({
    clock: quick,
    scenario,
    contractId: 'C-9',
    groupId: 'g:depot',
    prefix: `sim-${party.slice(3)}`,
    connect: (start) =>
      openLink({ url, partyId: party, to: 'cso:harbour', keys, log: silentLog, random: () => 0.5 }, start),
    onEvent: (event) => events.push(event),
  });
  cleanups.push(() => operator.stop());
  const count = (event: string) => events.filter((e) => e.event === event).length;
  const find = (event: string) => events.find((e) => e.event === event);
  return { events, count, find };
}

async function until(what: () => boolean): Promise<void> {
  const end = Date.now() + 2_500;
  while (!what()) {
    if (Date.now() > end) throw new Error(`never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describe.concurrent('the operator over a real link', () => {
  it('plays a scenario to its end', async () => {
    const g = await obligingGateway();
    cleanups.push(() => g.close());
    const p = play(g.server.url, QUICK);
    await until(() => p.count('done') === 1);
    const names = p.events.map((e) => e.event);
    expect(names[0]).toBe('up');
    for (const name of ['requested', 'decision', 'setpoint', 'applied', 'measured', 'cancelled', 'notice', 'over']) {
      expect(names).toContain(name);
    }
    expect(p.find('applied')).toMatchObject({ fsrId: 'sim-test-1', appliedW: -4000 });
    expect(g.messages.every((m) => m.peer === 'fo:test')).toBe(true);
  });

  it('comes back after the gateway was away, and goes on with the same service', async () => {
    const first = await obligingGateway();
    const p = play(first.server.url, { ...QUICK, services: [{ ...SERVICE, cancelAtS: 29 }] });
    await until(() => p.count('applied') === 1);
    await first.close();
    await until(() => p.count('down') === 1);
    const second = await obligingGateway(first.server.port);
    cleanups.push(() => second.close());
    await until(() => p.count('applied') === 2);
    expect(second.messages.map((m) => m.type).sort()).toEqual(['SubscribeTelemetry', 'UpdateSetpoint']);
    expect(p.count('requested')).toBe(1);
  });

  it('waits for record and proof, judges their signatures, and then is done', async () => {
    const g = await obligingGateway();
    cleanups.push(() => g.close());
    const scenario = { ...QUICK, services: [{ ...SERVICE, evidenceWithinS: 5 }] };
    const p = play(g.server.url, scenario, { keys: () => [g.jwk] });
    await until(() => p.count('done') === 1);
    expect(p.find('evidence')).toMatchObject({ fsrId: 'sim-test-1', complaints: [] });
    expect(p.find('proof')).toMatchObject({ deliveredWh: 9, keyId: g.jwk.kid });
  });

  it('takes no record that somebody else has signed', async () => {
    const g = await obligingGateway();
    const other = await obligingGateway();
    cleanups.push(
      () => g.close(),
      () => other.close(),
    );
    const scenario = { ...QUICK, services: [{ ...SERVICE, evidenceWithinS: 1 }] };
    const p = play(g.server.url, scenario, { keys: () => [other.jwk] });
    await until(() => p.count('done') === 1);
    expect(p.find('evidenceMissing')).toMatchObject({ record: false, proof: false });
    expect(p.count('record')).toBe(0);
  });

  it('plays over MQTT, two operators side by side', async () => {
    const g = await obligingMqttGateway(['fo:north', 'fo:south']);
    cleanups.push(() => g.close());
    const scenario = { ...QUICK, services: [{ ...SERVICE, evidenceWithinS: 5 }] };
    const players = ['fo:north', 'fo:south'].map((party) => play(g.url, scenario, { party, keys: () => [g.jwk] }));
    await until(() => players.every((p) => p.count('done') === 1));
    for (const p of players) expect(p.find('evidence')).toMatchObject({ complaints: [] });
    const asked = g.messages.flatMap((m) => (m.type === 'RequestService' ? [`${m.peer} ${m.body.fsr.fsrId}`] : []));
    expect(asked.sort()).toEqual(['fo:north sim-north-1', 'fo:south sim-south-1']);
  });

  it('falls silent: the gateway misses its heartbeats, and hears it again later', async () => {
    const clock = scaledClock(realClock(), 20);
    const g = await obligingGateway(0, clock);
    cleanups.push(() => g.close());
    const acts = [{ atS: 2, do: 'mute' as const, forS: 15 }];
    const services = [{ ...SERVICE, cancelAtS: 29, updateIntervalS: 1, acts }];
    const p = play(g.server.url, { ...QUICK, services }, { clock });
    await until(() => g.downs.includes('fo:test heartbeatLost'));
    const before = p.count('applied');
    await until(() => p.count('up') === 2);
    await until(() => p.count('applied') > before);
  });

  it('drops its link and is back after the time, without missing an event', async () => {
    const clock = scaledClock(realClock(), 20);
    const g = await obligingGateway(0, clock);
    cleanups.push(() => g.close());
    const acts = [{ atS: 2, do: 'drop' as const, forS: 5 }];
    const services = [{ ...SERVICE, cancelAtS: 12, evidenceWithinS: 10, acts }];
    const p = play(g.server.url, { ...QUICK, services }, { clock });
    await until(() => p.count('done') === 1);
    expect(p.events.filter((e) => ['up', 'down'].includes(e.event)).map((e) => e.event)).toEqual(['up', 'down', 'up']);
    expect(p.count('decision')).toBe(1);
    expect(p.count('evidence')).toBe(1);
  });

  it('sends setpoints that are too old or too late, and tells what the gateway says', async () => {
    const g = await obligingGateway();
    cleanups.push(() => g.close());
    const acts = [
      { atS: 0.3, do: 'staleSetpoint' as const },
      { atS: 0.5, do: 'lateSetpoint' as const, targetW: 99 },
    ];
    const p = play(g.server.url, { ...QUICK, services: [{ ...SERVICE, acts }] });
    await until(() => p.count('done') === 1);
    const refused = p.events.flatMap((e) => (e.event === 'refused' ? [e.code] : []));
    expect(refused).toEqual(['seq.stale', 'time.expired']);
  });
});
