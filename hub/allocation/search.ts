import { type Branch, type Forest, LIMIT_EPS_W, NOBODY, real, TINY_W, ZONE_EPS_W } from './forest.ts';

/** Forbidden zones and order of giving up, by EVSE index. */
export interface Zones {
  /** (0, min) is a zone by the station, [min, edge) one because rounding would lead into the first. W ≥ 0. */
  readonly minImport: Float64Array;
  readonly edgeImport: Float64Array;
  readonly minExport: Float64Array;
  readonly edgeExport: Float64Array;
  /** Lowest first; who only rounding leads into a zone comes `late` after all others. */
  readonly rank: Float64Array;
  readonly late: number;
}

/** A node whose separate imports or exports are beyond their limit (step 5a). */
export interface Broken {
  readonly branch: Branch;
  readonly imports: boolean;
  readonly exports: boolean;
}

/**
 * Looks for the first EVSE in a forbidden zone (step 6) and for broken separate limits (step 5a). Each place remembers
 * what it found and for which shares that stays true; it is looked at again only when its share has left that range, and
 * only if it could matter: it could break a separate limit, or hold an EVSE that comes before the best one known.
 */
export class Search {
  readonly #f: Forest;
  readonly #zones: Zones;
  broken: Broken[] = [];

  constructor(forest: Forest, zones: Zones) {
    this.#f = forest;
    this.#zones = zones;
  }

  /** The lowest rank in a zone when the root's children have the share `x`; broken nodes are in `broken`. */
  run(root: Branch, x: number): number {
    this.broken = [];
    return this.#below(root, x, NOBODY, false);
  }

