import { defaultResourceId, type Meter, type SiteFile } from '../../model/index.ts';
import { evseMostW } from '../fleet/resources.ts';

/** Beyond so many times the limit of its place no value of a meter is believed (fo 6.4). */
const BEYOND = 3;
/** Places with tiny limits still have meters that may say something, W. */
const LEAST_W = 1_000;

/** The greatest power that a meter can show, W; Infinity where nothing is known about its subject. */
export function mostOf(meter: Meter, file: SiteFile): number {
  const ofW = (...powers: (number | undefined)[]): number => {
    const known = powers.filter((p) => p !== undefined);
    return known.length === 0 ? Number.POSITIVE_INFINITY : Math.max(LEAST_W, BEYOND * Math.max(...known));
  };
  const { subjectRef } = meter;
  switch (meter.at) {
    case 'poc':
      return ofW(file.poc.importLimitW, file.poc.exportLimitW);
    case 'circuit': {
      const c = file.circuits?.find((x) => x.circuitId === subjectRef);
      return ofW(c?.importLimitW, c?.exportLimitW);
    }
    case 'ess': {
      const e = file.ess?.find((x) => x.essId === subjectRef);
      return ofW(e?.maxChargeW, e?.maxDischargeW);
    }
    case 'gen':
      return ofW(file.generation?.find((x) => x.genId === subjectRef)?.peakW);
    case 'evse':
      return evseMostOf(file, subjectRef);
  }
}

function evseMostOf(file: SiteFile, resourceId: string | undefined): number {
  for (const s of file.stations)
    for (const e of s.evses)
      if ((e.resourceId ?? defaultResourceId(s.identity, e.evse)) === resourceId)
        return evseMostW(e.maxImportW, e.maxExportW ?? 0);
  return Number.POSITIVE_INFINITY;
}
