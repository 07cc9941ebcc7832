import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describeError } from '../../core/errors.ts';
import { diagnose, fileDiagnostic } from '../../core/mapping/diagnose.ts';
import { checkExamples, parseExamples } from '../../core/mapping/examples.ts';
import { compile, type Diagnostic, type Schemas, type Severity } from '../../core/mapping/index.ts';
import { mappingSchemas } from '../mapping-schemas.ts';
import type { MappingsCall } from './mappings.ts';
import { SHIPPED } from './mappings-list.ts';

/** A file to check: where it is, and its path in the mapping folder, by which it is named and chosen. */
interface File {
  readonly place: string;
  readonly path: string;
}

const MAX_FILES = 5000;

/** `mappings check` */
export async function checkMappings(call: MappingsCall): Promise<number> {
  const { terminal, names, json, strict, overrides } = call;
  const folders = names.length > 0 ? names : overrides === undefined ? [SHIPPED] : [SHIPPED, overrides];
  const absent = folders.find((f) => !existsSync(f));
  if (absent !== undefined) {
    terminal.err(`There is no file or folder ${absent}.`);
    return 2;
  }
  const files = folders.flatMap(filesOf).slice(0, MAX_FILES);
  if (files.length === 0) {
    terminal.err(`There are no .jsonata files in ${folders.join(', ')}.`);
    return 2;
  }
  const schemas = mappingSchemas();
  const found: Diagnostic[] = [];
  for (const [i, file] of files.entries()) {
    terminal.status?.(`${i + 1} of ${files.length}  ${file.path}`);
    found.push(...checkFile(file, schemas));
    // Without somebody watching, a line now and then says that it goes on.
    if (!terminal.status && (i + 1) % 100 === 0) terminal.err(`${i + 1} of ${files.length} checked`);
  }
  terminal.status?.('');
  if (json) terminal.out(JSON.stringify(found, null, 2));
  else for (const d of found) for (const line of diagnosticLines(d)) terminal.out(line);
  const count = (severity: Severity): number => found.filter((d) => d.severity === severity).length;
  const [errors, warnings] = [count('error'), count('warning')];
  terminal.err(
    `${counted(files.length, 'mapping')} checked: ${counted(errors, 'error')}, ${counted(warnings, 'warning')}.`,
  );
  return errors || (strict && warnings) ? 1 : 0;
}

const counted = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`;

function filesOf(name: string): File[] {
  if (statSync(name).isFile()) return [{ place: name, path: pathWithin(name) }];
  return readdirSync(name, { recursive: true, encoding: 'utf8' })
    .map((n) => n.replaceAll('\\', '/'))
    .filter((n) => n.endsWith('.jsonata'))
    .sort()
    .map((n) => ({ place: join(name, n), path: n }));
}

/** The last three parts of a file's place: language, direction, name. */
const pathWithin = (name: string): string => resolve(name).replaceAll('\\', '/').split('/').slice(-3).join('/');

function checkFile({ place, path }: File, schemas: Schemas): Diagnostic[] {
  let text: string;
  try {
    text = readFileSync(place, 'utf8');
  } catch (e) {
    return [fileDiagnostic('mapping.header', place, `The file cannot be read: ${describeError(e).what}`)];
  }
  const own = diagnose(text, { path, schemas }).map((d) => ({ ...d, file: place }));
  return [...own, ...exampleFindings(place, text)];
}

/** Examples that cannot be read or do not hold. */
function exampleFindings(place: string, text: string): Diagnostic[] {
  const file = place.replace(/\.jsonata$/, '.examples.json');
  const { mapping } = compile(text);
  if (!mapping || mapping.slow || !existsSync(file)) return [];
  try {
    const examples = parseExamples(readFileSync(file, 'utf8'), file);
    return checkExamples({ mapping, examples: () => examples })
      .filter((r) => !r.ok)
      .map((r) => fileDiagnostic('mapping.examples', file, `The example “${r.name}” does not hold: ${r.difference}`));
  } catch (e) {
    return [fileDiagnostic('mapping.examples', file, describeError(e).what)];
  }
}

/** A finding as compilers print it. */
export function diagnosticLines(d: Diagnostic): string[] {
  const head = `${d.file ?? 'the mapping'}:${d.line}:${d.column}: ${d.severity} ${d.code}: ${d.message}`;
  const lines = d.excerpt.trim() === '^' ? [] : d.excerpt.split('\n').map((l) => `    ${l}`);
  return [head, ...lines, ...(d.hint === undefined ? [] : [`    ${d.hint}`]), ''];
}
