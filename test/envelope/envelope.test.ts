import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allocate, type SiteInput } from '../../hub/allocation/index.ts';
import { type EnvelopeEvse, type EnvelopeInput, type EnvelopeLimit, envelope } from '../../hub/envelope/index.ts';
import { dice, randomSite, shuffled } from '../allocation/sites.ts';

const seeds = fc.integer({ min: 0, max: 0xffff_ffff });
const TOLERANCE_W = 1e-3;

const evse = (evseId: string, o: Partial<EnvelopeEvse> = {}): EnvelopeEvse => ({
  evseId,
  worstImportW: 0,
  worstExportW: 0,
  physMaxImportW: 11_000,
  physMaxExportW: 10_000,
  ...o,
});

const site = (evses: readonly EnvelopeEvse[], o: Partial<EnvelopeInput> = {}): EnvelopeInput => ({
  poc: { importLimitW: 20_000, exportLimitW: 8_000, netting: 'measured' },
  usedW: 0,
  generationW: 0,
  circuits: [],
  evses,
  ...o,
});

const imports = (input: EnvelopeInput) => Object.fromEntries(envelope(input).map((e) => [e.evseId, e.importLimitW]));
const exports = (input: EnvelopeInput) => Object.fromEntries(envelope(input).map((e) => [e.evseId, e.exportLimitW]));

/** A random site with random demands below what each EVSE can do. */
function randomInput(seed: number): EnvelopeInput {
  const d = dice(seed);
  const s = randomSite(d, { special: false });
  const evses = s.evses.map((e): EnvelopeEvse => {
    const [physMaxImportW, physMaxExportW] = [e.maxW, d.chance(0.5) ? e.maxW : 0];
    const base = { evseId: e.evseId, ...(e.circuitId === undefined ? {} : { circuitId: e.circuitId }) };
    const worstImportW = d.chance(0.3) ? 0 : Math.round(physMaxImportW * d.next());
    const worstExportW = d.chance(0.5) ? 0 : Math.round(physMaxExportW * d.next());
    return {
      ...base,
      physMaxImportW,
      physMaxExportW,
      worstImportW,
      worstExportW,
      ...(d.chance(0.1) ? { fixed: true } : {}),
    };
  });
  return { poc: s.poc, usedW: s.usedW, generationW: s.generationW, circuits: s.circuits, evses };
}

interface NodeUse {
  readonly id: string;
  readonly measured: boolean;
  readonly evses: readonly EnvelopeEvse[];
  readonly importLimitW: number;
  readonly exportLimitW: number;
}

function nodesOf(input: EnvelopeInput): NodeUse[] {
  const parents = new Map(input.circuits.map((c) => [c.circuitId, c.parentId]));
  const isBelow = (e: EnvelopeEvse, node: string) => {
    for (let id = e.circuitId; id !== undefined; id = parents.get(id)) if (id === node) return true;
    return false;
  };
  const others = input.generationW - input.usedW;
  const { importLimitW, exportLimitW, netting } = input.poc;
  return [
    {
      id: 'poc',
      measured: netting === 'measured',
      evses: input.evses,
      importLimitW: Math.max(0, importLimitW + others),
      exportLimitW: Math.max(0, exportLimitW - others),
    },
    ...input.circuits.map((c) => ({
      id: c.circuitId,
      measured: c.netting === 'measured',
      evses: input.evses.filter((e) => isBelow(e, c.circuitId)),
      importLimitW: c.importLimitW,
      exportLimitW: c.exportLimitW,
    })),
  ];
}

function sum<T>(list: readonly T[], pick: (x: T) => number): number {
  return list.reduce((total, x) => total + pick(x), 0);
}

