import { type Clock, type ManualClock, manualClock } from '../../core/clock.ts';
import {
  createOcppClient,
  createOcppServer,
  createValidators,
  type OcppServer,
  type Peer,
  type PeerOf,
  type Version,
} from '../../protocols/ocpp/index.ts';
import { BATTERY_DEFAULTS, type Ev } from '../../simulators/core/index.ts';
import {
  createStation16,
  createStation21,
  createStation201,
  type FleetFile,
  type FleetOptions,
  type RunningFleet,
  runFleet,
  type Station,
  type Station16,
  type Station21,
  type Station201,
  type StationEvent,
  type StationSpec,
} from '../../simulators/stations/index.ts';

/** A CALL that the scripted CSMS received. */
export interface Received {
  readonly at: number;
  readonly action: string;
  readonly payload: Record<string, unknown>;
}

type Answer = (payload: Record<string, unknown>) => unknown;

const validators = {
  'ocpp1.6': createValidators('ocpp1.6'),
  'ocpp2.0.1': createValidators('ocpp2.0.1'),
  'ocpp2.1': createValidators('ocpp2.1'),
} satisfies Partial<Record<Version, unknown>>;

/** A scripted CSMS on a real socket, stations in process, one manual clock for all. */
export class World {
  readonly clock: Clock;
  readonly #manual: ManualClock | undefined;
  readonly received: Received[] = [];
  readonly events: StationEvent[] = [];
  /** Overrides of the default answers, by action. */
  readonly answers: Record<string, Answer> = {};
  #server: OcppServer | undefined;
  readonly #stations: Pick<Station, 'busy' | 'stop'>[] = [];
  #port = 0;
  #tx = 100;

  /** With a manual clock unless another one is given. */
  constructor(clock?: Clock) {
    this.#manual = clock ? undefined : manualClock();
    this.clock = clock ?? this.#manual ?? manualClock();
  }

