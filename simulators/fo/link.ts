import type { Log } from '../../core/log.ts';
import type { KeyPoint } from '../../core/signing.ts';
import { createFoClient, createFoMqttClient, type FoClient } from '../../protocols/fo/index.ts';
import type { LinkStart } from './run.ts';

export interface LinkOptions {
  /** `ws:`, `wss:`, `mqtt:` or `mqtts:`; the rest is the same. */
  readonly url: string;
  readonly partyId: string;
  /** Party id of the gateway. */
  readonly to: string;
  readonly token?: string | undefined;
  /** PEM certificates to trust. */
  readonly ca?: string | undefined;
  /** The public keys of the gateway; without them its signatures are not judged. */
  readonly keys?: (() => readonly KeyPoint[]) | undefined;
  /** Seconds between heartbeats that we wish for. */
  readonly heartbeatS?: number | undefined;
  readonly log: Log;
  /** 0 ≤ x < 1; default cryptographic. */
  readonly random?: () => number;
}

const TRANSPORTS = /^(?:ws|mqtt)s?:$/;

/** Whether a link can be opened to this address. */
export const isLinkUrl = (url: string): boolean => TRANSPORTS.test(URL.parse(url)?.protocol ?? '');

/** Opens the operator's link over WebSocket or MQTT, by the scheme of the address. */
export function openLink(o: LinkOptions, { handlers, clock, lastEventSeq }: LinkStart): FoClient {
  const { url, partyId, to, token, ca, keys, heartbeatS, log, random } = o;
  const options = {
    url,
    partyId,
    to,
    clock,
    log,
    handlers,
    lastEventSeq,
    software: 'v2gate operator simulator',
    ...(token === undefined ? {} : { token }),
    ...(ca === undefined ? {} : { ca }),
    ...(keys === undefined ? {} : { signatures: { keys } }),
    ...(heartbeatS === undefined ? {} : { heartbeatS }),
    ...(random === undefined ? {} : { random }),
  };
  return url.startsWith('mqtt') ? createFoMqttClient(options) : createFoClient(options);
}