describe('the envelope', () => {
  it('gives what is left in proportion to what each could use beyond its demand', () => {
    const input = site([evse('a', { worstImportW: 5_000 }), evse('b', { worstImportW: 2_000 })]);
    expect(imports(input)).toEqual({ a: 10_200, b: 9_800 });
    expect(exports(input)).toEqual({ a: 4_000, b: 4_000 });
  });

  it('cuts demands in proportion where they no longer fit', () => {
    const poc = { importLimitW: 6_000, exportLimitW: 0, netting: 'none' as const };
    expect(imports(site([evse('a', { worstImportW: 9_000 }), evse('b', { worstImportW: 3_000 })], { poc }))).toEqual({
      a: 4_500,
      b: 1_500,
    });
  });

  it('cuts those that were told to come down before those that were told nothing', () => {
    const poc = { importLimitW: 6_000, exportLimitW: 0, netting: 'none' as const };
    const evses = [evse('a', { worstImportW: 5_000, toldImportW: 1_000 }), evse('b', { worstImportW: 5_000 })];
    expect(imports(site(evses, { poc }))).toEqual({ a: 1_000, b: 5_000 });
  });

  it('gives shares that are of no use to as many as can use them, those that charge first', () => {
    const poc = { importLimitW: 5_000, exportLimitW: 0, netting: 'none' as const };
    const ac = (id: string, worstImportW: number) => evse(id, { worstImportW, minImportW: 4_140 });
    expect(imports(site([ac('a', 11_000), ac('b', 11_000), ac('c', 11_000)], { poc }))).toEqual({
      a: 5_000,
      b: 0,
      c: 0,
    });
    const { c = 0, ...idle } = imports(site([ac('a', 0), ac('b', 0), ac('c', 4_500)], { poc }));
    expect(idle).toEqual({ a: 0, b: 0 });
    expect(c).toBeGreaterThanOrEqual(4_500);
    const more = { poc: { ...poc, importLimitW: 9_000 } };
    expect(imports(site([ac('a', 6_000), ac('b', 6_000), ac('c', 6_000)], more))).toEqual({ a: 4_500, b: 4_500, c: 0 });
  });

  it('takes base load, generation and storage off at the POC', () => {
    const one = [evse('a')];
    expect(imports(site(one, { usedW: 15_000, generationW: 2_000, essW: -1_000 }))).toEqual({ a: 8_000 });
    expect(imports(site(one, { usedW: 30_000 }))).toEqual({ a: 0 });
    expect(exports(site(one, { generationW: 5_000 }))).toEqual({ a: 3_000 });
  });

  it('keeps imports that live on exports where netting is measured, and gives nobody more for it', () => {
    const poc = { importLimitW: 2_000, exportLimitW: 0, netting: 'measured' as const };
    const pair = [evse('in', { worstImportW: 9_000 }), evse('out', { worstExportW: 8_000, physMaxExportW: 9_000 })];
    expect(envelope(site(pair, { poc }))).toEqual([
      { evseId: 'in', importLimitW: 9_000, exportLimitW: 0 },
      { evseId: 'out', importLimitW: 0, exportLimitW: 8_000 },
    ]);
    expect(imports(site(pair, { poc: { ...poc, netting: 'none' } })).in).toBeLessThanOrEqual(2_000);
  });

  it('counts offline EVSEs in full before the others', () => {
    const poc = { importLimitW: 8_000, exportLimitW: 0, netting: 'none' as const };
    const input = site([evse('off', { worstImportW: 6_000, fixed: true }), evse('a', { worstImportW: 6_000 })], {
      poc,
    });
    expect(imports(input)).toEqual({ a: 2_000, off: 6_000 });
  });

  it('survives circuits in a circle and unknown ones', () => {
    const circuit = { importLimitW: 3_000, exportLimitW: 0, netting: 'none' as const };
    const circuits = [
      { ...circuit, circuitId: 'x', parentId: 'y' },
      { ...circuit, circuitId: 'y', parentId: 'x' },
      { ...circuit, circuitId: 'z', parentId: 'nowhere' },
    ];
    const input = site([evse('a', { circuitId: 'x' }), evse('b', { circuitId: 'z' }), evse('c', { circuitId: '?' })], {
      circuits,
    });
    expect(imports(input)).toEqual({ a: 3_000, b: 3_000, c: 11_000 });
  });
});

