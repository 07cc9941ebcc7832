import { real } from './forest.ts';
import type { SiteEvse, SiteNode, SiteTree } from './site.ts';
import type { PowerRange } from './steps.ts';

/** What counts against the import and the export limit of each node, worst case of every EVSE, W. */
export class Usage {
  readonly #imports: Float64Array;
  readonly #exports: Float64Array;

  constructor(tree: SiteTree, rangeOf: (evse: SiteEvse) => PowerRange) {
    const { nodes, evses } = tree;
    this.#imports = new Float64Array(nodes.length);
    this.#exports = new Float64Array(nodes.length);
    const importsApart = new Float64Array(nodes.length);
    const exportsApart = new Float64Array(nodes.length);
    for (const evse of evses) {
      const { minW, maxW } = rangeOf(evse);
      const { index } = evse.node;
      add(this.#imports, index, maxW);
      add(this.#exports, index, -minW);
      add(importsApart, index, Math.max(0, maxW));
      add(exportsApart, index, Math.max(0, -minW));
    }
    const lists = [this.#imports, this.#exports, importsApart, exportsApart];
    for (let i = nodes.length - 1; i > 0; i--) {
      const up = nodes[i]?.parent?.index ?? 0;
      for (const list of lists) add(list, up, real(list, i));
    }
    for (const { index, separate } of nodes) {
      if (!separate) continue;
      this.#imports[index] = real(importsApart, index);
      this.#exports[index] = real(exportsApart, index);
    }
  }

  importsOf(node: SiteNode): number {
    return real(this.#imports, node.index);
  }

  exportsOf(node: SiteNode): number {
    return real(this.#exports, node.index);
  }

  /** An EVSE counts with another range from now on. */
  move(evse: SiteEvse, from: PowerRange, to: PowerRange): void {
    for (let node: SiteNode | undefined = evse.node; node; node = node.parent) {
      const counted = (power: number) => (node?.separate ? Math.max(0, power) : power);
      add(this.#imports, node.index, counted(to.maxW) - counted(from.maxW));
      add(this.#exports, node.index, counted(-to.minW) - counted(-from.minW));
    }
  }
}

function add(list: Float64Array, at: number, value: number): void {
  list[at] = real(list, at) + value;
}
