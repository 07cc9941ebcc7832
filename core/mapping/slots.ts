import { codeOf, describeError } from '../errors.ts';
import { diagnose } from './diagnose.ts';
import type { Diagnostic } from './diagnostic.ts';
import { MAPPING_ERRORS } from './errors.ts';
import { type Example, parseExamples } from './examples.ts';
import { type FileSource, pathOf } from './files.ts';
import { checkHeader, parseHeader, parsePath } from './header.ts';
import { compile, type Mapping } from './index.ts';
import type { BrokenMapping, LibraryOptions, MappingEntry } from './library.ts';

/** One file as last read. */
export interface Slot {
  readonly root: string;
  readonly path: string;
  /** Absent when it cannot be read. */
  readonly text: string | undefined;
  /** The last good version. */
  readonly good: MappingEntry | undefined;
  readonly fault: Omit<BrokenMapping, 'covered'> | undefined;
  /** All findings, looked for once. */
  findings(): readonly Diagnostic[];
}

/** All mapping files of a folder; those that did not change stay as they are. */
export function readRoot(o: LibraryOptions, root: string, before: ReadonlyMap<string, Slot>): Slot[] {
  let paths: readonly string[];
  try {
    paths = o.files.list(root);
  } catch (e) {
    o.log.warn('mapping.folder', { root, ...describeError(e) });
    return [];
  }
  return paths
    .filter((path) => path.endsWith('.jsonata'))
    .sort()
    .map((path) => readSlot(o, root, path, before.get(`${root}\n${path}`)));
}

function readSlot(o: LibraryOptions, root: string, path: string, before: Slot | undefined): Slot {
  let text: string | undefined;
  let found: readonly Diagnostic[] | undefined;
  const findings = (): readonly Diagnostic[] => {
    found ??= text === undefined ? [] : diagnose(text, { path, ...(o.schemas ? { schemas: o.schemas } : {}) });
    return found;
  };
  try {
    text = o.files.read(pathOf(root, path));
    if (before && before.text === text) return before;
    const good = load(o.files, root, path, text);
    return { root, path, text, good, fault: undefined, findings };
  } catch (e) {
    const { what } = describeError(e);
    const diagnostics = diagnosticsOf(e);
    const fault = { root, path, code: codeOf(e) ?? 'mapping.broken', message: what, diagnostics };
    return { root, path, text, good: before?.good, fault, findings };
  }
}

function load(files: FileSource, root: string, path: string, text: string): MappingEntry {
  const at = parsePath(path);
  const header = parseHeader(text, path);
  checkHeader(at, text, path);
  const { mapping, diagnostics } = checked(
    compile(text, { from: header.from, to: header.to.join(' '), file: path }),
    path,
  );
  if (mapping.slow) {
    throw MAPPING_ERRORS.fail('mapping.slow', `${path} needs the interpreter; only the map node can run it.`);
  }
  const condition = header.when === undefined ? {} : { condition: compileCondition(header.when, path) };
  const examplesPath = path.replace(/\.jsonata$/, '.examples.json');
  const examples = (): readonly Example[] =>
    files.list(root).includes(examplesPath) ? parseExamples(files.read(pathOf(root, examplesPath)), examplesPath) : [];
  return { ...header, path, root, at, mapping, diagnostics, ...condition, examples };
}

function compileCondition(when: string, path: string): Mapping {
  const { mapping } = checked(compile(when, { file: `${path} (when)` }), `${path} (when)`);
  if (mapping.slow) throw MAPPING_ERRORS.fail('mapping.slow', `The condition of ${path} needs the interpreter.`);
  return mapping;
}

function checked(
  r: { readonly mapping?: Mapping; readonly diagnostics: readonly Diagnostic[] },
  path: string,
): { mapping: Mapping; diagnostics: readonly Diagnostic[] } {
  const first = r.diagnostics.find((d) => d.severity === 'error');
  if (r.mapping && !first) return { mapping: r.mapping, diagnostics: r.diagnostics };
  const where = first ? `, line ${first.line}, column ${first.column}: ${first.message}` : ' cannot be compiled.';
  const error = MAPPING_ERRORS.fail('mapping.broken', `${path}${where}`);
  throw Object.assign(error, { diagnostics: r.diagnostics });
}

function diagnosticsOf(e: unknown): readonly Diagnostic[] {
  const list: unknown = typeof e === 'object' && e !== null ? Reflect.get(e, 'diagnostics') : undefined;
  return Array.isArray(list) ? (list as readonly Diagnostic[]) : [];
}