describe('on random sites the envelope', () => {
  it('never sums up to more than a limit, save for what netting carries and what is offline', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const input = randomInput(seed);
        const limits = new Map(envelope(input).map((e) => [e.evseId, e]));
        for (const node of nodesOf(input)) {
          const given = (pick: (e: EnvelopeLimit) => number) =>
            sum(node.evses, (e) => pick(limits.get(e.evseId) ?? { evseId: '', importLimitW: 0, exportLimitW: 0 }));
          const [wantIn, wantOut] = [sum(node.evses, (e) => e.worstImportW), sum(node.evses, (e) => e.worstExportW)];
          const offline = node.evses.filter((e) => e.fixed);
          const mayImport = node.measured ? Math.min(wantIn, node.importLimitW + wantOut) : 0;
          const mayExport = node.measured ? Math.min(wantOut, node.exportLimitW + wantIn) : 0;
          const mostIn = Math.max(
            node.importLimitW,
            mayImport,
            sum(offline, (e) => e.worstImportW),
          );
          const mostOut = Math.max(
            node.exportLimitW,
            mayExport,
            sum(offline, (e) => e.worstExportW),
          );
          expect(given((e) => e.importLimitW)).toBeLessThanOrEqual(mostIn + TOLERANCE_W);
          expect(given((e) => e.exportLimitW)).toBeLessThanOrEqual(mostOut + TOLERANCE_W);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('holds everything the allocator granted under the same limits', () => {
    let exporting = 0;
    fc.assert(
      fc.property(seeds, (seed) => {
        const input: SiteInput = randomSite(dice(seed), { special: false });
        const result = allocate(input);
        if (result.alarms.length > 0) return;
        if (result.grants.some((g) => g.grantedW < 0)) exporting++;
        const granted = new Map(result.grants.map((g) => [g.evseId, g.grantedW]));
        const evses = input.evses.map((e): EnvelopeEvse => {
          const power = granted.get(e.evseId) ?? 0;
          const phys = { physMaxImportW: e.maxW, physMaxExportW: e.maxW };
          const circuit = e.circuitId === undefined ? {} : { circuitId: e.circuitId };
          return {
            evseId: e.evseId,
            ...circuit,
            ...phys,
            worstImportW: Math.max(0, power),
            worstExportW: Math.max(0, -power),
          };
        });
        for (const e of envelope({ ...input, essW: result.essW, evses })) {
          const power = granted.get(e.evseId) ?? 0;
          expect(e.importLimitW).toBeGreaterThanOrEqual(power - TOLERANCE_W);
          expect(e.exportLimitW).toBeGreaterThanOrEqual(-power - TOLERANCE_W);
        }
      }),
      { numRuns: 2_000 },
    );
    expect(exporting).toBeGreaterThan(100);
  });

  it('gives nobody below a node more when that node shrinks, and nobody at all when the POC shrinks', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const input = randomInput(seed);
        const d = dice(seed + 1);
        const before = new Map(envelope(input).map((e) => [e.evseId, e.importLimitW]));
        const node = nodesOf(input)[d.int(0, input.circuits.length)];
        if (!node) return;
        const part = d.next();
        const smaller =
          node.id === 'poc'
            ? { ...input, poc: { ...input.poc, importLimitW: input.poc.importLimitW * part } }
            : {
                ...input,
                circuits: input.circuits.map((c) =>
                  c.circuitId === node.id ? { ...c, importLimitW: c.importLimitW * part } : c,
                ),
              };
        const after = new Map(envelope(smaller).map((e) => [e.evseId, e.importLimitW]));
        for (const { evseId } of node.evses) {
          expect(after.get(evseId)).toBeLessThanOrEqual((before.get(evseId) ?? 0) + TOLERANCE_W);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('does not depend on the order of the lists', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const input = randomInput(seed);
        const d = dice(seed + 2);
        const mixed = { ...input, circuits: shuffled(d, input.circuits), evses: shuffled(d, input.evses) };
        expect(envelope(mixed)).toEqual(envelope(input));
      }),
      { numRuns: 500 },
    );
  });
});
