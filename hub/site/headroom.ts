import { POC_ID, type SiteInput } from '../allocation/index.ts';

type Direction = 'import' | 'export';

interface Node {
  readonly parentId: string | undefined;
  readonly separate: boolean;
  readonly importLimitW: number;
  readonly exportLimitW: number;
  importW: number;
  exportW: number;
}

/** Rounding of the allocator, W. */
const EPS_W = 0.01;

/**
 * Where more may be under way, or may be going on, than a limit allows: at such a place nobody is told more than what it
 * has for sure, until the others have come down (fo 8.3.8: the worst of old and new value of every member). Answers
 * whether the EVSE is below such a node; undefined where there is none.
 */
export function overfull(
  input: SiteInput,
): ((circuitId: string | undefined, direction: Direction) => boolean) | undefined {
  const nodes = nodesOf(input);
  for (const e of input.evses) {
    const range = e.fixed ?? e.inFlight ?? { minW: e.presentW, maxW: e.presentW };
    for (let node = nodes.get(e.circuitId ?? POC_ID); node; node = above(nodes, node)) {
      node.importW += node.separate ? Math.max(0, range.maxW) : range.maxW;
      node.exportW += node.separate ? Math.max(0, -range.minW) : -range.minW;
    }
  }
  let any = false;
  for (const n of nodes.values()) any ||= isFull(n, 'import') || isFull(n, 'export');
  if (!any) return undefined;
  return (circuitId, direction) => {
    for (let node = nodes.get(circuitId ?? POC_ID); node; node = above(nodes, node))
      if (isFull(node, direction)) return true;
    return false;
  };
}

const isFull = (n: Node, direction: Direction): boolean =>
  direction === 'import' ? n.importW > n.importLimitW + EPS_W : n.exportW > n.exportLimitW + EPS_W;

const above = (nodes: ReadonlyMap<string, Node>, { parentId }: Node): Node | undefined =>
  parentId === undefined ? undefined : nodes.get(parentId);

function nodesOf({ poc, circuits, usedW, generationW }: SiteInput): Map<string, Node> {
  const others = generationW - usedW;
  const nodes = new Map<string, Node>(); // bounded by: the site file
  nodes.set(POC_ID, {
    parentId: undefined,
    separate: poc.netting === 'none',
    importLimitW: Math.min(poc.importLimitW, poc.now?.importLimitW ?? poc.importLimitW) + others,
    exportLimitW: Math.min(poc.exportLimitW, poc.now?.exportLimitW ?? poc.exportLimitW) - others,
    importW: 0,
    exportW: 0,
  });
  for (const c of circuits) {
    nodes.set(c.circuitId, {
      parentId: c.parentId ?? POC_ID,
      separate: c.netting === 'none',
      importLimitW: (c.now ?? c).importLimitW,
      exportLimitW: (c.now ?? c).exportLimitW,
      importW: 0,
      exportW: 0,
    });
  }
  return nodes;
}
