import { iso, type ManualClock, manualClock, parseTime } from '../../core/clock.ts';
import { type Log, silentLog } from '../../core/log.ts';
import { createMetrics } from '../../core/metrics.ts';
import { openSite } from '../../hub/site/site.ts';
import type { Site } from '../../hub/site/types.ts';
import type { CommandOutcome, EnvelopeUpdate, EvNeeds, PowerCommand, ResultBody, SiteFile } from '../../model/index.ts';
import { type Dice, dice } from '../allocation/sites.ts';
import { moodyStore } from '../site/store.ts';

/** How one station of the plant behaves; times in s. */
export interface PlantEvse {
  readonly evseId: string;
  readonly circuitId?: string;
  readonly dc: boolean;
  readonly maxImportW: number;
  /** 0: it cannot feed. */
  readonly maxExportW: number;
  readonly minImportW: number;
  readonly evMaxW: number;
  readonly responseTimeS: number;
  readonly minCommandIntervalS: number;
  readonly meterIntervalS: number;
}

export interface PlantOptions {
  readonly seed: number;
  readonly evses: readonly PlantEvse[];
  readonly circuits?: SiteFile['circuits'];
  readonly poc: {
    readonly importLimitW: number;
    readonly exportLimitW: number;
    readonly netting?: 'none' | 'measured';
  };
  /** Answers come between 0.05 s and this; default 0.3 s. */
  readonly lateS?: number;
  /** Meters of stations and of the connection are off by up to this part, another one each time; default 0. */
  readonly jitter?: number;
  /** Base load behind a meter at the connection, W; absent: there is no such meter and no such load. */
  readonly baseW?: number;
}

interface Station {
  readonly e: PlantEvse;
  plugged: boolean;
  /** What it lets a vehicle draw before it is told anything: the profile of when it connected, W. */
  belowW: number;
  /** What it was told last, and until when. */
  bound: { readonly powerW: number; readonly until: number } | undefined;
  /** Where it comes from and goes to. */
  from: { readonly at: number; readonly powerW: number };
  goalW: number;
  /** Commands on their way, in order; none is overtaken. */
  readonly queue: number[];
  lastArrivesAt: number;
}

/** What stations may be doing at one limit of the site. */
export interface Use {
  readonly nodeId: string;
  readonly direction: 'import' | 'export';
  readonly usedW: number;
  readonly limitW: number;
}

/**
 * Stations that obey: each answers late, waits a part of its response time and then moves steadily to what it was told.
 * One site of the hub leads them; every second it looks again. Clock and chance are in the hands of the test.
 */
export interface Plant {
  readonly clock: ManualClock;
  readonly site: Site;
  readonly file: SiteFile;
  readonly d: Dice;
  /** Commands since the start: when, and to whom; those that only renew the one before are left out. */
  readonly commands: { readonly at: number; readonly evseId: string; readonly powerW: number }[];
  baseW: number;
  /** What the stations really do together, W. */
  sumW(...prefixes: string[]): number;
  powerOf(evseId: string): number;
  /** What the link was told last that it may do. */
  envelopeOf(evseId: string): EnvelopeUpdate['evses'][number] | undefined;
  uses(): Use[];
  plug(evseId: string): void;
  request(fsr: object): Promise<ResultBody>;
  /** Answers what it becomes inside all limits, W. */
  setpoint(targetW: number): Promise<number>;
  /** Moves time on second by second; calls `look` after each. */
  run(s: number, look?: (s: number) => void): Promise<void>;
  close(): Promise<void>;
}

