import { type OcppLinkConfig, openOcppLink } from '../../bridges/ocpp/index.ts';
import { iso, type ManualClock, manualClock, realClock } from '../../core/clock.ts';
import { LeaseRegistry } from '../../core/lease.ts';
import { createLog } from '../../core/log.ts';
import { createMappingLibrary } from '../../core/mapping/library.ts';
import { createMetrics } from '../../core/metrics.ts';
import { fileSource } from '../../gateway/mapping-files.ts';
import { openStore } from '../../gateway/store/index.ts';
import type { GatewayRuntime, Link, StorePort } from '../../hub/ports.ts';
import { SiteRegistry } from '../../hub/site/registry.ts';
import type { Site } from '../../hub/site/types.ts';
import type { CommandOutcome, PowerCommand, SiteFile, WireMessage } from '../../model/index.ts';
import {
  createOcppClient,
  createValidators,
  type OcppClient,
  type OcppClientOptions,
  type PeerIn,
  type PeerOf,
  type Version,
} from '../../protocols/ocpp/index.ts';
import type { Ev } from '../../simulators/core/index.ts';
import {
  createStation16,
  createStation21,
  createStation201,
  type Station,
  type Station16,
  type Station21,
  type Station201,
  type StationEvent,
  type StationSpec,
} from '../../simulators/stations/index.ts';
import { siteFile } from '../support/site-file.ts';

const MAPPINGS = new URL('../../mappings', import.meta.url).pathname;
const validators = {
  'ocpp1.6': createValidators('ocpp1.6'),
  'ocpp2.0.1': createValidators('ocpp2.0.1'),
  'ocpp2.1': createValidators('ocpp2.1'),
};

type Json = Record<string, unknown>;

/** What a scripted station answers to the gateway's calls; default: everything is accepted. */
export type Script = (action: string, payload: Json) => unknown;

/** A station that does only what the test says, on a real socket. */
export interface Scripted<V extends Version> {
  readonly peer: PeerOf<V>;
  /** Calls of the gateway, oldest first. */
  readonly calls: { readonly action: string; readonly payload: Json; readonly at: number }[];
  script: Script;
  of(action: string): Json[];
  /** Sends a call; resolves to the answer, or to `{ error: code }`. */
  call(action: string, payload: Json): Promise<Json>;
  close(): void;
}

/** The real site, the real link on a real socket, an in-memory store, one manual clock for all. */
export class BridgeWorld {
  readonly clock: ManualClock = manualClock();
  readonly log: { readonly event: string; readonly level: string; readonly [field: string]: unknown }[] = [];
  readonly outcomes: CommandOutcome[] = [];
  readonly messages: WireMessage[] = [];
  readonly observed: WireMessage[] = [];
  readonly events: StationEvent[] = [];
  readonly secrets: Record<string, string> = {};
  file: SiteFile;
  store!: StorePort;
  site!: Site;
  link!: Link;
  #runtime!: GatewayRuntime;
  readonly #stations: Pick<Station, 'busy' | 'stop'>[] = [];
  readonly #clients: OcppClient<Version>[] = [];
  #commands = 0;
  /** Calls of the gateway that scripted stations got: while they come, something is under way. */
  #activity = 0;

  constructor(patch: Partial<SiteFile> = {}) {
    this.file = siteFile(patch);
  }

  static async open(
    patch: Partial<SiteFile> = {},
    speaks: 'hub' | 'native' = 'hub',
    more: Partial<OcppLinkConfig> = {},
  ): Promise<BridgeWorld> {
    const world = new BridgeWorld(patch);
    const metrics = createMetrics();
    const log = createLog({
      clock: world.clock,
      level: 'debug',
      format: 'json',
      write: (line) => world.log.push(JSON.parse(line)),
    });
    world.store = await openStore({ path: ':memory:', clock: realClock(), log, metrics });
    await world.#start(log, metrics, { speaks, ...more });
    return world;
  }

  /** Closes link and site and opens them again on the same store, as after a restart of the gateway. */
  async restart(): Promise<void> {
    const { log, metrics } = this.#runtime;
    await this.settle();
    await this.link.close();
    await this.site.close();
    await this.#start(log, metrics, { speaks: 'hub' });
  }

