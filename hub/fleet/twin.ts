import { BoundedMap } from '../../core/bounded.ts';
import { type Clock, parseTime } from '../../core/clock.ts';
import type { EvNeeds, MeterReading, Quality, ResourceState, SessionEvent, StationStatus } from '../../model/index.ts';
import type { Resource } from './resources.ts';

type State = ResourceState['state'];

/** What the twin knows of one resource. Times are epoch ms. */
export interface TwinEntry {
  readonly resource: Resource;
  online: boolean;
  state: State;
  protocol?: string;
  /** Last meter value with its age; power in W, load convention. */
  reading?: { at: number; powerW?: number; importWh?: number; exportWh?: number; socPct?: number; voltageV?: number };
  /** Usual distance of meter values, ms; learned, used to tell a fresh value from a stale one. */
  intervalMs: number;
  session?: { id: string; since: number; startImportWh?: number; startExportWh?: number };
  needs?: { at: number; body: EvNeeds; importWh?: number; exportWh?: number };
  /** Cap learned from an EV that takes less than it was given (fo 8.1). */
  learned?: { maxW: number; at: number };
  /** What its default profile lets it draw, once the station has accepted one; W. */
  offlineImportW?: number;
  optOut: boolean;
}

/** Meter values older than this many usual intervals no longer count (fo 6.4, fo 8.6). */
const STALE_INTERVALS = 3;
const FRESH_INTERVALS = 2;
/** A learned cap is tried again after 5 min (fo 8.1). */
const LEARNED_MS = 300_000;
const DEFAULT_INTERVAL_MS = 10_000;

const IN_SESSION: readonly State[] = ['connected', 'charging', 'discharging', 'suspended'];

/** The fleet as last heard of: state, session, needs and meter values with quality and age (fo 3.3, design 2). */
export class FleetTwin {
  readonly #clock: Clock;
  readonly #entries: BoundedMap<string, TwinEntry>;

  constructor(clock: Clock, max = 20_000) {
    this.#clock = clock;
    this.#entries = new BoundedMap({ name: 'hub.twin', max, overflow: 'refuse' });
  }

