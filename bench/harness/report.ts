import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Row } from './run.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const PAGE = join(ROOT, 'docs', 'performance.md');
const FOLDER = join(ROOT, '.data', 'bench');
const LAST_SOAK = join(FOLDER, 'soak.json');
/** The rows of the page, which may come from several runs. */
const ON_PAGE = join(FOLDER, 'page.json');

/** One run of the bench, as it is kept. */
export interface Run {
  /** RFC 3339. */
  readonly at: string;
  readonly quick: boolean;
  readonly machine: Readonly<Record<string, string | number>>;
  readonly rows: readonly Row[];
  /** How long each scenario took, s. */
  readonly took?: Readonly<Record<string, number>>;
}

/** One run of the soak, as it is kept. */
export interface SoakRun {
  readonly at: string;
  readonly hours: number;
  readonly stations: number;
  readonly machine: Readonly<Record<string, string | number>>;
  /** What was watched, from the end of the warm-up on. */
  readonly series: readonly SoakSeries[];
  readonly did: Readonly<Record<string, number>>;
  readonly commit?: string;
  /** What one must know to read it, a sentence or two. */
  readonly note?: string;
}

export interface SoakSeries {
  readonly what: string;
  readonly unit: string;
  readonly first: number;
  readonly last: number;
  readonly max: number;
  /** Growth per hour, from a straight line through all samples. */
  readonly perHour: number;
  /** Absent: it may grow, for example the store. */
  readonly flat?: boolean;
}

const number = (x: number | undefined): string => (x === undefined ? '–' : x >= 100 ? x.toFixed(0) : x.toFixed(2));
const spreadOf = (r: Row): string => (r.low === undefined ? '–' : `${number(r.low)}–${number(r.high)}`);
const goalOf = (r: Row): string => (r.max === undefined ? '–' : `≤ ${r.max}`);
const factsOf = (facts: Row['facts']): string =>
  Object.entries(facts)
    .map(([name, value]) => `${name}: ${value}`)
    .join(' · ');

/** Rows for the terminal. */
export function table(rows: readonly Row[]): string {
  return rows
    .map((r) => {
      const head = `${r.verdict.padEnd(11)} ${(r.goal ?? '').padEnd(3)} ${number(r.ratio).padStart(6)} ${goalOf(r).padEnd(6)}`;
      return `  ${head} ${r.what} (${spreadOf(r)}; ${r.clean} of ${r.rounds} rounds)\n${' '.repeat(33)}${factsOf(r.facts)}`;
    })
    .join('\n');
}

/** Keeps a run as JSON, by default in `.data/bench/<time>.json`; answers where. */
export async function keepRun(run: Run | SoakRun, file?: string): Promise<string> {
  const path = file ?? join(FOLDER, `${run.at.replaceAll(':', '-')}.json`);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, `${JSON.stringify(run, undefined, 2)}\n`);
  return path;
}

/** A run that was kept. Rejects where the file is missing or no JSON. */
export async function readRun(file: string): Promise<Run> {
  return JSON.parse(await readFile(file, 'utf8')) as Run;
}

/** The run behind the last page, if there is one. */
export const lastPage = (): Promise<Run | undefined> => readRun(ON_PAGE).catch(() => undefined);

/**
 * A run with what an earlier one knows beside it: rows of scenarios that the new one has not measured, and of those that
 * it has measured only quickly. Rows of another machine or another Node are left out.
 */
export function merged(run: Run, before: Run | undefined): Run {
  if (before === undefined || !sameMachine(run.machine, before.machine)) return run;
  const fullBefore = scenariosOf(before.rows.filter((r) => r.from?.quick === false));
  const newRows = run.rows.filter((r) => !(run.quick && fullBefore.has(r.from?.scenario ?? '')));
  const renewed = scenariosOf(newRows);
  const kept = before.rows.filter((r) => r.from !== undefined && !renewed.has(r.from.scenario));
  const rows = [...newRows, ...kept].sort((a, b) => orderOf(a) - orderOf(b));
  return { ...run, quick: rows.some((r) => r.from?.quick !== false), rows, took: { ...before.took, ...run.took } };
}

const scenariosOf = (rows: readonly Row[]): ReadonlySet<string> => new Set(rows.flatMap((r) => r.from?.scenario ?? []));
const orderOf = ({ goal }: Row): number => Number(/\d+/.exec(goal ?? '')?.[0] ?? 99);
const sameMachine = (a: Run['machine'], b: Run['machine']): boolean =>
  ['processor', 'cores', 'architecture', 'node'].every((key) => a[key] === b[key]);

/** Keeps a soak where the page finds it. */
export const keepSoak = (run: SoakRun): Promise<string> => keepRun(run, LAST_SOAK);

