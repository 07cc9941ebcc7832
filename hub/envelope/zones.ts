import type { EnvelopeEvse } from './index.ts';
import type { Flow, Knot } from './tree.ts';

/** Nearer to the border of a zone than this counts as outside of it, W. */
const ZONE_EPS_W = 1e-6;

interface Place {
  readonly evse: EnvelopeEvse;
  /** The nodes above it. */
  readonly path: readonly Knot[];
}

/**
 * A share below the minimum of an EVSE is of no use to it: such shares are taken together again, and go to as many of
 * those EVSEs as can do something with them (fo 8.3.6: the highest id is given up first, after those that do nothing
 * now). `limitOf`: what may flow at a node. Changes `limits`; no sum of a node gets higher than it was or its limit.
 */
export function fillZones(root: Knot, flow: Flow, limitOf: (knot: Knot) => number, limits: Map<string, number>): void {
  const stuck: Place[] = [];
  const rooms = new Map<Knot, number>(); // bounded by: this call
  const givenTo = (e: EnvelopeEvse) => limits.get(e.evseId) ?? 0;
  const isStuck = (e: EnvelopeEvse) => e.fixed !== true && givenTo(e) < flow.minOf(e) - ZONE_EPS_W;
  const collect = (k: Knot, above: readonly Knot[]): number => {
    const path = [...above, k];
    let used = 0;
    for (const child of k.knots) used += collect(child, path);
    for (const evse of k.evses) {
      if (isStuck(evse)) stuck.push({ evse, path });
      else used += givenTo(evse);
    }
    rooms.set(k, limitOf(k) - used);
    return used;
  };
  collect(root, []);
  if (!stuck.some(({ evse }) => givenTo(evse) > 0)) return;
  for (const { evse } of stuck) limits.set(evse.evseId, 0);
  const roomOf = ({ path }: Place) => Math.min(...path.map((k) => rooms.get(k) ?? 0));
  const give = (place: Place, powerW: number) => {
    if (powerW <= 0) return;
    limits.set(place.evse.evseId, givenTo(place.evse) + powerW);
    for (const k of place.path) rooms.set(k, (rooms.get(k) ?? 0) - powerW);
  };
  const isIdle = ({ evse }: Place) => (flow.demandOf(evse) > 0 ? 0 : 1);
  stuck.sort((a, b) => isIdle(a) - isIdle(b) || (a.evse.evseId < b.evse.evseId ? -1 : 1));
  const kept = stuck.filter((place) => {
    const min = flow.minOf(place.evse);
    const fits = flow.mostOf(place.evse) >= min - ZONE_EPS_W && roomOf(place) >= min - ZONE_EPS_W;
    if (fits) give(place, min);
    return fits;
  });
  for (const wanted of [flow.toldOf, flow.demandOf, flow.mostOf]) {
    const missing = ({ evse }: Place) => Math.max(0, Math.min(wanted(evse), flow.mostOf(evse)) - givenTo(evse));
    const part = fittingPart(kept, missing, rooms);
    for (const [place, w] of kept.map((p) => [p, part * missing(p)] as const)) give(place, w);
    for (const place of kept) give(place, Math.min(missing(place), roomOf(place)));
  }
}

/** The part of what is missing that fits below every node, 0 … 1. */
function fittingPart(
  places: readonly Place[],
  missing: (place: Place) => number,
  rooms: ReadonlyMap<Knot, number>,
): number {
  const sums = new Map<Knot, number>(); // bounded by: this call
  for (const place of places) for (const k of place.path) sums.set(k, (sums.get(k) ?? 0) + missing(place));
  let part = 1;
  for (const [k, sum] of sums) if (sum > 0) part = Math.min(part, Math.max(0, rooms.get(k) ?? 0) / sum);
  return part;
}
