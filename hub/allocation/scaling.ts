import type { Branch, Forest } from './forest.ts';
import { scaleExports, scaleImports } from './netting.ts';
import type { Broken } from './search.ts';
import type { SiteEvse, SiteNode, SiteTree } from './site.ts';
import type { Bound } from './solver.ts';

/** Scaled anew once this part of the EVSEs below a circuit were given up, and at most so often. */
const PART = 1 / 8;
const MAX_TIMES = 8;

export interface ScalingOptions {
  readonly tree: SiteTree;
  readonly forest: Forest;
  readonly bounds: readonly Bound[];
  /** Place of an EVSE in the forest; undefined: it may not be moved, or was given up. */
  readonly cellOf: (evseIndex: number) => number | undefined;
}

/**
 * Step 5a of fo 8.3: which circuits without netting are scaled now. An EVSE that is given up because of its forbidden
 * zone (step 6) leaves room to the others of its circuit, so what was scaled is undone and found anew: at once in small
 * circuits, in large ones when there is enough to share out; all of it costs no more than O(n log n).
 */
export class Scaling {
  readonly #o: ScalingOptions;
  /** By node index: how often it was undone; of how many EVSEs that could be moved how many were given up since. */
  readonly #times: Uint8Array;
  readonly #moved: Int32Array;
  readonly #givenUp: Int32Array;

  constructor(o: ScalingOptions) {
    this.#o = o;
    const { length } = o.tree.nodes;
    this.#times = new Uint8Array(length);
    this.#moved = new Int32Array(length);
    this.#givenUp = new Int32Array(length);
  }

  /** What is scaled now. */
  scaled(): { readonly node: SiteNode; readonly direction: 'import' | 'export' }[] {
    return this.#o.tree.nodes.flatMap((node) => {
      const { importScaled = false, exportScaled = false } = this.#o.forest.branches[node.index] ?? {};
      return [
        ...(importScaled ? [{ node, direction: 'import' as const }] : []),
        ...(exportScaled ? [{ node, direction: 'export' as const }] : []),
      ];
    });
  }

  /** Deepest circuits first. */
  scale(broken: readonly Broken[]): void {
    const { tree, forest } = this.#o;
    for (const { branch, imports, exports } of [...broken].sort((a, b) => b.branch.index - a.branch.index)) {
      const node = tree.nodes[branch.index];
      if (!node) continue;
      const cells = this.#cellsBelow(node);
      if (!isScaled(branch)) {
        this.#moved[node.index] = cells.length;
        this.#givenUp[node.index] = 0;
      }
      if (imports) {
        branch.importScaled = true;
        scaleImports(forest, cells, branch.importRoom);
      }
      if (exports) {
        branch.exportScaled = true;
        scaleExports(forest, cells, branch.exportRoom);
      }
      this.#renew(node, branch);
    }
  }

  /** An EVSE was given up: its circuits may be scaled anew. */
  givenUp(evse: SiteEvse): void {
    let isDue = false;
    let outermost: SiteNode | undefined;
    for (let node: SiteNode | undefined = evse.node; node; node = node.parent) {
      const branch = this.#o.forest.branches[node.index];
      if (!branch || !isScaled(branch)) continue;
      const count = (this.#givenUp[node.index] ?? 0) + 1;
      this.#givenUp[node.index] = count;
      isDue ||= count >= PART * (this.#moved[node.index] ?? 0);
      outermost = node;
    }
    if (isDue && outermost) this.#undo(outermost);
  }

  /** Nobody is in a zone any more: scales anew what has room left over. True when there is something to be done. */
  settle(): boolean {
    const { tree, forest } = this.#o;
    let isUndone = false;
    for (let i = 0; i < tree.nodes.length; ) {
      const [node, branch] = [tree.nodes[i], forest.branches[i]];
      const isOutermost = node !== undefined && branch !== undefined && isScaled(branch);
      if (isOutermost && (this.#givenUp[i] ?? 0) > 0 && this.#undo(node)) isUndone = true;
      i = isOutermost ? node.end : i + 1;
    }
    return isUndone;
  }

  /** All bounds below a node as they were; false when that was done too often. */
  #undo(node: SiteNode): boolean {
    const { forest, bounds, cellOf } = this.#o;
    const branch = forest.branches[node.index];
    const times = this.#times[node.index] ?? 0;
    if (!branch || times >= MAX_TIMES) return false;
    this.#times[node.index] = times + 1;
    for (let i = node.from; i < node.to; i++) {
      const [cell, bound] = [cellOf(i), bounds[i]];
      if (cell !== undefined && bound?.free) forest.setBounds(cell, bound.lo, bound.need, bound.wish);
    }
    for (let i = node.index; i < node.end; i++) {
      const inner = forest.branches[i];
      if (inner) inner.importScaled = inner.exportScaled = false;
    }
    this.#renew(node, branch);
    return true;
  }

  #cellsBelow(node: SiteNode): number[] {
    const cells: number[] = [];
    for (let i = node.from; i < node.to; i++) {
      const cell = this.#o.cellOf(i);
      if (cell !== undefined) cells.push(cell);
    }
    return cells;
  }

  /** All sums below a node and above it. */
  #renew(node: SiteNode, branch: Branch): void {
    const { forest } = this.#o;
    for (let i = node.end - 1; i >= node.index; i--) {
      const inner = forest.branches[i];
      if (inner) forest.renew(inner);
    }
    forest.lift(branch.cell);
  }
}

const isScaled = ({ importScaled, exportScaled }: Branch): boolean => importScaled || exportScaled;
