import { iso, type ManualClock, manualClock, parseTime } from '../../core/clock.ts';
import { silentLog } from '../../core/log.ts';
import { createMetrics } from '../../core/metrics.ts';
import { openSite } from '../../hub/site/site.ts';
import type { Site } from '../../hub/site/types.ts';
import type { CommandBatch, CommandOutcome, PowerCommand, SiteFile } from '../../model/index.ts';
import { type Dice, dice } from '../allocation/sites.ts';
import { moodyStore } from './store.ts';

interface Bound {
  readonly powerW: number;
  readonly until: number;
}

/** A station that obeys late, or not at all; it never does more than it was told or its profile below allows. */
export interface LateStation {
  readonly id: string;
  readonly protocol: 'ocpp1.6' | 'ocpp2.1';
  online: boolean;
  session: string | undefined;
  /** What it may draw when nobody commands it. */
  defaultW: number;
  bound: Bound | undefined;
  /** Commands on their way, in order. */
  queue: { readonly command: PowerCommand; readonly powerW: number; gone: boolean }[];
  powerW: number;
}

export interface NodeUse {
  readonly nodeId: string;
  readonly direction: 'import' | 'export';
  readonly limitW: number;
  readonly usedW: number;
}

export interface Faults {
  lostCommand: number;
  lostOutcome: number;
  lostMeter: number;
  refuses: number;
  delayMs: number;
}

export interface LateWorld {
  readonly clock: ManualClock;
  readonly site: Site;
  readonly file: SiteFile;
  readonly stations: LateStation[];
  readonly d: Dice;
  readonly faults: Faults;
  readonly limits: Map<string, { importLimitW: number; exportLimitW: number }>;
  wired: boolean;
  /** Called before and after each batch of commands gets under way. */
  onBatch: (before: NodeUse[], after: NodeUse[], batch: CommandBatch) => void;
  commands: number;
  say(topic: string, payload: object): void;
  plug(s: LateStation): void;
  unplug(s: LateStation): void;
  disconnect(s: LateStation): void;
  connect(s: LateStation): void;
  /** What stations may be doing at each node: what binds them, and what is under way. */
  uses(): NodeUse[];
  /** The same without what is under way. */
  bound(): NodeUse[];
  ask(topic: string, payload: object): ReturnType<Site['decide']>;
  /** One allocation run whose commands get under way. */
  run(target?: Parameters<Site['allocate']>[0]['target']): void;
  close(): Promise<void>;
}

/** `patch` changes the random site before it opens. */
export async function lateWorld(
  seed: number,
  faults: Faults,
  patch: (file: SiteFile) => SiteFile = (file) => file,
): Promise<LateWorld> {
  const d = dice(seed);
  const clock = manualClock();
  const file = patch(lateFile(d));
  const store = moodyStore();
  const site = await openSite({ file, clock, log: silentLog, metrics: createMetrics(), store });
  const envelopes = new Map<string, { importLimitW: number; exportLimitW: number }>();
  let closed = false;
  const w: LateWorld = {
    clock,
    site,
    file,
    d,
    faults,
    limits: new Map(),
    wired: true,
    commands: 0,
    onBatch: () => {},
    stations: file.stations.map((s) => ({
      id: `${s.identity}.1`,
      protocol: s.identity.startsWith('AC') ? 'ocpp1.6' : 'ocpp2.1',
      online: false,
      session: undefined,
      defaultW: 0,
      bound: undefined,
      queue: [],
      powerW: 0,
    })),
    say(topic, payload) {
      const at = iso(clock.now());
      if (!closed) site.observe({ topic, payload: { at, ...payload }, v2gate: { id: 'm', at, link: 'late' } });
    },
    plug(s) {
      if (s.session !== undefined || !s.online) return;
      s.session = `tx-${s.id}-${clock.now()}`;
      s.bound = undefined;
      s.queue = [];
      s.powerW = s.defaultW;
      w.say('hub/SessionEvent', { resourceId: s.id, sessionId: s.session, kind: 'started', state: 'connected' });
      const bidirectional = s.protocol === 'ocpp2.1';
      w.say('hub/EvNeeds', {
        resourceId: s.id,
        bidirectional,
        importMaxW: d.int(5000, 11_000),
        exportMaxW: 9000,
        exportableWh: 30_000,
        energyToMaxWh: 40_000,
      });
    },
    unplug(s) {
      if (s.session === undefined || !s.online) return;
      w.say('hub/SessionEvent', { resourceId: s.id, sessionId: s.session, kind: 'ended' });
      s.session = undefined;
      s.bound = undefined;
      s.queue = [];
      s.powerW = 0;
    },
    disconnect(s) {
      if (!s.online) return;
      s.online = false;
      for (const q of s.queue) q.gone = true;
      s.queue = [];
      w.say('hub/StationStatus', { resourceId: s.id, state: 'offline' });
    },
    connect(s) {
      if (s.online) return;
      s.online = true;
      const state = s.session === undefined ? 'available' : 'charging';
      s.defaultW = site.safeImportW(s.id);
      w.say('hub/StationStatus', { resourceId: s.id, state, protocol: s.protocol, offlineImportW: s.defaultW });
    },
    uses: () => nodeUses(w, (s) => [range(s, clock.now()), ...s.queue.map((q) => q.powerW)]),
    bound: () => nodeUses(w, (s) => [range(s, clock.now())]),
    ask(topic, payload) {
      const at = iso(clock.now());
      return site.decide({ topic, payload, v2gate: { id: 'm', at, link: 'late', peer: 'fo:test', replyTo: 'r' } });
    },
    run: (target) => runLate(w, envelopes, target),
    async close() {
      closed = true;
      await site.close();
    },
  };
  site.attach({
    linkId: 'late',
    applyEnvelope(update) {
      for (const { resourceId, importLimitW, exportLimitW } of update.evses)
        envelopes.set(resourceId, { importLimitW, exportLimitW });
    },
  });
  site.on('changed', () => {
    if (w.wired) clock.after(0, () => w.run());
  });
  site.on('notice', (n) => site.delivered(n.v2gate.id));
  meter(w, () => closed);
  return w;
}

