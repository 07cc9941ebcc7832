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
 * what it found and for which shares that stays true; it is looked at again only when its share has left that range.
 */
export class Search {
  readonly #f: Forest;
  readonly #zones: Zones;
  broken: Broken[] = []; // bounded by: the nodes of the site, twice

  constructor(forest: Forest, zones: Zones) {
    this.#f = forest;
    this.#zones = zones;
  }

  /** The lowest rank in a zone when the root's children have the share `x`; broken nodes are in `broken`. */
  run(root: Branch, x: number): number {
    this.broken = [];
    this.#settle(root.top, x);
    this.#separateRange(root, x);
    return real(this.#f.first, root.top);
  }

  #settle(cell: number, x: number): void {
    const f = this.#f;
    if (f.recall(cell, x)) return;
    const evse = f.evseAt(cell);
    if (evse >= 0) {
      this.#settleEvse(cell, evse, x);
      return;
    }
    const branch = f.branchAt(cell);
    if (branch) this.#settleBranch(cell, branch, x);
    else this.#settleKids(cell, x);
  }

  #settleKids(cell: number, x: number): void {
    const f = this.#f;
    const end = f.kidsEnd(cell);
    let [low, high, first] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, NOBODY];
    let [base, slope] = [0, 0];
    for (let kid = f.kidsStart(cell); kid < end; kid++) {
      this.#settle(kid, x);
      low = Math.max(low, real(f.from, kid));
      high = Math.min(high, real(f.to, kid));
      first = Math.min(first, real(f.first, kid));
      base += real(f.importBase, kid);
      slope += real(f.importSlope, kid);
    }
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

  #settleBranch(cell: number, branch: Branch, x: number): void {
    const f = this.#f;
    const { top } = branch;
    const base = real(f.need, cell);
    const slope = x >= 0 ? real(f.wish, cell) - base : base - real(f.lo, cell);
    const power = base + x * slope;
    const need = real(f.need, top);
    const above = power >= need;
    const span = above ? real(f.wish, top) - need : need - real(f.lo, top);
    const inner = f.shareOf(branch, power);
    this.#settle(top, inner);
    const { from, to } = this.#separateRange(branch, inner);
    f.first[cell] = real(f.first, top);
    const imports = real(f.importSlope, top);
    if (span <= TINY_W) {
      f.importBase[cell] = real(f.importBase, top) + imports * inner;
      f.importSlope[cell] = 0;
      const [low, high] = above ? [need, Number.POSITIVE_INFINITY] : [Number.NEGATIVE_INFINITY, need];
      this.#setRange(cell, x, slope, base, low, high);
      return;
    }
    f.importBase[cell] = real(f.importBase, top) + (imports * (base - need)) / span;
    f.importSlope[cell] = (imports * slope) / span;
    const low = need + (above ? Math.max(from, 0) : from) * span;
    const high = need + (above ? to : Math.min(to, 0)) * span;
    this.#setRange(cell, x, slope, base, low, high);
  }

  /**
   * Checks a node's separate limits for the share `x` of its children. Answers where what is known of them ends: at the
   * latest where a separate limit would be broken.
   */
  #separateRange(branch: Branch, x: number): { readonly from: number; readonly to: number } {
    const f = this.#f;
    const { top, importRoom, exportRoom } = branch;
    let [from, to] = [real(f.from, top), real(f.to, top)];
    const [base, slope, need] = [real(f.importBase, top), real(f.importSlope, top), real(f.need, top)];
    const power = f.powerAt(top, x);
    const imports = !branch.importScaled && base + slope * x > importRoom + LIMIT_EPS_W;
    const exports = !branch.exportScaled && base + slope * x - power > exportRoom + LIMIT_EPS_W;
    if (imports || exports) this.broken.push({ branch, imports, exports });
    const above = x > 0 || (x === 0 && power >= need);
    const fall = (above ? real(f.wish, top) - need : need - real(f.lo, top)) - slope;
    if (!branch.importScaled && slope > TINY_W) to = Math.min(to, (importRoom + LIMIT_EPS_W - base) / slope);
    if (!branch.exportScaled && fall > TINY_W) from = Math.max(from, (base - need - exportRoom - LIMIT_EPS_W) / fall);
    return { from, to };
  }
}
