/** Steps 2–7 of fo 8.3 for {@link literalAllocate}: one full pass over the tree for every single change. */
import type { EvseInput, SiteInput } from '../../hub/allocation/index.ts';

/** Readings: zone borders and limits are meant up to these. */
const ZONE = 1e-6;
export const LIMIT = 1e-4;

export interface Car {
  e: EvseInput;
  lo: number;
  L: number;
  H: number;
  urgency: number;
  quantum: number;
  zone: boolean;
  /** Set: not ours to move; [worst export, worst import, expected]. */
  fixed: [number, number, number] | undefined;
  P: number;
  rounded: number;
  /** Given up because of its zone. */
  out: boolean;
}

export interface Knot {
  id: string;
  depth: number;
  imp: number;
  exp: number;
  none: boolean;
  knots: Knot[];
  cars: Car[];
  scaledImp: boolean;
  scaledExp: boolean;
  /** Of so many that could be moved when it was scaled, so many were given up since; and how often that was undone. */
  moved: number;
  gone: number;
  undone: number;
  lo: number;
  L: number;
  H: number;
  /** Limits for all, at the POC without what is no EVSE. */
  rawImp: number;
  rawExp: number;
  /** Net limits for what is not fixed. */
  min: number;
  max: number;
}

export interface Goal {
  setpoint: number;
  atPoc: boolean;
  delivered: number;
}

export interface LiteralResult {
  planned: Map<string, number>;
  granted: Map<string, number>;
  targetW: number;
  /** Generation of the ESS. */
  essW: number;
}

export function tree(site: SiteInput, cars: Car[]): Knot {
  const make = (id: string, imp: number, exp: number, none: boolean, depth: number): Knot => ({
    id,
    depth,
    imp,
    exp,
    none,
    knots: [],
    cars: [],
    scaledImp: false,
    scaledExp: false,
    moved: 0,
    gone: 0,
    undone: 0,
    lo: 0,
    L: 0,
    H: 0,
    min: 0,
    max: 0,
    rawImp: 0,
    rawExp: 0,
  });
  const root = make('poc', site.poc.importLimitW, site.poc.exportLimitW, site.poc.netting === 'none', 0);
  const grow = (knot: Knot) => {
    for (const c of site.circuits) {
      if ((c.parentId ?? 'poc') !== knot.id) continue;
      const child = make(c.circuitId, c.importLimitW, c.exportLimitW, c.netting === 'none', knot.depth + 1);
      knot.knots.push(child);
      grow(child);
    }
    knot.cars.push(...cars.filter((c) => (c.e.circuitId ?? 'poc') === knot.id));
  };
  grow(root);
  return root;
}

export function knots(k: Knot): Knot[] {
  return [k, ...k.knots.flatMap(knots)];
}

export function carsOf(k: Knot): Car[] {
  return [...k.cars, ...k.knots.flatMap(carsOf)];
}

/** Step 2, with the storage help of step 3. Answers the power the ESS generates. */
export function up(site: SiteInput, k: Knot, given?: number): number {
  for (const child of k.knots) up(site, child);
  const fixed = carsOf(k).filter((c) => c.fixed);
  const free = k.cars.filter((c) => !c.fixed);
  const total = (pick: (x: Knot | Car) => number) => sum([...k.knots, ...free], pick);
  const [lo, L, H] = [total((x) => x.lo), total((x) => x.L), total((x) => x.H)];
  // Reading: with netting `none` fixed imports only take from imports, fixed exports only from exports.
  const [fixedMin, fixedMax] = k.none
    ? [-sum(fixed, (c) => Math.max(0, -(c.fixed?.[0] ?? 0))), sum(fixed, (c) => Math.max(0, c.fixed?.[1] ?? 0))]
    : [sum(fixed, (c) => c.fixed?.[0] ?? 0), sum(fixed, (c) => c.fixed?.[1] ?? 0)];
  [k.rawImp, k.rawExp] = [k.imp, k.exp];
  let ess = 0;
  if (k.depth === 0) {
    k.rawImp += site.generationW - site.usedW;
    k.rawExp -= site.generationW - site.usedW;
    ess = given ?? essHelp(site, L - (k.rawImp - fixedMax));
    k.rawImp += ess;
    k.rawExp -= ess;
  }
  k.max = k.rawImp - fixedMax;
  k.min = -k.rawExp - fixedMin;
  if (k.none) [k.min, k.max] = [Math.min(0, k.min), Math.max(0, k.max)];
  if (lo > k.max) k.lo = k.L = k.H = lo;
  else if (H < floor(k)) k.lo = k.L = k.H = H;
  else [k.lo, k.L, k.H] = [between(lo, k), between(L, k), between(H, k)];
  return ess;
}