  async #start(
    log: GatewayRuntime['log'],
    metrics: GatewayRuntime['metrics'],
    more: Pick<OcppLinkConfig, 'speaks'> & Partial<OcppLinkConfig>,
  ) {
    const { clock, store } = this;
    const files = { read: async () => JSON.stringify(this.file), watch: () => () => undefined };
    const sites = new SiteRegistry({ clock, log, metrics, store, files });
    this.site = await sites.open({ file: 'site.json' });
    this.#runtime = {
      clock,
      log,
      metrics,
      store,
      sites,
      leases: new LeaseRegistry({ clock, log }),
      mappings: createMappingLibrary({ roots: [MAPPINGS], files: fileSource(), log }),
      settings: {
        siteFile: 'site.json',
        gatewayId: 'gw',
        host: '127.0.0.1',
        ocppPort: 0,
        foPort: 0,
        mqttPort: 0,
        portSearch: false,
        demo: false,
      },
      secret: (ref) => this.secrets[ref],
      health: () => undefined,
    };
    const { siteId } = this.file;
    const config = {
      linkId: 'ocpp:test',
      siteId,
      host: '127.0.0.1',
      port: 0,
      path: '/ocpp',
      portSearch: false,
      ...more,
    };
    this.link = await openOcppLink({ ...config, validators }, this.#runtime);
    this.link.on('outcome', (m) => {
      if (m.topic === 'hub/CommandOutcome') this.outcomes.push(m.payload as CommandOutcome);
      else this.messages.push(m);
    });
    this.link.on('message', (m) => this.messages.push(m));
    this.site.on('observed', (m) => this.observed.push(m));
  }

  get runtime(): GatewayRuntime {
    return this.#runtime;
  }

  station16(spec: Partial<StationSpec> = {}): Station16 {
    const full: StationSpec = { ...AC, ...spec };
    return this.#begin(createStation16({ ...this.#options(full), dial: this.#dial('ocpp1.6', full.identity) }));
  }

  station201(spec: Partial<StationSpec> = {}): Station201 {
    const full: StationSpec = { ...AC, version: 'ocpp2.0.1', ...spec };
    return this.#begin(createStation201({ ...this.#options(full), dial: this.#dial('ocpp2.0.1', full.identity) }));
  }

  station21(spec: Partial<StationSpec> = {}): Station21 {
    const full: StationSpec = { ...DC, ...spec };
    return this.#begin(createStation21({ ...this.#options(full), dial: this.#dial('ocpp2.1', full.identity) }));
  }

  /** Plugs a car in at the first EVSE; its driver may charge. */
  plug(station: Station16 | Station201 | Station21, ev: Ev): void {
    const [unit] = station.units;
    if (unit) station.sessions.plug(unit, { ...ev, idTag: 'RFID-1' });
  }

  /** Connects a scripted station; boots it unless told otherwise. */
  async scripted<V extends Version>(
    version: V,
    identity: string,
    o: { readonly boot?: boolean; readonly script?: Script; readonly password?: string | Uint8Array } = {},
  ): Promise<Scripted<V>> {
    const calls: Scripted<V>['calls'] = [];
    const client = createOcppClient<V>({
      ...this.#client(version, identity),
      ...(o.password === undefined ? {} : { password: o.password }),
      handler: (action: string, payload: unknown) => {
        this.#activity++;
        calls.push({ action, payload: payload as Json, at: this.clock.now() });
        return scripted.script(action, payload as Json);
      },
      limits: { handlerMs: 3_600_000, timeoutMs: 30_000 },
    });
    const peer: PeerIn<V> = await client.connect();
    this.#clients.push(client as OcppClient<Version>);
    const scripted: Scripted<V> = {
      peer: peer as PeerOf<V>,
      calls,
      script: o.script ?? accept,
      of: (action) => calls.filter((c) => c.action === action).map((c) => c.payload),
      call: async (action, payload) => {
        try {
          const answer = (await peer.callAny(action, payload)) as Json;
          // From then on it knows the id of its transaction.
          if (action === 'StartTransaction') await this.run(100);
          return answer;
        } catch (e) {
          return { error: (e as { cause?: { protocol?: string } }).cause?.protocol ?? (e as { code?: string }).code };
        }
      },
      close: () => peer.close(),
    };
    if (o.boot !== false) {
      const { status } = await scripted.call('BootNotification', BOOT[version]);
      if (status === 'Accepted') await this.run(200);
    }
    return scripted;
  }

  /** A scripted V2G station in a session. */
  async v2g(script: Script = accept): Promise<Scripted<'ocpp2.1'>> {
    const s = await this.scripted('ocpp2.1', 'V2G-1');
    const now = iso(this.clock.now());
    const occupied = { evseId: 1, connectorId: 1, connectorStatus: 'Occupied', timestamp: now };
    await s.call('StatusNotification', occupied);
    await s.call('TransactionEvent', say.event21('Started', 0, now));
    s.script = script;
    s.calls.length = 0;
    return s;
  }

  /** A scripted AC station of 2.0.1 in a session. */
  async ac201(script: Script = accept): Promise<Scripted<'ocpp2.0.1'>> {
    const s = await this.scripted('ocpp2.0.1', 'AC-1');
    const now = iso(this.clock.now());
    const occupied = { evseId: 1, connectorId: 1, connectorStatus: 'Occupied', timestamp: now };
    await s.call('StatusNotification', occupied);
    await s.call('TransactionEvent', say.event21('Started', 0, now));
    s.script = script;
    s.calls.length = 0;
    return s;
  }

  /** A scripted AC station in a session. */
  async ac(script: Script = accept, identity = 'AC-1'): Promise<Scripted<'ocpp1.6'> & { transactionId: number }> {
    const s = await this.scripted('ocpp1.6', identity);
    await s.call('StatusNotification', say.status16('Preparing'));
    const { transactionId } = await s.call('StartTransaction', say.start16());
    await s.call('StatusNotification', say.status16('Charging'));
    s.script = script;
    s.calls.length = 0;
    return Object.assign(s, { transactionId: Number(transactionId) });
  }

  /** Two seconds later – the response time – the meter of a V2G station in a session says this. */
  async measure21(s: Scripted<'ocpp2.1'>, seqNo: number, powerW: number): Promise<void> {
    await this.run(2000);
    const at = iso(this.clock.now());
    await s.call('TransactionEvent', say.event21('Updated', seqNo, at, say.power21(powerW, at)));
    await this.settle();
  }

  /** Sends a command as an allocation would. */
  command(resourceId: string, what: Partial<PowerCommand>, validS = 120): string {
    const commandId = `cmd:${++this.#commands}`;
    const command: PowerCommand = {
      commandId,
      resourceId,
      kind: what.importLimitW === undefined ? 'setpoint' : 'limit',
      validUntil: iso(this.clock.now() + validS * 1000),
      level: 6,
      ...what,
    };
    void this.link.send(this.wire('hub/PowerCommand', command));
    return commandId;
  }

  wire(topic: string, payload: unknown, peer?: string): WireMessage {
    const at = iso(this.clock.now());
    return { topic, payload, v2gate: { id: `m:${++this.#commands}`, at, link: 'test', ...(peer ? { peer } : {}) } };
  }

  /** States of a command, oldest first. */
  states(commandId: string): string[] {
    return this.outcomes.filter((o) => o.commandId === commandId).map((o) => o.state);
  }

  outcome(commandId: string): CommandOutcome | undefined {
    return this.outcomes.findLast((o) => o.commandId === commandId);
  }

  /** Payloads of what the site was told, by message. */
  told(message: string): Json[] {
    return this.observed.filter((m) => m.topic === `hub/${message}`).map((m) => m.payload as Json);
  }

  logged(event: string): number {
    return this.log.filter((l) => l.event === event).length;
  }

  row(resourceId: string) {
    return this.site.snapshot().resources.find((r) => r.resourceId === resourceId);
  }

  limit(nodeId: string, importLimitW: number): Promise<void> {
    return this.site.setLimit({ nodeId, source: 'test', importLimitW });
  }

  lift(nodeId: string): Promise<void> {
    return this.site.setLimit({ nodeId, source: 'test', lift: true });
  }

  /** Moves time on, and waits at each step until nothing is under way. */
  async run(ms: number, stepMs = 200): Promise<void> {
    await this.settle();
    for (let left = ms; left > 0; left -= stepMs) {
      await this.clock.advance(Math.min(stepMs, left));
      await this.settle();
    }
  }

  async until(what: string, condition: () => boolean, maxMs = 30_000): Promise<void> {
    await this.settle();
    for (let ms = 0; !condition(); ms += 200) {
      if (ms > maxMs) throw new Error(`${what}: not within ${maxMs} ms`);
      await this.run(200);
    }
  }

  async settle(): Promise<void> {
    for (let quiet = 0, seen = this.#activity; quiet < 8; ) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      quiet = this.#stations.some((s) => s.busy) || seen !== this.#activity ? 0 : quiet + 1;
      seen = this.#activity;
    }
  }

  async close(): Promise<void> {
    for (const station of this.#stations) station.stop();
    for (const client of this.#clients) client.close();
    await this.settle();
    await this.link.close();
    await this.site.close();
    await this.store.close();
  }

  #begin<S extends Station16 | Station201 | Station21>(station: S): S {
    this.#stations.push(station);
    station.start();
    return station;
  }

  #options(spec: StationSpec) {
    const backOff = { minS: 1, randomS: 0, doublings: 0 };
    return { spec, clock: this.clock, seed: 1, backOff, onEvent: (e: StationEvent) => this.events.push(e) };
  }

  #client<V extends Version>(version: V, identity: string): OcppClientOptions<V> {
    return { url: this.link.url, identity, versions: [version], clock: this.clock, reconnect: false, validators };
  }

  #dial<V extends Version>(version: V, identity: string) {
    return () => createOcppClient<V>(this.#client(version, identity)).connect();
  }
}

