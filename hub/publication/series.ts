import { iso, parseTime } from '../../core/clock.ts';
import { round3 } from '../../core/quantities.ts';
import type { AvailabilityReport, Contract } from '../../model/index.ts';
import { availability, type EvseInput, type SiteInput } from '../allocation/index.ts';
import { hasEv, type TwinEntry } from '../fleet/twin.ts';
import { contractExports, type PlanSources, resourceBounds, siteInput } from '../site/plan.ts';

const HORIZON_MS = 86_400_000;
/** As many steps as a series may have points. */
const MAX_STEPS = 1_000;
const DEFAULT_STAY_S = 28_800;

/** How sure it is, in percent: of what is there now, of who told when it leaves, and of who did not. */
const SURE_NOW = 95;
const SURE_KNOWN = 85;
const SURE_GUESSED = 70;
const UNSURE = 25;

export type Series = AvailabilityReport['series'];
export type Point = Series['points'][number];

/** Whom it is about, and under which contract. */
export interface Offer {
  readonly members: readonly string[];
  readonly contract: Contract | undefined;
}

/** One EVSE on its way through the horizon. */
interface Course {
  readonly input: EvseInput;
  readonly entry: TwinEntry;
  readonly isMember: boolean;
  /** Epoch ms; Infinity where nobody is there. */
  readonly leavesAt: number;
  /** Somebody said when it leaves. */
  readonly told: boolean;
  /** What it took until then because it needed it, Wh. */
  takenWh: number;
}

/** What the members can do now, inside all limits: the bounds of step 2 with no target (fo 8.3.2, fo 8.6). */
export function pointNow(s: PlanSources, offer: Offer): Point {
  const input = inputOf(s, offer);
  return pointOf(input, coursesOf(s, offer, input), 0, s.clock.now());
}

/**
 * What the members can do over the next 24 h, by planning steps, as far as is known now: who is there, when they leave,
 * what they need. Until it is asked for something each takes just what it needs, as late as it can. Loads of others and
 * arrivals are not foretold. Yields after each step, so that a large site can do something else in between.
 */
export function* seriesOf(s: PlanSources, offer: Offer): Generator<void, Series> {
  const stepMs = Math.max((s.file.planningStepS ?? 900) * 1000, HORIZON_MS / MAX_STEPS);
  const start = s.clock.now();
  const base = inputOf(s, offer);
  const courses = coursesOf(s, offer, base);
  const points: Point[] = [];
  for (let at = 0; at < HORIZON_MS; at += stepMs) {
    const evses = at === 0 ? base.evses : courses.map((c) => evseAt(s, c, offer, start + at, stepMs));
    const point = pointOf({ ...base, evses }, courses, at, start + at);
    const last = points.at(-1);
    if (!last || differs(last, point)) points.push(point);
    yield;
  }
  return { start: iso(start), end: iso(start + HORIZON_MS), points };
}

/** The point of a series that holds at a time (epoch ms). */
export function pointAt({ start, points }: Series, at: number): Point | undefined {
  const offsetS = (at - parseTime(start)) / 1000;
  return points.findLast((p) => p.offsetS <= offsetS);
}

function inputOf(s: PlanSources, { members, contract }: Offer): SiteInput {
  const own = new Set(members); // bounded by: the members of one group
  return siteInput(s, {
    target: { setpointW: 0, referencePoint: 'group', members },
    contractOf: (id) => (own.has(id) ? contract : undefined),
  });
}

function coursesOf(s: PlanSources, { members }: Offer, base: SiteInput): Course[] {
  const own = new Set(members); // bounded by: the members of one group
  const stayMs = (s.file.defaultStayS ?? DEFAULT_STAY_S) * 1000;
  const now = s.clock.now();
  return base.evses.flatMap((input) => {
    const entry = s.twin.get(input.evseId);
    if (!entry) return [];
    const departureAt = entry.needs?.departureAt;
    const since = entry.session?.since ?? now;
    // Who has stayed longer than usual will not leave this minute for that.
    const guessed = Math.max(since + stayMs, now + (s.file.planningStepS ?? 900) * 1000);
    const leavesAt = hasEv(entry) ? (departureAt ?? guessed) : Number.POSITIVE_INFINITY;
    return { input, entry, isMember: own.has(input.evseId), leavesAt, told: departureAt !== undefined, takenWh: 0 };
  });
}

/** The EVSE at a later time (epoch ms). Whom nobody can lead now stays as it is. */
function evseAt(s: PlanSources, c: Course, { contract }: Offer, at: number, stepMs: number): EvseInput {
  const { input, entry } = c;
  const { keepSide: _, ...rest } = input;
  if (input.fixed) return rest;
  if (at >= c.leavesAt || !hasEv(entry)) return { ...rest, loW: 0, neededW: 0, wishedW: 0, exportAllowed: false };
  const needs = entry.needs && { ...entry.needs, movedWh: entry.needs.movedWh + c.takenWh };
  const later: TwinEntry = needs ? { ...entry, needs } : entry;
  const clock = { now: () => at };
  const b = resourceBounds(
    { file: s.file, meters: s.meters, clock },
    later,
    c.isMember && contractExports(entry, contract),
  );
  const own = s.limits.effective(input.evseId, entry.resource.limits);
  c.takenWh += (Math.max(0, b.neededW) * stepMs) / 3_600_000;
  return {
    ...rest,
    loW: Math.max(b.loW, -own.exportLimitW),
    neededW: Math.min(Math.max(b.neededW, -own.exportLimitW), own.importLimitW),
    wishedW: Math.min(b.wishedW, own.importLimitW),
    exportAllowed: b.loW < 0,
  };
}

function pointOf(input: SiteInput, courses: readonly Course[], offsetMs: number, at: number): Point {
  const { total } = availability(input);
  return {
    offsetS: round3(offsetMs / 1000),
    importMaxW: round3(total.importMaxW),
    exportMaxW: round3(total.exportMaxW),
    neededW: round3(total.neededW),
    confidencePct: confidence(courses, offsetMs === 0, at),
  };
}

/** By size of the members: what is there now is sure, what was told nearly so, a guess less with time. */
function confidence(courses: readonly Course[], isNow: boolean, at: number): number {
  let [sum, all] = [0, 0];
  for (const c of courses) {
    if (!c.isMember) continue;
    const { maxImportW, maxExportW } = c.entry.resource;
    const weight = maxImportW + maxExportW;
    all += weight;
    sum += weight * (c.entry.online ? sureOf(c, isNow, at) : 0);
  }
  return all === 0 ? 0 : Math.round(sum / all);
}

function sureOf(c: Course, isNow: boolean, at: number): number {
  if (isNow) return SURE_NOW;
  // Who leaves may come back, and somebody else may come.
  if (at >= c.leavesAt || !Number.isFinite(c.leavesAt)) return UNSURE;
  return c.told ? SURE_KNOWN : SURE_GUESSED;
}

/** Less than this is the same point, W. */
const SAME_W = 1;

const differs = (a: Point, b: Point): boolean =>
  Math.abs(a.importMaxW - b.importMaxW) > SAME_W ||
  Math.abs(a.exportMaxW - b.exportMaxW) > SAME_W ||
  Math.abs(a.neededW - b.neededW) > SAME_W ||
  a.confidencePct !== b.confidencePct;
