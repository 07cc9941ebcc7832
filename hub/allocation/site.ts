import { ALLOCATION_ERRORS } from './errors.ts';
import { type CircuitInput, type EvseInput, POC_ID, type SiteInput } from './types.ts';

/** Deeper trees are refused: no installation has them, and the tree walks recurse. */
const MAX_DEPTH = 64;

/** A circuit of the tree, or the POC (index 0). Numbered in pre-order: a subtree is the range `index … end − 1`. */
export interface SiteNode {
  readonly index: number;
  readonly id: string;
  readonly parent: SiteNode | undefined;
  readonly importW: number;
  readonly exportW: number;
  /** Limits of this moment ({@link CircuitInput.now}), at most the same. */
  readonly now: { readonly importW: number; readonly exportW: number };
  /** Imports and exports are bounded separately (netting `none`). */
  readonly separate: boolean;
  readonly children: SiteNode[];
  readonly evses: SiteEvse[];
  end: number;
  /** The EVSEs below it are `from … to − 1`. */
  from: number;
  to: number;
}

/** An EVSE with what the procedure needs of it; numbered so that each circuit's EVSEs are a range. */
export interface SiteEvse {
  readonly index: number;
  readonly input: EvseInput;
  readonly node: SiteNode;
  /** Order in which EVSEs in forbidden zones are given up (fo 8.3.6): 0 first. */
  rank: number;
  readonly urgency: number;
  readonly neededW: number;
  readonly wishedW: number;
  readonly loW: number;
  /** What it can be told: multiples of this (fo 8.3.7). */
  readonly quantumW: number;
}

export interface SiteTree {
  readonly poc: SiteNode;
  readonly nodes: readonly SiteNode[];
  readonly evses: readonly SiteEvse[];
  /** In byte order of their ids. */
  readonly byId: readonly SiteEvse[];
  /** The least urgent first. */
  readonly byRank: readonly SiteEvse[];
  readonly input: SiteInput;
}

/**
 * Checks a site and brings it into an order that does not depend on the order of its lists (G4).
 * @throws allocation.input on doubled or unknown ids, cycles and numbers that cannot be.
 */
export function siteTree(input: SiteInput): SiteTree {
  checkSite(input);
  const { nodes, poc } = circuitTree(input);
  const nodeOf = new Map<string, SiteNode>(nodes.map((n) => [n.id, n])); // bounded by: this call
  const places: number[][] = nodes.map(() => []);
  const sorted = [...input.evses].sort(byEvseId);
  sorted.forEach((evse, i) => {
    checkEvse(evse, sorted[i - 1]);
    const node = evse.circuitId === undefined ? poc : nodeOf.get(evse.circuitId);
    if (!node || evse.circuitId === POC_ID)
      throw bad(`The circuit ${evse.circuitId} of EVSE ${evse.evseId} is unknown.`);
    places[node.index]?.push(i);
  });
  const evses: SiteEvse[] = [];
  const byId = new Array<SiteEvse>(sorted.length);
  for (const node of nodes) {
    node.from = evses.length;
    for (const i of places[node.index] ?? []) {
      const evse = sorted[i];
      if (!evse) continue;
      const made = siteEvse(evse, node, evses.length);
      byId[i] = made;
      node.evses.push(made);
      evses.push(made);
    }
  }
  for (const node of nodes) node.to = nodes[node.end]?.from ?? evses.length;
  return { poc, nodes, evses, byId, byRank: rankByUrgency(byId), input };
}

function siteEvse(input: EvseInput, node: SiteNode, index: number): SiteEvse {
  const loW = input.exportAllowed ? Math.min(0, input.loW) : 0;
  const wishedW = Math.max(0, input.wishedW);
  const neededW = Math.min(wishedW, Math.max(loW, input.neededW));
  const quantumW = input.amps ? 0.1 * input.amps.voltageV * input.amps.phases : (input.stepW ?? 1);
  const urgency = wishedW > 0 ? Math.max(neededW, 0) / wishedW : 0;
  return { index, input, node, rank: 0, urgency, neededW, wishedW, loW, quantumW };
}

/**
 * Lowest urgency `max(needed, 0) / wished` first; tie: highest evseId in byte order (fo 8.3.6). Of alike ones, those that
 * do nothing now come before those that do: else who gets the place changes with every little change of the room.
 */
function rankByUrgency(byId: readonly SiteEvse[]): SiteEvse[] {
  const isOn = ({ input }: SiteEvse) => (input.presentW === 0 ? 0 : 1);
  const [idle, on, urgent]: [SiteEvse[], SiteEvse[], SiteEvse[]] = [[], [], []];
  for (let i = byId.length - 1; i >= 0; i--) {
    const evse = byId[i];
    if (evse) (evse.urgency > 0 ? urgent : isOn(evse) ? on : idle).push(evse);
  }
  urgent.sort((a, b) => a.urgency - b.urgency || isOn(a) - isOn(b));
  const ranked = [...idle, ...on, ...urgent];
  ranked.forEach((evse, rank) => {
    evse.rank = rank;
  });
  return ranked;
}

