import { type Branch, type BranchLimits, Forest, NOBODY, real, ZONE_EPS_W } from './forest.ts';
import {
  decidedBy,
  type FixedSum,
  freeLimits,
  type RootState,
  rootState,
  type StageTarget,
  type Sums,
} from './root.ts';
import { Scaling } from './scaling.ts';
import { Search, type Zones } from './search.ts';
import type { SiteEvse, SiteNode, SiteTree } from './site.ts';
import type { LimitedBy } from './types.ts';

/** What one run may do with an EVSE: move it between bounds, or only count its range (W signed). */
export type Bound =
  | { readonly free: true; readonly lo: number; readonly need: number; readonly wish: number }
  | { readonly free: false; readonly minW: number; readonly maxW: number; readonly nowW: number };

/** Sums of what is fixed below each node, by node index. */
export interface FixedSums {
  readonly min: readonly number[];
  readonly max: readonly number[];
  readonly now: readonly number[];
  /** Separately: Σ max(maxW, 0) and Σ max(−minW, 0). */
  readonly imports: readonly number[];
  readonly exports: readonly number[];
}

/** An EVSE without a place in the forest: it may not be moved. */
const NOWHERE = -1;

/**
 * Steps 2–6 of fo 8.3, with the result of the literal procedure (one pass over the whole tree per change). Cost: each
 * EVSE that is given up renews the sums of its path, O(depth · log n), and O(log n) for each place that crosses a border
 * of its forbidden zone by that. Shares go to and fro while importers and exporters are given up in turn: a place that
 * only crosses one border again and again costs nothing, for it remembers both sides ({@link Forest.recall}). So all is
 * O(n log n), but for borders that differ by about as much as shares move at each step: these cost up to O(n√n). Step 5a
 * costs O(m log m) for each circuit of m EVSEs that it scales, a few times per circuit ({@link Scaling}).
 */
export class Solver {
  readonly tree: SiteTree;
  readonly fixed: FixedSums;
  readonly #target: StageTarget | undefined;
  readonly #bounds: readonly Bound[];
  readonly #forest: Forest;
  readonly #search: Search;
  /** Place of each EVSE in the forest. */
  readonly #cells: number[];
  readonly #zero: boolean[];
  readonly #root: Branch;
  readonly #scaling: Scaling;
  #state: RootState;

  constructor(tree: SiteTree, bounds: readonly Bound[], target: StageTarget | undefined) {
    this.tree = tree;
    this.#target = target;
    this.#bounds = bounds;
    this.fixed = fixedSums(tree, bounds);
    this.#cells = new Array(tree.evses.length).fill(NOWHERE);
    this.#zero = new Array(tree.evses.length).fill(false);
    this.#forest = new Forest(tree.evses.length + tree.nodes.length);
    this.#search = new Search(this.#forest, zonesOf(tree));
    this.#root = this.#plant(tree.poc, this.#forest.reserve(1));
    this.#scaling = new Scaling({ tree, forest: this.#forest, bounds, cellOf: (i) => this.#movable(i) });
    this.#state = this.#rootState();
  }

  get root(): RootState {
    return this.#state;
  }

  get scaled(): readonly { readonly node: SiteNode; readonly direction: 'import' | 'export' }[] {
    return this.#scaling.scaled();
  }

  /** True when the EVSE was given up because of its forbidden zone. */
  isZero(evse: SiteEvse): boolean {
    return this.#zero[evse.index] ?? false;
  }

  /** Repeats steps 2–6 until no separate limit is broken and nobody is in a forbidden zone. */
  run(): void {
    for (;;) {
      const first = this.#pass();
      const { broken } = this.#search;
      const evse = this.tree.byRank[first % this.tree.evses.length];
      if (broken.length > 0) this.#scaling.scale(broken);
      else if (first !== NOBODY && evse) this.giveUp(evse);
      else if (!this.#scaling.settle()) return;
    }
  }

  /** Fixes an EVSE at 0 for the rest; call {@link run} afterwards. */
  giveUp(evse: SiteEvse): void {
    const cell = this.#cells[evse.index] ?? NOWHERE;
    if (cell === NOWHERE) return;
    this.#zero[evse.index] = true;
    this.#forest.setBounds(cell, 0, 0, 0);
    this.#forest.lift(cell);
    this.#scaling.givenUp(evse);
  }

  /** Planned power by EVSE index; undefined where it is fixed from outside. */
  powers(): (number | undefined)[] {
    const forest = this.#forest;
    const out: (number | undefined)[] = new Array(this.tree.evses.length).fill(undefined);
    const shares: number[] = [];
    for (const node of this.tree.nodes) {
      const branch = forest.branches[node.index];
      if (!branch) continue;
      const power = node.parent ? forest.powerAt(branch.cell, shares[node.parent.index] ?? 0) : this.#state.target;
      const share = forest.shareOf(branch, power);
      shares[node.index] = share;
      for (const { index } of node.evses) {
        const cell = this.#cells[index] ?? NOWHERE;
        if (cell !== NOWHERE) out[index] = forest.powerAt(cell, share);
      }
    }
    return out;
  }

  limitedBy(): LimitedBy | undefined {
    let need = 0;
    let wish = 0;
    this.#bounds.forEach((bound, i) => {
      if (!bound.free || this.#zero[i]) return;
      need += bound.need;
      wish += bound.wish;
    });
    return decidedBy(this.#state, this.#topSums(), { lo: 0, need, wish });
  }

  /** Limits of the sum of the free EVSEs below a node, W signed. */
  limitsOf(node: SiteNode): { readonly lo: number; readonly hi: number } {
    const { loLimit, hiLimit } = node.parent ? this.#limits(node) : this.#state;
    return { lo: loLimit, hi: hiLimit };
  }

  #pass(): number {
    const root = this.#root;
    this.#state = this.#rootState();
    this.#setRootRooms();
    return this.#search.run(root, this.#forest.shareOf(root, this.#state.target));
  }