/** Writes `docs/performance.md`, with the rows of earlier pages that the run has not measured; answers where that is. */
export async function writePage(newest: Run): Promise<string> {
  const run = merged(newest, await lastPage());
  await keepRun(run, ON_PAGE);
  const soak = await readFile(LAST_SOAK, 'utf8').catch(() => undefined);
  await writeFile(PAGE, markdown(run, soak === undefined ? undefined : (JSON.parse(soak) as SoakRun)));
  return PAGE;
}

const INTRO = `# Performance

Written by \`npm run bench -- --write\`; what was missed stands here as missed.

Every number is a **ratio** of product and yardstick, taken inside one run of interleaved rounds (A B C C B A), because
absolute numbers tell more of a machine than of a program. The yardsticks are servers of our own writing in
\`bench/yardsticks\`: \`echo\` (bare \`ws\`), \`hand\` (\`ws\`, JSON.parse, compiled schema, dispatch, stringify), \`ws\` (the bare
fan-out), a gateway written by hand, an empty Node-RED. CPU is on-core time as the operating system accounts for it. A
round counts only if no answer was lost or wrong, and no server waited for its core more than 30 % of the time; with
fewer than five clean rounds, or a quarter of all, a row reads *unmeasured*, which is not a pass.
`;

const REPEAT = `## Repeat it

\`\`\`sh
npm run bench                        # all scenarios, about half an hour; prints what is left
npm run bench -- --only up,fan       # some of them
npm run bench -- --quick             # small fleets and short windows, to try it
npm run bench -- --write             # writes this page after each scenario; with --only the other rows stay
npx node bench/soak.ts --hours 2 --stations 1000
\`\`\`

Nothing else should run on the machine. Goals stand in \`bench/goals.json\`; each run is kept as JSON in \`.data/bench\`.
`;

/** The page of a run, with the last soak if there was one. */
export function markdown(run: Run, soak?: SoakRun): string {
  const rows = run.rows.map(
    (r) =>
      `| ${r.goal ?? ''} | ${r.what} | ${number(r.ratio)} | ${spreadOf(r)} | ${goalOf(r)} | ${mark(r, run.quick)} | ${r.clean} of ${r.rounds} | ${originOf(r, run)} |`,
  );
  const facts = run.rows.map((r) => `| ${r.what} | ${factsOf(r.facts)} |`);
  return [
    INTRO,
    `## Last run\n\n${run.at}${quickOf(run)}. ${factsOf(run.machine)}.\n`,
    '| Goal | What | Ratio | Spread | Goal ratio | Verdict | Clean rounds | Measured |\n|---|---|---|---|---|---|---|---|',
    `${rows.join('\n')}\n`,
    'Absolute numbers of this machine, medians per window:\n',
    `| What | Numbers |\n|---|---|\n${facts.join('\n')}\n`,
    ...(soak === undefined ? [] : [soakSection(soak)]),
    REPEAT,
  ].join('\n');
}

function quickOf({ quick, rows }: Run): string {
  if (!quick) return '';
  const all = rows.every((r) => r.from?.quick ?? true);
  const which = all ? '**quick**' : 'some rows **quick**';
  return `, ${which}: small fleets and short windows, so no proof of any goal`;
}

/** A goal is met by a full run only. */
const mark = ({ verdict, from }: Row, quick: boolean): string =>
  verdict === 'missed' ? '**missed**' : verdict === 'met' && (from?.quick ?? quick) ? 'met, quick' : verdict;

/** Date, time and commit of a row. */
const originOf = ({ from }: Row, run: Run): string =>
  from === undefined ? run.at.slice(0, 10) : `${from.at.slice(0, 16).replace('T', ' ')}, ${from.commit}`;

function soakSection(s: SoakRun): string {
  const rows = s.series.map(
    (x) =>
      `| ${x.what}, ${x.unit} | ${number(x.first)} | ${number(x.last)} | ${number(x.max)} | ${number(x.perHour)} | ${flatText(x)} |`,
  );
  return [
    '## Soak\n',
    `${s.at}${s.commit === undefined ? '' : `, ${s.commit}`}: ${s.hours} h with ${s.stations} simulated stations. ${factsOf(s.did)}.\n`,
    ...(s.note === undefined ? [] : [`${s.note}\n`]),
    '| After the warm-up | First | Last | Highest | Growth per hour | Verdict |\n|---|---|---|---|---|---|',
    `${rows.join('\n')}\n`,
  ].join('\n');
}

/** A soak series in words. */
export const flatText = ({ flat }: SoakSeries): string =>
  flat === undefined ? 'information' : flat ? 'flat' : '**not flat**';
