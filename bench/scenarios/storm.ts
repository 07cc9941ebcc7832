/** P7: all stations come back at once over TLS, while others are connected. */
import { setTimeout as sleep } from 'node:timers/promises';
import { usageOf } from '../harness/accounting.ts';
import { compared, interleaved, type Row, type Scenario, typical } from '../harness/run.ts';
import { quantile, type Window } from '../harness/stats.ts';
import type { RoundTrips, Storm } from '../load/protocol.ts';
import { gatewayServer, type Server, yardstick } from '../product/servers.ts';
import { rawStations, siteOf } from '../product/site.ts';
import { type Load, startLoad, startWitnesses, sumOf, until, waiting } from './load.ts';

const WITNESSES = 20;
/** Connections that are being made at the same time; the backlog of the listening socket holds them. */
const AT_ONCE = 200;
const IDLE_MS = 2_000;
const STORM_MS = 120_000;

const TLS = { V2GATE_TLS: 'dev', V2GATE_TLS_HTTP: 'off', V2GATE_TLS_FO: 'off' };

type Side = 'bare' | 'v2gate';

/** The server of a side, who storms it and who watches. */
interface Actors {
  readonly side: Side;
  readonly server: Server;
  readonly load: Load;
  readonly witnesses: Load;
}

export const storm: Scenario = async (o) => {
  const count = o.quick ? 300 : 5_000;
  const rounds = o.quick ? 2 : Math.max(5, Math.ceil(o.rounds / 4));
  const load = await startLoad();
  const witnesses = await startWitnesses();
  const stations = [...rawStations('W', WITNESSES, 'ac'), ...rawStations('S', count, 'ac')];
  const site = siteOf({ stations, now: Date.now() });
  const servers: Readonly<Record<Side, Server>> = {
    bare: await yardstick('hand', 'ocpp1.6', true),
    v2gate: await gatewayServer({ site, flow: 'example', env: TLS }),
  };
  try {
    o.say(`storm: ${count} stations over TLS, ${WITNESSES} others`);
    for (const side of ['bare', 'v2gate'] as const) {
      const { place } = servers[side];
      const common = { do: 'connect', count: WITNESSES, prefix: 'W', version: 'ocpp1.6' } as const;
      await witnesses.ask({ ...common, set: side, place });
      await witnesses.ask({ do: 'begin', set: side });
    }
    const made: Record<Side, OneStorm[]> = { bare: [], v2gate: [] };
    const times = await interleaved(['bare', 'v2gate'], rounds, async (side, round) => {
      const one = await oneStorm({ side, server: servers[side], load, witnesses }, count);
      if (round >= 0) made[side].push(one);
      return one.time;
    });
    return rows(count, made, times);
  } finally {
    await witnesses.stop();
    await load.stop();
    for (const server of Object.values(servers)) await server.stop();
  }
};

interface OneStorm {
  readonly time: Window;
  /** CPU of the server per station, µs. */
  readonly cpu: Window;
  readonly idle: Window;
  readonly during: Window;
}

function rows(
  count: number,
  made: Readonly<Record<Side, readonly OneStorm[]>>,
  times: Readonly<Record<Side, readonly Window[]>>,
): Row[] {
  const of = (side: Side, what: keyof OneStorm) => made[side].map((one) => one[what]);
  return [
    compared('storm.time', times.v2gate, times.bare, {
      stations: count,
      'bare ms': typical(times.bare),
      'v2gate ms': typical(times.v2gate),
    }),
    compared('storm.cpu', of('v2gate', 'cpu'), of('bare', 'cpu'), {
      'bare µs per station': typical(of('bare', 'cpu')),
      'v2gate µs per station': typical(of('v2gate', 'cpu')),
    }),
    compared('storm.others', of('v2gate', 'during'), of('v2gate', 'idle'), {
      'idle p99 ms': typical(of('v2gate', 'idle')),
      'storm p99 ms': typical(of('v2gate', 'during')),
      'bare idle p99 ms': typical(of('bare', 'idle')),
      'bare storm p99 ms': typical(of('bare', 'during')),
    }),
  ];
}

async function oneStorm({ side, server: { pid, place }, load, witnesses }: Actors, count: number): Promise<OneStorm> {
  const quietly = waiting(pid, witnesses.pid);
  await witnesses.ask({ do: 'watch', set: side });
  await sleep(IDLE_MS);
  const quiet = await witnesses.ask<RoundTrips>({ do: 'watched', set: side });
  const quietWaits = quietly(sumOf(quiet.roundTrips));
  const before = usageOf(pid);
  const waited = waiting(pid, load.pid);
  const witnessed = waiting(pid, witnesses.pid);
  await witnesses.ask({ do: 'watch', set: side });
  const common = { do: 'storm', set: side, place, count, prefix: 'S', version: 'ocpp1.6', atOnce: AT_ONCE } as const;
  const told = await load.ask<Storm>(common, STORM_MS);
  const after = usageOf(pid);
  const waits = waited(told.ms);
  const rushed = await witnesses.ask<RoundTrips>({ do: 'watched', set: side });
  const rushWaits = witnessed(sumOf(rushed.roundTrips));
  await load.ask({ do: 'close', set: side });
  await settled(pid);
  const failed = told.failed > 0 ? { failed: `${told.failed} of ${count} stations did not come back` } : {};
  const p99 = (trips: RoundTrips): number => quantile(trips.roundTrips, 0.99);
  return {
    time: { ...waits, ...failed, value: told.ms },
    cpu: {
      lengthMs: after.atMs - before.atMs,
      waitedMs: after.waitedMs - before.waitedMs,
      ...failed,
      value: ((after.onCpuMs - before.onCpuMs) * 1000) / count,
    },
    idle: { ...quietWaits, value: p99(quiet) },
    during: { ...rushWaits, ...failed, value: p99(rushed) },
  };
}

/** Until the server has taken in that they are gone. */
async function settled(pid: number): Promise<void> {
  let last = Number.NaN;
  await until('the server is idle again', async () => {
    await sleep(500);
    const { onCpuMs } = usageOf(pid);
    const quiet = onCpuMs - last < 100;
    last = onCpuMs;
    return quiet;
  });
}
