/**
 * fo 8.3 steps 1–7 as written: a full pass over the tree for every single change. Slow and plain on purpose; it shares
 * nothing with hub/allocation but the types. Readings of the text where it leaves a choice are marked "reading".
 */
import type { EvseInput, SiteInput } from '../../hub/allocation/index.ts';
import {
  type Car,
  carsOf,
  floor,
  type Goal,
  knots,
  LIMIT,
  type LiteralResult,
  leastUrgentOfEach,
  pushedBelow,
  repair,
  solve,
  sum,
  tree,
  up,
} from './literal-passes.ts';

export function literalAllocate(site: SiteInput): LiteralResult {
  const target = site.target;
  const isMember = (e: EvseInput) => target !== undefined && (target.members?.includes(e.evseId) ?? true);
  const first = site.evses.map((e) => car(e, isMember(e), undefined));
  const free = released(site, first);
  const cars = site.evses.map((e) => car(e, isMember(e), free.get(e.evseId)));
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
    if (low.length === 0) break;
    for (const c of leastUrgentOfEach(low)) c.rounded = 0;
  }
  for (const c of cars) if (!c.fixed) others.granted.set(c.e.evseId, c.rounded);
  return { ...others, targetW: service.targetW };
}

/** Step 1. */
function car(e: EvseInput, member: boolean, down: number | undefined): Car {
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
    out: false,
  };
  if (e.fixed) c.fixed = [e.fixed.minW, e.fixed.maxW, Math.min(Math.max(e.presentW, e.fixed.minW), e.fixed.maxW)];
  else if (e.commandRunning && down === undefined) c.fixed = [e.presentW, e.presentW, e.presentW];
  else if (e.keepSide === 'zero') c.lo = c.L = c.H = 0;
  else {
    if (e.keepSide === 'import') c.L = Math.max(c.L, Math.min(e.minImportW, c.H));
    if (e.keepSide === 'export' && c.lo <= -e.minExportW) c.H = Math.min(c.H, -e.minExportW);
    if (down !== undefined && e.presentW > 0) {
      c.H = Math.min(c.H, e.presentW);
      if (e.presentW - down > c.L) c.L = c.H = Math.min(c.H, e.presentW - down);
    }
    if (down !== undefined && e.presentW <= 0) {
      c.lo = Math.max(c.lo, e.presentW);
      c.L = down === ALL ? c.lo : Math.max(c.lo, Math.min(0, e.presentW + down));
      c.H = Math.min(c.H, down === ALL ? 0 : c.L);
    }
    c.L = Math.min(c.L, c.H);
    c.lo = Math.min(c.lo, c.L);
  }
  return c;
}

const ALL = Number.POSITIVE_INFINITY;

/**
 * Who runs a command interval but must be reduced for a limit (step 8): below nodes that even needs alone overload.
 * Reading: those that can come down share what is too much; where that is not enough, they come down as far as they may.
 */
function released(site: SiteInput, cars: Car[]): Map<string, number> {
  const out = new Map<string, number>();
  const root = tree(site, cars);
  up(site, root);
  const take = (list: Car[], over: number, slack: (c: Car) => number) => {
    if (over <= LIMIT) return;
    const all = sum(list, slack);
    for (const c of list) {
      const down = all >= over && all > 0 ? (over / all) * slack(c) : ALL;
      out.set(c.e.evseId, Math.max(out.get(c.e.evseId) ?? 0, down));
    }
  };
  for (const k of knots(root)) {
    const inside = carsOf(k);
    const L = sum(k.knots, (x) => x.L) + sum(k.cars, (c) => (c.fixed ? 0 : c.L));
    const H = sum(k.knots, (x) => x.H) + sum(k.cars, (c) => (c.fixed ? 0 : c.H));
    const imports = sum(inside, (c) => Math.max(0, c.fixed ? c.fixed[1] : c.L));
    const exports = sum(inside, (c) => Math.max(0, c.fixed ? -c.fixed[0] : -c.H));
    const overImport = Math.max(L - k.max, k.none ? imports - k.rawImp : 0);
    const overExport = Math.max(floor(k) - H, k.none ? exports - k.rawExp : 0);
    const held = inside.filter(({ e }) => e.commandRunning && !e.fixed);
    const need = (e: EvseInput) => Math.max(0, Math.min(Math.max(0, e.wishedW), e.neededW));
    take(
      held.filter(({ e }) => e.presentW > 0),
      overImport,
      ({ e }) => Math.max(0, e.presentW - need(e)),
    );
    take(
      held.filter(({ e }) => e.presentW < 0),
      overExport,
      ({ e }) => -e.presentW,
    );
  }
  for (const { e } of cars) if (e.commandRunning && e.presentW < 0 && !e.exportAllowed) out.set(e.evseId, ALL);
  return out;
}
