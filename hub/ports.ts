import type { Clock } from '../core/clock.ts';
import type { LeaseRegistry } from '../core/lease.ts';
import type { Log } from '../core/log.ts';
import type { MappingLibrary } from '../core/mapping/library.ts';
import type { Metrics } from '../core/metrics.ts';
import type { PublicJwk, SignatureAlg } from '../core/signing.ts';
import type { TlsSource } from '../core/tls.ts';
import type { EnvelopeUpdate, ResultBody, StationOrder, StationOrderOutcome, WireMessage } from '../model/index.ts';
import type { SiteRegistry } from './site/registry.ts';
import type { TracePort } from './trace/types.ts';

export type { PublicJwk } from '../core/signing.ts';
export type { TraceNote, TracePort } from './trace/types.ts';

/**
 * Durability classes of design 5. A: committed with a full sync before the acknowledgement. B: group commit, the
 * acknowledgement waits for its group. C: acknowledged at once, written every second.
 */
export type Durability = 'A' | 'B' | 'C';

/** Every kind of record that is ever stored, with its durability: the one table of design 5. */
export const RECORD_KINDS = {
  service: 'A',
  request: 'A',
  outbox: 'A',
  sequence: 'A',
  station: 'A',
  transaction: 'A',
  limit: 'A',
  opt: 'A',
  contract: 'A',
  credential: 'A',
  record: 'A',
  proof: 'A',
  setpoint: 'B',
  needs: 'B',
  batch: 'B',
  outcome: 'B',
  log: 'B',
  chain: 'B',
  meter: 'C',
  telemetry: 'C',
  energy: 'C',
  curve: 'C',
} as const satisfies Record<string, Durability>;

export type RecordKind = keyof typeof RECORD_KINDS;

/** One change of the store. `put` replaces the record of that kind and key, `append` refuses an existing key. */
export type StoreOp =
  | {
      readonly op: 'put' | 'append';
      readonly kind: RecordKind;
      readonly key: string;
      readonly at: number;
      readonly body: unknown;
    }
  | { readonly op: 'delete'; readonly kind: RecordKind; readonly key: string };

export interface StoredRecord {
  readonly key: string;
  /** Epoch ms, as given when it was written. */
  readonly at: number;
  readonly body: unknown;
}

export interface ListQuery {
  /** Only keys greater than this, in byte order. */
  readonly after?: string;
  readonly prefix?: string;
  /** 1–10 000, default 1 000. */
  readonly limit?: number;
  readonly newestFirst?: boolean;
}

/**
 * Where the hub keeps what must survive. `write` is atomic; its promise settles when the strictest class among its
 * operations is satisfied. Errors: `store.failed` (retry: yes), `store.closed`, `store.keyExists`.
 */
export interface StorePort {
  write(ops: readonly StoreOp[]): Promise<void>;
  get(kind: RecordKind, key: string): Promise<StoredRecord | undefined>;
  list(kind: RecordKind, query?: ListQuery): Promise<readonly StoredRecord[]>;
  /** Deletes records of the kind older than `before` (epoch ms); answers how many. */
  prune(kind: RecordKind, before: number): Promise<number>;
  flush(): Promise<void>;
  close(): Promise<void>;
}

export interface LinkStatus {
  readonly state: 'opening' | 'up' | 'degraded' | 'down';
  /** Words for the node status, for example `3 stations · port 9220`. */
  readonly text: string;
  /** Connected peers. */
  readonly peers: number;
}

/** What a link tells its listeners. */
export interface LinkEvents {
  readonly status: LinkStatus;
  /** A message from a peer: hub language, or native where the link speaks so. */
  readonly message: WireMessage;
  /** What became of something that was sent: hub/CommandOutcome, or a native response. */
  readonly outcome: WireMessage;
}

/**
 * A running protocol link as nodes see it. It outlives deploys (design 2): while nobody listens to `message` or
 * `outcome`, up to 256 of each wait and are handed to the next listener; the oldest are dropped beyond that.
 */
export interface Link {
  readonly linkId: string;
  /** Where it listens or connects, for people: `ws://127.0.0.1:9220/ocpp`. */
  readonly url: string;
  status(): LinkStatus;
  on<E extends keyof LinkEvents>(event: E, listener: (payload: LinkEvents[E]) => void): () => void;
  /** Carries out a message from the wires. Rejects with a coded error; never throws synchronously. */
  send(message: WireMessage): Promise<void>;
  close(): Promise<void>;
}

/** A link that can make stations act. It clips every outgoing command to the envelope it was given last (design 2). */
export interface ActuatingLink {
  readonly linkId: string;
  /** Pushed whenever limits move. The link itself sends what is needed when a command in force no longer fits. */
  applyEnvelope(update: EnvelopeUpdate): void;
  /** Orders a station to do something and tells what it said; undefined where the station is not connected here. */
  order?(order: StationOrder): Promise<StationOrderOutcome> | undefined;
}