function essHelp(site: SiteInput, wanted: number): number {
  if (!site.ess) return 0;
  const hours = site.stepS / 3600;
  const cap = Math.min(site.ess.maxDischargeW, Math.max(0, (site.ess.availableWh - site.ess.minWh) / hours));
  let power = Math.min(-site.ess.powerW, cap);
  if (wanted > power) power = Math.min(wanted, cap);
  return power;
}

/** Reading: where the worst cases of fixed EVSEs leave no room between the limits, the import limit wins. */
export function floor(k: Knot): number {
  return Math.min(k.min, k.max);
}

function between(v: number, k: Knot): number {
  return Math.min(Math.max(v, floor(k)), k.max);
}

/** Steps 3 and 5: shares the power of a node among its children. */
function down(k: Knot, T: number): void {
  const parts = [...k.knots, ...k.cars.filter((c) => !c.fixed)];
  const [lo, L, H] = [sum(parts, (x) => x.lo), sum(parts, (x) => x.L), sum(parts, (x) => x.H)];
  for (const part of parts) {
    let P: number;
    if (T >= L) P = part.L + (H - L > 1e-9 ? Math.min(1, (T - L) / (H - L)) : 0) * (part.H - part.L);
    else P = part.L - (L - lo > 1e-9 ? Math.min(1, (L - T) / (L - lo)) : 0) * (part.L - part.lo);
    if ('knots' in part) down(part, P);
    else part.P = P;
  }
}

/** Step 5a for one node. True if it scaled something. */
function separate(k: Knot): (() => void)[] {
  if (!k.none) return [];
  const all = carsOf(k);
  const roomImp = Math.max(0, k.rawImp - sum(all, (c) => (c.fixed ? Math.max(0, c.fixed[1]) : 0)));
  const roomExp = Math.max(0, k.rawExp - sum(all, (c) => (c.fixed ? Math.max(0, -c.fixed[0]) : 0)));
  const free = all.filter((c) => !c.fixed);
  const jobs: (() => void)[] = [];
  if (!k.scaledImp && !k.scaledExp) {
    k.moved = free.filter((c) => !c.out).length;
    k.gone = 0;
  }
  if (!k.scaledImp && sum(free, (c) => Math.max(0, c.P)) > roomImp + LIMIT) {
    k.scaledImp = true;
    jobs.push(() => scaleImports(free, roomImp));
  }
  if (!k.scaledExp && sum(free, (c) => Math.max(0, -c.P)) > roomExp + LIMIT) {
    k.scaledExp = true;
    jobs.push(() => scaleExports(free, roomExp));
  }
  return jobs;
}

function scaleImports(free: Car[], room: number): void {
  const Lp = sum(free, (c) => Math.max(0, c.L));
  const Hp = sum(free, (c) => Math.max(0, c.H));
  if (Hp <= room) return;
  const cut = Lp > room ? room / Lp : 1; // Reading: needs beyond the fuse are cut in proportion.
  const gamma = Lp >= room ? 0 : (room - Lp) / (Hp - Lp);
  for (const c of free) {
    if (c.H <= 0) continue;
    const l = Math.max(0, c.L) * cut;
    c.H = l + gamma * (c.H - l);
    if (c.L > 0) c.L = l;
  }
}

function scaleExports(free: Car[], room: number): void {
  const Lm = sum(free, (c) => Math.max(0, -c.L));
  const lom = sum(free, (c) => Math.max(0, -c.lo));
  if (lom <= room) return;
  const delta = Lm > room ? room / Lm : 1;
  const gamma = Lm >= room ? 0 : (room - Lm) / (lom - Lm); // Reading: the reach of step 3 is scaled the same way.
  for (const c of free) {
    if (c.lo >= 0) continue;
    const l = Math.max(0, -c.L) * delta;
    c.lo = -(l + gamma * (-c.lo - l));
    if (c.L < 0) c.L = -l;
    c.H = Math.max(c.H, c.L);
  }
}

