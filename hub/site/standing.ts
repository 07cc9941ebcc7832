import type { Clock } from '../../core/clock.ts';
import { uuids } from '../../core/ids.ts';
import type { CommandOutcome, PowerCommand } from '../../model/index.ts';
import type { PresentPower } from '../dispatch/index.ts';
import type { TwinEntry } from '../fleet/twin.ts';

/** A command ends by itself at the station after this, unless it is renewed (design 2). */
export const VALIDITY_MS = 120_000;
const RENEW_MS = 60_000;
/** A command that is not renewed by then counts as ended: others make room before the station falls back. */
const GUARD_MS = 20_000;
/** More orders than this are not open at a time; then the answers are waited for. */
export const MAX_OPEN = 8;
/** So many orders that it accepted are remembered until it has had time to do them. */
const MAX_PAST = 16;
/** What a station has not answered is said again after this. */
export const AGAIN_MS = 30_000;
/** A station that refused, or does not follow, is left alone this long (fo 6.4). */
export const HOLD_MS = 30_000;
/** The same for one that is only not ready yet. */
export const NOT_READY_MS = 3_000;
/** So many response times after it has accepted an order a station may still come to do it (design 2.1: not effective). */
const LATEST = 3;
const DEFAULT_RESPONSE_S = 10;
const OWN = 'alloc:';

/** One command to one resource. Times are epoch ms. */
export interface Order {
  readonly commandId: string;
  /** As it was decided; `sentW` is what the link made of it inside the envelope. */
  readonly powerW: number;
  readonly sentW: number;
  readonly at: number;
  /** When it was last told another power; renewals keep it. */
  readonly changedAt: number;
  /** When this power was told first; renewals keep it, and others as long as the EV draws less than any of them. */
  readonly since: number;
  readonly validUntil: number;
  readonly sent: boolean;
  readonly acceptedAt?: number;
}

/** Where a resource stands. */
export interface Standing {
  /** The last order that it is known to have accepted. */
  bound?: Order;
  /** Accepted before that, the oldest first: what it does may still be on the way to one of them. */
  past?: readonly Order[];
  /** Orders since then, the oldest first. It may have taken any of them without our hearing of it. */
  open: readonly Order[];
  /** Until then something that it was told, now or before, may be in force unknown to us. */
  doubtUntil: number;
  /** It is left alone until then; `powerW` is what it did not do. */
  held?: { readonly powerW: number; readonly until: number };
  outcome?: CommandOutcome;
}

/** What is known of a resource for an allocation run. */
export interface Known {
  readonly power: PresentPower;
  /** {@link isUncertain} */
  readonly uncertain: boolean;
  /** The power that counts as told, W. */
  readonly toldW: number | undefined;
  /** Epoch ms of the last command that was another one than before. */
  readonly commandedAt: number | undefined;
}

/** The order that counts as told. */
export const newest = (s: Standing): Order | undefined => s.open.at(-1) ?? s.bound;

/** True while the resource is left alone. */
export function isHeld(s: Standing, now: number): boolean {
  const left = (s.held?.until ?? 0) - now;
  // More than was ever set: the clock was set back.
  return left > 0 && left <= HOLD_MS;
}

/** What it does is not what it was told, or nobody knows whether it is (fo 6.4). */
export function isUncertain(s: Standing, now: number): boolean {
  if (isHeld(s, now)) return true;
  const [oldest] = s.open;
  if (!oldest || (s.bound && !hasEnded(s.bound, now))) return false;
  return now - oldest.at >= AGAIN_MS;
}

/** True when the order has to be said again: it ends soon, or was never answered. */
export function isDue(order: Order, now: number): boolean {
  const left = order.validUntil - now;
  if (left < RENEW_MS || left > VALIDITY_MS) return true;
  return order.acceptedAt === undefined && now - order.at >= AGAIN_MS;
}

