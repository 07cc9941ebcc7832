import { BoundedMap } from '../../core/bounded.ts';
import { type Clock, parseTime } from '../../core/clock.ts';
import type {
  EvNeeds,
  MeterReading,
  Quality,
  ResourceState,
  SessionEvent,
  StationCapabilities,
  StationStatus,
} from '../../model/index.ts';
import { Departed } from './departed.ts';
import { evseMostW, type Resource } from './resources.ts';

type State = ResourceState['state'];

/** Registers, Wh ≥ 0, and when they were read, epoch ms. */
export interface Registers {
  readonly importWh?: number | undefined;
  readonly exportWh?: number | undefined;
  readonly energyAt: number;
}

/** The last meter values of a resource; each is kept until a newer one comes. Times are epoch ms. */
export interface Reading extends Omit<Registers, 'energyAt'> {
  readonly energyAt?: number | undefined;
  /** When the newest of them was measured. */
  readonly at: number;
  /** The power, W, load convention, when it was measured, and how good its source says it is. */
  readonly powerW?: number | undefined;
  readonly powerAt?: number | undefined;
  readonly quality?: Quality | undefined;
  readonly socPct?: number | undefined;
  readonly voltageV?: number | undefined;
  readonly frequencyHz?: number | undefined;
  readonly reactiveVar?: number | undefined;
}

/** What an EV said about itself, and what has gone into it since by the registers (Wh, negative when it gave). */
export interface Needs {
  readonly at: number;
  readonly body: EvNeeds;
  readonly departureAt?: number;
  readonly movedWh: number;
}

/** What the twin knows of one resource. Times are epoch ms. */
export interface TwinEntry {
  readonly resource: Resource;
  online: boolean;
  state: State;
  /** What the station said beside `faulted`; `Unavailable` where somebody has put the EVSE out of service. */
  errorCode?: string;
  /** Since when it cannot be reached; it may never have been since the start. */
  offlineSince: number;
  seen: boolean;
  protocol?: string;
  reading?: Reading;
  /** The power value before the last one. */
  before?: { readonly powerW: number; readonly at: number };
  /** The newest value that came could not be true; the one before stands in for it (fo 6.4). */
  doubted?: boolean;
  /** Usual distance of power values, ms; learned, used to tell a fresh value from a stale one. */
  intervalMs: number;
  session?: { readonly id: string; readonly since: number };
  /** The session that ended last: words about it that come late are not news. */
  endedSession?: string;
  needs?: Needs;
  /** Cap learned from an EV that takes less than it was given (fo 8.1). */
  learned?: { readonly maxW: number; readonly at: number };
  /** What its default profile lets it draw, once the station has accepted one; W. */
  offlineImportW?: number;
  /** What was seen of its station. */
  capabilities?: StationCapabilities;
  optOut: boolean;
}

/** Meter values older than this many usual intervals no longer count (fo 6.4, fo 8.6). */
const STALE_INTERVALS = 3;
const FRESH_INTERVALS = 2;
/** A learned cap is tried again after 5 min (fo 8.1). */
const LEARNED_MS = 300_000;
/** Below this an EV takes nothing, W. */
const IDLE_W = 100;
const FLOWING_W = 10;
const DEFAULT_INTERVAL_MS = 10_000;
/** A register that moves by more than the EVSE could do, and this on top, was replaced or reset, Wh. */
const REGISTER_SLACK_WH = 200;

const IN_SESSION: readonly State[] = ['connected', 'charging', 'discharging', 'suspended'];
const FLOWING: readonly State[] = ['charging', 'discharging', 'suspended'];
const RANK: readonly Quality[] = ['good', 'estimated', 'substituted', 'missing'];

/** The fleet as last heard of: state, session, needs and meter values with quality and age (fo 3.3, design 2). */
export class FleetTwin {
  /** What was taken out of the site file a moment ago. */
  readonly departed = new Departed();
  readonly #clock: Clock;
  readonly #entries: BoundedMap<string, TwinEntry>;

