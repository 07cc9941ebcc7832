import type { Clock } from '../../core/clock.ts';
import type { MeterReading } from '../../model/index.ts';
import { SITE_SIMULATOR_ERRORS } from './errors.ts';

export interface DeliveryOptions {
  /** Address of the gateway, e.g. `http://127.0.0.1:1880`. */
  readonly gateway: string;
  readonly clock: Clock;
  /** The secret `meter-token` of the gateway; loopback needs none. */
  readonly token?: string;
}

const TIMEOUT_MS = 5000;
/** Shown of an answer that refuses, characters. */
const MAX_SHOWN = 300;

/**
 * Posts meter values to `/v2gate/api/meter` of the gateway. The promise rejects with `siteSimulator.refused` or
 * `siteSimulator.unreachable`.
 */
export function httpDelivery(o: DeliveryOptions): (readings: readonly MeterReading[]) => Promise<void> {
  const url = new URL('/v2gate/api/meter', o.gateway);
  const headers = {
    'content-type': 'application/json',
    ...(o.token === undefined ? {} : { authorization: `Bearer ${o.token}` }),
  };
  return async (readings) => {
    const abort = new AbortController();
    const timeout = o.clock.after(TIMEOUT_MS, () => abort.abort());
    try {
      const body = JSON.stringify(readings);
      const answer = await fetch(url, { method: 'POST', headers, body, signal: abort.signal }).catch((e: unknown) => {
        const cause = e instanceof Error && e.cause instanceof Error ? e.cause.message : String(e);
        throw SITE_SIMULATOR_ERRORS.fail('siteSimulator.unreachable', `${url.host}: ${cause}.`);
      });
      const text = await answer.text();
      if (answer.ok) return;
      const said = text.slice(0, MAX_SHOWN);
      throw SITE_SIMULATOR_ERRORS.fail('siteSimulator.refused', `The gateway answered ${answer.status}: ${said}`);
    } finally {
      timeout.cancel();
    }
  };
}
