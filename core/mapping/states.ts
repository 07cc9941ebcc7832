import type { Diagnostic } from './diagnostic.ts';
import { type Direction, type MappingPath, parsePath, readHeader } from './header.ts';
import type { MappingEntry } from './library.ts';
import type { Slot } from './slots.ts';

/** One file of a mapping folder, for people. */
export interface MappingState {
  /** Relative path; the same path in a later folder overrides it. */
  readonly path: string;
  /** The folder. */
  readonly root: string;
  /** What the path says; absent where it is no place for a mapping. */
  readonly language?: string;
  readonly direction?: Direction;
  readonly variant?: string;
  readonly only?: MappingPath['only'];
  /** Topics, as far as the header can be read. */
  readonly source?: string;
  readonly target: readonly string[];
  /** `ok`: in force. `overridden`: good, but a later folder has a good one. `broken`: cannot be used as it stands. */
  readonly state: 'ok' | 'broken' | 'overridden';
  /** What runs under this path: this text, an earlier good version of this file, that of another folder, or nothing. */
  readonly inForce: 'this' | 'earlier' | 'other' | 'none';
  /** Why it is broken, in one sentence. */
  readonly message?: string;
  /** All findings about the text as it stands, in the order of the text. */
  readonly diagnostics: readonly Diagnostic[];
}

/** `running` is the version of that path that is in force. */
export function stateOf(slot: Slot, running: MappingEntry | undefined): MappingState {
  const { path, root, text, fault, good } = slot;
  const header = text === undefined ? undefined : readHeader(text).header;
  const inForce = running === undefined ? 'none' : running !== good ? 'other' : fault ? 'earlier' : 'this';
  return {
    path,
    root,
    ...placeOf(path),
    ...(header?.from === undefined ? {} : { source: header.from }),
    target: header?.to ?? [],
    state: fault ? 'broken' : inForce === 'this' ? 'ok' : 'overridden',
    inForce,
    ...(fault ? { message: fault.message } : {}),
    diagnostics: slot.findings(),
  };
}

function placeOf(path: string): Partial<Pick<MappingPath, 'language' | 'direction' | 'variant' | 'only'>> {
  try {
    const { language, direction, variant, only } = parsePath(path);
    return {
      language,
      direction,
      ...(variant === undefined ? {} : { variant }),
      ...(only === undefined ? {} : { only }),
    };
  } catch {
    return {};
  }
}