  constructor(clock: Clock, max = 20_000) {
    this.#clock = clock;
    this.#entries = new BoundedMap({ name: 'hub.twin', max, overflow: 'refuse' });
  }

  /** Takes over the resources of a site file; what is known of those that stay is kept. Answers those that are gone. */
  configure(resources: readonly Resource[]): readonly TwinEntry[] {
    const wanted = new Set(resources.map((r) => r.resourceId)); // bounded by: the site file
    const gone = Array.from(this.#entries.values()).filter((e) => !wanted.has(e.resource.resourceId));
    for (const { resource } of gone) this.#entries.delete(resource.resourceId);
    for (const resource of resources) {
      const known = this.#entries.get(resource.resourceId);
      this.#entries.set(resource.resourceId, known ? { ...known, resource } : fresh(resource, this.#clock.now()));
    }
    return gone;
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
    const online = body.state !== 'offline';
    // `Occupied` of 2.x says less than the session does; it must not hide that power flows.
    const vague = body.state === 'connected' && entry.session !== undefined && IN_SESSION.includes(entry.state);
    if (!vague) entry.state = body.state;
    if (body.state !== 'faulted' || body.errorCode === undefined) delete entry.errorCode;
    else entry.errorCode = body.errorCode;
    if (entry.online && !online) entry.offlineSince = this.#clock.now();
    entry.online = online;
    if (online) entry.seen = true;
    if (body.protocol !== undefined) entry.protocol = body.protocol;
    if (body.offlineImportW !== undefined) entry.offlineImportW = body.offlineImportW;
    if (online && !IN_SESSION.includes(body.state)) this.#endSession(entry);
    return was !== `${entry.state}${entry.online}`;
  }

  /** Takes news of a session; `started` and `ended` only when it is news. */
  session(body: SessionEvent): 'started' | 'ended' | 'changed' | undefined {
    const entry = this.#entries.get(body.resourceId);
    if (!entry) return undefined;
    if (body.kind === 'ended') return this.#ended(entry, body);
    const isNew = entry.session?.id !== body.sessionId;
    const at = parseTime(body.at);
    // A word about a session that is over, or older than the one that runs.
    if (isNew && (entry.endedSession === body.sessionId || (entry.session && at < entry.session.since)))
      return undefined;
    if (isNew) {
      if (entry.session) this.#endSession(entry);
      entry.session = { id: body.sessionId, since: Math.min(at, this.#clock.now()) };
    }
    const was = entry.state;
    if (body.state !== undefined && entry.online) entry.state = body.state;
    else if (entry.online && !IN_SESSION.includes(entry.state)) entry.state = 'connected';
    // What goes on may have been led by somebody before us.
    if (isNew && body.kind === 'started' && body.offline !== true) return 'started';
    return isNew || entry.state !== was ? 'changed' : undefined;
  }

  /** Takes over what a link has seen of a station. */
  capabilities(body: StationCapabilities): void {
    const entry = this.#entries.get(body.resourceId);
    if (entry) entry.capabilities = body;
  }

  /** `from`: where it said so before a restart, the registers of that time. */
  needs(body: EvNeeds, from?: Registers): boolean {
    const entry = this.#entries.get(body.resourceId);
    if (!entry) return false;
    const departureAt = body.departureAt === undefined ? {} : { departureAt: parseTime(body.departureAt) };
    const { reading } = entry;
    const isLater = from !== undefined && reading?.energyAt !== undefined;
    entry.needs = {
      at: this.#clock.now(),
      body,
      ...departureAt,
      movedWh: isLater ? moved(entry, from, reading, reading.energyAt ?? 0) : 0,
    };
    // What comes next counts from there.
    if (from && !isLater) entry.reading = { at: from.energyAt, ...reading, ...from };
    return true;
  }

  /** Takes a meter value; older than what is known is ignored. */
  reading(body: MeterReading): boolean {
    const entry = body.resourceId === undefined ? undefined : this.#entries.get(body.resourceId);
    return entry !== undefined && this.read(entry, body);
  }

  /** The same for an entry that is at hand. */
  read(entry: TwinEntry, body: MeterReading): boolean {
    if (body.quality === 'missing') return false;
    const now = this.#clock.now();
    const at = Math.min(parseTime(body.at), now);
    // Where our clock was set back, what is known lies in the future and says nothing about order.
    const last = entry.reading && entry.reading.at <= now ? entry.reading : undefined;
    if (last && at < last.at) return false;
    if (entry.needs) entry.needs = { ...entry.needs, movedWh: entry.needs.movedWh + moved(entry, last, body, at) };
    if (body.powerW !== undefined && last?.powerAt !== undefined && at > last.powerAt)
      entry.intervalMs = clampInterval(entry.intervalMs, at - last.powerAt);
    if (body.powerW !== undefined) {
      if (last?.powerW !== undefined && last.powerAt !== undefined)
        entry.before = { powerW: last.powerW, at: last.powerAt };
      delete entry.doubted;
    }
    entry.reading = measured(entry.reading, body, at);
    if (body.powerW !== undefined && entry.online && IN_SESSION.includes(entry.state))
      entry.state = directionOf(body.powerW, entry);
    return true;
  }

  /** True when the EVSE cannot have this power, W; the value before counts on, as `substituted` (fo 6.4). */
  isImplausible({ resource }: TwinEntry, { powerW }: MeterReading): boolean {
    return powerW !== undefined && Math.abs(powerW) > evseMostW(resource.maxImportW, resource.maxExportW);
  }

  /** Notes that a value could not be true; true when it is the first in a row. */
  doubt(entry: TwinEntry): boolean {
    if (entry.doubted) return false;
    entry.doubted = true;
    return true;
  }

  /** fo 8.1: an EV that takes less than it was given shows its own cap; `responseMs` is the station's response time. */
  learn(resourceId: string, grantedW: number, grantedSince: number, responseMs: number): void {
    const entry = this.#entries.get(resourceId);
    const powerW = entry?.reading?.powerW;
    if (!entry || powerW === undefined) return;
    const now = this.#clock.now();
    const { learned, resource } = entry;
    if (learned) {
      const reached = powerW >= learned.maxW / 1.1 + resource.accuracyW;
      if (reached || now - learned.at > LEARNED_MS || learned.at > now) delete entry.learned;
    }
    const settled = now - grantedSince >= 3 * responseMs;
    if (!settled || grantedW <= 0 || powerW < 0 || powerW >= grantedW - resource.accuracyW) return;
    // It takes nearly all of it: a cap above what it was given would only move shares about.
    if (1.1 * powerW >= grantedW) return;
    // An EV that charges on fewer phases takes less than the least of its EVSE; capped below that, it would get nothing.
    const leastW = powerW >= IDLE_W ? resource.minImportW : 0;
    entry.learned = { maxW: Math.max(1.1 * powerW, leastW), at: entry.learned?.at ?? now };
  }

  /** How far the power of an entry can be trusted now (fo 6.4: missing after 3 intervals). */
  quality(entry: TwinEntry): Quality {
    if (entry.online && !IN_SESSION.includes(entry.state)) return 'good';
    const r = entry.reading;
    if (!entry.online || r?.powerW === undefined || r.powerAt === undefined) return 'missing';
    const age = this.#clock.now() - r.powerAt;
    if (age > STALE_INTERVALS * entry.intervalMs) return 'missing';
    // Younger than now: our clock was set back.
    const byAge: Quality = age >= 0 && age <= FRESH_INTERVALS * entry.intervalMs ? 'good' : 'estimated';
    return worse(worse(byAge, r.quality ?? 'good'), entry.doubted ? 'substituted' : 'good');
  }

  /** Nobody is there, so no power flows. */
  isIdle(entry: TwinEntry): boolean {
    return entry.online && !IN_SESSION.includes(entry.state);
  }

  /** Measured power in W; 0 for an EVSE without a session, undefined when unknown. */
  powerOf(entry: TwinEntry): number | undefined {
    if (entry.online && !IN_SESSION.includes(entry.state)) return 0;
    return this.quality(entry) === 'missing' ? undefined : entry.reading?.powerW;
  }

  #ended(entry: TwinEntry, body: SessionEvent): 'ended' | undefined {
    if (entry.session !== undefined && entry.session.id !== body.sessionId) return undefined;
    if (entry.session === undefined && entry.endedSession === body.sessionId) return undefined;
    this.#endSession(entry);
    entry.endedSession = body.sessionId;
    if (entry.online && IN_SESSION.includes(entry.state)) entry.state = 'connected';
    return 'ended';
  }

  #endSession(entry: TwinEntry): void {
    delete entry.session;
    delete entry.needs;
    delete entry.learned;
    delete entry.before;
    if (!entry.reading) return;
    const { socPct: _, ...rest } = entry.reading;
    entry.reading = { ...rest, ...(rest.powerW === undefined ? {} : { powerW: 0 }) };
  }
}

/** True when an EV is there that could take or give power. */
export const hasEv = (entry: TwinEntry): boolean => IN_SESSION.includes(entry.state) || entry.session !== undefined;

/** True when power may flow: a session runs, or the station says that one does. */
export const inUse = (entry: TwinEntry): boolean => entry.session !== undefined || FLOWING.includes(entry.state);

/** What a station lets the resource draw when nobody commands it, W: the profile below, within what its owner says. */
export const belowW = ({ resource, offlineImportW }: TwinEntry): number =>
  Math.min(offlineImportW ?? resource.offlineImportW, resource.offlineImportW);

function fresh(resource: Resource, now: number): TwinEntry {
  return {
    resource,
    online: false,
    state: 'offline',
    offlineSince: now,
    seen: false,
    intervalMs: DEFAULT_INTERVAL_MS,
    optOut: false,
  };
}

function clampInterval(usual: number, seen: number): number {
  const smooth = usual + (seen - usual) / 4;
  return Math.min(Math.max(smooth, 1000), 900_000);
}

function directionOf(powerW: number, entry: TwinEntry): State {
  if (powerW > FLOWING_W) return 'charging';
  if (powerW < -FLOWING_W) return 'discharging';
  return entry.state === 'charging' || entry.state === 'discharging' ? 'suspended' : entry.state;
}

const worse = (a: Quality, b: Quality): Quality => (RANK.indexOf(a) >= RANK.indexOf(b) ? a : b);

/** Energy into the EV since the last value, Wh. Registers that jump (back) beyond what the EVSE can do count as 0. */
function moved(
  entry: TwinEntry,
  last: Omit<Reading, 'at'> | undefined,
  body: Omit<Registers, 'energyAt'>,
  at: number,
): number {
  if (last?.energyAt === undefined) return 0;
  const hours = Math.max(0, at - last.energyAt) / 3_600_000;
  const step = (from: number | undefined, to: number | undefined, mostW: number): number => {
    const wh = from === undefined || to === undefined ? 0 : to - from;
    return wh < 0 || wh > 1.2 * mostW * hours + REGISTER_SLACK_WH ? 0 : wh;
  };
  const { maxImportW, maxExportW } = entry.resource;
  return step(last.importWh, body.importWh, maxImportW) - step(last.exportWh, body.exportWh, maxExportW);
}

/** What was known, with what a value says. */
function measured(known: Reading | undefined, body: MeterReading, at: number): Reading {
  const hasPower = body.powerW !== undefined;
  const hasEnergy = body.importWh !== undefined || body.exportWh !== undefined;
  return {
    at,
    powerW: body.powerW ?? known?.powerW,
    powerAt: hasPower ? at : known?.powerAt,
    quality: hasPower ? body.quality : known?.quality,
    importWh: body.importWh ?? known?.importWh,
    exportWh: body.exportWh ?? known?.exportWh,
    energyAt: hasEnergy ? at : known?.energyAt,
    socPct: body.socPct ?? known?.socPct,
    voltageV: body.voltageV ?? known?.voltageV,
    frequencyHz: body.frequencyHz ?? known?.frequencyHz,
    reactiveVar: body.reactiveVar ?? known?.reactiveVar,
  };
}
