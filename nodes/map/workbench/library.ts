import { skeleton } from '../../../core/mapping/index.ts';
import type { MappingLibrary } from '../../../core/mapping/library.ts';
import { sampleOf } from '../../../core/mapping/sample.ts';
import type { GatewaySettings } from '../../../hub/ports.ts';
import { NODE_ERRORS } from '../../base/errors.ts';

/** A mapping that can be chosen. */
export interface LibraryRow {
  readonly path: string;
  readonly from: string;
  readonly to: readonly string[];
  readonly variant?: string;
  readonly when?: string;
  /** It comes from the integrator's folder. */
  readonly own: boolean;
}

export interface LibraryAnswer {
  readonly mappings: readonly LibraryRow[];
  /** All messages that are known, sorted. */
  readonly topics: readonly string[];
  /** The integrator's folder; absent: none is set. */
  readonly folder?: string;
}

/** A message to try a mapping on. */
export interface Sample {
  readonly name: string;
  /** The mapping whose example it is; absent: made from the schema. */
  readonly path?: string;
  readonly input: unknown;
  readonly ctx: unknown;
}

export interface MappingAnswer {
  readonly path: string;
  /** What is in force. */
  readonly text: string;
  /** What v2gate ships under this path; absent when only the integrator has it. */
  readonly shipped?: string;
  readonly own: boolean;
  /** Why the newest file of this path is not in force. */
  readonly broken?: string;
}

/** The mappings, and which folder of theirs is the integrator's. */
export interface LibraryHolder {
  readonly mappings: MappingLibrary;
  readonly settings: Pick<GatewaySettings, 'mappings'>;
}

const MAX_SAMPLES = 50;

/** What the lists of the workbench offer. */
export function libraryOf({ mappings, settings }: LibraryHolder): LibraryAnswer {
  const rows = mappings.entries().map(({ path, root, from, to, variant, when }) => ({
    path,
    from,
    to,
    own: root === settings.mappings,
    ...(variant === undefined ? {} : { variant }),
    ...(when === undefined ? {} : { when }),
  }));
  const topics = new Set([...(mappings.schemas.topics?.() ?? []), ...rows.flatMap((r) => [r.from, ...r.to])]);
  return {
    mappings: rows.sort((a, b) => (a.path < b.path ? -1 : 1)),
    topics: [...topics].sort(),
    ...(settings.mappings === undefined ? {} : { folder: settings.mappings }),
  };
}

/** One mapping of the library. Throws `nodes.request` for a path that is none. */
export function mappingOf({ mappings, settings }: LibraryHolder, path: string): MappingAnswer {
  const entry = mappings.entries().find((e) => e.path === path);
  const versions = mappings.versions(path);
  const shipped = versions.find((v) => v.root !== settings.mappings)?.text;
  const text = entry?.mapping.source ?? versions.at(-1)?.text;
  const broken = mappings.broken().find((b) => b.path === path)?.message;
  if (text === undefined) throw NODE_ERRORS.fail('nodes.request', `There is no mapping ${path.slice(0, 200)}.`);
  return {
    path,
    text,
    own: entry?.root === settings.mappings,
    ...(shipped === undefined ? {} : { shipped }),
    ...(broken === undefined ? {} : { broken }),
  };
}

/** A mapping to begin with. Throws `mapping.header` for topics that are not known. */
export function newMapping(
  { mappings: { schemas } }: LibraryHolder,
  from: string,
  to: string,
): { readonly text: string } {
  return { text: skeleton({ from, to: [to], schemas }).text };
}

/**
 * Messages to try a mapping of `from` on: the examples of `path` first, then those of other mappings of the same source,
 * then one made from the schema.
 */
export function samplesOf({ mappings }: LibraryHolder, from: string, path: string): readonly Sample[] {
  const entries = mappings.entries().filter((e) => e.from === from);
  const found = [...entries.filter((e) => e.path === path), ...entries.filter((e) => e.path !== path)]
    .flatMap((e) => examplesOf(e.path, () => e.examples()))
    .slice(0, MAX_SAMPLES);
  const { schemas } = mappings;
  const made = sampleOf(schemas.message(from));
  if (made === undefined) return found;
  return [...found, { name: 'made from the schema', input: made, ctx: sampleOf(schemas.context) ?? {} }];
}

/** Examples that cannot be read are no reason to have none at all; `npx v2gate mappings check` tells of them. */
function examplesOf(path: string, read: () => readonly Omit<Sample, 'path'>[]): Sample[] {
  try {
    return read().map(({ name, input, ctx }) => ({ name, path, input, ctx }));
  } catch {
    return [];
  }
}
