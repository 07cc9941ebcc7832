import { afterEach, describe, expect, it } from 'vitest';
import { realClock } from '../../core/clock.ts';
import { silentLog } from '../../core/log.ts';
import { createFoClient } from '../../protocols/fo/index.ts';
import { runOperator } from '../../simulators/fo/run.ts';
import type { Scenario } from '../../simulators/fo/scenario-file.ts';
import { obligingGateway } from './gateway.ts';

const cleanups: (() => void | Promise<void>)[] = [];

afterEach(async () => {
  for (const f of cleanups.splice(0).reverse()) await f();
});

const QUICK: Scenario = {
  services: [
    { type: 'setpoint', durationS: 30, cancelAtS: 1, minW: -5000, maxW: 5000, steps: [{ atS: 0, targetW: -4000 }] },
  ],
  pauseS: 0,
  repeat: false,
};

function play(url: string, scenario: Scenario) {
  const clock = realClock();
  // The backoff of the link does not make tests wait.
  const quick = { ...clock, after: (ms: number, fn: () => void) => clock.after(ms === 1000 ? 20 : ms, fn) };
  const events: { readonly event: string; readonly at: string }[] = [];
  const operator = runOperator({
    clock,
    scenario,
    contractId: 'C-9',
    groupId: 'g:depot',
    prefix: 'sim',
    connect: (handlers) =>
      createFoClient({
        url,
        partyId: 'fo:test',
        to: 'cso:harbour',
        clock: quick,
        log: silentLog,
        handlers,
        random: () => 0.5,
      }),
    onEvent: (event) => events.push(event),
  });
  cleanups.push(() => operator.stop());
  const count = (event: string) => events.filter((e) => e.event === event).length;
  return { events, count };
}

async function until(what: () => boolean): Promise<void> {
  const end = Date.now() + 2_500;
  while (!what()) {
    if (Date.now() > end) throw new Error(`never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describe('the operator over a real link', () => {
  it('plays a scenario to its end', async () => {
    const { server, messages } = await obligingGateway();
    cleanups.push(() => server.close());
    const p = play(server.url, QUICK);
    await until(() => p.count('done') === 1);
    const names = p.events.map((e) => e.event);
    expect(names[0]).toBe('up');
    for (const name of ['requested', 'decision', 'setpoint', 'applied', 'measured', 'cancelled', 'notice', 'over']) {
      expect(names).toContain(name);
    }
    expect(p.events.find((e) => e.event === 'applied')).toMatchObject({ fsrId: 'sim-1', appliedW: -4000 });
    expect(messages.every((m) => m.peer === 'fo:test')).toBe(true);
  });

  it('comes back after the gateway was away, and goes on with the same service', async () => {
    const first = await obligingGateway();
    const p = play(first.server.url, { ...QUICK, services: [{ ...Object(QUICK.services[0]), cancelAtS: 29 }] });
    await until(() => p.count('applied') === 1);
    await first.server.close();
    await until(() => p.count('down') === 1);
    const second = await obligingGateway(first.server.port);
    cleanups.push(() => second.server.close());
    await until(() => p.count('applied') === 2);
    expect(second.messages.map((m) => m.type).sort()).toEqual(['SubscribeTelemetry', 'UpdateSetpoint']);
    expect(p.count('requested')).toBe(1);
  });
});
