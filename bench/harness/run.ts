import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { arch, availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';
import { pinning } from './children.ts';
import { isClean, median, ratios, type Verdict, verdictOf, type Window } from './stats.ts';

/** One number beside its goal. */
export interface Row {
  /** Key of `goals.json`, for example `up.stack/ocpp1.6`; what stands before the slash has the goal. */
  readonly id: string;
  readonly what: string;
  /** Median over the clean rounds; absent when there was none. */
  readonly ratio?: number;
  readonly low?: number;
  readonly high?: number;
  readonly rounds: number;
  readonly clean: number;
  readonly goal?: string;
  readonly max?: number;
  readonly verdict: Verdict;
  /** Absolute numbers, with their units in their names. They depend on the machine. */
  readonly facts: Readonly<Record<string, number | string>>;
  /** Where it comes from, once it is kept. */
  readonly from?: Origin;
}

/** Which scenario made a row, of what, and when. */
export interface Origin {
  readonly scenario: string;
  /** RFC 3339. */
  readonly at: string;
  /** Short, with `+` where the tree had changes beside it. */
  readonly commit: string;
  readonly quick: boolean;
}

/** What the options of a run say to the scenarios. */
export interface RunOptions {
  readonly quick: boolean;
  /** Rounds of a scenario at most. */
  readonly rounds: number;
  say(line: string): void;
}

/** Clean rounds after which a scenario has enough: some more than a verdict needs. */
const ENOUGH_CLEAN = 7;

/** Measures something of one area and answers its rows. */
export type Scenario = (o: RunOptions) => Promise<readonly Row[]>;

interface Goal {
  readonly goal: string;
  readonly max?: number;
  readonly what: string;
}

const GOALS: Readonly<Record<string, Goal>> = JSON.parse(
  readFileSync(new URL('../goals.json', import.meta.url), 'utf8'),
);

/** Name, goal and ceiling of a row by its id. Throws for an id that `goals.json` does not know. */
export function goalOf(id: string): Goal {
  const goal = GOALS[id] ?? GOALS[id.replace(/\/.*$/, '')];
  if (goal === undefined) throw new Error(`bench/goals.json has no row ${id}.`);
  return goal;
}

/** A row from windows of product and yardstick that were taken in turn. */
export function compared(
  id: string,
  product: readonly Window[],
  yardstick: readonly Window[],
  facts: Row['facts'] = {},
): Row {
  const troubles = [...product, ...yardstick].flatMap((w) => w.failed ?? []);
  const [trouble] = troubles;
  return rowOf(id, ratios(product, yardstick), product.length, trouble === undefined ? facts : { ...facts, trouble });
}

/** A row from ratios that are clean already. */
export function rowOf(id: string, clean: readonly number[], rounds: number, facts: Row['facts'] = {}): Row {
  const { goal, max, what } = goalOf(id);
  const part = id.includes('/') ? `, ${id.slice(id.indexOf('/') + 1)}` : '';
  return {
    id,
    what: `${what}${part}`,
    ...(clean.length > 0 ? { ratio: median(clean), low: Math.min(...clean), high: Math.max(...clean) } : {}),
    rounds,
    clean: clean.length,
    goal,
    ...(max === undefined ? {} : { max }),
    verdict: verdictOf(clean, rounds, max),
    facts,
  };
}

/** A row from one number over all rounds, which has no spread; undefined: something was lost, so there is none. */
export function singleOf(id: string, ratio: number | undefined, rounds: number, facts: Row['facts']): Row {
  if (ratio === undefined) return rowOf(id, [], rounds, facts);
  const { low: _low, high: _high, ...row } = rowOf(id, Array(rounds).fill(ratio), rounds, facts);
  return row;
}

/** The median of the clean windows' values; where none is clean, of all that lost nothing, as a hint. */
export function typical(windows: readonly Window[]): number {
  const clean = windows.filter(isClean);
  const shown = clean.length > 0 ? clean : windows.filter((w) => w.failed === undefined);
  return rounded(median(shown.map((w) => w.value)));
}

/** To three significant digits. */
export const rounded = (x: number): number => (Number.isFinite(x) ? Number(x.toPrecision(3)) : 0);

/**
 * Rounds A B C C B A: each kind has its turn, and the order turns round. The first round warms up and does not count. It
 * ends before `rounds` when enough of them were clean, whatever their values are.
 */
export async function interleaved<K extends string>(
  kinds: readonly K[],
  rounds: number,
  one: (kind: K, round: number) => Promise<Window>,
): Promise<Readonly<Record<K, readonly Window[]>>> {
  const windows = {} as Record<K, Window[]>;
  for (const kind of kinds) windows[kind] = [];
  for (let round = -1; round < rounds && cleanRounds(Object.values(windows)) < ENOUGH_CLEAN; round++) {
    for (const kind of round % 2 === 0 ? kinds : [...kinds].reverse()) {
      const window = await one(kind, round);
      if (round >= 0) windows[kind].push(window);
    }
  }
  return windows;
}

/** In how many rounds the windows of all kinds were clean. */
const cleanRounds = (kinds: readonly (readonly Window[])[]): number =>
  (kinds[0] ?? []).filter((_, i) => kinds.every((windows) => windows[i] !== undefined && isClean(windows[i]))).length;

/** The machine of a run, as far as it matters. */
export function machine(): Readonly<Record<string, string | number>> {
  const [cpu] = cpus();
  return {
    processor: cpu?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryGB: Math.round(totalmem() / 2 ** 30),
    architecture: arch(),
    kernel: release().replace(/-.*$/, ''),
    node: process.version,
    pinning: pinning(),
    loadBefore: rounded(loadavg()[0] ?? 0),
  };
}

/** The commit that is measured, with `+` where files have changed since; `unknown` without a repository. */
export function commit(): string {
  const git = (...args: string[]): string =>
    execFileSync('git', args, {
      cwd: import.meta.dirname,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  try {
    return `${git('rev-parse', '--short', 'HEAD')}${git('status', '--porcelain', '-uno') === '' ? '' : '+'}`;
  } catch {
    return 'unknown';
  }
}
