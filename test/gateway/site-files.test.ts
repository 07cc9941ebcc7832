import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { manualClock } from '../../core/clock.ts';
import { siteFiles } from '../../gateway/site-files.ts';

let dir = '';
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'v2gate-site-'));
});
afterEach(() => rm(dir, { recursive: true }));

it('a change and a replacement of the file are noticed, a quiet file is not, and nothing after the end', async () => {
  const clock = manualClock();
  const file = join(dir, 'site.json');
  await writeFile(file, '{}');
  let changes = 0;
  const stop = siteFiles(clock).watch(file, () => void changes++);
  /** One look a second, each with its turn at the disk, until `n` changes were noticed; a second one would show. */
  const until = async (n: number) => {
    for (let looks = 0; looks < 100 && changes < n; looks++) await look();
    await look();
    expect(changes).toBe(n);
  };
  const look = async () => {
    await clock.advance(1_000);
    await new Promise((turn) => setTimeout(turn, 2));
  };
  await look();
  await until(0);
  await writeFile(file, '{"a":1}');
  await until(1);
  await writeFile(`${file}.new`, '{"b":1}');
  await rename(`${file}.new`, file);
  await until(2);
  stop();
  await writeFile(file, '{"longer":1}');
  await until(2);
  expect(clock.pending).toBe(0);
});
