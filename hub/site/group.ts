import { type Clock, iso } from '../../core/clock.ts';
import { round3 } from '../../core/quantities.ts';
import type { FleetEntry, FleetSnapshot, Quality, SiteFile } from '../../model/index.ts';
import { type FleetTwin, hasEv, type TwinEntry } from '../fleet/twin.ts';
import type { MeterBook } from '../meters/book.ts';
import { ceilingAt } from '../services/congestion.ts';
import { holdsCapacity } from '../services/order.ts';
import { type Scope, scopeOf } from '../services/request.ts';
import { absoluteW, type Course, congestionParameters, type Service, type ServiceEntry } from '../services/service.ts';
import type { Actuation } from './actuation.ts';
import type { ClockWatch } from './clocks.ts';
import type { LimitBook } from './limits.ts';

export interface GroupSample {
  /** Σ at `evse`, W; undefined when no member can be told. */
  readonly powerW?: number;
  /** Registers of all members, Wh; absent where one has none. */
  readonly importWh?: number;
  readonly exportWh?: number;
  /** `missing`: `powerW` is only the part that is known. */
  readonly quality: Quality;
}

/** A station that was never seen since the start is out of service after this; before, what it does is unknown. */
const UNSEEN_MS = 300_000;

/** Measured power of members, or of everybody: a member that is missing makes the sum `estimated`, then `missing` (fo 8.6). */
export function groupSample(twin: FleetTwin, now: number, members?: readonly string[]): GroupSample {
  const entries = members === undefined ? twin.all() : members.flatMap((m) => twin.get(m) ?? []);
  let [powerW, importWh, exportWh, known, count] = [0, 0, 0, 0, 0];
  let [estimated, missing, registers] = [false, false, true];
  for (const e of entries) {
    count++;
    const quality = twin.quality(e);
    if (quality !== 'good') estimated = true;
    const p = twin.powerOf(e) ?? lastKnown(e, now);
    if (p === undefined) missing = true;
    else {
      powerW += p;
      known++;
    }
    if (e.reading?.importWh === undefined) registers = false;
    importWh += e.reading?.importWh ?? 0;
    exportWh += e.reading?.exportWh ?? 0;
  }
  if (count === 0 || known === 0) return { quality: 'missing' };
  return {
    powerW: round3(powerW),
    ...(registers ? { importWh: round3(importWh), exportWh: round3(exportWh) } : {}),
    quality: missing ? 'missing' : estimated ? 'estimated' : 'good',
  };
}

/** What an unreachable EVSE still counts with: its last value for two intervals, nothing when it is out of service. */
export function lastKnown(e: TwinEntry, now: number): number | undefined {
  if (e.online) return undefined;
  if (!e.seen) return now - e.offlineSince > UNSEEN_MS ? 0 : undefined;
  if (e.session === undefined) return 0;
  const r = e.reading;
  if (r?.powerW === undefined || r.powerAt === undefined) return undefined;
  return now - r.powerAt <= 2 * e.intervalMs ? r.powerW : undefined;
}

/** Measured power at a reference point (fo 2.3), W; undefined where it cannot be told. At the POC its meter decides. */
export function measuredOf(twin: FleetTwin, meters: MeterBook, now: number, scope: Scope): number | undefined {
  const atPoc = scope.referencePoint === 'site';
  if (atPoc && meters.hasMeter('poc')) return meters.powerAt('poc');
  const { powerW, quality } = groupSample(twin, now, atPoc ? undefined : scope.members);
  if (powerW === undefined || quality === 'missing') return undefined;
  if (!atPoc) return round3(powerW);
  const { usedW, generationW } = meters.poc();
  return round3(powerW + usedW - generationW);
}

export interface SnapshotSources {
  readonly siteId: string;
  readonly file: SiteFile;
  readonly clock: Clock;
  readonly twin: FleetTwin;
  readonly limits: LimitBook;
  readonly meters: MeterBook;
  readonly clocks: ClockWatch;
  readonly actuation: Actuation;
  readonly services: readonly ServiceEntry[];
  readonly warnings?: readonly NonNullable<FleetSnapshot['warnings']>[number][];
}

export function siteSnapshot(s: SnapshotSources): FleetSnapshot {
  const now = s.clock.now();
  const all = groupSample(s.twin, now);
  const requestedW = requestedOf(s.services, now);
  return {
    siteId: s.siteId,
    at: iso(now),
    measuredW: all.powerW ?? 0,
    grantedW: round3(s.actuation.grantedW()),
    ...(requestedW === undefined ? {} : { requestedW }),
    quality: all.quality,
    limits: limitsOf(s),
    ...s.meters.view(),
    clock: s.clocks.view(),
    services: s.services
      .filter(({ service }) => holdsCapacity(service) || service.outgoing.length > 0)
      .slice(-MAX_SHOWN)
      .map((e) => serviceOf(e, now, s)),
    resources: Array.from(s.twin.all(), (e) => entryOf(e, s)),
    ...(s.warnings === undefined || s.warnings.length === 0 ? {} : { warnings: [...s.warnings] }),
  };
}

