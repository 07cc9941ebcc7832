import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Clock, every, type TimerHandle } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { FileSource } from '../core/mapping/files.ts';
import { type BrokenMapping, createMappingLibrary, type MappingLibrary } from '../core/mapping/library.ts';
import type { ComponentHealth } from '../hub/ports.ts';
import { GATEWAY_ERRORS } from './errors.ts';
import { mappingSchemas } from './mapping-schemas.ts';

const MAX_FILES = 5000;
const MAX_BYTES = 256 * 1024;
const LOOK_MS = 2_000;

/** Mapping files of the file system; at most 5 000 files of at most 256 kB each. */
export function fileSource(): FileSource {
  return {
    list(dir) {
      const names = readdirSync(dir, { recursive: true, encoding: 'utf8' });
      return names.map((n) => n.replaceAll('\\', '/')).slice(0, MAX_FILES);
    },
    read(path) {
      if (statSync(path).size > MAX_BYTES)
        throw GATEWAY_ERRORS.fail('mapping.tooLarge', `${path} is larger than ${MAX_BYTES} bytes.`);
      return readFileSync(path, 'utf8');
    },
  };
}

export interface MappingPack {
  readonly library: MappingLibrary;
  readonly watch: TimerHandle | undefined;
}

/**
 * The mappings of the gateway: the shipped ones, and over them those of the integrator's folder. Changes there are
 * picked up while the gateway runs; a broken file is reported and the last good one stays in force (design 3).
 * `clock` is the machine's.
 */
export function openMappings(o: {
  shipped: string;
  overrides: string | undefined;
  clock: Clock;
  log: Log;
  /** Told about broken mappings, also after each change. */
  health: (component: string, state: ComponentHealth) => void;
}): MappingPack {
  const { shipped, overrides, log } = o;
  const roots = overrides === undefined ? [shipped] : [shipped, overrides];
  const library = createMappingLibrary({ roots, files: fileSource(), log, schemas: mappingSchemas() });
  o.health('mappings', healthOf(library));
  if (overrides === undefined) return { library, watch: undefined };
  let known = stampOf(overrides);
  const watch = every(o.clock, LOOK_MS, () => {
    const now = stampOf(overrides);
    if (now === known) return;
    known = now;
    const { changed } = library.reload();
    o.health('mappings', healthOf(library));
    if (changed.length > 0) log.info('mapping.reloaded', { files: changed });
  });
  return { library, watch };
}

/** A broken mapping is a reason to look, not to stop: what is in force under its path goes on. */
function healthOf(library: MappingLibrary): ComponentHealth {
  const broken = library.broken();
  const [first] = broken;
  if (!first) return { state: 'ok', text: counted(library.entries().length) };
  const others = broken.length > 1 ? ` (and ${broken.length - 1} more)` : '';
  return { state: 'degraded', text: `${first.message}${others} ${consequence(broken)}`, admits: true };
}

const counted = (n: number): string => `${n} mapping${n === 1 ? '' : 's'} in force`;

function consequence(broken: readonly BrokenMapping[]): string {
  if (broken.every((b) => b.covered)) return 'The last good version is in force.';
  return broken.length === 1 ? 'Nothing is in force in its place.' : 'For some of them nothing is in force.';
}

/** Changes whenever a file below changes, comes or goes. */
function stampOf(folder: string): string {
  try {
    return readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .slice(0, MAX_FILES)
      .map((name) => {
        // A dangling link, or a file that is just being replaced, is no reason to overlook the others.
        const stat = statSync(join(folder, name), { throwIfNoEntry: false });
        return `${name}:${stat?.mtimeMs ?? 0}:${stat?.size ?? 0}`;
      })
      .join('\n');
  } catch {
    return 'unreadable';
  }
}
