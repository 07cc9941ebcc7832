import { join } from 'node:path';
import { silentLog } from '../../core/log.ts';
import { type Coverage, describe } from '../../core/mapping/index.ts';
import { createMappingLibrary, type MappingLibrary, type MappingState } from '../../core/mapping/library.ts';
import { fileSource } from '../mapping-files.ts';
import { mappingSchemas } from '../mapping-schemas.ts';
import type { MappingsCall } from './mappings.ts';
import { table } from './table.ts';

/** The shipped mappings. */
export const SHIPPED = join(import.meta.dirname, '../../mappings');

export function openLibrary(overrides: string | undefined): MappingLibrary {
  const roots = overrides === undefined ? [SHIPPED] : [SHIPPED, overrides];
  return createMappingLibrary({ roots, files: fileSource(), log: silentLog, schemas: mappingSchemas() });
}

/** `mappings list` */
export async function listMappings({ terminal, overrides, json }: MappingsCall): Promise<number> {
  const library = openLibrary(overrides);
  const rows = library.list().map((state) => ({ ...state, coverage: coverageOf(library, state) }));
  if (json) terminal.out(JSON.stringify(rows, null, 2));
  else {
    for (const line of table(HEAD, rows.map(cells), terminal.columns)) terminal.out(line);
    for (const r of rows) if (r.message !== undefined) terminal.err(`broken: ${r.message} (in force: ${r.inForce})`);
  }
  return rows.some((r) => r.state === 'broken') ? 1 : 0;
}

const HEAD = ['language', 'source', 'variant', 'target', 'required', 'optional', 'findings', 'state'];

type Row = MappingState & { readonly coverage: readonly Coverage[] };

function coverageOf(library: MappingLibrary, { path, root, state }: MappingState): readonly Coverage[] {
  const entry = state === 'ok' ? library.entries().find((e) => e.path === path && e.root === root) : undefined;
  return entry ? describe(entry.mapping, library.schemas).coverage : [];
}

function cells(r: Row): string[] {
  const percent = (part: 'required' | 'optional'): string => r.coverage.map((c) => `${c[part].percent} %`).join(', ');
  const only = r.only === undefined ? '' : 'station' in r.only ? `@${r.only.station}` : `@${r.only.model}`;
  return [
    r.language ?? '?',
    r.source ?? r.path,
    `${r.variant ?? ''}${only}`,
    r.target.join(', '),
    percent('required'),
    percent('optional'),
    r.diagnostics.length === 0 ? '' : String(r.diagnostics.length),
    r.root === SHIPPED ? r.state : `${r.state}, own`,
  ];
}
