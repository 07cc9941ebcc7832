import { POC_ID } from '../allocation/index.ts';
import type { EnvelopeEvse, EnvelopeInput } from './index.ts';
import { fillZones } from './zones.ts';

/** Demands count as fitting up to this, W. */
const FIT_EPS_W = 1e-6;

/** A circuit or the POC. */
export interface Knot {
  readonly isPoc: boolean;
  readonly importLimitW: number;
  readonly exportLimitW: number;
  readonly measured: boolean;
  readonly knots: Knot[];
  readonly evses: EnvelopeEvse[];
}

/** One direction of power. All values W ≥ 0. */
export interface Flow {
  readonly limitOf: (knot: Knot) => number;
  readonly counterLimitOf: (knot: Knot) => number;
  readonly demandOf: (evse: EnvelopeEvse) => number;
  /** Demand in the other direction. */
  readonly counterOf: (evse: EnvelopeEvse) => number;
  readonly mostOf: (evse: EnvelopeEvse) => number;
  /** What it was told to come to, at most its demand. */
  readonly toldOf: (evse: EnvelopeEvse) => number;
  /** Below this it is of no use (forbidden zone, fo 8.3.6). */
  readonly minOf: (evse: EnvelopeEvse) => number;
}

/**
 * What a place cannot do without, what it was told, what it may be doing, what it could use, and what flows the other
 * way; W ≥ 0, the first four ascending.
 */
interface Claim {
  readonly least: number;
  readonly told: number;
  readonly demand: number;
  readonly most: number;
  readonly counter: number;
  /** What may flow at the place. */
  readonly limit: number;
}

/** The tree, independent of the order of the lists. Circuits with an unknown parent or in a circle count at the POC. */
export function knotTree(input: EnvelopeInput): Knot {
  const root = knot(input.poc, true);
  const byId = new Map<string, Knot>(); // bounded by: this call
  for (const circuit of input.circuits) byId.set(circuit.circuitId, knot(circuit, false));
  const parents = new Map(input.circuits.map((c) => [c.circuitId, c.parentId])); // bounded by: this call
  for (const { circuitId, parentId } of [...input.circuits].sort((a, b) => (a.circuitId < b.circuitId ? -1 : 1))) {
    const child = byId.get(circuitId);
    const known = parentId === undefined || parentId === POC_ID ? undefined : byId.get(parentId);
    const parent = known && !isInCircle(circuitId, parents) ? known : root;
    if (child) parent.knots.push(child);
  }
  for (const evse of [...input.evses].sort((a, b) => (a.evseId < b.evseId ? -1 : 1))) {
    ((evse.circuitId === undefined ? undefined : byId.get(evse.circuitId)) ?? root).evses.push(evse);
  }
  return root;
}

function knot(
  o: { readonly importLimitW: number; readonly exportLimitW: number; readonly netting: 'none' | 'measured' },
  isPoc: boolean,
): Knot {
  const { importLimitW, exportLimitW, netting } = o;
  return { isPoc, importLimitW, exportLimitW, measured: netting === 'measured', knots: [], evses: [] };
}

function isInCircle(circuitId: string, parents: ReadonlyMap<string, string | undefined>): boolean {
  let steps = 0;
  for (let id = parents.get(circuitId); id !== undefined; id = parents.get(id)) {
    if (id === circuitId || ++steps > parents.size) return true;
  }
  return false;
}

/** Shares the limits of one direction out; limits by evseId. Who is not named has none. */
export function share(root: Knot, flow: Flow): Map<string, number> {
  const claims = new Map<Knot, Claim>(); // bounded by: this call
  const limits = new Map<string, number>(); // bounded by: this call
  if (isUnused(root, flow)) return limits;
  const top = claimOf(root, flow, claims);
  shareOut(root, top.most, flow, claims, limits);
  fillZones(root, flow, (k) => claims.get(k)?.limit ?? 0, limits);
  return limits;
}

