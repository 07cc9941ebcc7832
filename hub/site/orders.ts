import { BoundedMap } from '../../core/bounded.ts';
import { type Clock, parseTime } from '../../core/clock.ts';
import type { CommandOutcome, PowerCommand } from '../../model/index.ts';
import { createDispatcher, type PowerRange, type PresentPower } from '../dispatch/index.ts';
import type { Departure } from '../fleet/departed.ts';
import { belowW, type FleetTwin, inUse, type TwinEntry } from '../fleet/twin.ts';
import {
  AGAIN_MS,
  bind,
  doubt,
  drop,
  forget,
  HOLD_MS,
  hasEnded,
  isDue,
  isHeld,
  isNotReady,
  isOwn,
  isUncertain,
  type Known,
  MAX_OPEN,
  NOT_READY_MS,
  newest,
  type Order,
  powerOf,
  responseOf,
  type Standing,
  since,
  takesLess,
  unbind,
  VALIDITY_MS,
} from './standing.ts';

const MAX_RESOURCES = 20_000;
/** What is no longer in the site file counts for so long at most: until all that it was told has ended, ms. */
const DEPARTED_MS = 2 * VALIDITY_MS;
/** Measured, and not guessed. */
const isEvidence = ({ reading }: TwinEntry): boolean => (reading?.quality ?? 'good') === 'good';
/** States in which power may flow although no session is known. */
const MAY_FLOW: readonly TwinEntry['state'][] = ['connected', 'charging', 'discharging', 'suspended'];

/**
 * What each resource was told and may therefore be doing. The dispatcher counts what is under way; here is added what
 * only the site knows: meters as evidence, sessions that begin and end, commands that end by themselves, stations that
 * refuse or stay silent.
 */