/** As many services as a snapshot holds. */
const MAX_SHOWN = 1_000;

/** What the active services ask for now together, W. */
export function requestedOf(services: readonly ServiceEntry[], now: number): number | undefined {
  let sumW: number | undefined;
  for (const { service, course } of services) {
    const force = service.state === 'active' ? course.inForce : undefined;
    if (force && force.validUntil > now) sumW = (sumW ?? 0) + absoluteW(service, force.targetW, now);
  }
  return sumW === undefined ? undefined : round3(sumW);
}

function limitsOf(s: SnapshotSources): FleetSnapshot['limits'] {
  const measured = nodeSums(s);
  const nodes = [
    { nodeId: 'poc', ...s.file.poc },
    ...(s.file.circuits ?? []).map((c) => ({ ...c, nodeId: c.circuitId })),
  ];
  return nodes.map((n) => ({
    nodeId: n.nodeId,
    ...s.limits.effective(n.nodeId, n),
    measuredW: round3(s.meters.powerAt(n.nodeId) ?? measured.get(n.nodeId) ?? 0),
  }));
}

/** Measured power below each node. */
function nodeSums(s: SnapshotSources): Map<string, number> {
  const parents = new Map((s.file.circuits ?? []).map((c) => [c.circuitId, c.parentId ?? 'poc'])); // bounded by: the site file
  const sums = new Map<string, number>(); // bounded by: the site file
  for (const e of s.twin.all()) {
    const powerW = s.twin.powerOf(e) ?? 0;
    for (let at: string | undefined = e.resource.circuitId ?? 'poc'; at !== undefined; at = parents.get(at)) {
      sums.set(at, (sums.get(at) ?? 0) + powerW);
    }
  }
  return sums;
}

function serviceOf(
  { service: s, course: c }: ServiceEntry,
  now: number,
  { file, twin, meters }: SnapshotSources,
): Shown {
  const { inForce, applied, setpoint } = c;
  const { fsrId, revision, contractId, serviceType, priority, mandatory, window } = s.fsr;
  const measuredW = s.state === 'active' ? measuredOf(twin, meters, now, scopeOf(s)) : undefined;
  return {
    fsrId,
    foId: s.foId,
    revision,
    contractId,
    serviceType,
    priority,
    mandatory,
    state: s.state,
    ...(s.pending === undefined ? {} : { waitsFor: s.pending.why, waitsUntil: iso(s.pending.until) }),
    ...phaseOf(s, c),
    start: window.start,
    end: window.end,
    ...(setpoint === undefined ? {} : { requestedW: setpoint.targetW }),
    ...(inForce === undefined ? {} : { targetW: inForce.targetW, validUntil: iso(inForce.validUntil) }),
    ...(c.unreached?.told === true ? { flow: 'silent' } : {}),
    ...(applied === undefined ? {} : { appliedW: applied.targetW }),
    ...(measuredW === undefined ? {} : { measuredW }),
    ...(applied?.limitedBy === undefined ? {} : { limitedBy: applied.limitedBy }),
    ...(s.decision === undefined ? {} : { decision: s.decision.decision }),
    ...(s.optEvents === undefined ? {} : { optEvents: s.optEvents.map((e) => ({ ...e, at: iso(e.at) })) }),
    ...limitsShown(s, now, file),
  };
}

type Shown = FleetSnapshot['services'][number];

function phaseOf(s: Service, c: Course): Pick<Shown, 'phase'> {
  if (c.fallback !== undefined) return { phase: 'fallback' };
  return s.activation === undefined ? {} : { phase: s.activation.state };
}

function limitsShown(s: Service, now: number, file: SiteFile): Pick<Shown, 'limits' | 'firm' | 'limitW'> {
  const p = congestionParameters(s.fsr);
  if (!p) return {};
  const limitW = ceilingAt(s, now, file)?.importLimitW;
  return { limits: p.limits, firm: p.firm, ...(limitW === undefined ? {} : { limitW }) };
}

function entryOf(e: TwinEntry, s: SnapshotSources): FleetEntry {
  const { resourceId, identity } = e.resource;
  const r = e.reading;
  return {
    resourceId,
    identity,
    protocol: e.protocol ?? 'unknown',
    online: e.online,
    state: e.state,
    ...(e.errorCode === undefined || e.state !== 'faulted' ? {} : { errorCode: e.errorCode }),
    ...(r?.powerW === undefined ? {} : { measuredW: round3(r.powerW), measuredAt: iso(r.powerAt ?? r.at) }),
    quality: s.twin.quality(e),
    ...(r?.socPct === undefined || !hasEv(e) ? {} : { socPct: r.socPct }),
    ...(r?.importWh === undefined ? {} : { importWh: round3(r.importWh) }),
    ...(r?.exportWh === undefined ? {} : { exportWh: round3(r.exportWh) }),
    ...(e.session === undefined ? {} : { sessionId: e.session.id }),
    ...s.actuation.view(resourceId),
    ...(e.capabilities?.steppedDown === undefined ? {} : { steppedDown: e.capabilities.steppedDown }),
    optState: e.optOut ? 'out' : 'in',
  };
}
