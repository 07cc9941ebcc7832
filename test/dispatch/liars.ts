import { judge, type TrackedCommand } from '../../bridges/ocpp/outcome.ts';
import { iso, type ManualClock, manualClock, parseTime } from '../../core/clock.ts';
import { type Log, silentLog } from '../../core/log.ts';
import { createMetrics } from '../../core/metrics.ts';
import { openSite } from '../../hub/site/site.ts';
import type { Site } from '../../hub/site/types.ts';
import type { CommandOutcome, EnvelopeUpdate, PowerCommand, ResultBody, SiteFile } from '../../model/index.ts';
import { type Dice, dice } from '../allocation/sites.ts';
import { moodyStore } from '../site/store.ts';
import { needsOf, type PlantEvse, type PlantOptions, siteFile } from './plant.ts';

/** What a station makes of a command. */
export type Mood = 'obey' | 'late' | 'lost' | 'answerLost' | 'refuse' | 'lie';

export interface LiarOptions extends PlantOptions {
  /** What may become of a command; `obey` as often as it is named. */
  readonly moods: readonly [Mood, ...Mood[]];
  /** Meter values of stations arrive up to so much later than they were taken, s. */
  readonly staleS?: number;
  /** Stations draw nothing on their own when nobody tells them anything. */
  readonly belowW?: number;
  /** The link limits stations by itself where the envelope gets smaller than what they were told. */
  readonly enforces?: boolean;
}

interface Attempt {
  readonly command: PowerCommand;
  readonly powerW: number;
}

interface Station {
  readonly e: PlantEvse;
  session: number;
  plugged: boolean;
  online: boolean;
  belowW: number;
  /** What is in force at the station. */
  bound: { readonly powerW: number; until: number } | undefined;
  from: { readonly at: number; readonly powerW: number };
  goalW: number;
  takesW?: number;
  /** The vehicle takes nothing for a while, whatever it may. */
  pauses: boolean;
  /** One call at a time is open; the newest of the others waits. */
  calling: Attempt | undefined;
  waiting: Attempt | undefined;
  /** The last command that it has accepted, as the link judges it. */
  current: TrackedCommand | undefined;
  /** What it will do later, by commands that have reached it. */
  readonly coming: Set<number>;
}

/** What stations may be doing at one limit of the site. */
export interface Use {
  readonly nodeId: string;
  readonly direction: 'import' | 'export';
  readonly usedW: number;
  readonly limitW: number;
}

/**
 * Stations that come late, lose commands and answers, refuse, say yes and go on as before, restart, and change
 * vehicles. Meters tell the truth, though late. The link has one call open at a time, as OCPP has.
 */
export class Liars {
  readonly clock: ManualClock;
  readonly d: Dice;
  readonly site: Site;
  readonly file: SiteFile;
  /** Every command, when it went to the station. */
  readonly told: { readonly at: number; readonly evseId: string; readonly powerW: number }[] = [];
  readonly #o: LiarOptions;
  readonly #stations: Map<string, Station>;
  #envelope = new Map<string, EnvelopeUpdate['evses'][number]>();
  #closed = false;
  #seq = 0;
  #baseW: number | undefined;
  readonly errors: unknown[];
  /** What becomes of commands from now on. */
  moods: LiarOptions['moods'];

  static async open(o: LiarOptions): Promise<Liars> {
    const clock = manualClock();
    const errors: unknown[] = [];
    const log: Log = { ...silentLog, error: (...words) => void errors.push(words) };
    const file = siteFile(o);
    const site = await openSite({ file, clock, log, metrics: createMetrics(), store: moodyStore() });
    const l = new Liars(o, { clock, errors, file, site });
    await clock.advance(2000);
    return l;
  }

