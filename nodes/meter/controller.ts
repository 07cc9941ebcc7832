import type { NodeMessage } from 'node-red';
import { iso } from '../../core/clock.ts';
import { round3 } from '../../core/quantities.ts';
import { meterOf } from '../../hub/meters/known.ts';
import { type MessageMeta, MeterReading } from '../../model/index.ts';
import { textOf, wordOf } from '../base/config.ts';
import { NODE_ERRORS } from '../base/errors.ts';
import type { NodeController, NodeHost } from '../base/host.ts';
import type { SavedConfig } from '../base/migrate.ts';
import { siteOf } from '../base/site-holder.ts';
import { useSite } from '../base/site-nodes.ts';
import { following, fromWire, metaOf } from '../base/wire.ts';

/** Decimal numbers as MQTT and Modbus nodes give them in texts. */
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/**
 * Brings the values of one meter of the site file to the site: from a number in `msg.payload`, in the unit and sign of
 * the dialog, or from the fields of a hub/MeterReading, which are always W and import-positive.
 */
export function createMeter(host: NodeHost, config: SavedConfig): NodeController {
  const holder = siteOf(host, config.site);
  const meterId = textOf(config, 'meter');
  if (meterId === undefined)
    throw NODE_ERRORS.fail('nodes.config', 'Name the meter of the site file whose values come here.');
  const factor = (wordOf(config, 'unit', ['W', 'kW']) === 'kW' ? 1000 : 1) * signOf(config);
  const { clock } = host.runtime;
  const close = useSite(host, holder, (site) => {
    meterOf(site.file(), { meterId });
    return [];
  });
  return {
    input(message, send) {
      const site = holder.require();
      meterOf(site.file(), { meterId });
      const reading = { at: iso(clock.now()), quality: 'good', ...valuesOf(message, factor), meterId };
      const payload = MeterReading.parse(reading);
      const v2gate: MessageMeta = following(metaOf(message, clock), clock, `meter:${meterId}`);
      const wire = { topic: `hub/${MeterReading.name}`, payload, v2gate };
      site.observe(wire);
      send(fromWire(wire, message));
      host.status('good', payload.powerW === undefined ? 'values without power' : `${round3(payload.powerW)} W`);
    },
    close,
  };
}

const signOf = (config: SavedConfig): 1 | -1 =>
  wordOf(config, 'positive', ['import', 'export']) === 'export' ? -1 : 1;

/** Throws `nodes.message` where the payload is neither a number nor an object. */
function valuesOf({ payload }: NodeMessage, factor: number): object {
  if (typeof payload === 'number' && Number.isFinite(payload)) return { powerW: payload * factor + 0 };
  if (typeof payload === 'string' && NUMBER.test(payload.trim())) return { powerW: Number(payload) * factor + 0 };
  if (typeof payload === 'object' && payload !== null && !Array.isArray(payload) && !ArrayBuffer.isView(payload))
    return payload;
  const shown = typeof payload === 'string' ? `“${payload.slice(0, 40)}”` : `of type ${typeof payload}`;
  throw NODE_ERRORS.fail(
    'nodes.message',
    `msg.payload must be the power as a number, or the fields of a hub/MeterReading; it is ${shown}.`,
  );
}