export async function plant(o: PlantOptions): Promise<Plant> {
  const d = dice(o.seed);
  const clock = manualClock();
  const file = siteFile(o);
  const errors: unknown[] = [];
  const log: Log = { ...silentLog, error: (...words) => void errors.push(words) };
  const site = await openSite({ file, clock, log, metrics: createMetrics(), store: moodyStore() });
  const stations = new Map(o.evses.map((e) => [e.evseId, station(e, clock.now())]));
  let envelopes = new Map<string, EnvelopeUpdate['evses'][number]>();
  let closed = false;
  let seq = 0;
  const late = () => d.int(50, Math.max(51, (o.lateS ?? 0.3) * 1000));
  const noisy = (w: number) => Math.round(w * (1 + (o.jitter ?? 0) * (2 * d.next() - 1)));
  const say = (topic: string, payload: object): void => {
    const at = iso(clock.now());
    if (!closed) site.observe({ topic, payload: { at, ...payload }, v2gate: { id: 'm', at, link: 'plant' } });
  };

  const p: Plant = {
    clock,
    site,
    file,
    d,
    commands: [],
    baseW: o.baseW ?? 0,
    sumW(...prefixes) {
      let sum = 0;
      for (const s of stations.values())
        if (prefixes.length === 0 || prefixes.some((x) => s.e.evseId.startsWith(x))) sum += powerNow(s, clock.now());
      return sum;
    },
    powerOf: (evseId) => powerNow(known(evseId), clock.now()),
    envelopeOf: (evseId) => envelopes.get(evseId),
    uses: () => usesOf(file, site, stations.values(), clock.now()),
    plug(evseId) {
      const s = known(evseId);
      s.plugged = true;
      say('hub/SessionEvent', { resourceId: evseId, sessionId: `tx-${evseId}`, kind: 'started', state: 'connected' });
      say('hub/EvNeeds', needsOf(s.e));
      moveTo(s, clock.now(), s.belowW);
    },
    async request(fsr) {
      const { result } = await ask('hub/RequestService', { fsr });
      await clock.advance(1000);
      return result;
    },
    async setpoint(targetW) {
      const validUntil = iso(clock.now() + 300_000);
      const setpoint = { fsrId: 'N-1', seq: ++seq, targetW, validUntil };
      const { target, result } = await ask('hub/UpdateSetpoint', { setpoint });
      if (result.status !== 'ok') throw new Error(`setpoint: ${JSON.stringify(result)}`);
      if (target) allocate(target);
      return Number(result.data?.appliedW ?? targetW);
    },
    async run(s, look) {
      for (let i = 1; i <= s; i++) {
        await clock.advance(1000);
        look?.(i);
      }
    },
    async close() {
      if (closed) return;
      closed = true;
      await site.close();
      if (errors.length > 0) throw new Error(JSON.stringify(errors.slice(0, 3)));
    },
  };
  const known = (evseId: string): Station => {
    const s = stations.get(evseId);
    if (!s) throw new Error(`no ${evseId}`);
    return s;
  };
  const ask = (topic: string, payload: object): ReturnType<Site['decide']> => {
    const at = iso(clock.now());
    return site.decide({ topic, payload, v2gate: { id: 'm', at, link: 'plant', peer: 'fo:test', replyTo: 'r' } });
  };
  const allocate = (target?: Parameters<Site['allocate']>[0]['target']): void => {
    const batch = site.allocate({ reason: 'test', ...(target ? { target } : {}) });
    for (const c of batch?.commands ?? []) send(c);
  };
  const send = (c: PowerCommand): void => {
    const s = known(c.resourceId);
    const e = envelopes.get(c.resourceId);
    const askedW = c.kind === 'limit' ? (c.importLimitW ?? 0) : (c.powerW ?? 0);
    const powerW = Math.min(Math.max(askedW, -(e?.exportLimitW ?? 0)), e?.importLimitW ?? 0);
    const tell = (state: CommandOutcome['state'], extra: object = {}): void =>
      say('hub/CommandOutcome', { commandId: c.commandId, resourceId: c.resourceId, state, ...extra });
    if (s.queue.at(-1) !== powerW && (s.queue.length > 0 || s.bound?.powerW !== powerW))
      p.commands.push({ at: clock.now(), evseId: c.resourceId, powerW });
    tell('sent', { appliedW: powerW });
    s.queue.push(powerW);
    s.lastArrivesAt = Math.max(s.lastArrivesAt, clock.now() + late());
    clock.after(s.lastArrivesAt - clock.now(), () => {
      s.queue.shift();
      s.bound = { powerW, until: parseTime(c.validUntil) };
      moveTo(s, clock.now(), powerW);
      clock.after(late(), () => tell('accepted', { appliedW: powerW }));
    });
  };
  const meter = (s: Station): void => {
    clock.after(s.e.meterIntervalS * 1000, () => {
      if (closed) return;
      meter(s);
      if (s.plugged)
        say('hub/MeterReading', { resourceId: s.e.evseId, powerW: noisy(powerNow(s, clock.now())), quality: 'good' });
    });
  };
  const pocMeter = (): void => {
    clock.after(1000, () => {
      if (closed) return;
      pocMeter();
      say('hub/MeterReading', { meterId: 'm:poc', powerW: noisy(p.baseW) + Math.round(p.sumW()), quality: 'good' });
    });
  };

  site.attach({
    linkId: 'plant',
    applyEnvelope: ({ evses }) => {
      envelopes = new Map(evses.map((e) => [e.resourceId, e]));
    },
  });
  site.on('changed', () => void clock.after(0, () => allocate()));
  site.on('notice', (n) => site.delivered(n.v2gate.id));
  for (const s of stations.values()) {
    const { evseId, dc } = s.e;
    const protocol = dc ? 'ocpp2.1' : 'ocpp1.6';
    s.belowW = site.safeImportW(evseId);
    say('hub/StationStatus', { resourceId: evseId, state: 'available', protocol, offlineImportW: s.belowW });
    clock.after(d.int(0, 900), () => meter(s));
  }
  if (o.baseW !== undefined) pocMeter();
  await clock.advance(2000);
  return p;
}