/** True when nothing can flow in this direction below a place. */
const isUnused = (k: Knot, flow: Flow): boolean =>
  k.evses.every((e) => flow.mostOf(e) <= 0 && flow.demandOf(e) <= 0) && k.knots.every((child) => isUnused(child, flow));

/** True when more was told below some node than its limit allows. */
export function isOvertold(k: Knot, flow: Flow): boolean {
  let over = false;
  const toldBelow = (at: Knot): { readonly told: number; readonly counter: number } => {
    let [told, counter] = [0, 0];
    for (const child of at.knots) {
      const below = toldBelow(child);
      told += below.told;
      counter += below.counter;
    }
    for (const e of at.evses) {
      told += e.fixed ? flow.demandOf(e) : Math.min(flow.toldOf(e), flow.demandOf(e));
      counter += flow.counterOf(e);
    }
    if (told > flow.limitOf(at) + (at.measured ? counter : 0) + FIT_EPS_W) over = true;
    return { told, counter };
  };
  toldBelow(k);
  return over;
}

/** Upwards: what each node claims, within its own limit. */
function claimOf(k: Knot, flow: Flow, claims: Map<Knot, Claim>): Claim {
  const parts = [...k.knots.map((child) => claimOf(child, flow, claims)), ...k.evses.map((e) => evseClaim(e, flow))];
  const { least, told, demand, most, counter } = total(parts);
  const own = flow.limitOf(k);
  const limit = k.measured ? Math.max(own, Math.min(demand, own + counter)) : own;
  const claim: Claim = {
    least,
    told: Math.max(least, Math.min(told, limit)),
    demand: Math.max(least, Math.min(demand, limit)),
    most: Math.max(least, Math.min(most, limit)),
    counter: Math.min(counter, k.measured ? Number.POSITIVE_INFINITY : flow.counterLimitOf(k)),
    limit,
  };
  claims.set(k, claim);
  return claim;
}

function evseClaim(e: EnvelopeEvse, flow: Flow): Claim {
  const demand = flow.demandOf(e);
  const most = Math.max(demand, flow.mostOf(e));
  const counter = flow.counterOf(e);
  if (e.fixed) return { least: demand, told: demand, demand, most: demand, counter, limit: demand };
  return { least: 0, told: Math.min(flow.toldOf(e), demand), demand, most, counter, limit: most };
}

function total(claims: readonly Claim[]): Omit<Claim, 'limit'> {
  let [least, told, demand, most, counter] = [0, 0, 0, 0, 0];
  for (const c of claims) {
    least += c.least;
    told += c.told;
    demand += c.demand;
    most += c.most;
    counter += c.counter;
  }
  return { least, told, demand, most, counter };
}

/**
 * Downwards: what a node has is shared among its children, in proportion between the two levels of their claims that it
 * lies between. So whoever was told to come down is cut to that before those that were told nothing.
 */
function shareOut(k: Knot, has: number, flow: Flow, claims: Map<Knot, Claim>, limits: Map<string, number>): void {
  const ofKnots = k.knots.map((child) => claims.get(child) ?? evseless);
  const ofEvses = k.evses.map((e) => evseClaim(e, flow));
  const sums = total([...ofKnots, ...ofEvses]);
  const [from, to] =
    has >= sums.demand - FIT_EPS_W
      ? (['demand', 'most'] as const)
      : has >= sums.told - FIT_EPS_W
        ? (['told', 'demand'] as const)
        : (['least', 'told'] as const);
  const span = sums[to] - sums[from];
  const part = span <= 0 ? 0 : Math.min(1, Math.max(0, (has - sums[from]) / span));
  const given = (c: Claim) => c[from] + part * (c[to] - c[from]);
  k.knots.forEach((child, i) => {
    shareOut(child, given(ofKnots[i] ?? evseless), flow, claims, limits);
  });
  k.evses.forEach((e, i) => {
    limits.set(e.evseId, given(ofEvses[i] ?? evseless));
  });
}

const evseless: Claim = { least: 0, told: 0, demand: 0, most: 0, counter: 0, limit: 0 };
