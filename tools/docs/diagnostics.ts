import { DIAGNOSTICS } from '../../core/mapping/index.ts';
import { cell } from './markdown.ts';

const INTRODUCTION = {
  error: 'The mapping cannot be used, or fails whenever it comes to that place.',
  warning: 'It runs, but most likely does something else than was meant.',
  info: 'Worth knowing.',
} as const;

/** Every finding about mappings: one section per severity, one row per code. */
export function diagnosticsPage(): string {
  const rows = Object.entries(DIAGNOSTICS).sort(([a], [b]) => (a < b ? -1 : 1));
  return [
    '# Diagnostics of mappings',
    '',
    'What `npx v2gate mappings check`, the `map` node and the log say about a [mapping](../mappings.md). Each finding has a',
    'code, file, line, column, the line with a mark below the place, and a hint, which may be more precise than the one here.',
    ...(['error', 'warning', 'info'] as const).flatMap((severity) => [
      '',
      `## ${severity}`,
      '',
      INTRODUCTION[severity],
      '',
      '| Code | What it means | What to do |',
      '|---|---|---|',
      ...rows
        .filter(([, kind]) => kind.severity === severity)
        .map(([code, kind]) => `| \`${code}\` | ${cell(kind.about)} | ${cell(kind.hint)} |`),
    ]),
    '',
  ].join('\n');
}
