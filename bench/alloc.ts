/**
 * P12: allocation against one JSON.parse of the same site, and its growth from 1 000 to 10 000 EVSE (n log n: ≤ 14).
 * Run: node bench/alloc.ts [--rounds=21]. Ratios are medians over interleaved rounds. The last rows are sites made to
 * hurt: alike EVSEs all sit at the border of their zones and cross it together with every change, in trees of
 * every shape, and circuits without netting are scaled again and again.
 */
import { allocate, type CircuitInput, type EvseInput, type SiteInput } from '../hub/allocation/index.ts';

const SIZES = [1_000, 10_000] as const;
const LIMITS = { perParse: 10, growth: 14 };

interface Case {
  readonly name: string;
  /** Share of EVSEs that can discharge. */
  readonly v2g: number;
  /** Target as a share of what all wish. */
  readonly target: number;
  /** Fuses as a share of what the EVSEs below wish. */
  readonly fuse: number;
  /** All alike, or different needs and powers. */
  readonly alike: boolean;
  readonly minShare: number;
  /** Now: idle, or anything (many commands in both directions). */
  readonly idle: boolean;
  /** Default: feeders of 200, rows of 20. `one`: a single circuit; `deep`: chains of 20 circuits with an EVSE at each. */
  readonly tree?: 'rows' | 'one' | 'deep';
  /** Alike but for this share: the borders of their zones lie close together, and are crossed one after the other. */
  readonly spread?: number;
  /** Those that can discharge take nothing: imports and exports meet in every circuit. */
  readonly gives?: boolean;
}

const TO_AND_FRO = { v2g: 0.5, target: 0.05, fuse: 0.5, alike: true, minShare: 0.5, idle: false };

const CASES: readonly Case[] = [
  { name: 'plain', v2g: 0, target: 0.6, fuse: 0.8, alike: false, minShare: 0.06, idle: true },
  { name: 'zones: all alike', v2g: 0, target: 0.1, fuse: 0.8, alike: true, minShare: 0.4, idle: true },
  { name: 'zones: all different', v2g: 0, target: 0.1, fuse: 0.8, alike: false, minShare: 0.5, idle: false },
  { name: 'zones: V2G mixed, to and fro', v2g: 0.5, target: 0.05, fuse: 0.5, alike: false, minShare: 0.5, idle: false },
  { name: 'V2G discharging', v2g: 1, target: -0.3, fuse: 0.5, alike: false, minShare: 0.1, idle: false },
  { ...TO_AND_FRO, name: 'zones: V2G alike, to and fro' },
  { ...TO_AND_FRO, name: 'zones: V2G alike, one circuit', tree: 'one' },
  { ...TO_AND_FRO, name: 'zones: V2G alike, deep trees', tree: 'deep' },
  { ...TO_AND_FRO, name: 'zones: V2G nearly alike', spread: 0.02 },
  {
    name: 'netting none, scaled',
    v2g: 0.5,
    target: 0.05,
    fuse: 0.15,
    alike: false,
    minShare: 0.4,
    idle: false,
    gives: true,
  },
];

/** The circuits above an EVSE, the innermost first. */
function pathOf(i: number, tree: Case['tree']): string[] {
  if (tree === 'one') return ['all'];
  if (tree !== 'deep') return [`row-${Math.floor(i / 20)}`, `feeder-${Math.floor(i / 200)}`];
  const chain = Math.floor(i / 20);
  return Array.from({ length: (i % 20) + 1 }, (_, k) => `chain-${chain}-${(i % 20) - k}`);
}

