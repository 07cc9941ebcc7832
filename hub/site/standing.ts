import type { Clock } from '../../core/clock.ts';
import { uuidv7 } from '../../core/ids.ts';
import type { CommandOutcome, PowerCommand } from '../../model/index.ts';
import type { TwinEntry } from '../fleet/twin.ts';

/** A command ends by itself at the station after this, unless it is renewed (design 2). */
export const VALIDITY_MS = 120_000;
const RENEW_MS = 60_000;
/** A command that is not renewed by then counts as ended: others make room before the station falls back. */
const GUARD_MS = 20_000;
/** More orders than this are not open at a time; then the answers are waited for. */
export const MAX_OPEN = 8;
/** What a station has not answered is said again after this. */
export const AGAIN_MS = 30_000;
/** A station that refused, or does not follow, is left alone this long (fo 6.4). */
export const HOLD_MS = 30_000;
/** The same for one that is only not ready yet. */
export const NOT_READY_MS = 3_000;
const DEFAULT_RESPONSE_S = 10;
const OWN = 'alloc:';

/** One command to one resource. Times are epoch ms. */
export interface Order {
  readonly commandId: string;
  /** As it was decided; `sentW` is what the link made of it inside the envelope. */
  readonly powerW: number;
  readonly sentW: number;
  readonly at: number;
  /** When this power was told first; renewals keep it. */
  readonly since: number;
  readonly validUntil: number;
  readonly sent: boolean;
  readonly acceptedAt?: number;
}

/** Where a resource stands. */
export interface Standing {
  /** The last order that it is known to have accepted. */
  bound?: Order;
  /** Orders since then, the oldest first. It may have taken any of them without our hearing of it. */
  open: readonly Order[];
  /** Until then something that it was told, now or before, may be in force unknown to us. */
  doubtUntil: number;
  /** It is left alone until then; `powerW` is what it did not do. */
  held?: { readonly powerW: number; readonly until: number };
  outcome?: CommandOutcome;
}

/** The order that counts as told. */
export const newest = (s: Standing): Order | undefined => s.open.at(-1) ?? s.bound;

/** True while the resource is left alone. */
export function isHeld(s: Standing, now: number): boolean {
  const left = (s.held?.until ?? 0) - now;
  // More than was ever set: the clock was set back.
  return left > 0 && left <= HOLD_MS;
}

/** True when the order has to be said again: it ends soon, or was never answered. */
export function isDue(order: Order, now: number): boolean {
  const left = order.validUntil - now;
  if (left < RENEW_MS || left > VALIDITY_MS) return true;
  return order.acceptedAt === undefined && now - order.at >= AGAIN_MS;
}

/** True when the order can no longer be relied on. */
export function hasEnded(order: Order, now: number): boolean {
  const left = order.validUntil - now;
  return left <= GUARD_MS || left > VALIDITY_MS;
}

/** The order is known not to be in force. */
export function drop(s: Standing, order: Order): void {
  s.open = s.open.filter((x) => x !== order);
  if (s.bound === order) delete s.bound;
}

/** Nothing that was told before counts any more. */
export function forget(s: Standing): void {
  delete s.bound;
  delete s.held;
  s.open = [];
  s.doubtUntil = 0;
}

/** Commands of a site are told from those of others by their id. */
export const newCommandId = (clock: Clock): string => `${OWN}${uuidv7(clock)}`;
export const isOwn = (commandId: string): boolean => commandId.startsWith(OWN);

export const powerOf = (c: Pick<PowerCommand, 'kind' | 'importLimitW' | 'powerW'>): number =>
  c.kind === 'limit' ? (c.importLimitW ?? 0) : (c.powerW ?? 0);

export const responseOf = ({ resource: r }: TwinEntry): number => (r.responseTimeS ?? DEFAULT_RESPONSE_S) * 1000;

export const isNotReady = (o: CommandOutcome): boolean =>
  o.code === 'station.notConnected' || o.code === 'station.notReady' || o.code === 'command.lapsed';
