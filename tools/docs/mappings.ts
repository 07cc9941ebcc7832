import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { cell, ROOT } from './markdown.ts';

interface Row {
  readonly path: string;
  readonly header: Readonly<Record<string, string>>;
}

/** The mapping pack: one row per file, from its header comment. */
export function mappingsPage(): string {
  const rows = files(join(ROOT, 'mappings')).map(readRow);
  const languages = [...new Set(rows.map((r) => r.path.split('/')[1] ?? ''))].sort();
  return [
    '# Mappings',
    '',
    'A file of the same relative path in the folder `V2GATE_MAPPINGS` takes the place of a shipped one. *Lost* names what the',
    'target language cannot say.',
    ...languages.flatMap((language) => [
      '',
      `## ${language}`,
      '',
      '| File | From | To | When | Lost | Reference |',
      '|---|---|---|---|---|---|',
      ...rows.filter((r) => r.path.split('/')[1] === language).map(toLine),
    ]),
    '',
  ].join('\n');
}

function toLine({ path, header }: Row): string {
  const code = (text: string | undefined): string => (text ? `\`${cell(text)}\`` : '–');
  const name = path.split('/').slice(2).join('/');
  return `| \`${name}\` | ${code(header.from)} | ${code(header.to)} | ${code(header.when)} | ${cell(header.lost ?? '–')} | ${cell(header.ref ?? '–')} |`;
}

/** The keys of the header comment; a value ends where the next key begins. */
function readRow(path: string): Row {
  const comment = /^\s*\/\*([\s\S]*?)\*\//.exec(readFileSync(path, 'utf8'))?.[1] ?? '';
  const header: Record<string, string> = {};
  for (const m of comment.matchAll(
    /\b(from|to|variant|when|lost|ref):\s*([\s\S]*?)(?=\s+\b(?:from|to|variant|when|lost|ref):\s|\s*$)/g,
  )) {
    header[m[1] ?? ''] ??= (m[2] ?? '').replaceAll(/\s+/g, ' ').trim();
  }
  return { path: relative(ROOT, path).replaceAll('\\', '/'), header };
}

function files(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .flatMap((e) => (e.isDirectory() ? files(join(folder, e.name)) : [join(folder, e.name)]))
    .filter((p) => p.endsWith('.jsonata'))
    .sort();
}