/** An answer that is given when the test says so. */
export function held(): { readonly script: Script; give(answer?: unknown): void; readonly waiting: number } {
  const waiting: ((answer: unknown) => void)[] = [];
  return {
    script: () => new Promise((resolve) => waiting.push(resolve)),
    give: (answer = { status: 'Accepted' }) => waiting.shift()?.(answer),
    get waiting() {
      return waiting.length;
    },
  };
}

/** Thrown by a script, it becomes that CALLERROR. */
export const callError = (protocol: string): Error =>
  Object.assign(new Error(protocol), { code: 'test', cause: { protocol, what: protocol } });

/** Says yes to everything, and nothing about itself. */
export const accept: Script = (action, payload) => tellNothing(action, payload) ?? { status: 'Accepted' };

/** The answers of a station that knows no configuration of what it is asked; undefined for other actions. */
export function tellNothing(action: string, payload: Json): Json | undefined {
  if (action === 'GetConfiguration') return { unknownKey: payload.key };
  if (action === 'GetCompositeSchedule') return { status: 'Rejected' };
  if (action !== 'GetVariables') return undefined;
  const asked = payload.getVariableData as Json[];
  return { getVariableResult: asked.map((x) => ({ ...x, attributeStatus: 'UnknownVariable' })) };
}

