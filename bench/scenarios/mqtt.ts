/** P11: a setpoint over MQTT until its one station has the command, beside a gateway written by hand. */
import { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectAsync, type MqttClient } from 'mqtt';
import { Operator } from '../e2e/operator.ts';
import { monotonicMs } from '../harness/accounting.ts';
import { Helper } from '../harness/children.ts';
import { compared, interleaved, type Row, type RunOptions, type Scenario, typical } from '../harness/run.ts';
import { quantile, type Window } from '../harness/stats.ts';
import type { Reached } from '../load/protocol.ts';
import { pidOf, placeOf, startBenchGateway } from '../product/gateway.ts';
import { rawStations, siteOf } from '../product/site.ts';
import { SETPOINT_TOPIC } from '../yardsticks/gateway-by-hand.ts';
import { type Load, startLoad, sumOf, waiting } from './load.ts';

/** Each with a service of its own. */
const STATIONS = 2;
const BETWEEN_MS = 30;
const WITHIN_MS = 2_000;
const SETTLE_MS = 4_000;

type Port = { readonly port: number };

export const mqtt: Scenario = async (o) => {
  const broker = await Helper.start<never, never, Port>('yardsticks/broker.ts', [], 'load');
  const brokerUrl = `mqtt://127.0.0.1:${broker.hello.port}`;
  const load = await startLoad();
  const hand = await Helper.start<never, never, Port>('yardsticks/gateway-by-hand.ts', [`${broker.hello.port}`]);
  const stations = rawStations('B', STATIONS, 'ac');
  const site = siteOf({ stations, groupPerStation: true, circuits: 1, commandIntervalS: 0, now: Date.now() });
  const gateway = await startBenchGateway({ site, flow: 'example', foLink: { transport: 'mqtt', brokerUrl } });
  const publisher = await connectAsync(brokerUrl);
  if (publisher.stream instanceof Socket) publisher.stream.setNoDelay(true);
  let operator: Operator | undefined;
  try {
    const common = { do: 'connect', count: STATIONS, prefix: 'B', version: 'ocpp1.6' } as const;
    const place = { host: '127.0.0.1', port: hand.hello.port, path: '/ocpp', tls: false };
    await load.ask({ ...common, set: 'hand', place });
    await load.ask({ ...common, set: 'v2gate', place: await placeOf(gateway) });
    await load.ask({ do: 'begin', set: 'v2gate' });
    await load.ask({ do: 'meter', set: 'v2gate' });
    await sleep(SETTLE_MS);
    const groups = stations.map(({ identity }) => ({
      fsrId: `f-${identity}`,
      groupId: `g:${identity}`,
      maxW: 11_000,
      minW: 0,
    }));
    const steering = await Operator.over(brokerUrl, groups);
    operator = steering;
    o.say(`mqtt: ${STATIONS} stations, one after the other`);
    return await measure(
      o,
      load,
      { hand: hand.helper.pid, v2gate: pidOf(gateway) },
      {
        hand: (station, targetW) => publish(publisher, station, targetW),
        v2gate: async (station, targetW) => (await steering.setpoint(targetW, `f-${station}`)).monotonicMs,
      },
    );
  } finally {
    await operator?.stop();
    publisher.end(true);
    await load.stop();
    await gateway.stop();
    await hand.helper.stop();
    await broker.helper.stop();
  }
};

async function publish(publisher: MqttClient, station: string, targetW: number): Promise<number> {
  const sent = monotonicMs();
  const validUntil = new Date(Date.now() + 60_000).toISOString();
  await publisher.publishAsync(SETPOINT_TOPIC, JSON.stringify({ station, targetW, validUntil }), { qos: 1 });
  return sent;
}

type Side = 'hand' | 'v2gate';
/** Orders a power of a station; answers when that left, monotonic ms. */
type Order = (station: string, targetW: number) => Promise<number>;

async function measure(
  o: RunOptions,
  load: Load,
  pids: Readonly<Record<Side, number>>,
  orders: Readonly<Record<Side, Order>>,
): Promise<Row[]> {
  const perWindow = o.quick ? 40 : 100;
  const tails: Record<Side, Window[]> = { hand: [], v2gate: [] };
  // Targets of a station alternate, so that each setpoint is a command.
  const turns: Record<Side, number> = { hand: 0, v2gate: 0 };
  const middles = await interleaved(['hand', 'v2gate'], Math.ceil(o.rounds / 2), async (side, round) => {
    if (side === 'v2gate') await load.ask({ do: 'meter', set: side });
    const waited = waiting(pids[side], load.pid);
    const delays: number[] = [];
    for (let i = 0; i < perWindow; i++) {
      const n = turns[side]++;
      const targetW = Math.floor(n / STATIONS) % 2 === 0 ? 6_000 : 9_000;
      delays.push(await oneSetpoint(load, side, `B-${(n % STATIONS) + 1}`, targetW, orders[side]));
      await sleep(BETWEEN_MS);
    }
    const lost = delays.filter((d) => !Number.isFinite(d)).length;
    const window = {
      ...waited(sumOf(delays)),
      ...(lost > 0 ? { failed: `${lost} of ${perWindow} setpoints did not arrive` } : {}),
    };
    if (round >= 0) tails[side].push({ ...window, value: quantile(delays, 0.99) });
    return { ...window, value: quantile(delays, 0.5) };
  });
  return [
    compared('mqtt.p50', middles.v2gate, middles.hand, {
      'hand ms': typical(middles.hand),
      'v2gate ms': typical(middles.v2gate),
    }),
    compared('mqtt.p99', tails.v2gate, tails.hand, {
      'hand ms': typical(tails.hand),
      'v2gate ms': typical(tails.v2gate),
    }),
  ];
}

/** Time until the station has the command, ms; not finite when it does not come. */
async function oneSetpoint(load: Load, set: Side, station: string, targetW: number, order: Order): Promise<number> {
  await load.ask({ do: 'mark', set });
  const reached = load.ask<Reached>({ do: 'reached', set, withinMs: WITHIN_MS, only: [station] });
  const [sent, told] = await Promise.all([order(station, targetW), reached]);
  return told.stations === 1 ? told.lastAtMs - sent : Number.NaN;
}
