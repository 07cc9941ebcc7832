import { readFile, stat } from 'node:fs/promises';
import { type Clock, every } from '../core/clock.ts';
import type { SiteFiles } from '../hub/site/registry.ts';

const LOOK_MS = 1_000;

/**
 * Site files on disk. Changes are found by looking every second, because the file system's own notices miss editors that
 * replace a file, and network shares. `clock` is the machine's, also where the domain's stands still.
 */
export function siteFiles(clock: Clock): SiteFiles {
  return {
    read: (path) => readFile(path, 'utf8'),
    watch(path, changed) {
      let known: string | undefined;
      let looking = false;
      const look = async (): Promise<void> => {
        if (looking) return;
        looking = true;
        const now = await stamp(path);
        looking = false;
        if (known !== undefined && now !== known) changed();
        known = now;
      };
      void look();
      const timer = every(clock, LOOK_MS, () => void look());
      return () => timer.cancel();
    },
  };
}

async function stamp(path: string): Promise<string> {
  try {
    const { mtimeMs, size, ino } = await stat(path);
    return `${mtimeMs}/${size}/${ino}`;
  } catch {
    return 'gone';
  }
}
