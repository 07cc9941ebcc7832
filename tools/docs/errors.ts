import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { ErrorKind, ErrorTable } from '../../core/errors.ts';
import { cell, ROOT } from './markdown.ts';

const ROOMS = ['core', 'model', 'hub', 'protocols', 'bridges', 'nodes', 'gateway', 'simulators'];
const DECLARES = /\berrorTable\(['"]/;
const RETRY = { no: 'no', yes: 'yes', later: 'later', afterFix: 'after the cause is corrected' } as const;

/** Paths of all modules that declare an error table. */
export function errorModules(): string[] {
  return ROOMS.flatMap((room) => walk(join(ROOT, room))).filter((path) => DECLARES.test(readFileSync(path, 'utf8')));
}

/** Every error table that a room exports. */
export async function errorTables(): Promise<ErrorTable<string>[]> {
  const tables = new Set<ErrorTable<string>>();
  for (const path of errorModules()) {
    const module: Readonly<Record<string, unknown>> = await import(pathToFileURL(path).href);
    for (const value of Object.values(module)) if (isTable(value)) tables.add(value);
  }
  return [...tables];
}

/** A code with its sentences and the areas that declare it: one, or somebody copied instead of sharing. */
export interface ErrorRow {
  readonly code: string;
  readonly kind: ErrorKind;
  readonly areas: readonly string[];
}

/** All codes in order. A table may take rows over from another one (the same objects); they count for the first area. */
export function errorRows(tables: readonly ErrorTable<string>[]): ErrorRow[] {
  const rows = new Map<string, ErrorRow>();
  for (const { area, kinds } of tables) {
    for (const [code, kind] of Object.entries(kinds)) {
      const known = rows.get(code);
      if (known === undefined) rows.set(code, { code, kind, areas: [area] });
      else if (known.kind !== kind) rows.set(code, { ...known, areas: [...known.areas, area] });
    }
  }
  return [...rows.values()].sort((a, b) => (a.code < b.code ? -1 : 1));
}

/** The error reference: one section per area, one row per code. */
export async function errorsPage(): Promise<string> {
  const rows = errorRows(await errorTables());
  const areas = [...new Set(rows.map((r) => r.areas[0] ?? ''))].sort();
  return [
    '# Errors',
    '',
    'Every error has a stable code, says in one sentence what happened and in another what to do, and whether sending the',
    'same thing again can help. *Counterpart* is what the peer sees in its own protocol, where that is another word.',
    'Sentences may be more precise than the general ones here.',
    ...areas.flatMap((area) => [
      '',
      `## ${area}`,
      '',
      '| Code | What happened | What to do | Retry | Counterpart |',
      '|---|---|---|---|---|',
      ...rows.filter((r) => r.areas[0] === area).map(toLine),
    ]),
    '',
  ].join('\n');
}

function toLine({ code, kind }: ErrorRow): string {
  const counterpart = kind.protocol === undefined || kind.protocol === code ? '' : `\`${cell(kind.protocol)}\``;
  return `| \`${code}\` | ${cell(kind.what)} | ${cell(kind.remedy)} | ${RETRY[kind.retry]} | ${counterpart} |`;
}

function walk(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((e) => {
    const path = join(folder, e.name);
    return e.isDirectory() ? walk(path) : path.endsWith('.ts') && !path.endsWith('.d.ts') ? [path] : [];
  });
}

function isTable(value: unknown): value is ErrorTable<string> {
  return typeof value === 'object' && value !== null && 'area' in value && 'kinds' in value && 'fail' in value;
}
