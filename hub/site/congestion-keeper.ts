import type { Clock, TimerHandle } from '../../core/clock.ts';
import type { SiteFile } from '../../model/index.ts';
import { belowW, type FleetTwin } from '../fleet/twin.ts';
import type { ServiceBook } from '../services/book.ts';
import { ceilingAt, isHard, nodesOf, stepTimes } from '../services/congestion.ts';
import { congestionParameters, remaining, type Service, type ServiceEntry } from '../services/service.ts';
import type { Ledger } from './ledger.ts';
import type { LimitBook, ServiceLimit } from './limits.ts';

/** Limits are given back within this time after the end, unless the request names a ramp, s (UC 2.7). */
const RELEASE_S = 60;
const TICK_MS = 1_000;
/** Where releases are kept, so that a restart in between does not give all back at once. */
const FOLDER = 'release/';

export interface CongestionOptions {
  readonly clock: Clock;
  readonly twin: FleetTwin;
  readonly limits: LimitBook;
  readonly book: ServiceBook;
  readonly ledger: Ledger;
  readonly file: () => SiteFile;
  /** What a resource was granted last, W. */
  readonly grantedW: (resourceId: string) => number | undefined;
  /** 0 ≤ x < 1, the same for the same words. */
  readonly random: (seed: string) => number;
  /** Limits have moved. */
  readonly moved: () => void;
}

interface Release {
  readonly limits: readonly ServiceLimit[];
}

/**
 * Puts the limits of congestion services in force over time (UC 2.7): each step of a firm or mandatory series holds as a
 * limit of the site, at its moment, without any wire. At the end vehicles get their power back one after the other.
 */
export class CongestionKeeper {
  readonly #o: CongestionOptions;
  readonly #delivers = new Set<string>(); // bounded by: the services of the book
  readonly #releases = new Map<string, Release>(); // bounded by: the services of the book
  /** Delivering when the gateway died: nobody knows what was granted then. */
  readonly #restored = new Set<string>(); // bounded by: the services of the book
  #timer: TimerHandle | undefined;

  constructor(o: CongestionOptions) {
    this.#o = o;
  }

  /** Who was being released before a restart, and which services held anybody. Called when services are back. */
  async restore(): Promise<void> {
    const { book, clock, ledger } = this.#o;
    for (const { key, service } of book.all()) {
      const delivers = service.state === 'active' && (service.activation?.state ?? 'delivering') === 'delivering';
      if (!congestionParameters(service.fsr) || !delivers) continue;
      this.#delivers.add(key);
      this.#restored.add(key);
    }
    for await (const row of ledger.all('service', FOLDER)) {
      const { limits } = row.body as Release;
      if (limits.some(({ until = 0 }) => until > clock.now()))
        this.#releases.set(row.key.slice(FOLDER.length), { limits });
      else ledger.later({ op: 'delete', kind: 'service', key: row.key });
    }
  }

  /** Looks at all services now: a step, a begin or an end may have come. */
  look(): void {
    const { clock, book, limits, moved } = this.#o;
    const now = clock.now();
    let any = false;
    const seen = new Set<string>(); // bounded by: the services of the book
    for (const entry of book.all()) {
      if (!congestionParameters(entry.service.fsr)) continue;
      seen.add(entry.key);
      if (this.#hold(entry, now)) any = true;
    }
    for (const key of this.#delivers) {
      if (seen.has(key)) continue;
      this.#delivers.delete(key);
      this.#restored.delete(key);
      if (limits.hold(key, [])) any = true;
    }
    if (this.#release(now)) any = true;
    this.#arm(now);
    if (any) moved();
  }

  /** Where the limits of a request hold; undefined where the site has no such place. */
  nodes(fsr: Service['fsr'], members: readonly string[]): readonly string[] | undefined {
    const { file, twin } = this.#o;
    const all = Array.from(twin.all(), (e) => e.resource.resourceId);
    return nodesOf(fsr, members, file(), (id) => twin.get(id)?.resource.circuitId, all);
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** Sets what a service holds now. True when a limit has moved. */
  #hold({ key, service }: ServiceEntry, now: number): boolean {
    const { file, limits } = this.#o;
    const ceiling = ceilingAt(service, now, file());
    if (ceiling) {
      this.#delivers.add(key);
      if (this.#releases.delete(key)) {
        limits.hold(`release/${key}`, []);
        this.#forget(key);
      }
    } else if (this.#delivers.delete(key)) this.#stagger(key, service, now);
    const isAny = ceiling?.importLimitW !== undefined || ceiling?.exportLimitW !== undefined;
    const hard = ceiling && isAny && isHard(service.fsr);
    const nodes = hard ? (this.nodes(service.fsr, remaining(service)) ?? []) : [];
    const source = `congestion ${service.fsr.fsrId}`.slice(0, 64);
    return limits.hold(
      key,
      nodes.map((nodeId) => ({ nodeId, source, ...ceiling })),
    );
  }

  /** Vehicles that were held down get their power back at times of their own, so that the load does not jump. */
  #stagger(key: string, service: Service, now: number): void {
    const { clock, grantedW, ledger, random, twin } = this.#o;
    const wasRestored = this.#restored.delete(key);
    const overMs = (service.fsr.fallback.rampS ?? RELEASE_S) * 1000;
    if (overMs === 0) return;
    const atPoc = service.fsr.target.referencePoint === 'site';
    const ids = atPoc ? Array.from(twin.all(), (e) => e.resource.resourceId) : service.members;
    const source = `release ${service.fsr.fsrId}`.slice(0, 64);
    const limits = ids.flatMap((nodeId): ServiceLimit[] => {
      const entry = twin.get(nodeId);
      // Without a grant since the restart it does what its profile below says.
      const powerW = grantedW(nodeId) ?? (wasRestored && entry ? belowW(entry) : undefined);
      const until = now + Math.round(random(`${key}/${nodeId}`) * overMs);
      return powerW === undefined ? [] : [{ nodeId, source, importLimitW: Math.max(0, powerW), until }];
    });
    this.#releases.set(key, { limits });
    ledger.later({ op: 'put', kind: 'service', key: FOLDER + key, at: clock.now(), body: { limits } });
  }

  #forget(key: string): void {
    this.#o.ledger.later({ op: 'delete', kind: 'service', key: FOLDER + key });
  }

  /** True when somebody is held no longer, or newly held. */
  #release(now: number): boolean {
    let any = false;
    for (const [key, { limits }] of this.#releases) {
      const left = limits.filter(({ until = 0 }) => until > now);
      if (this.#o.limits.hold(`release/${key}`, left)) any = true;
      if (left.length === 0) {
        this.#releases.delete(key);
        this.#forget(key);
      } else this.#releases.set(key, { limits: left });
    }
    return any;
  }

  /** A timer for a step that comes before the next tick. */
  #arm(now: number): void {
    const { clock, book } = this.#o;
    let next = now + TICK_MS;
    for (const { service } of book.running()) {
      for (const t of stepTimes(service)) if (t > now && t < next) next = t;
    }
    this.#timer?.cancel();
    this.#timer = next < now + TICK_MS ? clock.after(next - now, () => this.look()) : undefined;
  }
}
