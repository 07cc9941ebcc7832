/**
 * fo 8.3 steps 1–7 as written: a full pass over the tree for every single change. Slow and plain on purpose; it shares
 * nothing with hub/allocation but the types. Readings of the text where it leaves a choice are marked "reading".
 */
import type { EvseInput, SiteInput } from '../../hub/allocation/index.ts';

/** Readings: zone borders and limits are meant up to these. */
const ZONE = 1e-6;
const LIMIT = 1e-4;

interface Car {
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
}

interface Knot {
  id: string;
  depth: number;
  imp: number;
  exp: number;
  none: boolean;
  knots: Knot[];
  cars: Car[];
  scaledImp: boolean;
  scaledExp: boolean;
  lo: number;
  L: number;
  H: number;
  /** Net limits for what is not fixed. */
  min: number;
  max: number;
}

interface Goal {
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

export function literalAllocate(site: SiteInput): LiteralResult {
  const target = site.target;
  const isMember = (e: EvseInput) => target !== undefined && (target.members?.includes(e.evseId) ?? true);
  const first = site.evses.map((e) => car(e, isMember(e), false));
  const free = released(site, first);
  const cars = site.evses.map((e) => car(e, isMember(e), free.has(e.evseId)));
  if (!target) return solve(site, cars, undefined);
  let delivered = 0;
  for (const c of cars) if (isMember(c.e) && !c.e.fixed && c.fixed) delivered += c.fixed[2];
  const goal: Goal = { setpoint: target.setpointW, atPoc: target.referencePoint === 'site', delivered };
  if (cars.every((c) => c.fixed || isMember(c.e))) return solve(site, cars, goal);
  // Reading (fo 6.3): need of all, then the target among its members, then the wishes of the others.
  const pinned = (c: Car, p: number): Car => ({ ...c, fixed: [p, p, p] });
  const least = solve(
    site,
    cars.map((c) => ({ ...c, H: c.L })),
    undefined,
  );
  const aside = cars.map((c) => (c.fixed || isMember(c.e) ? { ...c } : pinned(c, least.granted.get(c.e.evseId) ?? 0)));
  const service = solve(site, aside, goal);
  const rest = cars.map((c) => {
    if (c.fixed) return { ...c };
    const p = service.granted.get(c.e.evseId) ?? 0;
    return isMember(c.e) ? pinned(c, p) : { ...c, lo: Math.min(c.lo, p), L: Math.min(c.L, p) };
  });
  const others = solve(site, rest, goal.atPoc ? goal : undefined);
  for (const c of cars) if (isMember(c.e)) others.planned.set(c.e.evseId, service.planned.get(c.e.evseId) ?? 0);
  // Reading: what rounding in one part broke and the other part cannot repair is repaired over both.
  const root = tree(site, cars);
  for (const c of cars) {
    c.P = others.planned.get(c.e.evseId) ?? 0;
    c.rounded = others.granted.get(c.e.evseId) ?? 0;
  }
  for (;;) {
    up(site, root, others.essW);
    const before = new Map(cars.map((c) => [c, c.rounded]));
    repair(root);
    const low = cars.filter((c) => !c.fixed && c.rounded !== 0 && c.rounded !== before.get(c) && pushedBelow(c));
    const out = leastUrgent(low);
    if (!out) break;
    out.rounded = 0;
  }
  for (const c of cars) if (!c.fixed) others.granted.set(c.e.evseId, c.rounded);
  return { ...others, targetW: service.targetW };
}

/** Step 1. */
function car(e: EvseInput, member: boolean, free: boolean): Car {
  const H0 = Math.max(0, e.wishedW);
  const lo = e.exportAllowed ? Math.min(0, e.loW) : 0;
  const L0 = Math.min(H0, Math.max(lo, e.neededW));
  const c: Car = {
    e,
    lo,
    L: member ? L0 : Math.max(L0, 0),
    H: H0,
    urgency: H0 > 0 ? Math.max(L0, 0) / H0 : 0,
    quantum: e.amps ? 0.1 * e.amps.voltageV * e.amps.phases : (e.stepW ?? 1),
    zone: false,
    fixed: undefined,
    P: 0,
    rounded: 0,
  };
  if (e.fixed) c.fixed = [e.fixed.minW, e.fixed.maxW, Math.min(Math.max(e.presentW, e.fixed.minW), e.fixed.maxW)];
  else if (e.commandRunning && !free) c.fixed = [e.presentW, e.presentW, e.presentW];
  else if (e.keepSide === 'zero') c.lo = c.L = c.H = 0;
  else {
    if (e.keepSide === 'import') c.L = Math.max(c.L, Math.min(e.minImportW, c.H));
    if (e.keepSide === 'export' && c.lo <= -e.minExportW) c.H = Math.min(c.H, -e.minExportW);
    if (free && e.presentW > 0) c.H = Math.min(c.H, e.presentW);
    if (free && e.presentW <= 0) {
      c.lo = Math.max(c.lo, e.presentW);
      c.L = c.lo;
      c.H = Math.min(c.H, 0);
    }
    c.L = Math.min(c.L, c.H);
    c.lo = Math.min(c.lo, c.L);
  }
  return c;
}

/** Who runs a command interval but must be reduced for a limit (step 8): below nodes that even needs alone overload. */
function released(site: SiteInput, cars: Car[]): Set<string> {
  const out = new Set<string>();
  const root = tree(site, cars);
  up(site, root);
  for (const k of knots(root)) {
    const inside = carsOf(k);
    const L = sum(k.knots, (x) => x.L) + sum(k.cars, (c) => (c.fixed ? 0 : c.L));
    const H = sum(k.knots, (x) => x.H) + sum(k.cars, (c) => (c.fixed ? 0 : c.H));
    const { imp, exp } = allLimits(k);
    const imports = sum(inside, (c) => Math.max(0, c.fixed ? c.fixed[1] : c.L));
    const exports = sum(inside, (c) => Math.max(0, c.fixed ? -c.fixed[0] : -c.H));
    const overImport = L > k.max + LIMIT || (k.none && imports > imp + LIMIT);
    const overExport = H < floor(k) - LIMIT || (k.none && exports > exp + LIMIT);
    for (const { e } of inside) {
      if (!e.commandRunning || e.fixed) continue;
      if ((overImport && e.presentW > 0) || (overExport && e.presentW < 0)) out.add(e.evseId);
    }
  }
  for (const { e } of cars) if (e.commandRunning && e.presentW < 0 && !e.exportAllowed) out.add(e.evseId);
  return out;
}

function tree(site: SiteInput, cars: Car[]): Knot {
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
    lo: 0,
    L: 0,
    H: 0,
    min: 0,
    max: 0,
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

function knots(k: Knot): Knot[] {
  return [k, ...k.knots.flatMap(knots)];
}

function carsOf(k: Knot): Car[] {
  return [...k.cars, ...k.knots.flatMap(carsOf)];
}

/** Step 2, with the storage help of step 3. Answers the power the ESS generates. */
function up(site: SiteInput, k: Knot, given?: number): number {
  for (const child of k.knots) up(site, child);
  const fixed = carsOf(k).filter((c) => c.fixed);
  const free = k.cars.filter((c) => !c.fixed);
  const total = (pick: (x: Knot | Car) => number) => sum([...k.knots, ...free], pick);
  const [lo, L, H] = [total((x) => x.lo), total((x) => x.L), total((x) => x.H)];
  k.max = k.imp - sum(fixed, (c) => c.fixed?.[1] ?? 0);
  k.min = -k.exp - sum(fixed, (c) => c.fixed?.[0] ?? 0);
  let ess = 0;
  if (k.depth === 0) {
    k.max += site.generationW - site.usedW;
    k.min += site.generationW - site.usedW;
    ess = given ?? essHelp(site, L - k.max);
    k.max += ess;
    k.min += ess;
  }
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
function floor(k: Knot): number {
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

/** Limits of a node for the separate sums of all its EVSEs, also the fixed ones. */
function allLimits(k: Knot): { imp: number; exp: number } {
  const fixed = carsOf(k).filter((c) => c.fixed);
  return { imp: k.max + sum(fixed, (c) => c.fixed?.[1] ?? 0), exp: -k.min - sum(fixed, (c) => c.fixed?.[0] ?? 0) };
}

/** Step 5a for one node. True if it scaled something. */
function separate(k: Knot): (() => void)[] {
  if (!k.none) return [];
  const all = carsOf(k);
  const { imp, exp } = allLimits(k);
  const roomImp = Math.max(0, imp - sum(all, (c) => (c.fixed ? Math.max(0, c.fixed[1]) : 0)));
  const roomExp = Math.max(0, exp - sum(all, (c) => (c.fixed ? Math.max(0, -c.fixed[0]) : 0)));
  const free = all.filter((c) => !c.fixed);
  const jobs: (() => void)[] = [];
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

function solve(site: SiteInput, cars: Car[], goal: Goal | undefined): LiteralResult {
  const root = tree(site, cars);
  const free = cars.filter((c) => !c.fixed);
  const giveUp = (inZone: Car[]): boolean => {
    const out = leastUrgent(inZone);
    if (!out) return false;
    out.lo = out.L = out.H = 0;
    return true;
  };
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
    // Reading: of those below their minimum by rounding the least urgent first, only then those by a repair.
    if (giveUp(free.filter(pushedBelow))) continue;
    repair(root);
    if (giveUp(free.filter(pushedBelow))) continue;
    const planned = new Map(cars.map((c) => [c.e.evseId, c.fixed ? c.fixed[2] : c.P]));
    const granted = new Map(cars.map((c) => [c.e.evseId, c.fixed ? c.fixed[2] : c.rounded]));
    return { planned, granted, essW: ess, targetW: T + (goal && !goal.atPoc ? goal.delivered : 0) };
  }
}

function leastUrgent(cars: Car[]): Car | undefined {
  const least = Math.min(...cars.map((c) => c.urgency));
  const tied = cars.filter((c) => c.urgency === least);
  return tied.sort((a, b) => (a.e.evseId < b.e.evseId ? 1 : -1))[0];
}

function inZone(c: Car, P: number): boolean {
  const { minImportW, minExportW } = c.e;
  return (P > ZONE && P < minImportW - ZONE) || (P < -ZONE && P > -minExportW + ZONE);
}

/** Reading: also when it is pushed down to 0, so that others get what it does not take. */
function pushedBelow(c: Car): boolean {
  if (c.P > ZONE && c.e.minImportW > 2 * ZONE) return c.rounded < c.e.minImportW - ZONE;
  return c.P < -ZONE && c.e.minExportW > 2 * ZONE && c.rounded > -c.e.minExportW + ZONE;
}

/** Step 7. */
function round(c: Car, P: number): number {
  return Math.sign(P) * Math.floor((Math.abs(P) + ZONE) / c.quantum) * c.quantum;
}

/** Reading: deepest node first, from the start again after each repair; of equal powers the highest evseId. */
function repair(root: Knot): void {
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

function sum<T>(list: readonly T[], pick: (x: T) => number): number {
  return list.reduce((total, x) => total + pick(x), 0);
}