export const BOOT = {
  'ocpp1.6': { chargePointVendor: 'v2gate', chargePointModel: 'test' },
  'ocpp2.0.1': { reason: 'PowerUp', chargingStation: { vendorName: 'v2gate', model: 'test' } },
  'ocpp2.1': { reason: 'PowerUp', chargingStation: { vendorName: 'v2gate', model: 'test' } },
} as const;

const COMMON = {
  evses: 1,
  responseDelayMs: 200,
  rampWPerS: 50_000,
  idTags: ['RFID-1'],
  meterIntervalS: 1,
  statusAs: 'StatusNotification',
  fault: 'none',
  lateMs: 15_000,
} as const satisfies Partial<StationSpec>;

const AC: StationSpec = {
  ...COMMON,
  identity: 'AC-1',
  version: 'ocpp1.6',
  phases: 3,
  maxImportW: 11_040,
  maxExportW: 0,
};

const DC: StationSpec = {
  ...COMMON,
  identity: 'V2G-1',
  version: 'ocpp2.1',
  phases: 0,
  maxImportW: 11_000,
  maxExportW: 11_000,
};

/** Messages of scripted stations. */
export const say = {
  start16: (x: Json = {}) => ({
    connectorId: 1,
    idTag: 'RFID-1',
    meterStart: 100,
    timestamp: '2026-01-01T00:00:00Z',
    ...x,
  }),
  status16: (status: string, connectorId = 1) => ({ connectorId, errorCode: 'NoError', status }),
  meter16: (powerW: number, timestamp: string, x: Json = {}) => ({
    connectorId: 1,
    ...x,
    meterValue: [{ timestamp, sampledValue: [{ value: String(powerW), measurand: 'Power.Active.Import', unit: 'W' }] }],
  }),
  event21: (eventType: string, seqNo: number, timestamp: string, x: Json = {}, transactionId = 'tx-1') => ({
    eventType,
    timestamp,
    triggerReason: 'MeterValuePeriodic',
    seqNo,
    evse: { id: 1, connectorId: 1 },
    transactionInfo: { transactionId, chargingState: 'Charging' },
    ...x,
  }),
  power21: (powerW: number, timestamp: string) => ({
    meterValue: [
      {
        timestamp,
        sampledValue: [
          { value: Math.max(powerW, 0), measurand: 'Power.Active.Import', unitOfMeasure: { unit: 'W' } },
          { value: Math.max(-powerW, 0), measurand: 'Power.Active.Export', unitOfMeasure: { unit: 'W' } },
        ],
      },
    ],
  }),
};
