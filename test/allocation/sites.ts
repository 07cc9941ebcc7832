import type { CircuitInput, EvseInput, SiteInput, TargetInput } from '../../hub/allocation/index.ts';

/** A small seeded generator (mulberry32), so that one number names a whole site. */
export interface Dice {
  /** 0 ≤ x < 1. */
  next(): number;
  int(from: number, to: number): number;
  chance(p: number): boolean;
  pick<T>(list: readonly [T, ...T[]]): T;
}

export function dice(seed: number): Dice {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
  const int = (from: number, to: number) => from + Math.floor(next() * (to - from + 1));
  return { next, int, chance: (p) => next() < p, pick: (list) => list[int(0, list.length - 1)] ?? list[0] };
}

export interface SiteOptions {
  /** At most so many EVSEs; default 14. */
  readonly maxEvses?: number;
  /** Opted out, offline and held EVSEs, minimum on and off times; default true. */
  readonly special?: boolean;
  /** Targets for part of the EVSEs; default true. */
  readonly groups?: boolean;
}

/** A random site with a tree of up to three levels of circuits, biased so that every kind of bound decides often. */
export function randomSite(d: Dice, o: SiteOptions = {}): SiteInput {
  const v2g = d.pick([0, 0.3, 0.6, 1]);
  const circuits = randomCircuits(d);
  const evses = Array.from({ length: d.int(1, o.maxEvses ?? 14) }, (_, i) =>
    randomEvse(d, `E${String(i).padStart(3, '0')}`, circuits, v2g, o.special ?? true),
  );
  const scale = evses.reduce((sum, e) => sum + e.wishedW, 0) + 2_000;
  const tight = d.pick([0.2, 0.5, 0.8, 2]);
  const limited = circuits.map((c): CircuitInput => {
    const below = evses.filter((e) => e.circuitId === c.circuitId).length + 1;
    const share = (scale * below) / (evses.length + 1);
    return {
      ...c,
      importLimitW: Math.round(share * d.pick([0.3, 0.7, 1.2, 4]) * (0.5 + d.next())),
      exportLimitW: d.chance(0.15) ? 0 : Math.round(share * d.pick([0.2, 0.6, 2]) * (0.5 + d.next())),
    };
  });
  const target = d.chance(0.9) ? randomTarget(d, evses, o.groups ?? true) : undefined;
  return {
    poc: {
      importLimitW: Math.round(scale * tight * (0.5 + d.next())),
      exportLimitW: d.chance(0.15) ? 0 : Math.round(scale * d.pick([0.1, 0.4, 1.5]) * d.next()),
      netting: d.chance(0.85) ? 'measured' : 'none',
    },
    usedW: d.chance(0.3) ? 0 : Math.round(scale * 0.3 * d.next()),
    generationW: d.chance(0.6) ? 0 : Math.round(scale * 0.3 * d.next()),
    ...(d.chance(0.3)
      ? {
          ess: {
            powerW: d.chance(0.5) ? 0 : d.int(-3_000, 3_000),
            maxDischargeW: d.int(1_000, 10_000),
            availableWh: d.int(0, 5_000),
            minWh: d.int(0, 1_000),
          },
        }
      : {}),
    stepS: 900,
    circuits: limited,
    evses,
    ...(target ? { target } : {}),
  };
}

function randomCircuits(d: Dice): CircuitInput[] {
  const list: CircuitInput[] = [];
  const depth = new Map<string, number>();
  const wanted = d.pick([0, 1, 2, 3, 5, 7]);
  for (let i = 0; i < wanted; i++) {
    const parent = d.chance(0.5) ? list[d.int(0, Math.max(0, list.length - 1))] : undefined;
    const level = parent ? (depth.get(parent.circuitId) ?? 0) + 1 : 0;
    const circuitId = `k${i}`;
    depth.set(circuitId, level);
    list.push({
      circuitId,
      ...(parent && level < 3 ? { parentId: parent.circuitId } : {}),
      importLimitW: 0,
      exportLimitW: 0,
      netting: d.chance(0.75) ? 'none' : 'measured',
    });
  }
  return list;
}

