import { clipSums } from './root.ts';

/** Nearer to a border of a forbidden zone than this counts as outside of it, W. */
export const ZONE_EPS_W = 1e-6;
/** Limits count as kept up to this, W. */
export const LIMIT_EPS_W = 1e-4;
/** Spans below this count as none, W. */
export const TINY_W = 1e-9;
/** Rank of nobody. */
export const NOBODY = Number.POSITIVE_INFINITY;
/** So many places share one place above them. */
const FAN = 8;

export const real = (list: Float64Array, i: number): number => list[i] ?? 0;
export const whole = (list: Int32Array, i: number): number => list[i] ?? -1;

export interface BranchLimits {
  readonly loLimit: number;
  readonly hiLimit: number;
  /** Room for separate imports and exports where the node does no netting, else infinite. */
  readonly importRoom: number;
  readonly exportRoom: number;
}

/** A node of the circuit tree. */
export interface Branch extends BranchLimits {
  readonly index: number;
  /** The place above all its children, and its own place below its parent. */
  readonly top: number;
  readonly cell: number;
  importRoom: number;
  exportRoom: number;
  importScaled: boolean;
  exportScaled: boolean;
  /** Shares for which even the bounds of imports and exports are within the rooms. */
  safeFrom: number;
  safeTo: number;
}

/**
 * The sums behind steps 2–6 of fo 8.3, in flat arrays by place ("cell"). A cell is an EVSE, a circuit, or a group of up
 * to eight cells; the cells of a circuit's children form a tree of groups. All powers below a node are functions of one
 * number, its share x: for x ≥ 0 a child gets `need + x(wish − need)` (step 5 with α = x), for x < 0 `need + x(need − lo)`
 * (step 3 with β = −x). When an EVSE changes, only the sums on its path are renewed ({@link Forest.lift}).
 */
export class Forest {
  readonly lo: Float64Array;
  readonly need: Float64Array;
  readonly wish: Float64Array;
  /** No less than Σ max(P, 0) at x = −1, 0 and 1. In between it is convex, so the straight line is a bound too. */
  readonly importLo: Float64Array;
  readonly importNeed: Float64Array;
  readonly importWish: Float64Array;
  /** No separate limit below can be broken for safeFrom ≤ x ≤ safeTo. */
  readonly safeFrom: Float64Array;
  readonly safeTo: Float64Array;
  /** Nobody below who may be given up has a lower rank. */
  readonly least: Float64Array;
  /**
   * What is known for from ≤ x ≤ to. In full: the first EVSE to give up, and Σ of imports = importBase + importSlope · x.
   * Else only that nobody before `first` is to be given up.
   */
  readonly full: Uint8Array;
  readonly from: Float64Array;
  readonly to: Float64Array;
  readonly importBase: Float64Array;
  readonly importSlope: Float64Array;
  readonly first: Float64Array;
  readonly #up: Int32Array;
  readonly #kidFrom: Int32Array;
  readonly #kidTo: Int32Array;
  readonly #evse: Int32Array;
  readonly #branchOf: Int32Array;
  readonly #ownerOf: Int32Array;
  /** By node index. */
  readonly branches: (Branch | undefined)[] = [];
  #size = 0;

