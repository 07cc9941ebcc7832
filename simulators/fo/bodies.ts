import { iso } from '../../core/clock.ts';
import type { FoBodies } from '../../protocols/fo/index.ts';
import { DEFAULTS, type ScenarioService } from './scenario-file.ts';

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
  return {
    fsr: {
      fsrId,
      revision: 1,
      contractId: s.contractId ?? o.contractId,
      serviceType: 'setpoint',
      target: resourceIds
        ? { resourceIds, referencePoint: 'evse' }
        : { groupId: s.target?.groupId ?? o.groupId, referencePoint: 'group' },
      window: { start: iso(startAt), end: iso(endAt) },
      decisionBy: iso(decisionBy),
      mandatory: false,
      priority: s.priority ?? DEFAULTS.priority,
      parameters: {
        mode: 'absolute',
        minW: s.minW,
        maxW: s.maxW,
        toleranceW: s.toleranceW ?? DEFAULTS.toleranceW,
        updateIntervalS: s.updateIntervalS ?? DEFAULTS.updateIntervalS,
        validityS: s.validityS ?? DEFAULTS.validityS,
        ...(s.rampWPerS === undefined ? {} : { rampWPerS: s.rampWPerS }),
      },
      fallback: s.fallback ?? { ...DEFAULTS.fallback },
    },
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