  #topSums(): Sums {
    const { lo, need, wish } = this.#forest;
    const { top } = this.#root;
    return { lo: real(lo, top), need: real(need, top), wish: real(wish, top) };
  }

  #rootState(): RootState {
    return rootState(this.tree.input, fixedSum(this.fixed, 0), this.#topSums(), this.#target);
  }

  /** The POC's separate limits move with the ESS. */
  #setRootRooms(): void {
    const { poc } = this.tree;
    if (!poc.separate) return;
    this.#root.importRoom = this.#state.hiLimit;
    this.#root.exportRoom = -this.#state.loLimit;
  }

  /** Place of an EVSE that may still be moved. */
  #movable(index: number): number | undefined {
    const cell = this.#cells[index] ?? NOWHERE;
    return cell === NOWHERE || this.#zero[index] ? undefined : cell;
  }

  /** The places of a node's children, below its own; circuits without anything to move are left out. */
  #plant(node: SiteNode, cell: number): Branch {
    const forest = this.#forest;
    const circuits = node.children.filter((child) => this.#canMove(child));
    const evses = node.evses.filter(({ index }) => this.#bounds[index]?.free);
    const count = circuits.length + evses.length;
    const from = forest.reserve(count);
    circuits.forEach((child, i) => void this.#plant(child, from + i));
    evses.forEach((evse, i) => {
      const bound = this.#bounds[evse.index];
      if (!bound?.free) return;
      const at = from + circuits.length + i;
      this.#cells[evse.index] = at;
      forest.plant(at, evse.index, bound.lo, bound.need, bound.wish);
    });
    return forest.join(node.index, cell, from, count, this.#limits(node));
  }

  #canMove(node: SiteNode): boolean {
    for (let i = node.from; i < node.to; i++) if (this.#bounds[i]?.free) return true;
    return false;
  }

  #limits(node: SiteNode): BranchLimits {
    return nodeLimits(node, fixedSum(this.fixed, node.index));
  }
}

/** The limits of a circuit for what is free below it. */
export function nodeLimits(node: SiteNode, fixed: FixedSum): BranchLimits {
  const { separate, importW, exportW } = node;
  const imports = importW - (separate ? fixed.imports : fixed.maxW);
  const exports = exportW - (separate ? fixed.exports : -fixed.minW);
  const limits = freeLimits(separate, imports, exports);
  return {
    ...limits,
    importRoom: separate ? limits.hiLimit : Number.POSITIVE_INFINITY,
    exportRoom: separate ? -limits.loLimit : Number.POSITIVE_INFINITY,
  };
}

export function fixedSum(sums: FixedSums, index: number): FixedSum {
  const at = (list: readonly number[]) => list[index] ?? 0;
  return {
    minW: at(sums.min),
    maxW: at(sums.max),
    nowW: at(sums.now),
    imports: at(sums.imports),
    exports: at(sums.exports),
  };
}

function zonesOf(tree: SiteTree): Zones {
  const reals = () => new Float64Array(tree.evses.length);
  const [minImport, edgeImport, minExport, edgeExport, rank] = [reals(), reals(), reals(), reals(), reals()];
  for (const { index, input, quantumW, rank: order } of tree.evses) {
    minImport[index] = input.minImportW;
    minExport[index] = input.minExportW;
    edgeImport[index] = roundUp(input.minImportW, quantumW);
    edgeExport[index] = roundUp(input.minExportW, quantumW);
    rank[index] = order;
  }
  return { minImport, edgeImport, minExport, edgeExport, rank, late: tree.evses.length };
}

/** The smallest multiple of the quantum that is no less than `value`. */
function roundUp(value: number, quantum: number): number {
  return Math.ceil((value - ZONE_EPS_W) / quantum) * quantum;
}

export function fixedSums(tree: SiteTree, bounds: readonly Bound[]): FixedSums {
  const zeros = () => new Array<number>(tree.nodes.length).fill(0);
  const sums = { min: zeros(), max: zeros(), now: zeros(), imports: zeros(), exports: zeros() };
  const add = (list: number[], at: number, value: number) => {
    list[at] = (list[at] ?? 0) + value;
  };
  for (const { index, node } of tree.evses) {
    const bound = bounds[index];
    if (!bound || bound.free) continue;
    add(sums.min, node.index, bound.minW);
    add(sums.max, node.index, bound.maxW);
    add(sums.now, node.index, bound.nowW);
    add(sums.imports, node.index, Math.max(bound.maxW, 0));
    add(sums.exports, node.index, Math.max(-bound.minW, 0));
  }
  for (const { index, parent } of [...tree.nodes].reverse()) {
    if (!parent) continue;
    for (const list of Object.values(sums)) add(list, parent.index, list[index] ?? 0);
  }
  return sums;
}
