import { parseTime } from '../../core/clock.ts';
import type { V2gateError } from '../../core/errors.ts';
import { type Contract, SERVICE_ERRORS, type ServiceRequest, type SiteFile } from '../../model/index.ts';
import { contractOf } from './checks.ts';
import { isRunning } from './machine.ts';
import { type Service, serviceKey } from './service.ts';

/** Which of two services stands above (fo 6.3): mandatory, priority, acceptance; below 0 when it is `a`. */
export function compareServices(a: Service, b: Service): number {
  return (
    Number(b.fsr.mandatory) - Number(a.fsr.mandatory) ||
    a.fsr.priority - b.fsr.priority ||
    (a.acceptedAt ?? 0) - (b.acceptedAt ?? 0) ||
    (serviceKey(a.foId, a.fsr.fsrId) < serviceKey(b.foId, b.fsr.fsrId) ? -1 : 1)
  );
}

/** True while it runs, or waits for a word with its capacity held (fo 4.2). */
export const holdsCapacity = (s: Service): boolean => isRunning(s.state) || s.pending !== undefined;

/** When it ends as far as is known, epoch ms: its window, or the end that the FO has announced. */
export const endOf = ({ fsr, cancel }: Service): number =>
  Math.min(parseTime(fsr.window.end), cancel?.at ?? Number.POSITIVE_INFINITY);

export interface Asking {
  readonly fsr: ServiceRequest;
  readonly foId: string;
  readonly members: readonly string[];
}

/**
 * A resource serves several services at a time only if their windows do not overlap, both contracts allow stacking, or
 * one of them is mandatory and stands above (fo 1.2, fo 6.3). Services on other resources run beside it.
 */
export function overlapError(asking: Asking, others: Iterable<Service>, file: SiteFile): V2gateError | undefined {
  const { fsr, foId } = asking;
  const start = parseTime(fsr.window.start);
  const end = parseTime(fsr.window.end);
  const mine = new Set(asking.members); // bounded by: the members of one request
  for (const o of others) {
    if (!holdsCapacity(o) || (o.foId === foId && o.fsr.fsrId === fsr.fsrId)) continue;
    if (endOf(o) <= start || parseTime(o.fsr.window.start) >= end) continue;
    if (fsr.mandatory || o.fsr.mandatory || areStackable(asking, o, file)) continue;
    const bothAtPoc = isLedAtPoc(fsr) && isLedAtPoc(o.fsr);
    const shared = o.members.find((m) => mine.has(m));
    if (shared === undefined && !bothAtPoc) continue;
    const who = o.foId === foId ? `your service ${o.fsr.fsrId}` : 'another service';
    const what = bothAtPoc ? 'The connection point' : shared;
    return SERVICE_ERRORS.fail('conflict.overlap', `${what} is held by ${who} during this window.`, {
      path: '/fsr/window',
    });
  }
  return undefined;
}

const isLedAtPoc = ({ target }: ServiceRequest): boolean => target.referencePoint === 'site';

function areStackable(a: Asking, b: Service, file: SiteFile): boolean {
  const allows = (c: Contract | undefined, other: ServiceRequest): boolean =>
    c?.stackable?.includes(other.serviceType) === true;
  return (
    allows(contractOf(a.fsr.contractId, a.foId, file), b.fsr) &&
    allows(contractOf(b.fsr.contractId, b.foId, file), a.fsr)
  );
}
