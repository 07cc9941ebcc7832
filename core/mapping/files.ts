import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Where mapping files come from. Both functions may throw; a missing folder is an empty one. */
export interface FileSource {
  /** Relative paths of all files below, with `/`. */
  list(dir: string): readonly string[];
  read(path: string): string;
}

const MAX_FILES = 5000;
const MAX_BYTES = 256 * 1024;

/** Mapping files of the file system; at most 5 000 files of at most 256 kB each. */
export function fileSource(): FileSource {
  return {
    list(dir) {
      const names = readdirSync(dir, { recursive: true, encoding: 'utf8' });
      return names.map((n) => n.replaceAll('\\', '/')).slice(0, MAX_FILES);
    },
    read(path) {
      if (statSync(path).size > MAX_BYTES) throw new Error(`${path} is larger than ${MAX_BYTES} bytes.`);
      return readFileSync(path, 'utf8');
    },
  };
}

export const pathOf = (root: string, relative: string): string => join(root, relative);
