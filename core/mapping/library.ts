import { describeError, V2gateError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Diagnostic } from './diagnostic.ts';
import type { Example } from './examples.ts';
import type { FileSource } from './files.ts';
import { type Direction, type Header, type MappingPath, slug } from './header.ts';
import type { Mapping, Schemas } from './index.ts';
import { readRoot, type Slot } from './slots.ts';
import { type MappingState, stateOf } from './states.ts';

export type { MappingState } from './states.ts';

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
  /** The one in force under a relative path. */
  entry(path: string): MappingEntry | undefined;
  broken(): readonly BrokenMapping[];
  /** The texts under a path as they were last read, by folder: the shipped one before what overrides it. */
  versions(path: string): readonly { readonly root: string; readonly text: string }[];
  /**
   * Every file of every folder with its state and all findings about it, by path and then by folder. The first call after
   * a change takes some milliseconds per file; for console, API, command line and workbench.
   */
  list(): readonly MappingState[];
  /** The forms of messages that the findings of {@link list} are held against; knows none where the options give none. */
  readonly schemas: Schemas;
  /** Reads the folders again; only changed files are compiled. Never throws. */
  reload(): { readonly changed: readonly string[]; readonly broken: readonly BrokenMapping[] };
}

export interface LibraryOptions {
  /** Folders, the later ones override the earlier ones by relative path. */
  readonly roots: readonly string[];
  readonly files: FileSource;
  readonly log: Log;
  /** For checks against the forms of messages; absent: {@link MappingLibrary.list} finds only what needs none. */
  readonly schemas?: Schemas;
}

const NO_SCHEMAS: Schemas = { message: () => undefined };

/** Loads the mapping files of some folders (design 3). A folder that cannot be read is logged and empty. */
export function createMappingLibrary(o: LibraryOptions): MappingLibrary {
  const schemas = o.schemas ?? NO_SCHEMAS;
  // bounded by: the files of the roots, see files.ts
  let slots = new Map<string, Slot>();
  let inForce = new Map<string, MappingEntry>();
  /** So that a choice looks at a few entries and not at the whole pack. */
  let bySource = new Map<string, readonly MappingEntry[]>();
  let faults: readonly BrokenMapping[] = [];

  const reload: MappingLibrary['reload'] = () => {
    const before = slots;
    slots = new Map(o.roots.flatMap((root) => readRoot(o, root, before)).map((s) => [`${s.root}\n${s.path}`, s]));
    const changed = [...slots].filter(([key, s]) => isChanged(before.get(key), s)).map(([, s]) => s.path);
    for (const [key, s] of before) if (!slots.has(key)) changed.push(s.path);
    inForce = new Map();
    for (const s of slots.values()) if (s.good) inForce.set(s.path, s.good);
    bySource = Map.groupBy(inForce.values(), ({ from, at }) => sourceKey(from, at.language, at.direction));
    faults = [...slots.values()].flatMap((s) => (s.fault ? [{ ...s.fault, covered: inForce.has(s.path) }] : []));
    for (const f of faults) {
      if (changed.includes(f.path))
        o.log.warn('mapping.broken', { path: f.path, root: f.root, message: f.message, covered: f.covered });
    }
    return { changed: [...new Set(changed)], broken: faults };
  };

  const candidates: MappingLibrary['candidates'] = (topic, language, direction, payload, ctx) =>
    (bySource.get(sourceKey(topic, language, direction)) ?? [])
      .map((entry) => ({ entry, rank: rankOf(entry, ctx) }))
      .filter(({ entry, rank }) => rank >= 0 && holds(entry, payload, ctx, o.log))
      .sort((a, b) => (isBefore(a.entry, a.rank, b) ? -1 : 1))
      .map(({ entry }) => entry);

  reload();
  return {
    candidates,
    choose(topic, language, direction, payload, ctx) {
      let best: { readonly entry: MappingEntry; readonly rank: number } | undefined;
      for (const entry of bySource.get(sourceKey(topic, language, direction)) ?? []) {
        const rank = rankOf(entry, ctx);
        if (rank < 0 || (best && !isBefore(entry, rank, best))) continue;
        if (holds(entry, payload, ctx, o.log)) best = { entry, rank };
      }
      if (!best) throw unsupported(topic, language, direction);
      return best.entry;
    },
    entries: () => [...inForce.values()],
    entry: (path) => inForce.get(path),
    broken: () => faults,
    versions: (path) =>
      o.roots.flatMap((root) => {
        const text = slots.get(`${root}\n${path}`)?.text;
        return text === undefined ? [] : [{ root, text }];
      }),
    list: () => [...slots.values()].map((s) => stateOf(s, inForce.get(s.path))).sort(byPath),
    schemas,
    reload,
  };
}

const sourceKey = (topic: string, language: string, direction: Direction): string =>
  `${direction}\n${language}\n${topic}`;

/** The most specific one comes first. */
const isBefore = (entry: MappingEntry, rank: number, than: { entry: MappingEntry; rank: number }): boolean =>
  rank === than.rank ? entry.path < than.entry.path : rank > than.rank;

const byPath = (a: MappingState, b: MappingState): number => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0);

/** A file is new, has another text, or cannot be read for another reason than before. */
const isChanged = (before: Slot | undefined, now: Slot): boolean =>
  before === undefined ||
  before.text !== now.text ||
  (now.text === undefined && before.fault?.message !== now.fault?.message);

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