export function solve(site: SiteInput, cars: Car[], goal: Goal | undefined): LiteralResult {
  const root = tree(site, cars);
  const free = cars.filter((c) => !c.fixed);
  const raw = new Map(cars.map((c) => [c, [c.lo, c.L, c.H] as const]));
  // Reading: what one that is given up leaves goes to the others of its circuit, so that is scaled once more: as soon as
  // an eighth of those below any scaled circuit above it were given up, and when nobody is in a zone any more.
  const undo = (k: Knot): boolean => {
    if (k.undone >= 8) return false;
    k.undone++;
    for (const c of carsOf(k)) [c.lo, c.L, c.H] = c.out ? [0, 0, 0] : (raw.get(c) ?? [0, 0, 0]);
    for (const x of knots(k)) x.scaledImp = x.scaledExp = false;
    return true;
  };
  const isScaled = (k: Knot): boolean => k.scaledImp || k.scaledExp;
  const giveUp = (inZone: Car[]): boolean => {
    const out = leastUrgent(inZone);
    if (!out) return false;
    out.lo = out.L = out.H = 0;
    out.out = true;
    const above = knots(root).filter((k) => isScaled(k) && carsOf(k).includes(out));
    for (const k of above) k.gone++;
    if (above[0] && above.some((k) => 8 * k.gone >= k.moved)) undo(above[0]);
    return true;
  };
  const settle = (k: Knot): boolean =>
    isScaled(k) ? k.gone > 0 && undo(k) : k.knots.map(settle).some((isUndone) => isUndone);
  for (;;) {
    const ess = up(site, root);
    const others = site.generationW - site.usedW + ess;
    const now = sum(cars, (c) => c.fixed?.[2] ?? 0);
    const S = !goal
      ? Number.POSITIVE_INFINITY
      : goal.atPoc
        ? goal.setpoint + others - now
        : goal.setpoint - goal.delivered;
    const T = Math.min(Math.max(S, root.L), root.H);
    down(root, T);
    const deepestFirst = knots(root).sort((a, b) => b.depth - a.depth);
    const jobs = deepestFirst.flatMap(separate);
    for (const job of jobs) job();
    if (jobs.length > 0) continue;
    if (giveUp(free.filter((c) => inZone(c, c.P)))) continue;
    for (const c of free) c.rounded = round(c, c.P);
    // Reading: of those below their minimum by rounding the least urgent first, only then those by a repair: of these
    // the least urgent of each circuit.
    if (giveUp(free.filter(pushedBelow)) || settle(root)) continue;
    repair(root);
    const pushed = leastUrgentOfEach(free.filter(pushedBelow));
    for (const c of pushed) giveUp([c]);
    if (pushed.length > 0) continue;
    const planned = new Map(cars.map((c) => [c.e.evseId, c.fixed ? c.fixed[2] : c.P]));
    const granted = new Map(cars.map((c) => [c.e.evseId, c.fixed ? c.fixed[2] : c.rounded]));
    return { planned, granted, essW: ess, targetW: T + (goal && !goal.atPoc ? goal.delivered : 0) };
  }
}

export function leastUrgent(cars: Car[]): Car | undefined {
  const least = Math.min(...cars.map((c) => c.urgency));
  const tied = cars.filter((c) => c.urgency === least);
  // Reading: of alike ones, those that do nothing now are given up before those that do.
  const off = tied.filter((c) => c.e.presentW === 0);
  return (off.length > 0 ? off : tied).sort((a, b) => (a.e.evseId < b.e.evseId ? 1 : -1))[0];
}

export function leastUrgentOfEach(cars: Car[]): Car[] {
  const circuits = new Set(cars.map((c) => c.e.circuitId));
  return [...circuits].flatMap((id) => leastUrgent(cars.filter((c) => c.e.circuitId === id)) ?? []);
}

function inZone(c: Car, P: number): boolean {
  const { minImportW, minExportW } = c.e;
  return (P > ZONE && P < minImportW - ZONE) || (P < -ZONE && P > -minExportW + ZONE);
}

/** Reading: also when it is pushed down to 0, so that others get what it does not take. */
export function pushedBelow(c: Car): boolean {
  if (c.P > ZONE && c.e.minImportW > 2 * ZONE) return c.rounded < c.e.minImportW - ZONE;
  return c.P < -ZONE && c.e.minExportW > 2 * ZONE && c.rounded > -c.e.minExportW + ZONE;
}

/** Step 7. */
function round(c: Car, P: number): number {
  return Math.sign(P) * Math.floor((Math.abs(P) + ZONE) / c.quantum) * c.quantum;
}

/** Reading: deepest node first, from the start again after each repair; of equal powers the highest evseId. */
export function repair(root: Knot): void {
  for (let again = true; again; ) {
    again = false;
    const order = knots(root).reverse();
    for (const k of order) {
      const inside = carsOf(k).filter((c) => !c.fixed);
      const total = sum(inside, (c) => c.rounded);
      const sign = total < floor(k) - LIMIT ? -1 : total > k.max + LIMIT ? 1 : 0;
      if (sign === 0) continue;
      let excess = sign > 0 ? total - k.max : floor(k) - total;
      while (excess > LIMIT) {
        const big = inside
          .filter((c) => sign * c.rounded > ZONE)
          .sort((a, b) => sign * (b.rounded - a.rounded) || (a.e.evseId < b.e.evseId ? 1 : -1))[0];
        if (!big) break;
        // "by further steps until it holds": this one down to 0 before the next.
        while (excess > LIMIT && sign * big.rounded > ZONE) {
          big.rounded = (Math.round(big.rounded / big.quantum) - sign) * big.quantum;
          excess -= big.quantum;
          again = true;
        }
      }
      if (again) break;
    }
  }
}

export function sum<T>(list: readonly T[], pick: (x: T) => number): number {
  return list.reduce((total, x) => total + pick(x), 0);
}