  /** Starts listening, after an interruption on the same port. */
  async listen(): Promise<void> {
    this.#server = await createOcppServer({
      port: this.#port,
      clock: this.clock,
      validators,
      versions: ['ocpp1.6', 'ocpp2.0.1', 'ocpp2.1'],
      pingMs: 0,
      onStation: (peer) => {
        peer.handle((action: string, payload: unknown) => this.#answer(action, payload));
      },
    });
    this.#port = this.#server.port;
  }

  async goDown(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    await server?.close(0);
    await this.settle();
  }

  station16(spec: Partial<StationSpec> = {}): Station16 {
    const full: StationSpec = { ...AC, identity: 'CS1', ...spec };
    const station = createStation16({ ...this.#options(full), dial: this.#dial('ocpp1.6', full.identity) });
    this.#stations.push(station);
    station.start();
    return station;
  }

  station21(spec: Partial<StationSpec> = {}): Station21 {
    const full: StationSpec = { ...DC, identity: 'CS2', ...spec };
    const station = createStation21({ ...this.#options(full), dial: this.#dial('ocpp2.1', full.identity) });
    this.#stations.push(station);
    station.start();
    return station;
  }

  station201(spec: Partial<StationSpec> = {}): Station201 {
    const full: StationSpec = { ...AC, identity: 'CS3', version: 'ocpp2.0.1', ...spec };
    const station = createStation201({ ...this.#options(full), dial: this.#dial('ocpp2.0.1', full.identity) });
    this.#stations.push(station);
    station.start();
    return station;
  }

  /** A whole fleet in this process. */
  fleet(fleet: FleetFile, seed = 1, more: Partial<FleetOptions> = {}): RunningFleet {
    const { clock, url } = this;
    const running = runFleet({ fleet, url, clock, seed, onEvent: (e) => this.events.push(e), ...more });
    this.#stations.push(...running.stations);
    return running;
  }

  get url(): string {
    return `ws://127.0.0.1:${this.#port}/ocpp`;
  }

  /** The CSMS's end of a station's connection. */
  peer<V extends Version>(version: V, identity: string): PeerOf<V> {
    const peer: Peer | undefined = this.#server?.station(identity);
    if (peer?.version !== version) throw new Error(`${identity} is not connected with ${version}`);
    return peer as PeerOf<V>;
  }

  cs1(): PeerOf<'ocpp1.6'> {
    return this.peer('ocpp1.6', 'CS1');
  }

  cs3(): PeerOf<'ocpp2.0.1'> {
    return this.peer('ocpp2.0.1', 'CS3');
  }

  cs2(): PeerOf<'ocpp2.1'> {
    return this.peer('ocpp2.1', 'CS2');
  }

  /** Moves time on, and waits at each step until no station waits for an answer. */
  async run(ms: number, stepMs = 200): Promise<void> {
    await this.settle();
    for (let left = ms; left > 0; left -= stepMs) {
      await this.#manual?.advance(Math.min(stepMs, left));
      await this.settle();
    }
  }

  /** Moves time on until `condition` holds; fails after `maxMs`. */
  async until(what: string, condition: () => boolean, maxMs = 60_000): Promise<void> {
    await this.settle();
    for (let ms = 0; !condition(); ms += 200) {
      if (ms > maxMs) throw new Error(`${what}: not within ${maxMs} ms. Received: ${this.names().join(' ')}`);
      await this.run(200);
    }
  }

  /** Lets the sockets work until nothing is under way; no time passes on the clock. */
  async settle(): Promise<void> {
    for (let quiet = 0; quiet < 5; ) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      quiet = this.#stations.some((s) => s.busy) ? 0 : quiet + 1;
    }
  }

  names(): string[] {
    return this.received.map((r) => r.action);
  }

  of(action: string): Received[] {
    return this.received.filter((r) => r.action === action);
  }

  last(action: string): Record<string, unknown> {
    return this.of(action).at(-1)?.payload ?? {};
  }

  async close(): Promise<void> {
    for (const station of this.#stations) station.stop();
    await this.#server?.close(0);
  }

  #options(spec: StationSpec): {
    spec: StationSpec;
    clock: Clock;
    seed: number;
    onEvent: (e: StationEvent) => void;
  } {
    return { spec, clock: this.clock, seed: 1, onEvent: (e) => this.events.push(e) };
  }

  #dial<V extends Version>(version: V, identity: string) {
    return () =>
      createOcppClient({
        url: this.url,
        identity,
        versions: [version],
        clock: this.clock,
        reconnect: false,
        validators,
      }).connect();
  }

  #answer(action: string, payload: unknown): unknown {
    const body = payload as Record<string, unknown>;
    this.received.push({ at: this.clock.now(), action, payload: body });
    return (this.answers[action] ?? this.#defaults[action])?.(body) ?? {};
  }

  readonly #defaults: Record<string, Answer> = {
    BootNotification: () => ({ status: 'Accepted', currentTime: '2026-01-01T00:00:00.000Z', interval: 60 }),
    Heartbeat: () => ({ currentTime: '2026-01-01T00:00:00.000Z' }),
    Authorize: (p) => (p.idTag ? { idTagInfo: { status: 'Accepted' } } : { idTokenInfo: { status: 'Accepted' } }),
    StartTransaction: () => ({ transactionId: this.#tx++, idTagInfo: { status: 'Accepted' } }),
    NotifyEVChargingNeeds: () => ({ status: 'Accepted' }),
  };
}

const COMMON = {
  evses: 1,
  responseDelayMs: 200,
  rampWPerS: 50_000,
  idTags: ['DEMO-1'],
  meterIntervalS: 2,
  statusAs: 'StatusNotification',
  fault: 'none',
  lateMs: 15_000,
} as const satisfies Partial<StationSpec>;

const AC: StationSpec = {
  ...COMMON,
  identity: 'CS1',
  version: 'ocpp1.6',
  phases: 3,
  maxImportW: 11_040,
  maxExportW: 0,
};

const DC: StationSpec = {
  ...COMMON,
  identity: 'CS2',
  version: 'ocpp2.1',
  phases: 0,
  maxImportW: 11_000,
  maxExportW: 11_000,
};

/** A three-phase AC car with room for a long charge. */
export const acCar: Ev = {
  idTag: 'DEMO-1',
  battery: { ...BATTERY_DEFAULTS, capacityWh: 40_000, maxChargeW: 22_000, maxDischargeW: 0 },
  arrivalPct: 30,
  targetPct: 90,
  phases: 3,
  minCurrentA: 6,
  maxImportW: 11_040,
  maxExportW: 0,
  isV2G: false,
};

/** A bidirectional DC car, half full. */
export const v2gCar: Ev = {
  ...acCar,
  battery: { ...BATTERY_DEFAULTS, capacityWh: 40_000, maxChargeW: 11_000, maxDischargeW: 11_000 },
  arrivalPct: 50,
  targetPct: 60,
  phases: 0,
  minCurrentA: 0,
  maxImportW: 11_000,
  maxExportW: 11_000,
  isV2G: true,
};