function randomEvse(
  d: Dice,
  evseId: string,
  circuits: readonly CircuitInput[],
  v2g: number,
  special: boolean,
): EvseInput {
  const maxW = d.pick([3_680, 7_400, 11_000, 22_000, 50_000]);
  const wishedW = d.chance(0.1) ? 0 : Math.round(maxW * (0.2 + 0.8 * d.next()));
  const exports = d.chance(v2g);
  const exportAllowed = exports ? d.chance(0.9) : d.chance(0.3);
  const loW = exports ? -Math.round(maxW * d.next()) : 0;
  const need = d.pick(['lo', 'zero', 'some', 'much'] as const);
  const neededW = { lo: loW, zero: 0, some: 0.3 * d.next() * wishedW, much: d.next() * wishedW }[need];
  const minImportW = d.pick([0, 1_380, 1_400, 4_140]);
  const circuit = circuits.length > 0 && d.chance(0.85) ? circuits[d.int(0, circuits.length - 1)] : undefined;
  const base: EvseInput = {
    evseId,
    ...(circuit ? { circuitId: circuit.circuitId } : {}),
    loW,
    neededW: neededW > 0 && neededW < minImportW && minImportW <= wishedW ? minImportW : neededW,
    wishedW,
    minImportW,
    minExportW: exports ? d.pick([0, 500, 2_000]) : 0,
    ...d.pick<Pick<EvseInput, 'stepW' | 'amps'>>([
      {},
      { stepW: 0.01 },
      { stepW: 10 },
      { stepW: 100 },
      { amps: { voltageV: 230, phases: 3 } },
    ]),
    presentW: d.chance(0.3) ? 0 : Math.round((loW + (wishedW - loW) * d.next()) * 10) / 10,
    maxW,
    commandRunning: false,
    exportAllowed,
  };
  return special ? { ...base, ...randomSpecial(d, base) } : base;
}

function randomSpecial(d: Dice, e: EvseInput): Partial<EvseInput> {
  const dice = d.next();
  if (dice < 0.06) return { fixed: { minW: e.presentW, maxW: e.presentW } };
  if (dice < 0.1) return { fixed: { minW: Math.min(e.presentW, e.loW), maxW: Math.max(e.presentW, 1_380) } };
  if (dice < 0.16) return { commandRunning: true };
  if (dice < 0.2) return { keepSide: d.pick(['import', 'zero', 'export'] as const) };
  if (dice < 0.24) return { inFlight: { minW: Math.min(0, e.presentW), maxW: Math.max(0, e.presentW) } };
  return {};
}

function randomTarget(d: Dice, evses: readonly EvseInput[], groups: boolean): TargetInput {
  const low = evses.reduce((sum, e) => sum + e.neededW, 0);
  const high = evses.reduce((sum, e) => sum + e.wishedW, 0);
  const setpointW = Math.round((low + (high - low) * (d.next() * 1.5 - 0.25)) * 100) / 100;
  const referencePoint = d.pick(['evse', 'evse', 'group', 'site'] as const);
  if (!groups || d.chance(0.8)) return { setpointW, referencePoint };
  const members = evses.filter(() => d.chance(0.6)).map((e) => e.evseId);
  return { setpointW: setpointW * 0.6, referencePoint, members };
}

/** The same lists in another order. */
export function shuffled<T>(d: Dice, list: readonly T[]): T[] {
  const out = [...list];
  for (let i = out.length - 1; i > 0; i--) {
    const j = d.int(0, i);
    const [a, b] = [out[i], out[j]];
    if (a !== undefined && b !== undefined) {
      out[i] = b;
      out[j] = a;
    }
  }
  return out;
}

/** An idle EVSE of 11 kW that wishes all of it and needs nothing. */
export const evseOf = (evseId: string, o: Partial<EvseInput> = {}): EvseInput => ({
  evseId,
  loW: 0,
  neededW: 0,
  wishedW: 11_000,
  minImportW: 0,
  minExportW: 0,
  presentW: 0,
  maxW: 11_000,
  commandRunning: false,
  exportAllowed: (o.loW ?? 0) < 0,
  ...o,
});
