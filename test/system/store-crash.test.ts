import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { realClock } from '../../core/clock.ts';
import { silentLog } from '../../core/log.ts';
import { createMetrics } from '../../core/metrics.ts';
import { openStore } from '../../gateway/store/index.ts';
import { RECORD_KINDS, type RecordKind, type StorePort } from '../../hub/ports.ts';

const ROUNDS = 5;
let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'v2gate-crash-'));
});
afterAll(() => rm(dir, { recursive: true }));

/** Runs the writer on the file and kills it without warning; answers the lines it had acknowledged. */
async function writeUntilKilled(path: string, round: number): Promise<string[]> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'store-writer.ts'), path, `${round}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (d: string) => {
    text += d;
  });
  const gone = once(child, 'close');
  await Promise.race([once(child.stdout, 'data'), gone]);
  await new Promise((resolve) => setTimeout(resolve, 100 + Math.random() * 500));
  child.kill('SIGKILL');
  await gone;
  return text.split('\n').slice(0, -1);
}

async function missing(store: StorePort, acknowledged: readonly string[]): Promise<string[]> {
  const lost: string[] = [];
  for (const line of acknowledged) {
    const [kinds = '', key = ''] = line.split(' ');
    for (const kind of kinds.split('+').filter(isKind)) {
      const found = await store.get(kind, key);
      if (JSON.stringify(found?.body) !== JSON.stringify({ kind, key, pad: 'x'.repeat(200) }))
        lost.push(`${kind} ${key}`);
    }
  }
  return lost;
}

/** Keys of the writes of two kinds of which only one half is there. */
async function halves(store: StorePort, round: number): Promise<string[]> {
  const torn: string[] = [];
  for (const [name, one, two] of [
    ['a1', 'service', 'record'],
    ['b1', 'setpoint', 'outcome'],
    ['mixed', 'service', 'setpoint'],
  ] as const) {
    const query = { prefix: `${round}-${name}-`, limit: 10_000 };
    const [left, right] = [await store.list(one, query), await store.list(two, query)];
    const there = new Set(right.map((r) => r.key));
    torn.push(...left.map((r) => r.key).filter((k) => !there.has(k)));
    if (left.length < 10_000 && left.length !== right.length) torn.push(`${name}: ${left.length} and ${right.length}`);
  }
  return torn;
}

function isKind(text: string): text is RecordKind {
  return Object.hasOwn(RECORD_KINDS, text);
}

describe('a gateway killed while it writes', () => {
  it('loses nothing that was acknowledged in class A or B, and tears no write in two', async () => {
    const path = join(dir, 'store.db');
    const acknowledged: string[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const fresh = await writeUntilKilled(path, round);
      expect(fresh.length).toBeGreaterThan(10);
      acknowledged.push(...fresh);
      const store = await openStore({ path, clock: realClock(), log: silentLog, metrics: createMetrics() });
      expect(await missing(store, acknowledged)).toEqual([]);
      expect(await halves(store, round)).toEqual([]);
      await store.close();
    }
  });
});