function runLate(
  w: LateWorld,
  envelopes: ReadonlyMap<string, { importLimitW: number; exportLimitW: number }>,
  target?: Parameters<Site['allocate']>[0]['target'],
): void {
  const before = w.uses();
  const batch = w.site.allocate({ reason: 'test', ...(target ? { target } : {}) });
  if (!batch) return;
  for (const command of batch.commands) {
    const s = w.stations.find((x) => x.id === command.resourceId);
    const e = envelopes.get(command.resourceId);
    const asked = command.kind === 'limit' ? (command.importLimitW ?? 0) : (command.powerW ?? 0);
    const powerW = Math.min(Math.max(asked, -(e?.exportLimitW ?? 0)), e?.importLimitW ?? 0);
    if (s) send(w, s, command, powerW);
  }
  w.commands += batch.commands.length;
  w.onBatch(before, w.uses(), batch);
}

function send(w: LateWorld, s: LateStation, command: PowerCommand, powerW: number): void {
  const { d, clock, faults } = w;
  const tell = (state: CommandOutcome['state'], extra: object = {}) => {
    if (d.chance(faults.lostOutcome)) return;
    const outcome = { commandId: command.commandId, resourceId: s.id, state, ...extra };
    clock.after(d.int(0, faults.delayMs), () => w.say('hub/CommandOutcome', outcome));
  };
  // The link itself says at once what it sends; what comes from the station may be late or lost.
  w.say('hub/CommandOutcome', { commandId: command.commandId, resourceId: s.id, state: 'sent', appliedW: powerW });
  if (!s.online || d.chance(faults.lostCommand)) return;
  const q = { command, powerW, gone: false };
  s.queue.push(q);
  clock.after(d.int(10, faults.delayMs), () => {
    // In order: what was sent before has arrived before, or never will.
    const at = s.queue.indexOf(q);
    if (q.gone || at < 0) return;
    s.queue.splice(0, at + 1);
    if (d.chance(faults.refuses)) return tell('refused', { code: 'station.refusedCommand' });
    s.bound = { powerW, until: parseTime(command.validUntil) };
    s.powerW = powerW;
    tell('accepted', { appliedW: powerW });
    const bound = s.bound;
    clock.after(2000 + d.int(0, faults.delayMs), () => {
      if (s.bound === bound) tell('effective', { appliedW: powerW, measuredW: s.powerW });
    });
  });
}

/** What binds a station now, W; a range is told by its two ends. */
function range(s: LateStation, now: number): number {
  if (s.session === undefined) return 0;
  if (s.bound && s.bound.until > now) return s.bound.powerW;
  return s.defaultW;
}