  /** Takes over the resources of a site file; what is known of those that stay is kept. */
  configure(resources: readonly Resource[]): void {
    const wanted = new Set(resources.map((r) => r.resourceId));
    for (const id of [...this.#entries.keys()]) if (!wanted.has(id)) this.#entries.delete(id);
    for (const resource of resources) {
      const known = this.#entries.get(resource.resourceId);
      this.#entries.set(resource.resourceId, known ? { ...known, resource } : fresh(resource));
    }
  }

  get(resourceId: string): TwinEntry | undefined {
    return this.#entries.get(resourceId);
  }

  all(): Iterable<TwinEntry> {
    return this.#entries.values();
  }

  get size(): number {
    return this.#entries.size;
  }

  /** True when the state changed in a way that an allocation should look at. */
  status(body: StationStatus): boolean {
    const entry = this.#entries.get(body.resourceId);
    if (!entry) return false;
    const was = `${entry.state}${entry.online}`;
    // `Occupied` of 2.x says less than the session does; it must not hide that power flows.
    const vague = body.state === 'connected' && entry.session !== undefined && IN_SESSION.includes(entry.state);
    if (!vague) entry.state = body.state;
    entry.online = body.state !== 'offline';
    if (body.protocol !== undefined) entry.protocol = body.protocol;
    if (body.offlineImportW !== undefined) entry.offlineImportW = body.offlineImportW;
    if (!IN_SESSION.includes(body.state) && entry.online) this.#endSession(entry);
    return was !== `${entry.state}${entry.online}`;
  }

  session(body: SessionEvent): boolean {
    const entry = this.#entries.get(body.resourceId);
    if (!entry) return false;
    if (body.kind === 'ended') {
      if (entry.session !== undefined && entry.session.id !== body.sessionId) return false;
      this.#endSession(entry);
      if (entry.online) entry.state = 'connected';
      return true;
    }
    const isNew = entry.session?.id !== body.sessionId;
    if (isNew) {
      this.#endSession(entry);
      entry.session = {
        id: body.sessionId,
        since: parseTime(body.at),
        ...(body.importWh === undefined ? {} : { startImportWh: body.importWh }),
        ...(body.exportWh === undefined ? {} : { startExportWh: body.exportWh }),
      };
    }
    if (body.state !== undefined && entry.online) entry.state = body.state;
    else if (entry.online && !IN_SESSION.includes(entry.state)) entry.state = 'connected';
    return isNew || body.state !== undefined;
  }

  needs(body: EvNeeds): boolean {
    const entry = this.#entries.get(body.resourceId);
    if (!entry) return false;
    const { importWh, exportWh } = entry.reading ?? {};
    entry.needs = {
      at: this.#clock.now(),
      body,
      ...(importWh === undefined ? {} : { importWh }),
      ...(exportWh === undefined ? {} : { exportWh }),
    };
    return true;
  }

  /** Takes a meter value; older than what is known is ignored. */
  reading(body: MeterReading): boolean {
    const entry = body.resourceId === undefined ? undefined : this.#entries.get(body.resourceId);
    if (!entry || body.quality === 'missing') return false;
    const at = Math.min(parseTime(body.at), this.#clock.now());
    const last = entry.reading;
    if (last && at < last.at) return false;
    if (last && at > last.at) entry.intervalMs = clampInterval(entry.intervalMs, at - last.at);
    entry.reading = { ...last, at, ...measured(body) };
    if (body.powerW !== undefined && entry.session) entry.state = directionOf(body.powerW, entry);
    return true;
  }

  /** fo 8.1: an EV that takes less than it was given shows its own cap; `responseMs` is the station's response time. */
  learn(resourceId: string, grantedW: number, grantedSince: number, responseMs: number): void {
    const entry = this.#entries.get(resourceId);
    const powerW = entry?.reading?.powerW;
    if (!entry || powerW === undefined || entry.reading === undefined) return;
    const now = this.#clock.now();
    if (
      entry.learned &&
      (powerW >= entry.learned.maxW / 1.1 + entry.resource.accuracyW || now - entry.learned.at > LEARNED_MS)
    ) {
      delete entry.learned;
    }
    const settled = entry.reading.at - grantedSince >= 3 * responseMs;
    if (settled && grantedW > 0 && powerW >= 0 && powerW < grantedW - entry.resource.accuracyW) {
      entry.learned = { maxW: 1.1 * powerW, at: entry.learned?.at ?? now };
    }
  }

  /** How far the power of an entry can be trusted now (fo 6.4: missing after 3 intervals). */
  quality(entry: TwinEntry): Quality {
    if (entry.online && !IN_SESSION.includes(entry.state)) return 'good';
    const r = entry.reading;
    if (!entry.online || r?.powerW === undefined) return 'missing';
    const age = this.#clock.now() - r.at;
    if (age <= FRESH_INTERVALS * entry.intervalMs) return 'good';
    return age <= STALE_INTERVALS * entry.intervalMs ? 'estimated' : 'missing';
  }

  /** Measured power in W; 0 for an EVSE without a session, undefined when unknown. */
  powerOf(entry: TwinEntry): number | undefined {
    if (entry.online && !IN_SESSION.includes(entry.state)) return 0;
    return this.quality(entry) === 'missing' ? undefined : entry.reading?.powerW;
  }

  #endSession(entry: TwinEntry): void {
    delete entry.session;
    delete entry.needs;
    delete entry.learned;
    if (entry.reading) {
      const { socPct: _, ...rest } = entry.reading;
      entry.reading = { ...rest, powerW: 0 };
    }
  }
}

/** True when an EV is there that could take or give power. */
export const hasEv = (entry: TwinEntry): boolean => IN_SESSION.includes(entry.state) || entry.session !== undefined;

function fresh(resource: Resource): TwinEntry {
  return { resource, online: false, state: 'offline', intervalMs: DEFAULT_INTERVAL_MS, optOut: false };
}

function clampInterval(usual: number, seen: number): number {
  const smooth = usual + (seen - usual) / 4;
  return Math.min(Math.max(smooth, 1000), 900_000);
}

function directionOf(powerW: number, entry: TwinEntry): State {
  if (powerW > 10) return 'charging';
  if (powerW < -10) return 'discharging';
  return entry.state === 'charging' || entry.state === 'discharging' ? 'suspended' : entry.state;
}

function measured(body: MeterReading): Partial<NonNullable<TwinEntry['reading']>> {
  return {
    ...(body.powerW === undefined ? {} : { powerW: body.powerW }),
    ...(body.importWh === undefined ? {} : { importWh: body.importWh }),
    ...(body.exportWh === undefined ? {} : { exportWh: body.exportWh }),
    ...(body.socPct === undefined ? {} : { socPct: body.socPct }),
    ...(body.voltageV === undefined ? {} : { voltageV: body.voltageV }),
  };
}