/** A link to somebody who asks and wants answers (FO, API). */
export interface ReplyLink {
  readonly linkId: string;
  /** False when the request is unknown or was answered already. */
  reply(replyTo: string, result: ResultBody): boolean;
}

/** Signs records and proofs (fo 9.4). The private key never leaves it. */
export interface Signer {
  readonly alg: SignatureAlg;
  /** RFC 7638 thumbprint of the public key. */
  readonly keyId: string;
  /** The raw signature (64 bytes) over the bytes. */
  sign(bytes: Uint8Array): Uint8Array;
  /** The public keys to check with: the present one and, during rotation, the one before. */
  publicKeys(): readonly PublicJwk[];
}

/** What every node and bridge gets from the process it lives in. Nobody keeps it at module level. */
export interface GatewayRuntime {
  readonly clock: Clock;
  /** The machine's time in ms with fractions, to measure how long something takes. */
  readonly stopwatch?: () => number;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly store: StorePort;
  readonly leases: LeaseRegistry;
  readonly sites: SiteRegistry;
  /** The shipped mappings with the integrator's overrides. */
  readonly mappings: MappingLibrary;
  /** With what records and proofs are signed; absent where nothing is signed (tests). */
  readonly signer?: Signer;
  /** Runs simulators; absent where none can be run. */
  readonly programs?: ProgramPort;
  /** Where everything that passes is noted for the wire timeline; absent: nowhere. */
  readonly trace?: TracePort;
  /** The certificates of listening links; absent: plain text. */
  readonly tls?: RuntimeTls;
  /** Resolved settings, by the names of the settings table. */
  readonly settings: GatewaySettings;
  /** The secret behind a reference of the site file, undefined when there is none. Never logged, never stored. */
  secret(ref: string): string | undefined;
  /** Health of one component, shown at `/health`. */
  health(component: string, state: ComponentHealth): void;
}

/** Runs simulators beside the gateway, each a program of its own on real sockets. */
export interface ProgramPort {
  /** Starts one. Its lines and states come until it is stopped. Throws `programs.full`. */
  start(program: SimulatorProgram, hears: ProgramListener): RunningProgram;
}

/** Simulated stations, or a simulated operator. Secrets go by the environment of the program. */
export type SimulatorProgram =
  | {
      readonly kind: 'fleet';
      /** Of the OCPP server. */
      readonly url: string;
      /** `demo`, `depot` (with base load, sun and meters), `many`, `file`. */
      readonly scenario: string;
      /** Of `many`: 1–5000, and `all` or one version. */
      readonly count?: number;
      readonly versions?: string;
      readonly file?: string;
      readonly password?: string;
    }
  | {
      readonly kind: 'operator';
      /** Of the FO link. */
      readonly url: string;
      /** `setpoints`, `congestion`, `north`, `south`, `rough`, `file`. */
      readonly scenario: string;
      readonly file?: string;
      readonly partyId: string;
      /** Party id of the gateway. */
      readonly to: string;
      readonly contractId: string;
      readonly groupId: string;
      readonly token?: string;
    };

export interface ProgramListener {
  /** One JSON line of its output. */
  line(event: Readonly<Record<string, unknown>>): void;
  /** `ended`: it has done what it should. `failed`: it is not started again. `waiting`: it will be. */
  state(state: 'running' | 'waiting' | 'failed' | 'ended', text: string): void;
}

export interface RunningProgram {
  /** Hands it one order, if it runs. */
  tell(order: object): void;
  stop(): Promise<void>;
}

/** With what links protect their ports. */
export interface RuntimeTls {
  readonly ocpp?: TlsSource;
  readonly fo?: { readonly source: TlsSource; readonly profile: 'modern' | 'compatible' };
}

export interface ComponentHealth {
  readonly state: 'ok' | 'degraded' | 'down' | 'removed';
  /** One sentence for people. */
  readonly text: string;
  /** True while new control requests may be admitted. */
  readonly admits?: boolean;
}

/** The part of the settings that links and sites need; the whole table is in gateway/settings.ts. */
export interface GatewaySettings {
  readonly siteFile: string;
  readonly gatewayId: string;
  readonly host: string;
  readonly ocppPort: number;
  readonly foPort: number;
  /** Of the gateway's own MQTT broker. */
  readonly mqttPort: number;
  /** True where a taken port may move to the next free one (the demo). */
  readonly portSearch: boolean;
  readonly demo: boolean;
  /** Encryption and credentials on other addresses than loopback were given up in words. */
  readonly insecure?: boolean;
  /** The integrator's folder of mappings. */
  readonly mappings?: string | undefined;
}
