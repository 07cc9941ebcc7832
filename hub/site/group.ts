import { type Clock, iso } from '../../core/clock.ts';
import type { FleetEntry, FleetSnapshot, Quality, SiteFile } from '../../model/index.ts';
import { type FleetTwin, hasEv, type TwinEntry } from '../fleet/twin.ts';
import { isRunning } from '../services/machine.ts';
import type { Service } from '../services/service.ts';
import type { Actuation } from './actuation.ts';
import type { LimitBook } from './limits.ts';

export interface GroupSample {
  /** Σ at `evse`; undefined when no member can be told. */
  readonly powerW?: number;
  readonly importWh?: number;
  readonly exportWh?: number;
  readonly quality: Quality;
}

/** Measured power of members, or of everybody: a member that is missing makes the sum `estimated` (fo 8.6). */
export function groupSample(twin: FleetTwin, members?: readonly string[]): GroupSample {
  const entries = members === undefined ? [...twin.all()] : members.flatMap((m) => twin.get(m) ?? []);
  let powerW = 0;
  let known = 0;
  let estimated = false;
  let importWh = 0;
  let exportWh = 0;
  for (const e of entries) {
    const p = twin.powerOf(e);
    if (twin.quality(e) !== 'good') estimated = true;
    if (p !== undefined) {
      powerW += p;
      known++;
    }
    importWh += e.reading?.importWh ?? 0;
    exportWh += e.reading?.exportWh ?? 0;
  }
  if (known === 0) return { quality: 'missing' };
  return { powerW, importWh, exportWh, quality: estimated ? 'estimated' : 'good' };
}

export interface SnapshotSources {
  readonly siteId: string;
  readonly file: SiteFile;
  readonly clock: Clock;
  readonly twin: FleetTwin;
  readonly limits: LimitBook;
  readonly actuation: Actuation;
  readonly services: readonly Service[];
}

export function siteSnapshot(s: SnapshotSources): FleetSnapshot {
  const now = s.clock.now();
  const all = groupSample(s.twin);
  const active = s.services.find((x) => x.state === 'active')?.inForce;
  return {
    siteId: s.siteId,
    at: iso(now),
    measuredW: all.powerW ?? 0,
    grantedW: s.actuation.grantedW(),
    ...(active === undefined || active.validUntil <= now ? {} : { requestedW: active.targetW }),
    quality: all.quality,
    limits: limitsOf(s),
    services: s.services.filter((x) => isRunning(x.state) || x.outgoing.length > 0).map(serviceOf),
    resources: [...s.twin.all()].map((e) => entryOf(e, s)),
  };
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
    measuredW: measured.get(n.nodeId) ?? 0,
  }));
}

/** Measured power below each node. */
function nodeSums(s: SnapshotSources): Map<string, number> {
  const parents = new Map((s.file.circuits ?? []).map((c) => [c.circuitId, c.parentId ?? 'poc']));
  const sums = new Map<string, number>();
  for (const e of s.twin.all()) {
    const powerW = s.twin.powerOf(e) ?? 0;
    for (let at: string | undefined = e.resource.circuitId ?? 'poc'; at !== undefined; at = parents.get(at)) {
      sums.set(at, (sums.get(at) ?? 0) + powerW);
    }
  }
  return sums;
}

function serviceOf(s: Service): FleetSnapshot['services'][number] {
  return {
    fsrId: s.fsr.fsrId,
    foId: s.foId,
    serviceType: s.fsr.serviceType,
    state: s.state,
    ...(s.fallback === undefined ? {} : { phase: 'fallback' }),
    start: s.fsr.window.start,
    end: s.fsr.window.end,
    ...(s.inForce === undefined ? {} : { targetW: s.inForce.targetW, validUntil: iso(s.inForce.validUntil) }),
    ...(s.applied === undefined ? {} : { appliedW: s.applied.targetW }),
    ...(s.applied?.limitedBy === undefined ? {} : { limitedBy: s.applied.limitedBy }),
  };
}

function entryOf(e: TwinEntry, s: SnapshotSources): FleetEntry {
  const { resourceId, identity } = e.resource;
  const view = s.actuation.view(resourceId);
  const r = e.reading;
  return {
    resourceId,
    identity,
    protocol: e.protocol ?? 'unknown',
    online: e.online,
    state: e.state,
    ...(r?.powerW === undefined ? {} : { measuredW: r.powerW, measuredAt: iso(r.at) }),
    quality: s.twin.quality(e),
    ...(r?.socPct === undefined || !hasEv(e) ? {} : { socPct: r.socPct }),
    ...(r?.importWh === undefined ? {} : { importWh: r.importWh }),
    ...(r?.exportWh === undefined ? {} : { exportWh: r.exportWh }),
    ...(e.session === undefined ? {} : { sessionId: e.session.id }),
    ...view,
    optState: e.optOut ? 'out' : 'in',
  };
}
