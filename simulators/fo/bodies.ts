import { iso } from '../../core/clock.ts';
import type { FoBodies } from '../../protocols/fo/index.ts';
import { type Act, DEFAULTS, type ScenarioService } from './scenario-file.ts';

/** Used where a service names none. */
export interface Subject {
  readonly contractId: string;
  readonly groupId: string;
}

/** Epoch ms. */
interface Times {
  readonly fsrId: string;
  readonly startAt: number;
  readonly endAt: number;
}

/** The request of a service (fo 4.3 no. 11). */
export function requestBody(
  o: Subject,
  s: ScenarioService,
  { fsrId, startAt, endAt, decisionBy }: Times & { readonly decisionBy: number },
): FoBodies['RequestService'] {
  const resourceIds = s.target?.resourceIds;
  const groupId = s.target?.groupId ?? o.groupId;
  const reference = s.referencePoint ?? (resourceIds ? 'evse' : 'group');
  const common = {
    fsrId,
    revision: 1,
    contractId: s.contractId ?? o.contractId,
    target: resourceIds ? { resourceIds, referencePoint: reference } : { groupId, referencePoint: reference },
    window: { start: iso(startAt), end: iso(endAt) },
    decisionBy: iso(decisionBy),
    mandatory: s.mandateRef !== undefined,
    ...(s.mandateRef === undefined ? {} : { mandateRef: s.mandateRef }),
    priority: s.priority ?? DEFAULTS.priority,
    fallback: s.fallback ?? { ...DEFAULTS.fallback },
  };
  const times = { startAt, endAt };
  return s.type === 'congestion'
    ? { fsr: { ...common, serviceType: 'congestion', parameters: congestion(s, times) } }
    : { fsr: { ...common, serviceType: 'setpoint', parameters: setpoint(s) } };
}

/** What an amendment may change of a service. */
type Changes = Pick<Act, 'limits' | 'minW' | 'maxW' | 'durationS'>;

/**
 * An amendment (fo 4.3 no. 14): all parameters anew with these changes, and the window if it changes. Without changes
 * it confirms a partial decision with the same numbers (fo 4.2).
 */
export function amendBody(
  service: ScenarioService,
  { fsrId, startAt, endAt }: Times,
  revision: number,
  { limits, minW, maxW, durationS }: Changes,
): FoBodies['AmendService'] {
  const s: ScenarioService = {
    ...service,
    ...(limits === undefined ? {} : { limits }),
    ...(minW === undefined ? {} : { minW }),
    ...(maxW === undefined ? {} : { maxW }),
  };
  return {
    fsrId,
    revision,
    parameters: s.type === 'congestion' ? congestion(s, { startAt, endAt }) : setpoint(s),
    ...(durationS === undefined ? {} : { window: { start: iso(startAt), end: iso(endAt) } }),
  };
}

function setpoint(s: ScenarioService) {
  return {
    mode: 'absolute' as const,
    minW: s.minW ?? 0,
    maxW: s.maxW ?? 0,
    toleranceW: s.toleranceW ?? DEFAULTS.toleranceW,
    updateIntervalS: s.updateIntervalS ?? DEFAULTS.updateIntervalS,
    validityS: s.validityS ?? DEFAULTS.validityS,
    ...(s.rampWPerS === undefined ? {} : { rampWPerS: s.rampWPerS }),
  };
}

function congestion(s: ScenarioService, { startAt, endAt }: Omit<Times, 'fsrId'>) {
  const points = (s.limits ?? []).map(({ atS, ...limits }) => ({ offsetS: atS, ...limits }));
  return {
    gridNode: s.gridNode ?? DEFAULTS.gridNode,
    limits: { start: iso(startAt), end: iso(endAt), points },
    firm: s.firm ?? DEFAULTS.firm,
    ...(s.reduceByW === undefined ? {} : { reduceByW: s.reduceByW }),
  };
}

/** The subscription for a service (fo 4.3 no. 19): its group, or its first resource. */
export function telemetryBody(o: Subject, s: ScenarioService, { fsrId, endAt }: Times): FoBodies['SubscribeTelemetry'] {
  const { intervalS, fields } = s.telemetry ?? DEFAULTS.telemetry;
  const [resourceId] = s.target?.resourceIds ?? [];
  return {
    subject: resourceId === undefined ? { groupId: s.target?.groupId ?? o.groupId } : { resourceId },
    fields: [...fields],
    intervalS,
    until: iso(endAt),
    fsrId,
  };
}