function nodeUses(w: LateWorld, powers: (s: LateStation) => number[]): NodeUse[] {
  const { file } = w;
  const parents = new Map((file.circuits ?? []).map((c) => [c.circuitId, c.parentId ?? 'poc']));
  const nodes = [{ nodeId: 'poc', ...file.poc }, ...(file.circuits ?? []).map((c) => ({ ...c, nodeId: c.circuitId }))];
  const used = new Map<string, { import: number; export: number }>(
    nodes.map((n) => [n.nodeId, { import: 0, export: 0 }]),
  );
  for (const station of file.stations) {
    const s = w.stations.find((x) => x.id === `${station.identity}.1`);
    const all = s ? powers(s) : [0];
    for (let at: string | undefined = station.evses[0]?.circuitId ?? 'poc'; at !== undefined; at = parents.get(at)) {
      const sum = used.get(at);
      if (!sum) break;
      sum.import += Math.max(0, ...all);
      sum.export += Math.max(0, ...all.map((p) => -p));
    }
  }
  return nodes.flatMap((n) =>
    (['import', 'export'] as const).map((direction): NodeUse => {
      const own = direction === 'import' ? n.importLimitW : n.exportLimitW;
      const set = w.limits.get(n.nodeId)?.[direction === 'import' ? 'importLimitW' : 'exportLimitW'];
      return {
        nodeId: n.nodeId,
        direction,
        limitW: Math.min(own, set ?? own),
        usedW: used.get(n.nodeId)?.[direction] ?? 0,
      };
    }),
  );
}

function meter(w: LateWorld, over: () => boolean): void {
  w.clock.after(w.d.int(900, 2500), () => {
    if (over()) return;
    for (const s of w.stations) {
      if (!s.online || s.session === undefined || w.d.chance(w.faults.lostMeter)) continue;
      // An EV may take less than it is allowed.
      const most = range(s, w.clock.now());
      s.powerW = most >= 0 && w.d.chance(0.3) ? most * w.d.next() : most;
      w.say('hub/MeterReading', { resourceId: s.id, powerW: Math.round(s.powerW), quality: 'good' });
    }
    meter(w, over);
  });
}

/** Stations of both kinds below tight fuses. */
function lateFile(d: Dice): SiteFile {
  const n = d.int(3, 7);
  const kinds = Array.from({ length: n }, () => d.chance(0.5));
  const stations = kinds.map((dc, i) => ({
    identity: `${dc ? 'V2G' : 'AC'}-${i}`,
    evses: [
      {
        evse: 1,
        ...(d.chance(0.8) ? { circuitId: `k${d.int(0, 2)}` } : {}),
        current: dc ? ('dc' as const) : ('ac' as const),
        phases: 3,
        maxImportW: 11_040,
        ...(dc ? { maxExportW: 11_000 } : {}),
        responseTimeS: 2,
        minOnS: 0,
        minOffS: 0,
        minCommandIntervalS: d.pick([0, 1, 5]),
      },
    ],
  }));
  const fuse = () => d.int(8, 30) * 1000;
  const circuits = [
    { circuitId: 'k0', importLimitW: fuse(), exportLimitW: fuse() },
    { circuitId: 'k1', parentId: 'k0', importLimitW: fuse(), exportLimitW: fuse() },
    { circuitId: 'k2', importLimitW: fuse(), exportLimitW: fuse() },
  ];
  const time = { validFrom: '2026-01-01T00:00:00Z', validTo: '2027-01-01T00:00:00Z' };
  const optPolicy = { defaultOpt: 'in', optOutAllowed: true, optOutNoticeS: 0, askUser: false, acceptPartial: true };
  return {
    siteId: 'site:late',
    operatorId: 'cso:test',
    poc: {
      importLimitW: fuse() + 5000,
      exportLimitW: fuse(),
      nominalVoltageV: 230,
      phases: 3,
      nominalFrequencyHz: 50,
      netting: 'none',
    },
    circuits,
    stations,
    idTokens: { policy: 'any' },
    groups: [{ groupId: 'g:all', members: stations.map((s) => `${s.identity}.1`), referencePoint: 'group' }],
    parties: [{ partyId: 'fo:test', role: 'fo' }],
    mandateIssuers: [{ issuerId: 'dso', refPrefix: 'D-' }],
    contracts: [
      {
        contractId: 'C-1',
        revision: 1,
        status: 'active',
        foId: 'fo:test',
        counterpartyId: 'cso:test',
        counterpartyKind: 'cso',
        serviceTypes: ['setpoint'],
        scope: { groupIds: ['g:all'] },
        ...time,
        optPolicy: { ...optPolicy, defaultOpt: 'in' },
        baseline: { method: 'zero' },
        telemetry: { intervalS: 1, fields: ['powerW'], maxLatencyS: 5 },
        proof: { intervalS: 60, signed: false, meterLevel: 'evse' },
      },
    ],
  };
}
