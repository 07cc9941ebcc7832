/** P6, for information: what an idle station costs in memory, in plain text and over TLS. */
import { setTimeout as sleep } from 'node:timers/promises';
import { rssOf } from '../harness/accounting.ts';
import { type Row, type RunOptions, rounded, rowOf, type Scenario } from '../harness/run.ts';
import { median } from '../harness/stats.ts';
import { gatewayServer, type Server, yardstick } from '../product/servers.ts';
import { rawStations, siteOf } from '../product/site.ts';
import { prepared, startLoad } from './load.ts';

/** Time for garbage to be collected and for what a start or a connection leaves behind. */
const SETTLE_MS = 6_000;
const GOAL_PER_GB = 12_000;
const GB = 1e9;

const TLS = { V2GATE_TLS: 'dev', V2GATE_TLS_HTTP: 'off', V2GATE_TLS_FO: 'off' };

/** Servers of a round, which are measured beside each other: memory does not depend on who has the core. */
const KINDS = ['plain', 'handPlain', 'tls', 'handTls'] as const;
type Kind = (typeof KINDS)[number];

export const rss: Scenario = async (o) => {
  const count = o.quick ? 200 : 3_000;
  const rounds = o.quick ? 2 : 5;
  const site = () => siteOf({ stations: rawStations('B', count, 'ac'), now: Date.now() });
  const gateway = (env: Record<string, string>) => gatewayServer({ site: site(), flow: 'example', env });
  const start: Readonly<Record<Kind, () => Promise<Server>>> = {
    plain: () => gateway({}),
    handPlain: () => yardstick('hand', 'ocpp1.6'),
    tls: () => gateway(TLS),
    handTls: () => yardstick('hand', 'ocpp1.6', true),
  };
  o.say(`rss: ${count} stations, ${rounds} rounds`);
  const bytes: Record<Kind, number[]> = { plain: [], handPlain: [], tls: [], handTls: [] };
  for (let round = 0; round < rounds; round++) {
    const grown = await Promise.all(KINDS.map(async (kind) => perStation(await start[kind](), count, o)));
    for (const [i, kind] of KINDS.entries()) bytes[kind].push(grown[i] ?? Number.NaN);
  }
  const plain = { product: bytes.plain, hand: bytes.handPlain };
  const tls = { product: bytes.tls, hand: bytes.handTls };
  const perGB = tls.product.map((each) => GOAL_PER_GB / (GB / each));
  return [
    row(
      'rss.idle',
      plain.product.map((p, i) => p / (plain.hand[i] ?? p)),
      plain,
    ),
    row('rss.tls', perGB, tls),
  ];
};

interface Bytes {
  readonly product: readonly number[];
  readonly hand: readonly number[];
}

function row(id: string, ratios: readonly number[], { product, hand }: Bytes): Row {
  return rowOf(id, ratios, ratios.length, {
    'v2gate kB per station': rounded(median(product) / 1000),
    'hand kB per station': rounded(median(hand) / 1000),
    'v2gate stations per GB': rounded(GB / median(product)),
  });
}

/** Growth of the resident memory per connected station that has started its transaction, bytes. */
async function perStation(server: Server, count: number, o: RunOptions): Promise<number> {
  const settleMs = o.quick ? SETTLE_MS / 3 : SETTLE_MS;
  const load = await startLoad();
  try {
    await sleep(settleMs);
    const before = rssOf(server.pid);
    await load.ask({ do: 'connect', set: 'B', place: server.place, count, prefix: 'B', version: 'ocpp1.6' });
    await load.ask({ do: 'begin', set: 'B' });
    await prepared(load, 'B');
    await sleep(settleMs);
    return Math.max(1, (rssOf(server.pid) - before) / count);
  } finally {
    await load.stop();
    await server.stop();
  }
}
