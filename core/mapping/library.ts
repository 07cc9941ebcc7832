import { codeOf, describeError, V2gateError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Diagnostic } from './diagnostic.ts';
import { MAPPING_ERRORS } from './errors.ts';
import { type Example, parseExamples } from './examples.ts';
import { type FileSource, pathOf } from './files.ts';
import { checkHeader, type Direction, type Header, type MappingPath, parseHeader, parsePath, slug } from './header.ts';
import { compile, type Mapping } from './index.ts';

/** A mapping of the library that is in force. */
export interface MappingEntry extends Header {
  /** Relative path, the name under which overrides replace it. */
  readonly path: string;
  /** The folder that it comes from. */
  readonly root: string;
  readonly at: MappingPath;
  readonly mapping: Mapping;
  /** Warnings; a mapping with errors is broken. */
  readonly diagnostics: readonly Diagnostic[];
  /** Its condition, compiled; absent: always. */
  readonly condition?: Mapping;
  /** Reads the `.examples.json` beside it; empty when there is none. Throws `mapping.broken`. */
  examples(): readonly Example[];
}

/** A file that cannot be used. */
export interface BrokenMapping {
  readonly path: string;
  readonly root: string;
  readonly code: string;
  readonly message: string;
  readonly diagnostics: readonly Diagnostic[];
  /** A good version (an earlier one of the same file, or that of an earlier root) is in force. */
  readonly covered: boolean;
}

export interface MappingLibrary {
  /** The most specific mapping whose condition holds. Throws `capability.unsupported` when there is none. */
  choose(topic: string, language: string, direction: Direction, payload: unknown, ctx: unknown): MappingEntry;
  /** All that apply, most specific first: station, vendor and model, vendor, language; with condition before without. */
  candidates(topic: string, language: string, direction: Direction, payload: unknown, ctx: unknown): MappingEntry[];
  entries(): readonly MappingEntry[];
  broken(): readonly BrokenMapping[];
  /** Reads the folders again; only changed files are compiled. Never throws. */
  reload(): { readonly changed: readonly string[]; readonly broken: readonly BrokenMapping[] };
}

export interface LibraryOptions {
  /** Folders, the later ones override the earlier ones by relative path. */
  readonly roots: readonly string[];
  readonly files: FileSource;
  readonly log: Log;
}

/** One file as last read. */
interface Slot {
  readonly root: string;
  readonly path: string;
  readonly text: string | undefined;
  readonly good: MappingEntry | undefined;
  readonly fault: Omit<BrokenMapping, 'covered'> | undefined;
}

/** Loads the mapping files of some folders (design 3). A folder that cannot be read is logged and empty. */
export function createMappingLibrary(o: LibraryOptions): MappingLibrary {
  // bounded by: the files of the roots, see files.ts
  let slots = new Map<string, Slot>();
  let inForce = new Map<string, MappingEntry>();
  let faults: readonly BrokenMapping[] = [];

  const reload: MappingLibrary['reload'] = () => {
    const before = slots;
    slots = new Map(o.roots.flatMap((root) => readRoot(o, root, before)).map((s) => [`${s.root}\n${s.path}`, s]));
    const changed = [...slots].filter(([key, s]) => before.get(key)?.text !== s.text).map(([, s]) => s.path);
    for (const [key, s] of before) if (!slots.has(key)) changed.push(s.path);
    inForce = new Map();
    for (const s of slots.values()) if (s.good) inForce.set(s.path, s.good);
    faults = [...slots.values()].flatMap((s) => (s.fault ? [{ ...s.fault, covered: inForce.has(s.path) }] : []));
    for (const f of faults) {
      if (changed.includes(f.path))
        o.log.warn('mapping.broken', { path: f.path, root: f.root, message: f.message, covered: f.covered });
    }
    return { changed: [...new Set(changed)], broken: faults };
  };

  const candidates: MappingLibrary['candidates'] = (topic, language, direction, payload, ctx) =>
    [...inForce.values()]
      .filter((e) => e.from === topic && e.at.language === language && e.at.direction === direction)
      .map((entry) => ({ entry, rank: rankOf(entry, ctx) }))
      .filter(({ entry, rank }) => rank >= 0 && holds(entry, payload, ctx, o.log))
      .sort((a, b) => b.rank - a.rank || (a.entry.path < b.entry.path ? -1 : 1))
      .map(({ entry }) => entry);

  reload();
  return {
    candidates,
    choose(topic, language, direction, payload, ctx) {
      const [first] = candidates(topic, language, direction, payload, ctx);
      if (!first) throw unsupported(topic, language, direction);
      return first;
    },
    entries: () => [...inForce.values()],
    broken: () => faults,
    reload,
  };
}

