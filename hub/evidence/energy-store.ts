import type { StoreOp } from '../ports.ts';
import type { Ledger } from '../site/ledger.ts';
import { CELLS_A_ROW, type Delivery, type DeliveryState } from './delivery.ts';
import type { TrackState } from './meter-track.ts';
import type { MinuteCell } from './minutes.ts';

export interface EnergyOps {
  readonly tracks: readonly (readonly [string, TrackState])[];
  readonly minutes: readonly { readonly minute: number; readonly cells: readonly (readonly [string, MinuteCell])[] }[];
  readonly deliveries: readonly (readonly [string, ReturnType<Delivery['changes']>])[];
}

export interface KeptEnergy {
  /** Readings of this time (epoch ms) and later may not be in it. */
  readonly writtenAt: number;
  readonly tracks: ReadonlyMap<string, TrackState>;
  readonly minutes: EnergyOps['minutes'];
  readonly deliveries: ReadonlyMap<string, DeliveryState>;
}

/** Folders of the record kind `energy`. */
const TRACK = 'track/';
const MINUTE = 'minute/';
const DELIVERY = 'service/';
/** Entries of one row, so that a row stays below the bound of the store. */
const CHUNK = 500;
/** Rows of one write. */
const MAX_ROWS = 900;

const padded = (n: number): string => String(n).padStart(15, '0');

/** The rows of what has changed, as writes; as long as they fit, one. */
export function energyOps(changes: EnergyOps, at: number): StoreOp[][] {
  const put = (key: string, body: unknown): StoreOp => ({ op: 'put', kind: 'energy', key, at, body });
  const ops: StoreOp[] = [];
  for (const [i, part] of chunks(changes.tracks)) ops.push(put(TRACK + i, part));
  for (const { minute, cells } of changes.minutes)
    for (const [i, part] of chunks(cells)) ops.push(put(`${MINUTE}${padded(minute)}/${i}`, part.map(packed)));
  for (const [key, { cells, members, rows, point, grid }] of changes.deliveries) {
    ops.push(put(`${DELIVERY}${key}/0`, { grid, ...(point ? { point } : {}), cells: [], members: [] }));
    for (const row of rows) {
      const part = cells.filter(([i]) => Math.floor(i / CELLS_A_ROW) === row);
      ops.push(put(`${DELIVERY}${key}/c${row}`, { grid, cells: part, members: [] }));
    }
    for (const [i, part] of chunks(members))
      ops.push(put(`${DELIVERY}${key}/m${i}`, { grid, cells: [], members: part }));
  }
  const writes: StoreOp[][] = [];
  for (let i = 0; i < ops.length; i += MAX_ROWS) writes.push(ops.slice(i, i + MAX_ROWS));
  return writes;
}

/** Everything that was written; minutes from `since` (epoch ms) on. */
export async function readKept(ledger: Ledger, since: number): Promise<KeptEnergy> {
  const tracks = new Map<string, TrackState>(); // bounded by: the meters
  let writtenAt = Number.POSITIVE_INFINITY;
  for await (const { at, body } of ledger.all('energy', TRACK)) {
    writtenAt = Math.min(writtenAt, at);
    for (const [meter, state] of body as [string, TrackState][]) tracks.set(meter, state);
  }
  const minutes: { minute: number; cells: (readonly [string, MinuteCell])[] }[] = [];
  const from = `${MINUTE}${padded(Math.max(0, Math.floor(since / 60_000)))}`;
  for await (const { key, body } of ledger.all('energy', MINUTE, from)) {
    const minute = Number(key.slice(MINUTE.length).split('/')[0]);
    minutes.push({ minute, cells: (body as Packed[]).map(unpacked) });
  }
  return { writtenAt: tracks.size === 0 ? 0 : writtenAt, tracks, minutes, deliveries: await readDeliveries(ledger) };
}

async function readDeliveries(ledger: Ledger): Promise<Map<string, DeliveryState>> {
  const deliveries = new Map<string, DeliveryState>(); // bounded by: the services of the site
  for await (const { key, body } of ledger.all('energy', DELIVERY)) {
    const service = key.slice(DELIVERY.length, key.lastIndexOf('/'));
    const part = body as DeliveryState;
    const known = deliveries.get(service);
    deliveries.set(service, {
      ...known,
      ...part,
      cells: [...(known?.cells ?? []), ...part.cells],
      members: [...(known?.members ?? []), ...part.members],
    });
  }
  return deliveries;
}

/** Takes the working rows of a service away whose proof is made. */
export async function forgetDelivery(ledger: Ledger, key: string): Promise<void> {
  const ops: StoreOp[] = [];
  for await (const row of ledger.all('energy', `${DELIVERY}${key}/`))
    ops.push({ op: 'delete', kind: 'energy', key: row.key });
  for (let i = 0; i < ops.length; i += MAX_ROWS) await ledger.write(ops.slice(i, i + MAX_ROWS));
}

type Packed = readonly [string, number, number, number, MinuteCell['quality']];

const packed = ([meter, c]: readonly [string, MinuteCell]): Packed => [
  meter,
  Math.round(c.importWh * 1000) / 1000,
  Math.round(c.exportWh * 1000) / 1000,
  c.knownMs,
  c.quality,
];

const unpacked = ([meter, importWh, exportWh, knownMs, quality]: Packed): readonly [string, MinuteCell] => [
  meter,
  { importWh, exportWh, knownMs, quality },
];

function* chunks<T>(all: readonly T[]): Generator<[number, readonly T[]]> {
  for (let i = 0; i * CHUNK < all.length; i++) yield [i, all.slice(i * CHUNK, (i + 1) * CHUNK)];
}
