/** P7: all stations come back at once over TLS, while others are connected. */
import { usageOf } from '../harness/accounting.ts';
import { compared, interleaved, type Scenario, typical } from '../harness/run.ts';
import { quantile, type Window } from '../harness/stats.ts';
import type { RoundTrips, Storm } from '../load/protocol.ts';
import { gatewayServer, type Server, yardstick } from '../product/servers.ts';
import { rawStations, siteOf } from '../product/site.ts';
import { type Load, startLoad, until, waiting } from './load.ts';

const WITNESSES = 20;
/** Connections that are being made at the same time; the backlog of the listening socket holds them. */
const AT_ONCE = 200;
const IDLE_MS = 2_000;
const STORM_MS = 300_000;

const TLS = { V2GATE_TLS: 'dev', V2GATE_TLS_HTTP: 'off', V2GATE_TLS_FO: 'off' };

type Side = 'bare' | 'v2gate';

export const storm: Scenario = async (o) => {
  const count = o.quick ? 300 : 5_000;
  const rounds = o.quick ? 2 : Math.max(5, Math.ceil(o.rounds / 4));
  const load = await startLoad();
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
      await load.ask({ ...common, set: `${side}-witnesses`, place });
      await load.ask({ do: 'begin', set: `${side}-witnesses` });
    }
    const idle: Window[] = [];
    const during: Window[] = [];
    const times = await interleaved(['bare', 'v2gate'], rounds, async (side, round) => {
      const one = await oneStorm(load, side, servers[side], count);
      if (round >= 0 && side === 'v2gate') {
        idle.push(one.idle);
        during.push(one.during);
      }
      return one.time;
    });
    return [
      compared('storm.time', times.v2gate, times.bare, {
        stations: count,
        'bare ms': typical(times.bare),
        'v2gate ms': typical(times.v2gate),
      }),
      compared('storm.others', during, idle, { 'idle p99 ms': typical(idle), 'storm p99 ms': typical(during) }),
    ];
  } finally {
    await load.stop();
    for (const server of Object.values(servers)) await server.stop();
  }
};

interface OneStorm {
  readonly time: Window;
  readonly idle: Window;
  readonly during: Window;
}

async function oneStorm(load: Load, side: Side, { pid, place }: Server, count: number): Promise<OneStorm> {
  const witnesses = `${side}-witnesses`;
  const quietly = waiting([pid, load.pid]);
  const quiet = await load.ask<RoundTrips>({ do: 'heartbeats', set: witnesses, ms: IDLE_MS });
  const quietWaits = quietly();
  const waited = waiting([pid, load.pid]);
  const told = await load.ask<Storm>(
    {
      do: 'storm',
      set: side,
      place,
      count,
      prefix: 'S',
      version: 'ocpp1.6',
      atOnce: AT_ONCE,
      witnesses,
    },
    STORM_MS,
  );
  const waits = waited();
  await load.ask({ do: 'close', set: side });
  await settled(pid);
  const failed = told.failed > 0 ? { failed: `${told.failed} of ${count} stations did not come back` } : {};
  const window = { ...waits, ...failed };
  return {
    time: { ...window, value: told.ms },
    idle: { ...quietWaits, value: quantile(quiet.roundTrips, 0.99) },
    during: { ...window, value: quantile(told.roundTrips, 0.99) },
  };
}

/** Until the server has taken in that they are gone. */
async function settled(pid: number): Promise<void> {
  let last = Number.NaN;
  await until('the server is idle again', async () => {
    await new Promise((resolve) => setTimeout(resolve, 500));
    const { onCpuMs } = usageOf(pid);
    const quiet = onCpuMs - last < 100;
    last = onCpuMs;
    return quiet;
  });
}
