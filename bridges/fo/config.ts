/** A broker of somebody else. */
export interface FoBrokerConfig {
  /** `mqtt://host:1883` or `mqtts://host:8883`, without credentials. */
  readonly url: string;
  /** User at the broker; default the operatorId of the site. */
  readonly user?: string;
  /** Name of the secret with the password, never the password itself. */
  readonly passwordRef?: string;
}

/** Configuration of the link to the flexibility operators of a site. */
export interface FoLinkConfig {
  readonly linkId: string;
  readonly siteId: string;
  readonly host: string;
  /** Where it listens itself: for WebSockets, or as a broker. 0 = any free port. */
  readonly port: number;
  /** Of the WebSocket. */
  readonly path: string;
  /** Move on to the next free port when this one is taken. */
  readonly portSearch: boolean;
  /** `hub`: topics `hub/<Message>`; `native`: `fo1/<Type>`. Bodies are the same (design 3). */
  readonly speaks: 'hub' | 'native';
  /** Default `websocket`. */
  readonly transport?: 'websocket' | 'mqtt';
  /** MQTT: absent, the gateway runs a broker of its own on `port`. */
  readonly broker?: FoBrokerConfig;
  /** `always`: operators sign every message, as is wise on a broker of somebody else. Default `catalogue` (fo 4.3). */
  readonly requireSignature?: 'catalogue' | 'always';
}
