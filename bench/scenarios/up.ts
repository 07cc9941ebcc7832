/** P1, P2, P3: what a meter value of a station costs on its way up. */
import { compared, interleaved, type Row, type RunOptions, type Scenario, typical } from '../harness/run.ts';
import type { Version } from '../load/messages.ts';
import type { Exchanged } from '../load/protocol.ts';
import { gatewayServer, rpcLayer, type Server, stack, yardstick } from '../product/servers.ts';
import { rawStations, siteOf } from '../product/site.ts';
import { cpuWindow, type Load, prepared, startLoad, troubleOf } from './load.ts';

const KINDS = ['echo', 'hand', 'rpc', 'stack', 'gateway'] as const;
type Kind = (typeof KINDS)[number];

/** Stations per server, and length of a window. */
const SIZE = { full: { stations: 1_000, windowMs: 1_000 }, quick: { stations: 300, windowMs: 600 } };
const GROWTH = [500, 5_000] as const;

const siteWith = (count: number, version: Version) =>
  siteOf({ stations: rawStations('B', count, version === 'ocpp1.6' ? 'ac' : 'dc'), now: Date.now() });

const START: Readonly<Record<Kind, (version: Version, count: number) => Promise<Server>>> = {
  echo: (version) => yardstick('echo', version),
  hand: (version) => yardstick('hand', version),
  rpc: (version) => rpcLayer(version),
  stack: (version, count) => stack(siteWith(count, version)),
  gateway: (version, count) => gatewayServer({ site: siteWith(count, version), flow: 'oneNode' }),
};

export const up: Scenario = async (o) => [
  ...(await kinds(o, 'ocpp1.6')),
  ...(await kinds(o, 'ocpp2.1')),
  ...(await growth(o, 'ocpp1.6')),
  ...(await growth(o, 'ocpp2.1')),
];

/** Connects a set of stations and brings them up to their meter values, where the server takes part in that. */
export async function connectUp(load: Load, set: string, server: Server, count: number, version: Version, kind: Kind) {
  await load.ask({
    do: 'connect',
    set,
    place: server.place,
    count,
    prefix: 'B',
    version,
    echoed: kind === 'echo',
  });
  if (kind !== 'echo' && kind !== 'rpc') await load.ask({ do: 'begin', set });
  if (kind === 'stack' || kind === 'gateway') await prepared(load, set);
}

async function kinds(o: RunOptions, version: Version): Promise<Row[]> {
  const { stations, windowMs } = o.quick ? SIZE.quick : SIZE.full;
  const load = await startLoad();
  const servers: Partial<Record<Kind, Server>> = {};
  try {
    for (const kind of KINDS) {
      const server = await START[kind](version, stations);
      servers[kind] = server;
      await connectUp(load, kind, server, stations, version, kind);
    }
    o.say(`up: ${version}, ${stations} stations at each of ${KINDS.join(', ')}`);
    const windows = await interleaved(KINDS, o.rounds, (kind) =>
      upWindow(load, kind, servers[kind]?.pid ?? 0, windowMs),
    );
    const facts = Object.fromEntries(KINDS.map((k) => [`${k} µs`, typical(windows[k])]));
    return [
      compared(`up.rpc/${version}`, windows.rpc, windows.hand, facts),
      compared(`up.stack/${version}`, windows.stack, windows.hand, facts),
      compared(`up.gateway/${version}`, windows.gateway, windows.echo, facts),
    ];
  } finally {
    await load.stop();
    for (const server of Object.values(servers)) await server.stop();
  }
}

function upWindow(load: Load, set: string, pid: number, ms: number) {
  return cpuWindow(pid, async () => {
    const told = await load.ask<Exchanged>({ do: 'up', set, ms });
    return { work: told.answers, ...troubleOf(told) };
  });
}

/** The same gateway with few and with many stations. */
async function growth(o: RunOptions, version: Version): Promise<Row[]> {
  const { windowMs } = o.quick ? SIZE.quick : SIZE.full;
  const sizes = o.quick ? ([100, 1_000] as const) : GROWTH;
  const [few, many] = [`${sizes[0]}`, `${sizes[1]}`];
  const load = await startLoad();
  const servers = new Map<string, Server>(); // bounded by: two sizes
  try {
    for (const count of sizes) {
      const server = await START.gateway(version, count);
      servers.set(`${count}`, server);
      await connectUp(load, `${count}`, server, count, version, 'gateway');
    }
    o.say(`up: ${version}, ${few} and ${many} stations at the gateway`);
    const windows = await interleaved([few, many], o.rounds, (set) =>
      upWindow(load, set, servers.get(set)?.pid ?? 0, windowMs),
    );
    const [small = [], large = []] = [windows[few], windows[many]];
    return [
      compared(`up.growth/${version}`, large, small, { [`${few} µs`]: typical(small), [`${many} µs`]: typical(large) }),
    ];
  } finally {
    await load.stop();
    for (const server of servers.values()) await server.stop();
  }
}
