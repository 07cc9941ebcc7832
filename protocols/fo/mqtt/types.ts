import type { Duplex } from 'node:stream';
import type { Log } from '../../../core/log.ts';
import type { Metrics } from '../../../core/metrics.ts';
import type { FoPartiesOptions, FoServer, FoSessionOptions, FoTls } from '../types.ts';

/** An FO (or a gateway that opens the link) on an MQTT broker (fo 9.1). */
export interface FoMqttClientOptions extends Omit<FoSessionOptions, 'self' | 'peer' | 'role'> {
  /** `mqtt://127.0.0.1:9222` or `mqtts://…`. */
  readonly url: string;
  readonly partyId: string;
  /** Party id of the gateway. */
  readonly to: string;
  /** User at the broker; default the party id. */
  readonly user?: string;
  /** Password at the broker: the token of the party at the gateway's own broker. */
  readonly token?: string;
  /** PEM certificates to trust instead of the system's. */
  readonly ca?: string;
  /** MQTT 5, or 3.1.1 (4). Default: 5, and 3.1.1 where the broker does not speak 5. */
  readonly version?: 4 | 5;
  /** The retained description of one EVCS (`up/res/{evcsId}`); undefined: it is no longer there. */
  onResource?(evcsId: string, item: unknown): void;
}

/** The gateway's side on a broker. */
export interface FoMqttGatewayOptions extends Omit<FoPartiesOptions, 'role'> {
  /** `mqtt://127.0.0.1:9222` or `mqtts://…`. */
  readonly url: string;
  /** User and password at the broker. */
  readonly user?: string;
  readonly password?: string;
  /** PEM certificates to trust instead of the system's. */
  readonly ca?: string;
  /** MQTT 5, or 3.1.1 (4). Default: 5, and 3.1.1 where the broker does not speak 5. */
  readonly version?: 4 | 5;
  /** The parties that are served; nobody else is heard. */
  readonly parties: readonly string[];
  /** A way to the broker other than a socket to `url`: that of {@link FoBroker.connect}. */
  connect?(): Duplex;
  /** A connection to the broker came up or was lost. */
  onBroker?(): void;
}

export interface FoMqttGateway extends FoServer {
  /** True while all connections to the broker are up. */
  readonly connected: boolean;
  /** Replaces the list of parties. */
  serve(parties: readonly string[]): void;
}

/** Who a client of the broker in this process is: an operator, or the gateway itself. */
export type FoBrokerPrincipal =
  | { readonly side: 'dn'; readonly foId: string }
  | { readonly side: 'up'; readonly gwId: string };

export interface FoBrokerOptions {
  readonly host: string;
  /** 0 = any free port. */
  readonly port: number;
  readonly log: Log;
  readonly metrics?: Metrics;
  readonly tls?: FoTls;
  /** Must be said to listen in plain text on other addresses than loopback. */
  readonly allow?: 'plainTextOutsideLoopback';
  readonly maxParties?: number;
  /** Undefined refuses. Compare in constant time, never log. Client ids must be the party id, or begin with it and `/`. */
  authenticate(request: {
    readonly user: string;
    readonly password: string | undefined;
    readonly loopback: boolean;
  }): FoBrokerPrincipal | undefined | Promise<FoBrokerPrincipal | undefined>;
}

/** A broker in this process. */
export interface FoBroker {
  /** `mqtt://127.0.0.1:9222` with the real port. */
  readonly url: string;
  readonly port: number;
  /** A connection inside this process, for the gateway itself: no TLS, no socket. */
  connect(): Duplex;
  close(): Promise<void>;
}
