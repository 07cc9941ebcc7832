import { roomOf } from './imports.ts';
import { commented, type Source, type Violation, violation } from './source.ts';

export interface Text {
  readonly path: string;
  readonly text: string;
}

const MAX_LINES = 600;
const P95_LINES = 350;

/** Files over 600 lines, and too many over 350 (design 8, the bar). */
export function sizeViolations(files: readonly Text[]): Violation[] {
  const sizes = files.map(({ path, text }) => ({ path, lines: text.replace(/\n$/, '').split('\n').length }));
  const huge = sizes
    .filter((f) => f.lines > MAX_LINES)
    .map((f) => ({ path: f.path, line: f.lines, what: `more than ${MAX_LINES} lines` }));
  const sorted = sizes.toSorted((a, b) => a.lines - b.lines);
  const p95 = sorted[Math.ceil(sorted.length * 0.95) - 1]?.lines ?? 0;
  if (p95 <= P95_LINES) return huge;
  const over = sizes.filter((f) => f.lines > P95_LINES).map((f) => `${f.path} ${f.lines}`);
  return [
    ...huge,
    { path: '.', line: p95, what: `5 % of the files have more than ${P95_LINES} lines: ${over.join(', ')}` },
  ];
}

/** Ways around the compiler and the linter without a reason: a comment of some words beside it or on the line before. */
export function escapeViolations(sources: readonly Source[]): Violation[] {
  return sources.flatMap((s) => {
    const inCode = [
      ...s.code.matchAll(/(?::|\bas\b|<|\||&)\s*any\b(?!\s*\()/g),
      ...s.code.matchAll(/\bas\s+unknown\s+as\b/g),
    ].filter((m) => !commented(s, m.index, /(\S+\s+){3}/));
    const directives = s.comments.filter((c) => {
      const reason =
        /(?:@ts-(?:ignore|nocheck|expect-error)|biome-ignore(?:-\w+)?\s+[^\s:]+|eslint-disable\S*)\s*[:-]*(.*)/s.exec(
          c.value,
        )?.[1];
      return reason !== undefined && reason.trim().split(/\s+/).length < 3;
    });
    return [
      ...inCode.map((m) => violation(s, m.index, `${m[0].trim()} without a reason`)),
      ...directives.map((c) => violation(s, c.start, `${c.value.trim().slice(0, 40)} without a reason`)),
    ];
  });
}

const TIMELESS = ['model', 'core', 'hub', 'protocols', 'bridges', 'nodes', 'simulators'];
/** Where the machine's time and randomness come in. */
const SOURCES_OF_TIME = /^core\/(clock|ids)\.ts$|^simulators\/\w+\/main\.ts$/;
const TIME =
  /\bDate\.now\b|\bnew\s+Date\(\s*\)|(?<![.\w$])Date\(\)|\bset(?:Timeout|Interval)\b|\bperformance\.now\b|\bprocess\.hrtime\b|\bMath\.random\s*\(|\brandomUUID\s*\(/g;

/** Time and randomness that are not injected, in rooms that must be testable with a manual clock. */
export function timeViolations(sources: readonly Source[]): Violation[] {
  return sources
    .filter((s) => TIMELESS.includes(roomOf(s.path).replace(/\/.*/, '')) && !SOURCES_OF_TIME.test(s.path))
    .flatMap((s) =>
      [...s.code.matchAll(TIME)].map((m) =>
        violation(s, m.index, `${m[0]} instead of the injected clock or random source`),
      ),
    );
}

/** Tests that are left out or crowd out the others. */
export function skipViolations(sources: readonly Source[]): Violation[] {
  return sources
    .filter((s) => s.path.startsWith('test/'))
    .flatMap((s) =>
      [
        ...s.code.matchAll(
          /\b(?:it|test|describe|suite|bench)(?:\.\w+)*\.(?:skip|todo|only|skipIf|runIf|fails)\b|\bx(?:it|describe|test)\s*\(/g,
        ),
      ].map((m) => violation(s, m.index, `${m[0]} leaves tests out`)),
    );
}

/** Patterns are written so that they do not match this file. */
const WORDS: readonly (readonly [RegExp, string])[] = [
  [/(?<![\w.])\/(?:wor[k]|roo[t]|far[m])\/(?!\*)/, 'path of a machine'],
  [/(?<![\w.])\/(?:hom[e]|User[s])\/[a-z]\w*/, 'path of a machine'],
  [/(?<![\w.])\/tm[p]\/\w+/, 'path of a machine'],
  [
    /\bregistry\.(?:np[m]js|yarnp[k]g)\b|\bp[y]pi\.org\b|\bfiles\.pythonhosted\.or[g]\b|\bproxy\.golan[g]\b/,
    'host of a package registry',
  ],
  [
    /\bIEC 63382-2[ -](?:complian[t]|conforman[t])|complian[t] (?:with|to) IEC 63382-2/i,
    'claim of conformity that nobody can make',
  ],
  [/\bTOD[O]\b|\bFIXM[E]\b|\bXX[X]\b/, 'unfinished place'],
];

/** Words that do not belong in the project: machine paths, registry hosts, claims we do not make. */
export function wordViolations(files: readonly Text[]): Violation[] {
  return files.flatMap(({ path, text }) =>
    text.split('\n').flatMap((row, i) =>
      WORDS.filter(([pattern]) => pattern.test(row)).map(([, what]) => ({
        path,
        line: i + 1,
        what: `${what}: ${row.trim().slice(0, 80)}`,
      })),
    ),
  );
}
