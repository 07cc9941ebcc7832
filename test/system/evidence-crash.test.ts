import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { realClock } from '../../core/clock.ts';
import { canonical } from '../../core/json.ts';
import { silentLog } from '../../core/log.ts';
import { createMetrics } from '../../core/metrics.ts';
import { checkLog } from '../../gateway/cli/verify-log.ts';
import { openStore } from '../../gateway/store/index.ts';
import { readChain } from '../../hub/evidence/log-query.ts';
import { Ledger } from '../../hub/site/ledger.ts';

const ROUNDS = 5;
let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'v2gate-crash-'));
});
afterAll(() => rm(dir, { recursive: true }));

/** Runs the writer and kills it without warning; answers the newest head that it had told, per chain. */
async function noteUntilKilled(path: string): Promise<Map<string, { logSeq: number; hash: string }>> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'evidence-writer.ts'), path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (d: string) => {
    text += d;
  });
  const gone = once(child, 'close');
  await Promise.race([once(child.stdout, 'data'), gone]);
  await new Promise((resolve) => setTimeout(resolve, 100 + Math.random() * 400));
  child.kill('SIGKILL');
  await gone;
  const lines = text.split('\n').slice(0, -1);
  return new Map(
    lines.map((line) => {
      const [chain = '', logSeq, hash = ''] = line.split(' ');
      return [chain, { logSeq: Number(logSeq), hash }];
    }),
  );
}

describe('an event log whose gateway was killed', () => {
  it('has no gap and no fork, and everything that was acknowledged', async () => {
    const path = join(dir, 'store.db');
    let before = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const told = await noteUntilKilled(path);
      const store = await openStore({ path, clock: realClock(), log: silentLog, metrics: createMetrics() });
      const ledger = new Ledger({ store, log: silentLog, siteId: 'site:test' });
      for (const [chain, { logSeq, hash }] of told) {
        let text = '';
        for await (const entry of readChain(ledger, chain)) text += `${canonical(entry)}\n`;
        const log = checkLog(chain, text, false);
        expect(log.findings.filter((f) => f.ok === false)).toEqual([]);
        expect(log.hashes.get(logSeq)).toBe(hash);
        expect(log.hashes.has(1)).toBe(true);
      }
      const local = told.get('local')?.logSeq ?? 0;
      expect(local).toBeGreaterThan(before);
      before = local;
      await store.close();
    }
  });
});