function site(n: number, c: Case): SiteInput {
  let state = 12_345;
  const random = () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return state / 0x7fff_ffff;
  };
  const evses: EvseInput[] = [];
  const wishes = new Map<string, number>();
  const parents = new Map<string, string | undefined>();
  for (let i = 0; i < n; i++) {
    const path = pathOf(i, c.tree);
    const maxW = c.alike
      ? Math.round(11_000 * (1 - (c.spread === undefined ? 0 : c.spread * random())))
      : 3_680 + Math.round(random() * 40_000);
    const mostW = c.alike ? maxW : Math.round(maxW * (0.5 + random() / 2));
    const loW = random() < c.v2g ? -Math.round(maxW * (c.alike ? 0.9 : random())) : 0;
    const min = Math.round(maxW * c.minShare * (c.alike ? 1 : random()));
    const needs = !c.alike && loW === 0 && random() < 0.3;
    const wishedW = c.gives && loW < 0 ? 0 : mostW;
    evses.push({
      evseId: `EVSE-${String(i).padStart(6, '0')}`,
      ...(path[0] === undefined ? {} : { circuitId: path[0] }),
      loW,
      neededW: needs ? Math.min(wishedW, min) : loW,
      wishedW,
      minImportW: min,
      minExportW: loW < 0 ? Math.round(min / 2) : 0,
      stepW: 1,
      presentW: c.idle ? 0 : Math.round(loW + random() * (wishedW - loW)),
      maxW,
      commandRunning: false,
      exportAllowed: loW < 0,
    });
    path.forEach((id, k) => void parents.set(id, path[k + 1]));
    for (const id of [...path, 'poc']) wishes.set(id, (wishes.get(id) ?? 0) + mostW);
  }
  const limit = (id: string) => Math.round((wishes.get(id) ?? 0) * c.fuse);
  const circuits = Array.from(parents, ([circuitId, parentId]): CircuitInput => {
    const limits = { importLimitW: limit(circuitId), exportLimitW: limit(circuitId) };
    return { circuitId, ...(parentId === undefined ? {} : { parentId }), ...limits, netting: 'none' };
  });
  return {
    poc: { importLimitW: limit('poc'), exportLimitW: limit('poc'), netting: 'measured' },
    usedW: 20_000,
    generationW: 0,
    stepS: 900,
    circuits,
    evses,
    target: { setpointW: Math.round((wishes.get('poc') ?? 0) * c.target), referencePoint: 'evse' },
  };
}

/** CPU time of this process, so that neighbours on the machine do not count. */
function ms(run: () => void): number {
  const from = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(from);
  return (user + system) / 1e3;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}

const rounds = Number(process.argv.find((a) => a.startsWith('--rounds='))?.slice(9) ?? 21);
let failed = false;
console.log('case'.padEnd(32), 'zeros', 'scaled', ' 1 000: ms', '÷ parse', ' 10 000: ms', '÷ parse', ' growth');
for (const c of CASES) {
  const made = SIZES.map((n) => {
    const input = site(n, c);
    return { input, text: JSON.stringify(input), parse: [] as number[], run: [] as number[] };
  });
  for (let round = -5; round < rounds; round++) {
    for (const m of round % 2 === 0 ? made : [...made].reverse()) {
      const parse = ms(() => void JSON.parse(m.text));
      const run = ms(() => void allocate(m.input));
      if (round < 0) continue;
      m.parse.push(parse);
      m.run.push(run);
    }
  }
  const [small, large] = made.map((m) => {
    const result = allocate(m.input);
    return {
      run: median(m.run),
      perParse: median(m.run.map((v, i) => v / (m.parse[i] ?? 1))),
      zeros: result.grants.filter((g) => g.basis === 'zone').length,
      scaled: result.scaled.length,
    };
  });
  if (!small || !large) continue;
  const growth = large.run / small.run;
  const ok = small.perParse <= LIMITS.perParse && growth <= LIMITS.growth;
  failed ||= !ok;
  console.log(
    c.name.padEnd(32),
    String(large.zeros).padStart(5),
    String(large.scaled).padStart(6),
    small.run.toFixed(2).padStart(10),
    small.perParse.toFixed(2).padStart(7),
    large.run.toFixed(1).padStart(11),
    large.perParse.toFixed(2).padStart(7),
    growth.toFixed(1).padStart(7),
    ok ? 'ok' : 'TOO SLOW',
  );
}
process.exitCode = failed ? 1 : 0;