function unsupported(topic: string, language: string, direction: Direction): V2gateError {
  const what =
    direction === 'from-hub'
      ? `${topic} cannot be expressed in ${language} here.`
      : `${topic} has no counterpart here.`;
  return new V2gateError('capability.unsupported', {
    what,
    remedy: `Use another function, or add a mapping in ${language}/${direction}/.`,
    retry: 'no',
    protocol: 'capability.unsupported',
  });
}

function readRoot(o: LibraryOptions, root: string, before: ReadonlyMap<string, Slot>): Slot[] {
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
  try {
    text = o.files.read(pathOf(root, path));
    if (before && before.text === text) return before;
    const good = load(o.files, root, path, text);
    return { root, path, text, good, fault: undefined };
  } catch (e) {
    const { what } = describeError(e);
    const diagnostics = diagnosticsOf(e);
    const fault = { root, path, code: codeOf(e) ?? 'mapping.broken', message: what, diagnostics };
    return { root, path, text, good: before?.good, fault };
  }
}

function load(files: FileSource, root: string, path: string, text: string): MappingEntry {
  const at = parsePath(path);
  const header = parseHeader(text, path);
  checkHeader(at, header, path);
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
  if (r.mapping) return { mapping: r.mapping, diagnostics: r.diagnostics };
  const first = r.diagnostics.find((d) => d.severity === 'error');
  const where = first ? `, line ${first.line}, column ${first.column}: ${first.message}` : ' cannot be compiled.';
  const error = MAPPING_ERRORS.fail('mapping.broken', `${path}${where}`);
  throw Object.assign(error, { diagnostics: r.diagnostics });
}

function diagnosticsOf(e: unknown): readonly Diagnostic[] {
  const list: unknown = typeof e === 'object' && e !== null ? Reflect.get(e, 'diagnostics') : undefined;
  return Array.isArray(list) ? (list as readonly Diagnostic[]) : [];
}

/** How specific an entry is for the peer of this context; −1 when it is meant for another one. */
function rankOf(entry: MappingEntry, ctx: unknown): number {
  const conditional = entry.condition ? 1 : 0;
  const { only } = entry.at;
  if (!only) return conditional;
  const session = field(ctx, 'session');
  if ('station' in only) return only.station === field(session, 'identity') ? 6 + conditional : -1;
  const vendor = slug(String(field(session, 'vendor') ?? ''));
  const model = slug(String(field(session, 'model') ?? ''));
  if (vendor !== '' && only.model === `${vendor}-${model}`) return 4 + conditional;
  return vendor !== '' && only.model === vendor ? 2 + conditional : -1;
}

const field = (o: unknown, key: string): unknown =>
  typeof o === 'object' && o !== null && Object.hasOwn(o, key) ? Reflect.get(o, key) : undefined;

/** A condition that fails does not hold. */
function holds(entry: MappingEntry, payload: unknown, ctx: unknown, log: Log): boolean {
  if (!entry.condition) return true;
  try {
    return entry.condition.run(payload, ctx) === true;
  } catch (e) {
    log.warn('mapping.when', { path: entry.path, ...describeError(e) });
    return false;
  }
}