  #find(cell: number, x: number, best: number, exact: boolean): number {
    const f = this.#f;
    const known = x >= real(f.from, cell) && x <= real(f.to, cell);
    if (known && f.full[cell] === 1) return Math.min(best, real(f.first, cell));
    const idle =
      real(known ? f.first : f.least, cell) >= best && x >= real(f.safeFrom, cell) && x <= real(f.safeTo, cell);
    if (idle && !exact) return best;
    const evse = f.evseAt(cell);
    if (evse >= 0) {
      this.#settleEvse(cell, evse, x);
      return Math.min(best, real(f.first, cell));
    }
    const branch = f.branchAt(cell);
    return branch ? this.#findBranch(cell, branch, x, best, exact) : this.#findKids(cell, x, best, exact);
  }

  #findKids(cell: number, x: number, best: number, exact: boolean): number {
    const f = this.#f;
    const [from, to] = f.kidsOf(cell);
    let lead = from;
    for (let kid = from + 1; kid < to; kid++) if (real(f.least, kid) < real(f.least, lead)) lead = kid;
    let found = to > from ? this.#find(lead, x, best, exact) : best;
    for (let kid = from; kid < to; kid++) if (kid !== lead) found = this.#find(kid, x, found, exact);
    this.#gather(cell, from, to, x);
    return found;
  }

  /** Remembers what the kids know. */
  #gather(cell: number, from: number, to: number, x: number): void {
    const f = this.#f;
    let [low, high, first] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, NOBODY];
    let [base, slope, full] = [0, 0, 1];
    for (let kid = from; kid < to; kid++) {
      const [kidFrom, kidTo] = [real(f.from, kid), real(f.to, kid)];
      const known = x >= kidFrom && x <= kidTo;
      first = Math.min(first, real(known ? f.first : f.least, kid));
      full &= known ? (f.full[kid] ?? 0) : 0;
      if (!known) continue;
      low = Math.max(low, kidFrom);
      high = Math.min(high, kidTo);
      base += real(f.importBase, kid);
      slope += real(f.importSlope, kid);
    }
    f.full[cell] = full;
    f.from[cell] = low;
    f.to[cell] = high;
    f.first[cell] = first;
    f.importBase[cell] = base;
    f.importSlope[cell] = slope;
  }

  #settleEvse(cell: number, evse: number, x: number): void {
    const f = this.#f;
    const need = real(f.need, cell);
    const slope = x >= 0 ? real(f.wish, cell) - need : need - real(f.lo, cell);
    const power = need + x * slope;
    const imports = power >= 0;
    f.importBase[cell] = imports ? need : 0;
    f.importSlope[cell] = imports ? slope : 0;
    f.full[cell] = 1;
    f.first[cell] = NOBODY;
    const { minImport, minExport, edgeImport, edgeExport, rank, late } = this.#zones;
    const size = Math.abs(power);
    const min = real(imports ? minImport : minExport, evse);
    let near = 0;
    let far = Number.POSITIVE_INFINITY;
    if (min > 2 * ZONE_EPS_W) {
      const edge = real(imports ? edgeImport : edgeExport, evse);
      if (size <= ZONE_EPS_W) far = ZONE_EPS_W;
      else if (size < min - ZONE_EPS_W) {
        near = ZONE_EPS_W;
        far = min - ZONE_EPS_W;
        f.first[cell] = real(rank, evse);
      } else if (size < edge - ZONE_EPS_W) {
        near = min - ZONE_EPS_W;
        far = edge - ZONE_EPS_W;
        f.first[cell] = real(rank, evse) + late;
      } else near = edge - ZONE_EPS_W;
    }
    this.#setRange(cell, x, slope, need, imports ? near : -far, imports ? far : -near);
  }

  /** The x on this side of 0 for which `base + x · slope` lies in lowest … highest. */
  #setRange(cell: number, x: number, slope: number, base: number, lowest: number, highest: number): void {
    const constant = slope <= TINY_W;
    const from = constant ? Number.NEGATIVE_INFINITY : (lowest - base) / slope;
    const to = constant ? Number.POSITIVE_INFINITY : (highest - base) / slope;
    // x itself belongs to it, whatever the divisions above made of it.
    this.#f.from[cell] = Math.min(x, x >= 0 ? Math.max(0, from) : from);
    this.#f.to[cell] = Math.max(x, x >= 0 ? to : Math.min(0, to));
  }

  #findBranch(cell: number, branch: Branch, x: number, best: number, exact: boolean): number {
    const f = this.#f;
    const { top } = branch;
    const base = real(f.need, cell);
    const slope = x >= 0 ? real(f.wish, cell) - base : base - real(f.lo, cell);
    const power = base + x * slope;
    const need = real(f.need, top);
    const above = power >= need;
    const span = above ? real(f.wish, top) - need : need - real(f.lo, top);
    const inner = f.shareOf(branch, power);
    const found = this.#below(branch, inner, best, exact);
    const full = f.full[top] === 1;
    f.full[cell] = full ? 1 : 0;
    f.first[cell] = real(f.first, top);
    const imports = real(f.importSlope, top);
    if (span <= TINY_W) {
      f.importBase[cell] = real(f.importBase, top) + imports * inner;
      f.importSlope[cell] = 0;
      const [low, high] = above ? [need, Number.POSITIVE_INFINITY] : [Number.NEGATIVE_INFINITY, need];
      this.#setRange(cell, x, slope, base, low, high);
      return found;
    }
    f.importBase[cell] = real(f.importBase, top) + (imports * (base - need)) / span;
    f.importSlope[cell] = (imports * slope) / span;
    const { from, to } = full
      ? this.#separateRange(branch, inner, span)
      : { from: real(f.from, top), to: real(f.to, top) };
    const low = need + (above ? Math.max(from, 0) : from) * span;
    const high = need + (above ? to : Math.min(to, 0)) * span;
    this.#setRange(cell, x, slope, base, low, high);
    return found;
  }

  /** Searches below a node whose children have the share `x`, and checks its own separate limits. */
  #below(branch: Branch, x: number, best: number, exact: boolean): number {
    const f = this.#f;
    const { top } = branch;
    const unsafe = x < branch.safeFrom || x > branch.safeTo;
    const found = this.#find(top, x, best, exact || unsafe);
    if (!unsafe) return found;
    const imports = real(f.importBase, top) + real(f.importSlope, top) * x;
    const exports = imports - f.powerAt(top, x);
    const importBroken = !branch.importScaled && imports > branch.importRoom + LIMIT_EPS_W;
    const exportBroken = !branch.exportScaled && exports > branch.exportRoom + LIMIT_EPS_W;
    if (importBroken || exportBroken) this.broken.push({ branch, imports: importBroken, exports: exportBroken });
    return found;
  }

  /** Where what is known of a node's children ends: at the latest where a separate limit would be broken. */
  #separateRange(branch: Branch, x: number, span: number): { readonly from: number; readonly to: number } {
    const f = this.#f;
    const { top, importRoom, exportRoom } = branch;
    let [from, to] = [real(f.from, top), real(f.to, top)];
    const slope = real(f.importSlope, top);
    if (!branch.importScaled && slope > TINY_W) {
      to = Math.min(to, (importRoom + LIMIT_EPS_W - real(f.importBase, top)) / slope);
    }
    const fall = span - slope;
    if (!branch.exportScaled && fall > TINY_W) {
      const atZero = real(f.importBase, top) - real(f.need, top);
      from = Math.max(from, (atZero - exportRoom - LIMIT_EPS_W) / fall);
    }
    return x < from || x > to ? { from: x, to: x } : { from, to };
  }
}
