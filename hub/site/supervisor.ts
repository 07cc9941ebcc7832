import { BoundedMap } from '../../core/bounded.ts';
import { type Clock, parseTime } from '../../core/clock.ts';
import type { FleetTwin } from '../fleet/twin.ts';
import type { Effects, ServiceBook } from '../services/book.ts';
import { type Service, setpointParameters, validityMs } from '../services/service.ts';
import { effectiveTarget, isOff } from '../services/target.ts';
import { groupSample } from './group.ts';

export interface SupervisorOptions {
  readonly clock: Clock;
  readonly book: ServiceBook;
  readonly twin: FleetTwin;
  readonly apply: (effects: Effects) => void;
  readonly changed: (reason: string) => void;
}

/** Deviations are told after this many intervals (fo 4.3 no. 18). */
const DEVIATION_INTERVALS = 2;
/** A service whose members are all out of reach has failed after this (fo 6.2), or after two intervals if longer than 30 s. */
const LOST_MS = 300_000;
const LEAST_LOST_MS = 30_000;

/** Watches over running services: begin and end, expiry and fallback, deviation, lost and joined resources (fo 6.2, fo 6.4). */
export class Supervisor {
  readonly #o: SupervisorOptions;
  readonly #lost = new BoundedMap<string, number>({ name: 'hub.lost', max: 20_000, overflow: 'dropOldest' });

  constructor(o: SupervisorOptions) {
    this.#o = o;
  }

  tick(now: number): void {
    for (const service of this.#o.book.running()) this.#watch(service, now);
    this.#o.book.forgetEnded(now);
  }

  /** A resource can be reached again, or no longer. */
  reachable(resourceId: string, online: boolean): void {
    const now = this.#o.clock.now();
    if (online) this.#lost.delete(resourceId);
    else this.#lost.set(resourceId, now);
    for (const s of this.#o.book.active()) {
      if (!s.members.includes(resourceId)) continue;
      this.#o.apply(
        this.#o.book.notice(s, online ? 'resourceJoined' : 'resourceLost', now, { resources: [resourceId] }),
      );
    }
  }

  #watch(service: Service, now: number): void {
    if (parseTime(service.fsr.window.end) <= now) {
      this.#move(service, 'end', now);
      return;
    }
    if (service.state !== 'active') {
      if (parseTime(service.fsr.window.start) <= now) this.#begin(service, now);
      return;
    }
    // Each step may change the service, so each takes it afresh.
    const { fsrId } = service.fsr;
    for (const step of [this.#takeEffect, this.#expire, this.#deviation, this.#allLost]) {
      const current = this.#o.book.find(fsrId);
      if (current) step.call(this, current, now);
    }
  }

  #begin(service: Service, now: number): void {
    const p = setpointParameters(service.fsr);
    const first = service.setpoint && parseTime(service.setpoint.validUntil) > now ? service.setpoint : undefined;
    const inForce =
      first !== undefined
        ? { targetW: first.targetW, validUntil: parseTime(first.validUntil), seq: first.seq }
        : p?.initialW === undefined
          ? undefined
          : { targetW: p.initialW, validUntil: now + validityMs(p) };
    const ready = this.#o.book.update(service, inForce === undefined ? {} : { inForce });
    this.#move(ready, 'begin', now, inForce === undefined ? {} : { powerW: inForce.targetW });
  }

  /** A setpoint with a later `effectiveAt` comes into force when its time has come. */
  #takeEffect(service: Service, now: number): void {
    const s = service.setpoint;
    const waits = s?.effectiveAt !== undefined && s.seq > (service.inForce?.seq ?? -1);
    if (!s || !waits || parseTime(s.effectiveAt ?? '') > now || parseTime(s.validUntil) <= now) return;
    const { fallback: _, ...rest } = service;
    this.#o.book.update(rest, {
      inForce: { targetW: s.targetW, validUntil: parseTime(s.validUntil), seq: s.seq },
    });
    this.#o.changed('effective');
  }

  /** An expired setpoint leads to the fallback of the request (fo 6.4). */
  #expire(service: Service, now: number): void {
    const force = service.inForce;
    if (force && force.validUntil > now) return;
    if (service.fallback) {
      if (effectiveTarget(service, now).moving) this.#o.changed('fallback');
      return;
    }
    const fromW = service.applied?.targetW ?? 0;
    const next = this.#o.book.update(service, { fallback: { since: force?.validUntil ?? now, fromW } });
    this.#o.apply(this.#o.book.notice(next, 'fallback', now, { cause: 'setpoint.expired' }));
    this.#o.changed('expiry');
  }

  #deviation(service: Service, now: number): void {
    const p = setpointParameters(service.fsr);
    const { applied } = service;
    const measuredW = groupSample(this.#o.twin, service.members).powerW;
    if (!p || !applied || measuredW === undefined) return;
    if (!isOff(service, applied, measuredW)) {
      if (service.offSince !== undefined) this.#clearDeviation(service);
      return;
    }
    const since = service.offSince ?? now;
    if (service.offSince === undefined) this.#o.book.update(service, { offSince: now });
    if (service.deviationTold || now - since <= DEVIATION_INTERVALS * p.updateIntervalS * 1000) return;
    const told = this.#o.book.update(service, { offSince: since, deviationTold: true });
    const shortfallW = Math.abs(applied.targetW - measuredW);
    const cause = applied.shortfallW > 0 ? 'needs.shortfall' : 'off.target';
    this.#o.apply(this.#o.book.notice(told, 'deviation', now, { powerW: measuredW, shortfallW, cause }));
  }

  #clearDeviation(service: Service): void {
    const { offSince: _, deviationTold: __, ...rest } = service;
    this.#o.book.replace(rest);
  }

  #allLost(service: Service, now: number): void {
    const since = service.members.map((m) => this.#lost.get(m));
    if (since.length === 0 || since.some((t) => t === undefined)) return;
    const last = Math.max(...since.map((t) => t ?? 0));
    const intervalsMs = DEVIATION_INTERVALS * (setpointParameters(service.fsr)?.updateIntervalS ?? 60) * 1000;
    if (now - last > Math.min(LOST_MS, Math.max(LEAST_LOST_MS, intervalsMs)))
      this.#move(service, 'lost', now, { cause: 'resources.lost' });
  }

  #move(
    service: Service,
    event: 'begin' | 'end' | 'lost',
    now: number,
    extra: Parameters<ServiceBook['move']>[3] = {},
  ): void {
    this.#o.apply(this.#o.book.move(service, event, now, extra));
    this.#o.changed(event);
  }
}
