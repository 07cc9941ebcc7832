import type { SiteFile } from '../../model/index.ts';
import type { PowerState } from '../dispatch/index.ts';
import type { EnvelopeInput } from '../envelope/index.ts';
import { circuitOf } from '../fleet/departed.ts';
import type { FleetTwin, TwinEntry } from '../fleet/twin.ts';
import type { MeterBook } from '../meters/book.ts';
import type { LimitBook } from './limits.ts';
import { leastImportW } from './plan.ts';

/** The voltage may be a little higher when a station makes amperes of its share. */
const VOLTAGE_MARGIN = 1.01;
const NOTHING: PowerState = { confirmedW: 0, worstImportW: 0, worstExportW: 0 };

/**
 * What the envelope is computed from: all limits of now with what other loads leave of them, and what each EVSE may be
 * doing in the worst case. Without `power` nobody does anything yet and nobody looks at meters: the share of each when
 * all draw at once (fo 6.4, static share).
 */
export function envelopeInput(
  file: SiteFile,
  twin: FleetTwin,
  limits: LimitBook,
  meters: MeterBook,
  power?: (resourceId: string) => PowerState,
): EnvelopeInput {
  const { usedW, generationW, ...poc } = power ? meters.poc() : meters.staticBasis();
  return {
    poc,
    usedW,
    generationW,
    circuits: (file.circuits ?? []).map((c) => ({
      circuitId: c.circuitId,
      ...(c.parentId === undefined ? {} : { parentId: c.parentId }),
      ...(power ? meters.circuit(c.circuitId, c, c.netting ?? 'none') : limits.effective(c.circuitId, c)),
      netting: c.netting ?? 'none',
    })),
    evses: [
      ...Array.from(twin.all(), (entry) => evseOf(entry, limits, power)),
      ...(power ? departedOf(file, twin) : []),
    ],
  };
}

type EnvelopeEvse = EnvelopeInput['evses'][number];

/** What is no longer in the site file, and may still be doing something. */
function departedOf(file: SiteFile, twin: FleetTwin): EnvelopeEvse[] {
  return Array.from(twin.departed.all(), (d) => {
    const [importW, exportW] = [Math.max(0, d.maxW), Math.max(0, -d.minW)];
    const most = { worstImportW: importW, worstExportW: exportW, physMaxImportW: importW, physMaxExportW: exportW };
    return { evseId: d.evseId, ...circuitOf(d, file.circuits), ...most, fixed: true };
  });
}

function evseOf(entry: TwinEntry, limits: LimitBook, power?: (resourceId: string) => PowerState): EnvelopeEvse {
  const { resource: r, online } = entry;
  const own = limits.effective(r.resourceId, r.limits);
  const p = power?.(r.resourceId) ?? NOTHING;
  return {
    evseId: r.resourceId,
    ...(r.circuitId === undefined ? {} : { circuitId: r.circuitId }),
    worstImportW: Math.min(p.worstImportW, own.importLimitW),
    worstExportW: Math.min(p.worstExportW, own.exportLimitW),
    // Under way to what it was told last: whoever comes down is cut to that before those that stay.
    ...(p.pendingW === undefined
      ? {}
      : { toldImportW: Math.max(0, p.pendingW), toldExportW: Math.max(0, 0 - p.pendingW) }),
    minImportW: VOLTAGE_MARGIN * leastImportW(entry),
    minExportW: r.minExportW,
    physMaxImportW: own.importLimitW,
    physMaxExportW: own.exportLimitW,
    // Nobody can tell it anything: what it may be doing comes off everybody else's room.
    ...(online || power === undefined ? {} : { fixed: true }),
  };
}
