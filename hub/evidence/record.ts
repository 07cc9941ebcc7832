import { createHash } from 'node:crypto';
import { iso } from '../../core/clock.ts';
import { canonical } from '../../core/json.ts';
import { round3 } from '../../core/quantities.ts';
import type { ServiceRecord } from '../../model/index.ts';
import type { Service } from '../services/service.ts';
import type { Delivery, DeliveryPlan } from './delivery.ts';
import { percent } from './formulas.ts';
import type { AppliedPoint } from './types.ts';

type Line = ServiceRecord['resources'][number];

const MAX_REQUEST = 65_536;
const MAX_CURVE = 1_000;
const MAX_LIST = 1_000;

export interface RecordFacts {
  readonly ids: Pick<ServiceRecord, 'recordId' | 'foId' | 'issuerId'>;
  readonly service: Service;
  readonly delivery: Delivery;
  readonly endedMs: number;
  /** Everything that was applied, in order. */
  readonly curve: readonly AppliedPoint[];
  readonly headHash: string;
  readonly eventRange: ServiceRecord['eventRange'];
  /** The newest value of a meter, epoch ms. */
  readonly lastMs: (resourceId: string) => number | undefined;
  /** As many members are listed. */
  readonly maxResources: number;
}

/** The record of an ended service (fo 3.9). */
export function buildRecord(f: RecordFacts): ServiceRecord {
  const { service: s, ids } = f;
  const { fsr, amendments, optEvents, deviations } = s;
  const listed = s.members.slice(0, f.maxResources);
  const unlisted = s.members.length - listed.length;
  return {
    ...ids,
    fsrId: fsr.fsrId,
    contractId: fsr.contractId,
    serviceType: fsr.serviceType,
    requested: requestedOf(s.digest),
    decision: s.decision?.decision ?? 'accepted',
    headHash: f.headHash,
    resources: listed.map((m) => lineOf(m, f)),
    ...(unlisted > 0 ? { unlistedResources: unlisted } : {}),
    ...(amendments?.length ? { amendments: amendments.slice(-MAX_LIST).map((a) => ({ ...a, at: iso(a.at) })) } : {}),
    ...(optEvents?.length ? { optEvents: optEvents.slice(-MAX_LIST).map((o) => ({ ...o, at: iso(o.at) })) } : {}),
    ...(deviations?.length
      ? {
          deviations: deviations
            .slice(-MAX_LIST)
            .map((d) => ({ ...d, at: iso(d.at), shortfallW: round3(d.shortfallW) })),
        }
      : {}),
    ...(f.curve.length === 0 ? {} : { curve: curveOf(f) }),
    eventRange: f.eventRange,
    outcome: outcomeOf(s),
  };
}

/** The request as it came; one that would fill the record alone is named by its hash. */
function requestedOf(digest: string): string {
  if (digest.length <= MAX_REQUEST) return digest;
  return canonical({ sha256: createHash('sha256').update(digest).digest('hex') });
}

const outcomeOf = ({ state }: Service): ServiceRecord['outcome'] =>
  state === 'aborted' || state === 'failed' ? state : 'completed';

function lineOf(member: string, { service, delivery, endedMs, lastMs }: RecordFacts): Line {
  const { startMs } = delivery.plan;
  const { joinedAt = startMs, leftAt, leaveReason } = service.presence?.[member] ?? {};
  const from = Math.min(Math.max(joinedAt, startMs), endedMs);
  const to = Math.min(leftAt ?? endedMs, endedMs);
  const t = delivery.totals(member);
  const silentMs = Math.max(0, to - Math.max(lastMs(member) ?? from, from));
  const knownMs = Math.max(0, to - from - t.gapMs - silentMs);
  return {
    resourceId: member,
    joinedAt: iso(from),
    ...(leftAt === undefined ? {} : { leftAt: iso(leftAt) }),
    ...(leaveReason === undefined ? {} : { leaveReason: leaveReason.slice(0, 64) }),
    importWh: round3(t.importWh),
    exportWh: round3(t.exportWh),
    minPowerW: round3(t.minPowerW ?? 0),
    maxPowerW: round3(t.maxPowerW ?? 0),
    availabilityPct: to > from ? percent(Math.round(knownMs), Math.round(to - from)) : 0,
  };
}

/** Where the curve changed; where that was too often, means over the intervals of the service. */
function curveOf({ curve, delivery }: RecordFacts): NonNullable<ServiceRecord['curve']> {
  if (curve.length <= MAX_CURVE) return curve.map((p) => ({ ...rounded(p), at: iso(p.at) }));
  const { plan } = delivery;
  const cells = delivery.cells();
  const merge = Math.ceil(cells.length / MAX_CURVE);
  const means: NonNullable<ServiceRecord['curve']> = [];
  for (let i = 0; i < cells.length; i += merge) {
    const group = cells.slice(i, i + merge);
    const sum = (of: (c: (typeof cells)[number]) => number): number => group.reduce((all, c) => all + of(c), 0);
    const [appliedMs, askedMs] = [sum((c) => c.targetMs), sum((c) => c.askedMs)];
    means.push({
      at: iso(plan.startMs + i * plan.stepMs),
      ...(askedMs > 0
        ? {
            requestedW: round3(
              meanW(
                sum((c) => c.askedWh),
                askedMs,
              ),
            ),
          }
        : {}),
      ...(appliedMs > 0
        ? {
            appliedW: round3(
              meanW(
                sum((c) => c.targetWh),
                appliedMs,
              ),
            ),
          }
        : {}),
    });
  }
  return means;
}

const meanW = (wh: number, ms: number): number => (wh * 3_600_000) / ms;

function rounded({ requestedW, appliedW, limitedBy }: AppliedPoint): Omit<AppliedPoint, 'at'> {
  return {
    ...(requestedW === undefined ? {} : { requestedW: round3(requestedW) }),
    ...(appliedW === undefined ? {} : { appliedW: round3(appliedW) }),
    ...(limitedBy === undefined ? {} : { limitedBy: limitedBy.slice(0, 32) }),
  };
}

/** The span of a member in a service, as its record will say it. */
export function spanOf(
  service: Service,
  plan: DeliveryPlan,
  member: string,
): { fromMs: number; toMs: number } | undefined {
  const presence = service.presence?.[member];
  return presence && { fromMs: Math.max(presence.joinedAt, plan.startMs), toMs: presence.leftAt ?? Infinity };
}
