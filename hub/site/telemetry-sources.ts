import type { Clock } from '../../core/clock.ts';
import type { V2gateError } from '../../core/errors.ts';
import { SERVICE_ERRORS, type SiteFile, type SubscribeTelemetry } from '../../model/index.ts';
import type { FleetTwin } from '../fleet/twin.ts';
import type { ServiceBook } from '../services/book.ts';
import { inScope, stands } from '../services/checks.ts';
import { serviceKey } from '../services/service.ts';
import type { ClockWatch } from './clocks.ts';
import { groupSample } from './group.ts';
import type { TelemetryOptions, TelemetryValues } from './telemetry.ts';

export interface TelemetrySources {
  readonly clock: Clock;
  readonly file: () => SiteFile;
  readonly twin: FleetTwin;
  readonly book: ServiceBook;
  readonly clocks: ClockWatch;
}

/** What a party may see, and what there is to see. */
export function telemetryOf(o: TelemetrySources): Pick<TelemetryOptions, 'refusal' | 'values'> {
  return {
    refusal: (body, foId) => refusal(o, body, foId),
    values: (body, foId) => values(o, body, foId),
  };
}

/** Only what an active contract of the party covers, and only the fields that were agreed (fo 3.4, fo 9.4). */
function refusal(o: TelemetrySources, body: SubscribeTelemetry, foId: string): V2gateError | undefined {
  const file = o.file();
  const { resourceId, groupId } = body.subject;
  const target = {
    ...(groupId === undefined ? {} : { groupId }),
    ...(resourceId === undefined ? {} : { resourceIds: [resourceId] }),
  };
  const now = o.clock.now();
  const contracts = (file.contracts ?? []).filter((c) => c.foId === foId && stands(c, now) && inScope(target, c, file));
  if (contracts.length === 0 || !exists(o, body)) {
    const what = 'There is no such subject, or no active contract that covers it.';
    return SERVICE_ERRORS.fail('resource.unknown', what, { path: '/subject' });
  }
  if (body.fsrId !== undefined && !o.book.get(serviceKey(foId, body.fsrId)))
    return SERVICE_ERRORS.fail('id.unknown', `There is no service ${body.fsrId}.`, { path: '/fsrId' });
  // Its own setpoint is nothing that a party could not know.
  const denied = body.fields.findIndex(
    (f) => f !== 'setpointW' && !contracts.some((c) => c.telemetry.fields.includes(f)),
  );
  if (denied < 0) return undefined;
  const what = `${body.fields[denied]} is not in the telemetry of a contract.`;
  return SERVICE_ERRORS.fail('contract.scope', what, { path: `/fields/${denied}` });
}

function exists(o: TelemetrySources, { subject }: SubscribeTelemetry): boolean {
  if (subject.resourceId !== undefined) return o.twin.get(subject.resourceId) !== undefined;
  return o.file().groups?.some((g) => g.groupId === subject.groupId) ?? false;
}

function values(o: TelemetrySources, body: SubscribeTelemetry, foId: string): TelemetryValues {
  const { resourceId, groupId } = body.subject;
  const members =
    resourceId === undefined ? (o.file().groups?.find((g) => g.groupId === groupId)?.members ?? []) : [resourceId];
  const now = o.clock.now();
  const setpointW = appliedOf(o, body, foId, now);
  const entry = resourceId === undefined ? undefined : o.twin.get(resourceId);
  // The charge of several batteries is never averaged (fo 8.6), nor are volts.
  const { voltageV, frequencyHz, reactiveVar, socPct } = entry?.reading ?? {};
  const sample = groupSample(o.twin, now, members);
  return {
    ...sample,
    // When it was measured means something else to somebody whose clock is another one (fo 6.4).
    ...(sample.quality === 'good' && o.clocks.isDegraded(foId) ? { quality: 'estimated' as const } : {}),
    ...(voltageV === undefined ? {} : { voltageV }),
    ...(frequencyHz === undefined ? {} : { frequencyHz }),
    ...(reactiveVar === undefined ? {} : { reactiveVar }),
    ...(socPct === undefined ? {} : { socPct }),
    ...(setpointW === undefined ? {} : { setpointW }),
  };
}

/** What the party's own service is led to. */
function appliedOf(o: TelemetrySources, body: SubscribeTelemetry, foId: string, now: number): number | undefined {
  const own =
    body.fsrId === undefined
      ? o.book.led(now).find((e) => e.service.foId === foId)
      : o.book.get(serviceKey(foId, body.fsrId));
  return own?.service.state === 'active' ? own.course.applied?.targetW : undefined;
}
