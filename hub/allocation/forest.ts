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
  /** Known for from ≤ x ≤ to: the first EVSE to give up, and Σ of imports = importBase + importSlope · x. */
  readonly from: Float64Array;
  readonly to: Float64Array;
  readonly importBase: Float64Array;
  readonly importSlope: Float64Array;
  readonly first: Float64Array;
  /** The same for the range before that one: shares go to and fro over a border. */
  readonly #before: readonly [Float64Array, Float64Array, Float64Array, Float64Array, Float64Array];
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
    [this.from, this.to, this.first] = [reals(), reals(), reals()];
    [this.importBase, this.importSlope] = [reals(), reals()];
    this.#before = [reals(), reals(), reals(), reals(), reals()];
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

  kidsStart(cell: number): number {
    return whole(this.#kidFrom, cell);
  }

  kidsEnd(cell: number): number {
    return whole(this.#kidTo, cell);
  }

  /** Places for the children of a node, side by side. */
  reserve(count: number): number {
    const at = this.#size;
    this.#size += count;
    return at;
  }

  /** Fills a reserved place with an EVSE. */
  plant(cell: number, evse: number, lo: number, need: number, wish: number): void {
    this.#evse[cell] = evse;
    this.setBounds(cell, lo, need, wish);
  }

  /** New bounds of an EVSE, W signed, lo ≤ need ≤ wish; call {@link lift} or {@link renew} afterwards. */
  setBounds(cell: number, lo: number, need: number, wish: number): void {
    this.lo[cell] = lo;
    this.need[cell] = need;
    this.wish[cell] = wish;
    this.forget(cell);
  }

  /** Makes a node over the places `from … from + count − 1`; `cell` is its own reserved place. */
  join(index: number, cell: number, from: number, count: number, limits: BranchLimits): Branch {
    const top = this.#group(from, count);
    const scaled = { importScaled: false, exportScaled: false };
    const branch: Branch = { ...limits, ...scaled, index, top, cell };
    this.branches[index] = branch;
    this.#branchOf[cell] = index;
    this.#ownerOf[top] = index;
    this.renew(branch);
    return branch;
  }

  /** Renews all sums of one node from those of its children's places. */
  renew(branch: Branch): void {
    this.#resum(branch.top);
    this.#clip(branch);
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
      this.#clip(branch);
      here = branch.cell;
    }
  }

  /** Nothing is known of a place any more. */
  forget(cell: number): void {
    const [from, to] = this.#before;
    this.from[cell] = from[cell] = Number.POSITIVE_INFINITY;
    this.to[cell] = to[cell] = Number.NEGATIVE_INFINITY;
  }

  /** True when it is known what a place does at a share; else what is known steps back, to be replaced. */
  recall(cell: number, x: number): boolean {
    if (x >= real(this.from, cell) && x <= real(this.to, cell)) return true;
    const [from, to, first, base, slope] = this.#before;
    const isKnown = x >= real(from, cell) && x <= real(to, cell);
    swap(this.from, from, cell);
    swap(this.to, to, cell);
    swap(this.first, first, cell);
    swap(this.importBase, base, cell);
    swap(this.importSlope, slope, cell);
    return isKnown;
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

  /** Step 2: what a node may have, seen from its parent. */
  #clip(branch: Branch): void {
    const { top, cell } = branch;
    const sums = { lo: real(this.lo, top), need: real(this.need, top), wish: real(this.wish, top) };
    const { lo, need, wish } = clipSums(sums, branch.loLimit, branch.hiLimit);
    this.setBounds(cell, lo, need, wish);
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
    let [lo, need, wish] = [0, 0, 0];
    const end = whole(this.#kidTo, cell);
    for (let kid = whole(this.#kidFrom, cell); kid < end; kid++) {
      lo += real(this.lo, kid);
      need += real(this.need, kid);
      wish += real(this.wish, kid);
    }
    this.setBounds(cell, lo, need, wish);
  }
}

function swap(a: Float64Array, b: Float64Array, at: number): void {
  const kept = real(a, at);
  a[at] = real(b, at);
  b[at] = kept;
}