function station(e: PlantEvse, now: number): Station {
  const is = { plugged: false, belowW: 0, bound: undefined, goalW: 0, lastArrivesAt: now };
  return { e, ...is, from: { at: now, powerW: 0 }, queue: [] };
}

/** It stays for a third of its response time, and has arrived a little before the response time is over. */
function powerNow({ e, from, goalW }: Station, now: number): number {
  const ms = e.responseTimeS * 1000;
  const part = ms === 0 ? 1 : Math.min(1, Math.max(0, (now - from.at - ms / 3) / (ms * 0.6)));
  return from.powerW + (goalW - from.powerW) * part;
}

function moveTo(s: Station, now: number, wantedW: number): void {
  s.from = { at: now, powerW: powerNow(s, now) };
  const { minImportW, evMaxW, maxExportW } = s.e;
  const goalW = Math.min(Math.max(wantedW, -maxExportW), evMaxW);
  s.goalW = !s.plugged || (goalW > 0 && goalW < minImportW) ? 0 : goalW;
}

/** The worst of what a station does, what it goes to, and what is on its way to it. */
function usesOf(file: SiteFile, site: Site, stations: Iterable<Station>, now: number): Use[] {
  const parents = new Map((file.circuits ?? []).map((c) => [c.circuitId, c.parentId ?? 'poc']));
  const used = new Map<string, [number, number]>();
  for (const s of stations) {
    const all = [powerNow(s, now), s.bound?.powerW ?? s.goalW, ...s.queue];
    for (let at: string | undefined = s.e.circuitId ?? 'poc'; at !== undefined; at = parents.get(at)) {
      const [imports, exports] = used.get(at) ?? [0, 0];
      used.set(at, [imports + Math.max(0, ...all), exports - Math.min(0, ...all)]);
    }
  }
  return site.snapshot().limits.flatMap(({ nodeId, importLimitW, exportLimitW }): Use[] => {
    const [imports, exports] = used.get(nodeId) ?? [0, 0];
    return [
      { nodeId, direction: 'import', usedW: imports, limitW: importLimitW },
      { nodeId, direction: 'export', usedW: exports, limitW: exportLimitW },
    ];
  });
}

/** What the EV at an EVSE says: room for everything that is asked of it. */
export const needsOf = (e: PlantEvse): Omit<EvNeeds, 'at'> => ({
  resourceId: e.evseId,
  bidirectional: e.maxExportW > 0,
  importMaxW: e.evMaxW,
  exportMaxW: e.maxExportW,
  exportableWh: 90_000,
  energyToMaxWh: 90_000,
});

/** A site with these stations, an operator, and a contract for its services. */
export function siteFile(o: PlantOptions): SiteFile {
  const ids = o.evses.map((e) => e.evseId);
  return {
    siteId: 'site:plant',
    operatorId: 'cso:test',
    poc: { ...o.poc, nominalVoltageV: 230, phases: 3, nominalFrequencyHz: 50 },
    circuits: o.circuits ?? [],
    ...(o.baseW === undefined ? {} : { meters: [{ meterId: 'm:poc', at: 'poc', signedValues: true, intervalS: 1 }] }),
    stations: o.evses.map((e) => ({
      identity: e.evseId.replace(/\.1$/, ''),
      evses: [
        {
          evse: 1,
          ...(e.circuitId === undefined ? {} : { circuitId: e.circuitId }),
          current: e.dc ? 'dc' : 'ac',
          ...(e.dc ? {} : { phases: 3 }),
          maxImportW: e.maxImportW,
          ...(e.maxExportW > 0 ? { maxExportW: e.maxExportW } : {}),
          minImportW: e.minImportW,
          responseTimeS: e.responseTimeS,
          minCommandIntervalS: e.minCommandIntervalS,
          accuracyW: 200,
          minOnS: 0,
          minOffS: 0,
        },
      ],
    })),
    idTokens: { policy: 'any' },
    groups: [{ groupId: 'g:all', members: ids, referencePoint: 'group' }],
    parties: [{ partyId: 'fo:test', role: 'fo' }],
    contracts: [
      {
        contractId: 'C-1',
        revision: 1,
        status: 'active',
        foId: 'fo:test',
        counterpartyId: 'cso:test',
        counterpartyKind: 'cso',
        serviceTypes: ['setpoint', 'congestion'],
        stackable: ['setpoint', 'congestion'],
        scope: { siteIds: ['site:plant'] },
        validFrom: '2026-01-01T00:00:00Z',
        validTo: '2027-01-01T00:00:00Z',
        optPolicy: { defaultOpt: 'in', optOutAllowed: true, optOutNoticeS: 0, askUser: false, acceptPartial: true },
        baseline: { method: 'zero' },
        telemetry: { intervalS: 1, fields: ['powerW'], maxLatencyS: 5 },
        proof: { intervalS: 60, signed: false, meterLevel: 'evse' },
      },
    ],
  };
}