function circuitTree(input: SiteInput): { nodes: SiteNode[]; poc: SiteNode } {
  const children = new Map<string, CircuitInput[]>(); // bounded by: this call
  const ids = new Set<string>([POC_ID]); // bounded by: this call
  for (const circuit of input.circuits) {
    const what = `Circuit ${circuit.circuitId}`;
    if (ids.has(circuit.circuitId)) throw bad(`${what} is there twice, or is called like the POC.`);
    ids.add(circuit.circuitId);
    checkNumbers(what, { importLimitW: circuit.importLimitW, exportLimitW: circuit.exportLimitW }, 0);
    const parentId = circuit.parentId ?? POC_ID;
    const list = children.get(parentId);
    if (list) list.push(circuit);
    else children.set(parentId, [circuit]);
  }
  const nodes: SiteNode[] = [];
  const add = (c: CircuitInput, parent: SiteNode | undefined, depth: number): SiteNode => {
    if (depth > MAX_DEPTH) throw bad(`Circuit ${c.circuitId} lies deeper than ${MAX_DEPTH} levels.`);
    const node: SiteNode = {
      index: nodes.length,
      id: c.circuitId,
      parent,
      importW: c.importLimitW,
      exportW: c.exportLimitW,
      now: {
        importW: Math.min(c.importLimitW, c.now?.importLimitW ?? c.importLimitW),
        exportW: Math.min(c.exportLimitW, c.now?.exportLimitW ?? c.exportLimitW),
      },
      separate: c.netting === 'none',
      children: [],
      evses: [],
      end: 0,
      from: 0,
      to: 0,
    };
    nodes.push(node);
    const below = children.get(c.circuitId) ?? [];
    below.sort((a, b) => (a.circuitId < b.circuitId ? -1 : 1));
    for (const child of below) node.children.push(add(child, node, depth + 1));
    node.end = nodes.length;
    return node;
  };
  const poc = add({ ...input.poc, circuitId: POC_ID }, undefined, 0);
  if (nodes.length !== input.circuits.length + 1) {
    const reached = new Set(nodes.map((n) => n.id)); // bounded by: this call
    const lost = input.circuits.find((c) => !reached.has(c.circuitId));
    throw bad(`Circuit ${lost?.circuitId} has an unknown parent or lies in a circle.`);
  }
  return { nodes, poc };
}

function checkSite(input: SiteInput): void {
  const { poc, usedW, generationW, stepS, ess, target } = input;
  // Below 0 where others alone are beyond the limit.
  checkNumbers('The POC', { importLimitW: poc.importLimitW, exportLimitW: poc.exportLimitW });
  checkNumbers('The site', { usedW, generationW });
  if (!(stepS > 0)) throw bad(`The planning step must be above 0 s, got ${stepS}.`);
  if (ess) checkNumbers('The ESS', { ...ess });
  if (target) checkNumbers('The target', { setpointW: target.setpointW });
}

/** `before`: the one before it in the order of ids. */
function checkEvse(e: EvseInput, before: EvseInput | undefined): void {
  if (e.evseId === before?.evseId) throw badEvse(e, 'is there twice');
  const finite = e.loW + e.neededW + e.wishedW + e.presentW + e.maxW + e.minImportW + e.minExportW;
  if (!Number.isFinite(finite)) checkNumbers(`EVSE ${e.evseId}`, { ...pickNumbers(e) });
  if (!(e.minImportW >= 0 && e.minExportW >= 0)) throw badEvse(e, 'has a negative minimum');
  if (e.stepW !== undefined && !(e.stepW > 0 && Number.isFinite(e.stepW))) throw badEvse(e, 'has no valid stepW');
  const { amps, fixed, inFlight } = e;
  if (amps && !(amps.voltageV * amps.phases > 0 && Number.isFinite(amps.voltageV * amps.phases))) {
    throw badEvse(e, 'has no valid voltage or phases');
  }
  for (const range of [fixed, inFlight]) {
    if (range && !(range.minW <= range.maxW && Number.isFinite(range.maxW - range.minW))) {
      throw badEvse(e, 'has a range with minW above maxW');
    }
  }
}

function pickNumbers(e: EvseInput): Record<string, number> {
  const { loW, neededW, wishedW, presentW, maxW, minImportW, minExportW } = e;
  return { loW, neededW, wishedW, presentW, maxW, minImportW, minExportW };
}

function checkNumbers(what: string, values: Record<string, number>, least = Number.NEGATIVE_INFINITY): void {
  for (const [name, value] of Object.entries(values)) {
    if (!Number.isFinite(value)) throw bad(`${what} has ${name} = ${value}.`);
    if (value < least) throw bad(`${what} has ${name} = ${value}, below ${least}.`);
  }
}

function byEvseId(a: EvseInput, b: EvseInput): number {
  return a.evseId < b.evseId ? -1 : a.evseId > b.evseId ? 1 : 0;
}

function badEvse({ evseId }: EvseInput, what: string) {
  return bad(`EVSE ${evseId} ${what}.`);
}

function bad(what: string) {
  return ALLOCATION_ERRORS.fail('allocation.input', what);
}
