/**
 * The envelope (design 2): the highest permitted import and export of each EVSE right now, such that every limit holds
 * whatever the EVSEs do within it. Pure; cost n log n (sorting the ids) for n EVSEs.
 */
import type { CircuitInput, PocInput } from '../allocation/index.ts';
import { type Flow, isOvertold, type Knot, knotTree, share } from './tree.ts';

export interface EnvelopeEvse {
  readonly evseId: string;
  /** Absent: directly at the POC. */
  readonly circuitId?: string;
  /** What it may be doing by commands in force or under way, W ≥ 0. */
  readonly worstImportW: number;
  readonly worstExportW: number;
  /** What it was told to do, W ≥ 0; absent: what it may be doing. */
  readonly toldImportW?: number;
  readonly toldExportW?: number;
  /** > 0: below this it can do nothing with its share (fo 8.3.6), W. */
  readonly minImportW?: number;
  readonly minExportW?: number;
  /** What it can do or is ever allowed to, W ≥ 0. A demand above it is cut to it. */
  readonly physMaxImportW: number;
  readonly physMaxExportW: number;
  /** Offline: it does what it does. Its worst case counts before everybody else's, and it gets no more than that. */
  readonly fixed?: boolean;
}

export interface EnvelopeInput {
  /** The limits of now, temporary ones included (fo 6.3: the narrowest wins). */
  readonly poc: PocInput;
  /** Base load and generation at the POC, W ≥ 0. */
  readonly usedW: number;
  readonly generationW: number;
  /** Power of the storage, W, load convention: negative = discharging; absent: 0. */
  readonly essW?: number;
  readonly circuits: readonly CircuitInput[];
  readonly evses: readonly EnvelopeEvse[];
}

export interface EnvelopeLimit {
  readonly evseId: string;
  /** W ≥ 0. */
  readonly importLimitW: number;
  readonly exportLimitW: number;
}

/**
 * Shares every limit out from the POC downwards, imports and exports apart, so that at each node the limits given to
 * the EVSEs below it sum up to no more than its own. Demands come first and are cut in proportion where they do not
 * fit, towards what each was told and only then below; what is left is given in proportion to what each could use beyond
 * its demand. Shares below the minimum of an EVSE go to as many as can use them.
 *
 * A node with `measured` netting may carry imports that live on exports (and the reverse): demands that are already in
 * force keep their place there as long as their net sum holds, but nobody gets more on that account.
 *
 * What holds when a limit shrinks: nobody below that node gets more of that direction, except the place of one whose share
 * fell below its minimum. Others may (they inherit).
 * @returns one row per EVSE, by evseId in byte order. EVSEs of unknown circuits count at the POC.
 */
export const envelope = (input: EnvelopeInput): EnvelopeLimit[] => shared(input, knotTree(input));

/**
 * The same, where the EVSEs were told (or, where nothing was told, may be doing) more than a limit allows, for what
 * `decided` makes of the input: somebody has to say who comes down, a share in proportion would be of little use to all.
 */
export function decidedEnvelope(
  input: EnvelopeInput,
  decided: (input: EnvelopeInput) => EnvelopeInput,
): EnvelopeLimit[] {
  const root = knotTree(input);
  const undecided = isOvertold(root, flowOf(input, 'import')) || isOvertold(root, flowOf(input, 'export'));
  return undecided ? envelope(decided(input)) : shared(input, root);
}

function shared(input: EnvelopeInput, root: Knot): EnvelopeLimit[] {
  const imports = share(root, flowOf(input, 'import'));
  const exports = share(root, flowOf(input, 'export'));
  return input.evses
    .map(({ evseId }) => ({
      evseId,
      importLimitW: imports.get(evseId) ?? 0,
      exportLimitW: exports.get(evseId) ?? 0,
    }))
    .sort((a, b) => (a.evseId < b.evseId ? -1 : 1));
}

function flowOf(input: EnvelopeInput, direction: 'import' | 'export'): Flow {
  const others = input.generationW - input.usedW - (input.essW ?? 0);
  const importDemand = (e: EnvelopeEvse) => Math.min(e.worstImportW, e.physMaxImportW);
  const exportDemand = (e: EnvelopeEvse) => Math.min(e.worstExportW, e.physMaxExportW);
  const importLimit = (k: Knot) => Math.max(0, k.importLimitW + (k.isPoc ? others : 0));
  const exportLimit = (k: Knot) => Math.max(0, k.exportLimitW - (k.isPoc ? others : 0));
  return direction === 'import'
    ? {
        limitOf: importLimit,
        counterLimitOf: exportLimit,
        demandOf: importDemand,
        counterOf: exportDemand,
        mostOf: (e) => e.physMaxImportW,
        toldOf: (e) => e.toldImportW ?? Number.POSITIVE_INFINITY,
        minOf: (e) => e.minImportW ?? 0,
      }
    : {
        limitOf: exportLimit,
        counterLimitOf: importLimit,
        demandOf: exportDemand,
        counterOf: importDemand,
        mostOf: (e) => e.physMaxExportW,
        toldOf: (e) => e.toldExportW ?? Number.POSITIVE_INFINITY,
        minOf: (e) => e.minExportW ?? 0,
      };
}