  private constructor(
    o: LiarOptions,
    by: { readonly clock: ManualClock; readonly errors: unknown[]; readonly file: SiteFile; readonly site: Site },
  ) {
    this.#o = o;
    this.moods = o.moods;
    this.d = dice(o.seed);
    this.clock = by.clock;
    this.errors = by.errors;
    this.file = by.file;
    this.site = by.site;
    this.#baseW = o.baseW;
    const now = this.clock.now();
    this.#stations = new Map(o.evses.map((e) => [e.evseId, newStation(e, now)]));
    this.site.attach({
      linkId: 'liars',
      applyEnvelope: ({ evses }) => {
        this.#envelope = new Map(evses.map((e) => [e.resourceId, e]));
        if (o.enforces) for (const s of this.#stations.values()) this.#enforce(s);
      },
    });
    this.site.on('changed', () => void this.clock.after(0, () => this.#allocate()));
    this.site.on('notice', (n) => this.site.delivered(n.v2gate.id));
    for (const s of this.#stations.values()) {
      s.belowW = Math.min(o.belowW ?? Number.POSITIVE_INFINITY, this.site.safeImportW(s.e.evseId));
      this.#status(s, 'available');
      this.clock.after(this.d.int(0, 900), () => this.#meter(s));
    }
    if (o.baseW !== undefined) this.#pocMeter();
  }

  set baseW(w: number) {
    this.#baseW = w;
  }

  /** What flows at the connection, W. */
  get netW(): number {
    return (this.#baseW ?? 0) + this.sumW();
  }

  sumW(): number {
    let sum = 0;
    for (const s of this.#stations.values()) sum += this.#powerNow(s);
    return sum;
  }

  plug(evseId: string): void {
    const s = this.#known(evseId);
    s.plugged = true;
    s.session++;
    s.bound = undefined;
    s.current = undefined;
    s.pauses = false;
    this.#moveTo(s);
    const sessionId = `tx-${evseId}-${s.session}`;
    this.#say('hub/SessionEvent', { resourceId: evseId, sessionId, kind: 'started', state: 'connected' });
    this.#say('hub/EvNeeds', needsOf(s.e));
  }

  unplug(evseId: string): void {
    const s = this.#known(evseId);
    s.plugged = false;
    s.bound = undefined;
    s.coming.clear();
    s.goalW = 0;
    s.from = { at: this.clock.now(), powerW: 0 };
    const sessionId = `tx-${evseId}-${s.session}`;
    this.#say('hub/SessionEvent', { resourceId: evseId, sessionId, kind: 'ended' });
    this.#status(s, 'available');
  }

  isPlugged(evseId: string): boolean {
    return this.#known(evseId).plugged;
  }

  /** The vehicle stops to take power, or takes again what it may. */
  pause(evseId: string, pauses: boolean): void {
    const s = this.#known(evseId);
    s.pauses = pauses;
    this.#moveTo(s);
  }

  /**
   * The station is out of reach for so long; `restarts`: meanwhile no power flows, it forgets what it was told, and the
   * vehicle goes on some seconds after it is back.
   */
  leave(evseId: string, s: number, restarts: boolean): void {
    const station = this.#known(evseId);
    if (!station.online) return;
    station.online = false;
    this.#status(station, 'offline');
    if (restarts) {
      station.bound = { powerW: 0, until: Number.POSITIVE_INFINITY };
      station.coming.clear();
      station.current = undefined;
      station.goalW = 0;
      station.from = { at: this.clock.now(), powerW: 0 };
      const { session } = station;
      this.clock.after(s * 1000 + this.d.int(0, 5000), () => {
        if (station.session !== session || station.bound?.until !== Number.POSITIVE_INFINITY) return;
        station.bound = undefined;
        this.#moveTo(station);
      });
    }
    this.clock.after(s * 1000, () => {
      station.online = true;
      this.#status(station, station.plugged ? 'charging' : 'available');
    });
  }

  async request(fsr: object): Promise<ResultBody> {
    const { result } = await this.#ask('hub/RequestService', { fsr });
    await this.clock.advance(1000);
    return result;
  }

  async setpoint(targetW: number): Promise<void> {
    const validUntil = iso(this.clock.now() + 300_000);
    const setpoint = { fsrId: 'N-1', seq: ++this.#seq, targetW, validUntil };
    const { target } = await this.#ask('hub/UpdateSetpoint', { setpoint });
    if (target) this.#allocate(target);
  }

  async run(s: number, look?: (s: number) => void): Promise<void> {
    for (let i = 1; i <= s; i++) {
      await this.clock.advance(1000);
      look?.(i);
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.site.close();
    if (this.errors.length > 0) throw new Error(JSON.stringify(this.errors.slice(0, 3)));
  }

  /** The worst of what stations do, what they may do by what is in force, and what will come to be in force. */
  uses(): Use[] {
    return this.#usesOf((s) => [
      this.#powerNow(s),
      s.goalW,
      ...(s.plugged ? [this.#mayW(s), ...s.coming].map((w) => able(s, w)) : []),
    ]);
  }

  #usesOf(powersOf: (s: Station) => readonly number[]): Use[] {
    const circuits = this.file.circuits ?? [];
    const parents = new Map(circuits.map((c) => [c.circuitId, c.parentId ?? 'poc']));
    const netted = new Set(circuits.filter((c) => c.netting === 'measured').map((c) => c.circuitId));
    const used = new Map<string, [number, number]>();
    for (const s of this.#stations.values()) {
      const all = powersOf(s);
      for (let at: string | undefined = s.e.circuitId ?? 'poc'; at !== undefined; at = parents.get(at)) {
        const [imports, exports] = used.get(at) ?? [0, 0];
        const most = netted.has(at) ? all : [0, ...all];
        used.set(at, [imports + Math.max(...most), exports - Math.min(...most)]);
      }
    }
    return this.site.snapshot().limits.flatMap(({ nodeId, importLimitW, exportLimitW }): Use[] => {
      const [imports, exports] = used.get(nodeId) ?? [0, 0];
      return [
        { nodeId, direction: 'import', usedW: imports, limitW: importLimitW },
        { nodeId, direction: 'export', usedW: exports, limitW: exportLimitW },
      ];
    });
  }

  /** From now on it takes so much, whatever it is told. */
  overdraw(evseId: string, powerW: number): void {
    const s = this.#known(evseId);
    s.takesW = powerW;
    this.#moveTo(s);
  }

  /** Limits beyond which stations were told to go, or were not told to come down. */
  toldBeyond(): Use[] {
    return this.#usesOf((s) => [s.plugged ? able(s, this.#mayW(s)) : 0]).filter((u) => u.usedW > u.limitW + 2);
  }

  /** For a failed test: each station as it is, and as the hub sees it. */
  table(): string {
    const seen = new Map(this.site.snapshot().resources.map((r) => [r.resourceId, r]));
    return [...this.#stations.values()]
      .map((s) => {
        const r = seen.get(s.e.evseId);
        const is = `does ${Math.round(this.#powerNow(s))} may ${this.#mayW(s)} coming ${[...s.coming].join(',')}`;
        return `${s.e.evseId} ${s.e.circuitId ?? '-'} ${is} | hub ${JSON.stringify(r)}`;
      })
      .join('\n');
  }

  #known(evseId: string): Station {
    const s = this.#stations.get(evseId);
    if (!s) throw new Error(`no ${evseId}`);
    return s;
  }

  #say(topic: string, payload: object): void {
    const at = iso(this.clock.now());
    if (!this.#closed)
      this.site.observe({ topic, payload: { at, ...payload }, v2gate: { id: 'm', at, link: 'liars' } });
  }

  #status(s: Station, state: string): void {
    const protocol = s.e.dc ? 'ocpp2.1' : 'ocpp1.6';
    this.#say('hub/StationStatus', { resourceId: s.e.evseId, state, protocol, offlineImportW: s.belowW });
  }

  #ask(topic: string, payload: object): ReturnType<Site['decide']> {
    const at = iso(this.clock.now());
    return this.site.decide({ topic, payload, v2gate: { id: 'm', at, link: 'liars', peer: 'fo:test', replyTo: 'r' } });
  }

  #allocate(target?: Parameters<Site['allocate']>[0]['target']): void {
    const batch = this.site.allocate({ reason: 'test', ...(target ? { target } : {}) });
    for (const c of batch?.commands ?? []) this.#send(c);
  }

  #tell(c: PowerCommand, state: CommandOutcome['state'], extra: object = {}): void {
    this.#say('hub/CommandOutcome', { commandId: c.commandId, resourceId: c.resourceId, state, ...extra });
  }

  #send(command: PowerCommand): void {
    const s = this.#known(command.resourceId);
    const attempt = { command, powerW: 0 };
    if (!s.online) this.#tell(command, 'refused', { code: 'station.notConnected' });
    else if (s.calling) {
      if (s.waiting) this.#tell(s.waiting.command, 'superseded');
      s.waiting = attempt;
    } else this.#call(s, attempt);
  }

  #enforce(s: Station): void {
    const limits = this.#envelope.get(s.e.evseId);
    if (!limits || !s.plugged || !s.online || s.waiting || s.calling) return;
    const mayW = s.current?.appliedW ?? s.belowW;
    if (mayW <= limits.importLimitW + 1 && mayW >= -limits.exportLimitW - 1) return;
    const validUntil = iso(this.clock.now() + 600_000);
    const what = { kind: 'limit', importLimitW: limits.importLimitW, validUntil, level: 3 } as const;
    this.#send({ commandId: `env:${++this.#seq}`, resourceId: s.e.evseId, ...what });
  }

  #call(s: Station, { command }: Attempt): void {
    const e = this.#envelope.get(s.e.evseId);
    const askedW = command.kind === 'limit' ? (command.importLimitW ?? 0) : (command.powerW ?? 0);
    const powerW = Math.min(Math.max(askedW, -(e?.exportLimitW ?? 0)), e?.importLimitW ?? 0);
    const lateMs = () => this.d.int(50, Math.max(51, (this.#o.lateS ?? 0.3) * 1000));
    const session = s.session;
    s.calling = { command, powerW };
    this.told.push({ at: this.clock.now(), evseId: s.e.evseId, powerW });
    this.#tell(command, 'sent', { appliedW: powerW });
    const renews = s.bound?.powerW === powerW;
    // Who lies about a renewal would fall back to its default without that anybody could know.
    const mood = renews ? 'obey' : this.d.pick(this.moods);
    if (mood !== 'lost' && mood !== 'refuse' && mood !== 'lie') s.coming.add(powerW);
    const done = (state: CommandOutcome['state'], extra: object = {}): void => {
      s.calling = undefined;
      this.#tell(command, state, { appliedW: powerW, ...extra });
      const acceptedAt = this.clock.now();
      const endsAt = parseTime(command.validUntil);
      if (state === 'accepted' && s.session === session)
        s.current = { command, appliedW: powerW, shape: 'limitW', acceptedAt, endsAt, state: 'accepted' };
      const next = s.waiting;
      s.waiting = undefined;
      if (next) this.#call(s, next);
    };
    this.clock.after(lateMs(), () => {
      if (!s.online || mood === 'lost') {
        s.coming.delete(powerW);
        this.clock.after(10_000, () => done('unknown', { code: 'ocpp.timeout' }));
        return;
      }
      if (s.session !== session || !s.plugged || mood === 'refuse') {
        s.coming.delete(powerW);
        done('refused', { code: s.session !== session ? 'station.noTransaction' : 'resource.excluded' });
        return;
      }
      const bind = (): void => {
        if (!s.coming.has(powerW) || s.session !== session) return;
        s.coming.clear();
        s.bound = { powerW, until: parseTime(command.validUntil) };
        this.#moveTo(s);
      };
      if (mood === 'late') this.clock.after(this.d.int(1, 3 * 1000 * Math.max(1, s.e.responseTimeS)), bind);
      else if (mood === 'lie' && s.bound) s.bound.until = parseTime(command.validUntil);
      else bind();
      if (mood === 'answerLost') this.clock.after(10_000, () => done('unknown', { code: 'ocpp.timeout' }));
      else this.clock.after(lateMs(), () => done('accepted'));
    });
  }

  #meter(s: Station): void {
    this.clock.after(s.e.meterIntervalS * 1000, () => {
      if (this.#closed) return;
      this.#meter(s);
      if (!s.plugged || !s.online) return;
      const reading = { resourceId: s.e.evseId, at: iso(this.clock.now()), powerW: Math.round(this.#powerNow(s)) };
      const staleMs = this.#o.staleS === undefined ? 0 : this.d.int(0, this.#o.staleS * 1000);
      const { session } = s;
      this.clock.after(staleMs, () => {
        if (s.session !== session || !s.plugged) return;
        this.#say('hub/MeterReading', { ...reading, quality: 'good' });
        this.#judge(s, parseTime(reading.at), reading.powerW);
      });
    });
  }

  #judge({ e, current: t }: Station, at: number, powerW: number): void {
    const verdict = t && judge(t, { at, powerW }, { responseTimeS: e.responseTimeS, accuracyW: 200 });
    if (!t || !verdict || t.endsAt <= this.clock.now()) return;
    t.state = verdict;
    this.#tell(t.command, verdict, { appliedW: t.appliedW, measuredW: powerW });
  }

  #pocMeter(): void {
    this.clock.after(1000, () => {
      if (this.#closed) return;
      this.#pocMeter();
      const powerW = Math.round((this.#baseW ?? 0) + this.sumW());
      this.#say('hub/MeterReading', { meterId: 'm:poc', powerW, quality: 'good' });
    });
  }

  /** What is in force at the station, W. */
  #mayW(s: Station): number {
    if (s.bound && s.bound.until <= this.clock.now()) {
      s.bound = undefined;
      this.#moveTo(s);
    }
    return s.bound?.powerW ?? s.belowW;
  }

  #powerNow(s: Station): number {
    const ms = s.e.responseTimeS * 1000;
    const part = ms === 0 ? 1 : Math.min(1, Math.max(0, (this.clock.now() - s.from.at - ms / 3) / (ms * 0.6)));
    return s.from.powerW + (s.goalW - s.from.powerW) * part;
  }

  #moveTo(s: Station): void {
    s.from = { at: this.clock.now(), powerW: this.#powerNow(s) };
    const wantedW = s.bound?.powerW ?? s.belowW;
    const goalW = s.takesW ?? able(s, wantedW);
    s.goalW = !s.plugged || s.pauses || (goalW > 0 && goalW < s.e.minImportW) ? 0 : goalW;
  }
}

const able = ({ e }: Station, wantedW: number): number => Math.min(Math.max(wantedW, -e.maxExportW), e.evMaxW);

function newStation(e: PlantEvse, now: number): Station {
  const nothing = { bound: undefined, current: undefined, calling: undefined, waiting: undefined, goalW: 0, belowW: 0 };
  const is = { session: 0, plugged: false, online: true, pauses: false };
  return { e, ...is, ...nothing, from: { at: now, powerW: 0 }, coming: new Set() };
}