  /** @param most bound of the number of EVSEs and circuits together */
  constructor(most: number) {
    const size = 2 * most + 8;
    const reals = () => new Float64Array(size);
    const indices = () => new Int32Array(size).fill(-1);
    [this.lo, this.need, this.wish] = [reals(), reals(), reals()];
    [this.importLo, this.importNeed, this.importWish] = [reals(), reals(), reals()];
    [this.safeFrom, this.safeTo, this.least] = [reals(), reals(), reals()];
    this.full = new Uint8Array(size);
    [this.from, this.to, this.first] = [reals(), reals(), reals()];
    [this.importBase, this.importSlope] = [reals(), reals()];
    [this.#up, this.#kidFrom, this.#kidTo] = [indices(), indices(), indices()];
    [this.#evse, this.#branchOf, this.#ownerOf] = [indices(), indices(), indices()];
  }

  evseAt(cell: number): number {
    return whole(this.#evse, cell);
  }

  branchAt(cell: number): Branch | undefined {
    const index = whole(this.#branchOf, cell);
    return index < 0 ? undefined : this.branches[index];
  }

  kidsOf(cell: number): readonly [number, number] {
    return [whole(this.#kidFrom, cell), whole(this.#kidTo, cell)];
  }

  /** Places for the children of a node, side by side. */
  reserve(count: number): number {
    const at = this.#size;
    this.#size += count;
    return at;
  }

  /** Fills a reserved place with an EVSE. `rank` is {@link NOBODY} for one without forbidden zones. */
  plant(cell: number, evse: number, lo: number, need: number, wish: number, rank: number): void {
    this.#evse[cell] = evse;
    this.setBounds(cell, lo, need, wish);
    this.least[cell] = rank;
    this.safeFrom[cell] = Number.NEGATIVE_INFINITY;
    this.safeTo[cell] = Number.POSITIVE_INFINITY;
  }

  /** New bounds of an EVSE, W signed, lo ≤ need ≤ wish; call {@link lift} or {@link renew} afterwards. */
  setBounds(cell: number, lo: number, need: number, wish: number): void {
    this.lo[cell] = lo;
    this.need[cell] = need;
    this.wish[cell] = wish;
    this.importLo[cell] = Math.max(lo, 0);
    this.importNeed[cell] = Math.max(need, 0);
    this.importWish[cell] = Math.max(wish, 0);
    this.forget(cell);
  }

  /** Makes a node over the places `from … from + count − 1`; `cell` is its own reserved place. */
  join(index: number, cell: number, from: number, count: number, limits: BranchLimits): Branch {
    const top = this.#group(from, count);
    const scaled = { importScaled: false, exportScaled: false };
    const branch: Branch = { ...limits, ...scaled, index, top, cell, safeFrom: 0, safeTo: 0 };
    this.branches[index] = branch;
    this.#branchOf[cell] = index;
    this.#ownerOf[top] = index;
    this.renew(branch);
    return branch;
  }

  /** Renews all sums of one node from those of its children's places. */
  renew(branch: Branch): void {
    this.#resum(branch.top);
    this.clip(branch);
  }

  /** Renews the sums of everything above a place. */
  lift(cell: number): void {
    let here = cell;
    for (;;) {
      for (let up = whole(this.#up, here); up >= 0; up = whole(this.#up, up)) {
        this.#sumUp(up);
        here = up;
      }
      const branch = this.branches[whole(this.#ownerOf, here)];
      if (!branch) return;
      this.clip(branch);
      here = branch.cell;
    }
  }

  forget(cell: number): void {
    this.from[cell] = Number.POSITIVE_INFINITY;
    this.to[cell] = Number.NEGATIVE_INFINITY;
  }

  /** What a place gets of a share (steps 3 and 5). */
  powerAt(cell: number, x: number): number {
    const need = real(this.need, cell);
    return x >= 0 ? need + x * (real(this.wish, cell) - need) : need + x * (need - real(this.lo, cell));
  }

  /** The share of a node's children when the node itself has `power`. */
  shareOf(branch: Branch, power: number): number {
    const need = real(this.need, branch.top);
    const span = power >= need ? real(this.wish, branch.top) - need : need - real(this.lo, branch.top);
    return span <= TINY_W ? 0 : Math.min(1, Math.max(-1, (power - need) / span));
  }

  /** Step 2: what a node may have, seen from its parent, and for which shares it is safe. */
  clip(branch: Branch): void {
    const { top, cell } = branch;
    const sums = { lo: real(this.lo, top), need: real(this.need, top), wish: real(this.wish, top) };
    const { lo, need, wish } = clipSums(sums, branch.loLimit, branch.hiLimit);
    this.lo[cell] = lo;
    this.need[cell] = need;
    this.wish[cell] = wish;
    this.importLo[cell] = this.#mostImport(top, this.shareOf(branch, lo));
    this.importNeed[cell] = this.#mostImport(top, this.shareOf(branch, need));
    this.importWish[cell] = this.#mostImport(top, this.shareOf(branch, wish));
    this.least[cell] = real(this.least, top);
    this.#setSafe(branch);
    const from = Math.max(real(this.safeFrom, top), branch.safeFrom);
    const to = Math.min(real(this.safeTo, top), branch.safeTo);
    this.safeFrom[cell] = from <= -1 ? Number.NEGATIVE_INFINITY : this.#shareFor(cell, this.powerAt(top, from), 1);
    this.safeTo[cell] = to >= 1 ? Number.POSITIVE_INFINITY : this.#shareFor(cell, this.powerAt(top, to), -1);
    if (from > to) this.safeFrom[cell] = Number.POSITIVE_INFINITY;
    this.forget(cell);
  }

  #mostImport(top: number, x: number): number {
    const need = real(this.importNeed, top);
    return x >= 0 ? need + x * (real(this.importWish, top) - need) : need + x * (need - real(this.importLo, top));
  }

  #setSafe(branch: Branch): void {
    const { top, importScaled, exportScaled } = branch;
    const importRoom = importScaled ? NOBODY : branch.importRoom;
    const exportRoom = exportScaled ? NOBODY : branch.exportRoom;
    const [lo, need, wish] = [real(this.importLo, top), real(this.importNeed, top), real(this.importWish, top)];
    const below = lo - real(this.lo, top) - exportRoom;
    const middle = need - real(this.need, top) - exportRoom;
    const above = wish - real(this.wish, top) - exportRoom;
    branch.safeFrom = Math.max(-reach(need - importRoom, lo - importRoom), -reach(middle, below));
    branch.safeTo = Math.min(reach(need - importRoom, wish - importRoom), reach(middle, above));
  }

  /** The share at which a place has `power`; beyond its reach: infinite, away from 0 in the direction of `side`. */
  #shareFor(cell: number, power: number, side: 1 | -1): number {
    const [lo, need, wish] = [real(this.lo, cell), real(this.need, cell), real(this.wish, cell)];
    if (side > 0 && power <= lo) return Number.NEGATIVE_INFINITY;
    if (side < 0 && power >= wish) return Number.POSITIVE_INFINITY;
    if (power < lo || power > wish) return side * Number.POSITIVE_INFINITY;
    return power >= need ? (power - need) / (wish - need || 1) : (power - need) / (need - lo);
  }

  #group(from: number, count: number): number {
    if (count === 1) return from;
    const groups = Math.max(1, Math.ceil(count / FAN));
    const above = this.reserve(groups);
    for (let i = 0; i < groups; i++) {
      const first = from + i * FAN;
      const end = Math.min(first + FAN, from + count);
      this.#kidFrom[above + i] = first;
      this.#kidTo[above + i] = end;
      for (let kid = first; kid < end; kid++) this.#up[kid] = above + i;
    }
    return this.#group(above, groups);
  }

  #resum(cell: number): void {
    const end = whole(this.#kidTo, cell);
    if (end < 0) {
      this.forget(cell);
      return;
    }
    for (let kid = whole(this.#kidFrom, cell); kid < end; kid++) this.#resum(kid);
    this.#sumUp(cell);
  }

  #sumUp(cell: number): void {
    let [lo, need, wish, importLo, importNeed, importWish] = [0, 0, 0, 0, 0, 0];
    let [least, safeFrom, safeTo] = [NOBODY, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
    const end = whole(this.#kidTo, cell);
    for (let kid = whole(this.#kidFrom, cell); kid < end; kid++) {
      lo += real(this.lo, kid);
      need += real(this.need, kid);
      wish += real(this.wish, kid);
      importLo += real(this.importLo, kid);
      importNeed += real(this.importNeed, kid);
      importWish += real(this.importWish, kid);
      least = Math.min(least, real(this.least, kid));
      safeFrom = Math.max(safeFrom, real(this.safeFrom, kid));
      safeTo = Math.min(safeTo, real(this.safeTo, kid));
    }
    this.lo[cell] = lo;
    this.need[cell] = need;
    this.wish[cell] = wish;
    this.importLo[cell] = importLo;
    this.importNeed[cell] = importNeed;
    this.importWish[cell] = importWish;
    this.least[cell] = least;
    this.safeFrom[cell] = safeFrom;
    this.safeTo[cell] = safeTo;
    this.forget(cell);
  }
}

/** How far from 0 a straight line from `atZero` to `atOne` stays ≤ 0; negative if it never does. */
function reach(atZero: number, atOne: number): number {
  if (atZero > 0) return -NOBODY;
  return atOne <= 0 ? NOBODY : atZero / (atZero - atOne);
}
