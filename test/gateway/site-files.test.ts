import { mkdtemp, rename, rm, stat, writeFile } from 'node:fs/promises';
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
  /** Lets looks at the disk that are under way come to their end. */
  const disk = async () => {
    for (let i = 0; i < 8; i++) await stat(dir);
  };
  const second = async () => {
    await clock.advance(1_000);
    await disk();
  };
  await disk();
  await second();
  expect(changes).toBe(0);
  await writeFile(file, '{"a":1}');
  await second();
  await second();
  expect(changes).toBe(1);
  await writeFile(`${file}.new`, '{"b":1}');
  await rename(`${file}.new`, file);
  await second();
  expect(changes).toBe(2);
  stop();
  await writeFile(file, '{"longer":1}');
  await second();
  expect(changes).toBe(2);
  expect(clock.pending).toBe(0);
});