/** The EV draws less than this: the time for learning its own cap goes on when it is told something else (fo 8.1). */
export function takesLess({ resource, reading }: TwinEntry, thanW: number): boolean {
  const powerW = reading?.powerW;
  return powerW !== undefined && powerW >= 0 && powerW < thanW - resource.accuracyW;
}

/** True when the order can no longer be relied on. */
export function hasEnded(order: Order, now: number): boolean {
  const left = order.validUntil - now;
  return left <= GUARD_MS || left > VALIDITY_MS;
}

/** The order is known not to be in force. */
export function drop(s: Standing, order: Order): void {
  s.open = s.open.filter((x) => x !== order);
  if (s.bound === order) unbind(s);
}

/** It has accepted `told`, or shows it: what was said before has arrived before, or never will. */
export function bind(s: Standing, order: Order, told: Order, now: number): void {
  const at = s.open.indexOf(order);
  const passed = s.open.slice(0, Math.max(at, 0)).map((x) => ({ ...x, acceptedAt: now }));
  const before = s.bound?.commandId === order.commandId ? [] : [...(s.bound ? [s.bound] : []), ...passed];
  s.past = [...(s.past ?? []), ...before].slice(-MAX_PAST);
  s.open = s.open.slice(at + 1);
  s.bound = { ...told, acceptedAt: order.acceptedAt ?? now };
}

/** Where a resource can be by what it accepted, at the time of a meter value. */
export interface Since {
  /** The newest order that it has had time to do, first, and all that came after it; empty while there is none. */
  readonly orders: readonly Order[];
  /** Accepted before that one, not so long ago: if it did not do that one, it may still come to these. */
  readonly before: readonly Order[];
}

/**
 * What a meter value of the time `at` can tell about: a station that is told something new every second has all the same
 * done by then what it accepted a response time ago. Forgets what came before.
 */
export function since(s: Standing, at: number, responseMs: number): Since {
  const accepted = [...(s.past ?? []), ...(s.bound ? [s.bound] : [])];
  const ageOf = ({ acceptedAt }: Order): number => (acceptedAt === undefined ? 0 : at - acceptedAt);
  const done = accepted.findLastIndex((x) => x.acceptedAt !== undefined && ageOf(x) >= responseMs);
  if (done < 0) return { orders: [], before: [] };
  const before = accepted.slice(0, done).filter((x) => ageOf(x) < LATEST * responseMs);
  s.past = [...before, ...accepted.slice(done, -1)];
  return { orders: [...accepted.slice(done), ...s.open], before };
}

/** It was out of reach and may have restarted: what it accepted has to be said again before it can be relied on. */
export function doubt(s: Standing, now: number): void {
  delete s.past;
  if (!s.bound) return;
  const { acceptedAt: _, ...bound } = s.bound;
  s.bound = { ...bound, at: Math.min(bound.at, now - AGAIN_MS) };
}

/** What it accepted is no longer in force. */
export function unbind(s: Standing): void {
  delete s.bound;
  delete s.past;
}

/** Nothing that was told before counts any more. */
export function forget(s: Standing): void {
  unbind(s);
  delete s.held;
  s.open = [];
  s.doubtUntil = 0;
}

/** Commands of a site are told from those of others by their id. */
export const commandIds = (clock: Clock): (() => string) => {
  const uuid = uuids(clock);
  return () => `${OWN}${uuid()}`;
};
export const isOwn = (commandId: string): boolean => commandId.startsWith(OWN);

export const powerOf = (c: Pick<PowerCommand, 'kind' | 'importLimitW' | 'powerW'>): number =>
  c.kind === 'limit' ? (c.importLimitW ?? 0) : (c.powerW ?? 0);

export const responseOf = ({ resource: r }: TwinEntry): number => (r.responseTimeS ?? DEFAULT_RESPONSE_S) * 1000;

export const isNotReady = (o: CommandOutcome): boolean =>
  o.code === 'station.notConnected' || o.code === 'station.notReady' || o.code === 'command.lapsed';