export class Orders {
  readonly #clock: Clock;
  readonly #twin: FleetTwin;
  readonly #dispatcher = createDispatcher({ max: MAX_RESOURCES });
  readonly #standings = new BoundedMap<string, Standing>({
    name: 'hub.orders',
    max: MAX_RESOURCES,
    overflow: 'refuse',
  });

  constructor(clock: Clock, twin: FleetTwin) {
    this.#clock = clock;
    this.#twin = twin;
  }

  /** Takes over the resources of the site; `gone`: no longer there, though power may still flow. */
  configure(gone: readonly TwinEntry[] = []): void {
    const { departed } = this.#twin;
    for (const entry of gone) if (!entry.online || inUse(entry)) departed.add(this.#departureOf(entry));
    for (const { evseId, until } of [...departed.all()])
      if (this.#twin.get(evseId) && departed.back(evseId)) this.ledBefore(evseId, until - VALIDITY_MS);
    for (const { evseId } of this.#dispatcher.snapshot()) if (!this.#twin.get(evseId)) this.#dispatcher.forget(evseId);
    for (const id of [...this.#standings.keys()]) if (!this.#twin.get(id)) this.#standings.delete(id);
  }

  /**
   * An earlier run of the gateway has led this resource until `at`: it may still be doing anything that it can
   * (fo 6.2, design 5: nothing uncertain is assumed away).
   */
  ledBefore(id: string, at: number): void {
    const entry = this.#twin.get(id);
    if (!entry) return;
    const { limits } = entry.resource;
    const s = this.#standing(id);
    s.doubtUntil = Math.max(s.doubtUntil, at + VALIDITY_MS);
    this.#dispatcher.assume(id, { minW: 0 - limits.exportLimitW, maxW: limits.importLimitW }, this.#clock.now());
  }

  present(id: string): PresentPower {
    return this.#dispatcher.present(id);
  }

  outcomeOf(id: string): CommandOutcome | undefined {
    return this.#standings.get(id)?.outcome;
  }

  /** True when a command was superseded by the next one that this site has given to the resource. */
  isReplaced({ resourceId, commandId, state }: CommandOutcome): boolean {
    if (state !== 'superseded' || !isOwn(commandId)) return false;
    const s = this.#standings.get(resourceId);
    const next = s && newest(s);
    return next !== undefined && next.commandId !== commandId && isOwn(next.commandId);
  }

  /** True when this is the newest command of this site for the resource, and what was sent is what was decided. */
  isCounted({ resourceId, commandId, appliedW }: CommandOutcome): boolean {
    const order = this.#standings.get(resourceId)?.open.at(-1);
    return order?.commandId === commandId && order.sentW === appliedW;
  }

  /** The power that counts as told, W; what is measured where nothing is, or where it is not done. */
  told(id: string): number | undefined {
    return this.known(id).toldW;
  }

  /** Everything at one look. */
  known(id: string): Known {
    const s = this.#standings.get(id);
    const order = s && newest(s);
    const power = this.#dispatcher.present(id);
    const uncertain = s !== undefined && isUncertain(s, this.#clock.now());
    const powerW = (uncertain ? undefined : order?.sentW) ?? this.#measuredW(id) ?? order?.sentW;
    const toldW = powerW === undefined ? undefined : Math.min(Math.max(powerW, power.minW), power.maxW);
    return { power, uncertain, toldW, commandedAt: order?.changedAt };
  }

  /**
   * It refused, does not follow, or does not answer and what it accepted last has ended: it counts with the worst that it
   * may do, and is left out of targets (fo 6.4).
   */
  isUncertain(id: string): boolean {
    const s = this.#standings.get(id);
    return s !== undefined && isUncertain(s, this.#clock.now());
  }

  /** True when it makes no sense to tell a resource this now: it was told and nothing is against it, or it refused just that. */
  isIdle(id: string, powerW: number): boolean {
    const s = this.#standings.get(id);
    const order = s && newest(s);
    if (!s || !order) return false;
    if (isHeld(s, this.#clock.now())) return s.held?.powerW === powerW;
    if (isDue(order, this.#clock.now())) return false;
    return order.sentW === powerW || s.open.length >= MAX_OPEN;
  }

  /** True when telling it this is more, in one direction, than what it may do in any case now. */
  isMore(id: string, powerW: number, direction: 'import' | 'export'): boolean {
    const s = this.#standings.get(id);
    const entry = this.#twin.get(id);
    const sign = direction === 'import' ? 1 : -1;
    let least = sign * (s?.bound?.sentW ?? (entry ? belowW(entry) : 0));
    for (const { sentW } of s?.open ?? []) least = Math.min(least, sign * sentW);
    return sign * powerW > Math.max(0, least);
  }

  /**
   * What has to be said again to a resource that is in use: it ends soon, or was never answered. To one that was told
   * nothing yet, what it is granted, where that is less than what it may be doing (a vehicle that nobody has measured).
   */
  dueW(entry: TwinEntry, grantedW?: number): number | undefined {
    const { resourceId } = entry.resource;
    const s = this.#standings.get(resourceId);
    const order = s && newest(s);
    if (!order && grantedW !== undefined && entry.online && inUse(entry) && (!s || !isHeld(s, this.#clock.now())))
      return grantedW >= 0 && grantedW < this.#dispatcher.present(resourceId).maxW ? grantedW : undefined;
    if (!order || !entry.online || !inUse(entry) || isHeld(s, this.#clock.now())) return undefined;
    // What the link made of it: more than that is for an allocation run to decide.
    return isDue(order, this.#clock.now()) ? order.sentW : undefined;
  }

  /** Takes commands over that are about to be sent; answers those for which there is room. */
  issue(commands: readonly PowerCommand[]): PowerCommand[] {
    const now = this.#clock.now();
    const asked = commands.map((c) => ({
      evseId: c.resourceId,
      commandId: c.commandId,
      powerW: powerOf(c),
      validUntil: parseTime(c.validUntil),
    }));
    const refused = this.#dispatcher.issue(asked, now);
    for (const { evseId, commandId, powerW, validUntil } of asked) {
      if (refused.includes(commandId)) continue;
      const s = this.#standing(evseId);
      const last = newest(s);
      const entry = this.#twin.get(evseId);
      const again = last?.powerW === powerW || last?.sentW === powerW;
      const since = again || (last && entry && takesLess(entry, Math.min(last.sentW, powerW))) ? last.since : now;
      const changedAt = again ? last.changedAt : now;
      const order: Order = { commandId, powerW, sentW: powerW, at: now, changedAt, since, validUntil, sent: false };
      s.open = [...s.open.slice(1 - MAX_OPEN), order];
      s.doubtUntil = Math.max(s.doubtUntil, validUntil);
      delete s.held;
    }
    return commands.filter((c) => !refused.includes(c.commandId));
  }

  /** Takes an outcome. True when what the resource may be doing has changed. */
  outcome(o: CommandOutcome): boolean {
    const now = this.#clock.now();
    if (!this.#twin.get(o.resourceId)) return false;
    const s = this.#standing(o.resourceId);
    const before = this.#dispatcher.present(o.resourceId);
    this.#dispatcher.outcome(o, now);
    const order = s.open.find((x) => x.commandId === o.commandId) ?? s.bound;
    if (order?.commandId === o.commandId) this.#judge(o, s, order, now);
    else if (!isOwn(o.commandId)) this.#foreign(o, s, now);
    // What comes late about an older command is not what people want to see.
    if (order?.commandId === o.commandId || !isOwn(o.commandId)) s.outcome = o;
    const after = this.#dispatcher.present(o.resourceId);
    return before.minW !== after.minW || before.maxW !== after.maxW || before.confirmedW !== after.confirmedW;
  }

  /** A station came or went, or its session began or ended. */
  stationChanged(id: string, session?: 'started' | 'ended'): void {
    const entry = this.#twin.get(id);
    if (!entry) return;
    const s = this.#standing(id);
    const now = this.#clock.now();
    if (!entry.online) {
      this.#dispatcher.lost(id, { importW: belowW(entry), exportW: entry.resource.offlineExportW }, now);
      doubt(s, now);
    } else if (session === 'ended' || (!entry.session && !MAY_FLOW.includes(entry.state))) {
      this.#dispatcher.assume(id, { minW: 0, maxW: 0 }, now);
      forget(s);
    } else if (session === 'started') {
      // What was told before was for another session; the profile below holds until the first command (ocpp 2.3).
      this.#dispatcher.assume(id, { minW: 0, maxW: belowW(entry) }, now);
      forget(s);
    } else if (!s.bound || hasEnded(s.bound, now)) {
      this.#widen(id, { minW: 0, maxW: inUse(entry) ? belowW(entry) : 0 });
    }
  }

  /**
   * A meter value is evidence: once the station had time to do what it accepted, it can only be between that and what
   * it does; orders that came since then count beside that. Where nobody leads it, it may go on, or do what the profile
   * below allows. A value that nobody measured is no evidence that it does less. True when it may be doing less than before.
   */
  measured(id: string): boolean {
    const entry = this.#twin.get(id);
    const powerW = entry?.reading?.powerW;
    const s = this.#standings.get(id);
    if (!entry?.online || powerW === undefined || !s) return false;
    const now = this.#clock.now();
    const before = this.#dispatcher.present(id);
    if (!isEvidence(entry)) {
      if (powerW < before.minW || powerW > before.maxW) this.#widen(id, { minW: powerW, maxW: powerW });
      return false;
    }
    if (!newest(s)) {
      if (now >= s.doubtUntil && (inUse(entry) || powerW !== 0))
        this.#dispatcher.assume(id, { minW: Math.min(powerW, 0), maxW: Math.max(powerW, belowW(entry)) }, now);
    } else {
      const responseMs = responseOf(entry);
      // What was measured before an order could be done says nothing about it, however late it is told.
      const at = Math.min(entry.reading?.powerAt ?? now, now);
      const { orders, before: older } = since(s, at, responseMs);
      const [done, ...later] = orders;
      if (!done || !s.bound || hasEnded(s.bound, now)) return false;
      const isDone = Math.abs(powerW - done.sentW) <= entry.resource.accuracyW;
      const moving = isDone ? [] : older;
      if (later.length === 0) this.#twin.learn(id, done.sentW, done.since, responseMs);
      if (later.length === 0 && moving.length === 0) this.#settle(id, s, done, powerW);
      else this.#narrow(id, [...moving, ...orders], powerW, later);
    }
    const after = this.#dispatcher.present(id);
    return after.maxW < before.maxW || after.minW > before.minW;
  }

  /** Looks after what ends. True when an allocation should look. */
  tick(now: number): boolean {
    let moved = this.#dispatcher.expire(now).length > 0;
    if (this.#twin.departed.tick(now, DEPARTED_MS)) moved = true;
    for (const [id, s] of this.#standings.entries()) {
      const entry = this.#twin.get(id);
      if (entry && this.#lapse(entry, s, now)) moved = true;
    }
    return moved;
  }

  /** Nobody leads it any more: it does what it was told until that ends, or what its profile below says. */
  #departureOf(entry: TwinEntry): Departure {
    const { resourceId: evseId, circuitId, offlineExportW } = entry.resource;
    const { worstImportW, worstExportW } = this.#dispatcher.present(evseId);
    return {
      evseId,
      ...(circuitId === undefined ? {} : { circuitId }),
      minW: 0 - Math.max(worstExportW, offlineExportW),
      maxW: Math.max(worstImportW, belowW(entry)),
      until: this.#clock.now() + Math.min(VALIDITY_MS + responseOf(entry), DEPARTED_MS),
    };
  }

  /** The link has limited the station by itself, or a flow has spoken to it past us (design 2). */
  #foreign(o: CommandOutcome, s: Standing, now: number): void {
    const { state, appliedW: powerW, commandId } = o;
    if (state !== 'accepted' || powerW === undefined) return;
    this.#widen(o.resourceId, { minW: powerW, maxW: powerW });
    if (s.open.length > 0) return;
    const validUntil = now + VALIDITY_MS;
    const at = { at: now, changedAt: now, since: now, acceptedAt: now };
    s.bound = { commandId, powerW, sentW: powerW, validUntil, sent: true, ...at };
    s.doubtUntil = Math.max(s.doubtUntil, validUntil);
  }

  /** What became of an order that is open, or of the last accepted one. */
  #judge(o: CommandOutcome, s: Standing, order: Order, now: number): void {
    const told: Order = { ...order, sentW: o.appliedW ?? order.sentW, sent: true };
    const isLast = order.commandId === newest(s)?.commandId;
    switch (o.state) {
      case 'sent':
        s.open = s.open.map((x) => (x === order ? told : x));
        break;
      case 'accepted':
      case 'effective':
        bind(s, order, told, now);
        if (isLast) delete s.held;
        break;
      case 'unknown':
        if (order.acceptedAt === undefined)
          s.open = s.open.map((x) => (x === order ? { ...told, at: now - AGAIN_MS } : x));
        // Nobody measures: then the station does what it accepted.
        else if (o.code === undefined && isLast) this.#settle(o.resourceId, s, order, 0);
        break;
      case 'notEffective':
        if (!isLast) break;
        if (order.acceptedAt !== undefined && o.measuredW !== undefined)
          this.#settle(o.resourceId, s, order, o.measuredW);
        s.held = { powerW: order.powerW, until: now + HOLD_MS };
        break;
      case 'refused':
        if (isLast) s.held = { powerW: order.powerW, until: now + (isNotReady(o) ? NOT_READY_MS : HOLD_MS) };
        drop(s, order);
        break;
      case 'superseded':
      case 'expired':
        // What was sent may have come through all the same.
        if (!order.sent) drop(s, order);
        break;
      default:
    }
  }

  /** From an order that was accepted, and what is measured, follows all that the resource may be doing. */
  #settle(id: string, s: Standing, order: Order, powerW: number): void {
    const range = { minW: Math.min(order.sentW, powerW), maxW: Math.max(order.sentW, powerW) };
    this.#dispatcher.assume(id, range, this.#clock.now());
    s.doubtUntil = order.validUntil;
  }

  /** The same while it may be moving: it is anywhere between what it does and all of these orders. */
  #narrow(id: string, orders: readonly Order[], powerW: number, later: readonly Order[]): void {
    const powers = [powerW, ...orders.map((x) => x.sentW)];
    const range = { minW: Math.min(...powers), maxW: Math.max(...powers) };
    const young = later.map((x) => x.commandId);
    this.#dispatcher.narrow(id, range, young);
  }

  /** Commands that end, and doubts that are over. True when the resource may now do something else. */
  #lapse(entry: TwinEntry, s: Standing, now: number): boolean {
    const id = entry.resource.resourceId;
    // More than was ever set: the clock was set back.
    s.doubtUntil = Math.min(s.doubtUntil, now + VALIDITY_MS);
    let moved = false;
    const last = s.bound ?? s.open[0];
    // The last that it accepted is about to end, and it has not accepted more.
    if (last && hasEnded(last, now) && (!entry.online || inUse(entry)))
      moved = this.#widen(id, { minW: 0, maxW: belowW(entry) });
    if (s.bound && s.bound.validUntil <= now) unbind(s);
    if (s.open.some((x) => x.validUntil <= now)) s.open = s.open.filter((x) => x.validUntil > now);
    // What ends then needs its time to come down.
    if (newest(s) || s.doubtUntil === 0 || s.doubtUntil + responseOf(entry) > now) return moved;
    this.#clearDoubt(entry, s);
    return true;
  }

  /** Nobody can have told it anything for so long that it does what its profile below says, or goes on as it does. */
  #clearDoubt(entry: TwinEntry, s: Standing): void {
    s.doubtUntil = 0;
    unbind(s);
    s.open = [];
    const powerW = entry.online ? (this.#twin.powerOf(entry) ?? 0) : 0;
    const minW = entry.online ? Math.min(powerW, 0) : -entry.resource.offlineExportW;
    const range = { minW, maxW: Math.max(powerW, belowW(entry)) };
    this.#dispatcher.assume(entry.resource.resourceId, range, this.#clock.now());
  }

  /** Open commands count on, but a late word about them changes nothing any more. */
  #widen(id: string, by: PowerRange): boolean {
    const { minW, maxW } = this.#dispatcher.present(id);
    const range = { minW: Math.min(minW, by.minW), maxW: Math.max(maxW, by.maxW) };
    this.#dispatcher.assume(id, range, this.#clock.now());
    return range.minW < minW || range.maxW > maxW;
  }

  #standing(id: string): Standing {
    const known = this.#standings.get(id);
    if (known) return known;
    const made: Standing = { open: [], doubtUntil: 0 };
    this.#standings.set(id, made);
    return made;
  }

  #measuredW(id: string): number | undefined {
    const entry = this.#twin.get(id);
    return entry && inUse(entry) ? this.#twin.powerOf(entry) : undefined;
  }
}
