/**
 * P5: a limit that comes in an emergency, until it holds by the words of the stations below it. Who comes down how far is
 * the site's business: one within its command interval may keep its power at the cost of the others.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { SetLimit } from '../../model/index.ts';
import type { GatewayProcess } from '../../test/system/support/gateway.ts';
import { monotonicMs } from '../harness/accounting.ts';
import { compared, interleaved, type Scenario, typical } from '../harness/run.ts';
import { quantile, type Window } from '../harness/stats.ts';
import type { Lowered } from '../load/protocol.ts';
import { pidOf, placeOf, startBenchGateway } from '../product/gateway.ts';
import { circuitOf, rawStations, siteOf } from '../product/site.ts';
import { type Load, prepared, startLoad, sumOf, waiting } from './load.ts';

/** What 5 000 stations send at most (performance 2). */
const METERING_PER_S = 600;
const CIRCUITS = 20;
const BETWEEN_MS = 30;
const WITHIN_MS = 5_000;
const SETTLE_MS = 5_000;
/** Each limit of a circuit is lower than what was drawn before. */
const FIRST = 0.95;
const STEP = 0.04;
const STATION_W = 11_040;

export const emergency: Scenario = async (o) => {
  const count = o.quick ? 100 : 500;
  const load = await startLoad();
  const site = siteOf({ stations: rawStations('B', count, 'ac'), circuits: CIRCUITS, now: Date.now() });
  const gateway = await startBenchGateway({ site, flow: 'example' });
  try {
    const place = await placeOf(gateway);
    await load.ask({ do: 'connect', set: 'B', place, count, prefix: 'B', version: 'ocpp1.6' });
    await load.ask({ do: 'begin', set: 'B' });
    await load.ask({ do: 'meter', set: 'B' });
    await prepared(load, 'B');
    await sleep(SETTLE_MS);
    o.say(`emergency: ${count} stations, ${CIRCUITS} circuits, ${METERING_PER_S} meter values per second`);
    const windows = await interleaved(
      ['idle', 'metering'],
      o.quick ? 2 : Math.max(8, Math.ceil(o.rounds / 2)),
      async (kind) => {
        await load.ask({ do: 'pace', set: 'B', perSecond: kind === 'metering' ? METERING_PER_S : 0 });
        const window = await limits(load, gateway, count, o.quick ? 2 : 5);
        await load.ask({ do: 'pace', set: 'B', perSecond: 0 });
        await load.ask({ do: 'meter', set: 'B' });
        return window;
      },
    );
    const facts = { 'idle p99 ms': typical(windows.idle), 'metering p99 ms': typical(windows.metering) };
    return [compared('emergency', windows.metering, windows.idle, facts)];
  } finally {
    await load.stop();
    await gateway.stop();
  }
};

/** Tightens every circuit `times` times; the value is the p99 of the delays, ms. Afterwards all limits are lifted. */
async function limits(load: Load, gateway: GatewayProcess, count: number, times: number): Promise<Window> {
  const below = Array.from({ length: CIRCUITS }, (_, c) =>
    Array.from({ length: count }, (_, i) => i).filter((i) => circuitOf(i, CIRCUITS) === `k${c}`),
  );
  const delays: number[] = [];
  const waited = waiting(pidOf(gateway), load.pid);
  for (let time = 0; time < times; time++) {
    for (const [c, members] of below.entries()) {
      const importLimitW = Math.round(members.length * STATION_W * (FIRST - STEP * time));
      const only = members.map((i) => `B-${i + 1}`);
      const lowering = { only, sumW: importLimitW, withinMs: WITHIN_MS };
      const lowered = load.ask<Lowered>({ do: 'lowered', set: 'B', ...lowering });
      const sent = monotonicMs();
      await post(gateway, { nodeId: `k${c}`, source: 'bench', importLimitW });
      const { fromW, sumW, atMs } = await lowered;
      // They may not be back from the limits of the window before: then this one asks nothing of them.
      if (fromW > importLimitW) delays.push(sumW <= importLimitW ? atMs - sent : Number.NaN);
      await sleep(BETWEEN_MS);
    }
  }
  const waits = waited(sumOf(delays));
  for (let c = 0; c < CIRCUITS; c++) await post(gateway, { nodeId: `k${c}`, source: 'bench', lift: true });
  await sleep(SETTLE_MS / 2);
  const lost = delays.filter((d) => !Number.isFinite(d)).length;
  return {
    value: quantile(delays, 0.99),
    ...waits,
    ...(lost > 0 || delays.length === 0 ? { failed: `${lost} of ${delays.length} limits did not hold in time` } : {}),
  };
}

async function post(gateway: GatewayProcess, limit: SetLimit): Promise<void> {
  const response = await fetch(`${gateway.url}/v2gate/api/limit`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(limit),
  });
  if (!response.ok) throw new Error(`a limit was answered ${response.status}: ${await response.text()}`);
  await response.arrayBuffer();
}
