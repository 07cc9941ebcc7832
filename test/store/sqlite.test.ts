import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { manualClock, realClock } from '../../core/clock.ts';
import { silentLog } from '../../core/log.ts';
import { createMetrics } from '../../core/metrics.ts';
import { Checkpoints } from '../../gateway/store/checkpoints.ts';
import { createCommitter } from '../../gateway/store/commit.ts';
import { openDatabase } from '../../gateway/store/database.ts';
import { openStore, RETENTION_DAYS, startRetention } from '../../gateway/store/index.ts';
import { MIGRATIONS } from '../../gateway/store/migrations.ts';
import { prepareOps } from '../../gateway/store/prepare.ts';
import { prepareRecords } from '../../gateway/store/records.ts';
import type { ComponentHealth, StoreOp } from '../../hub/ports.ts';
import { storeContract } from './contract.ts';

let dir: string;
let files = 0;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'v2gate-store-'));
});
afterAll(() => rm(dir, { recursive: true }));

const fresh = (): string => join(dir, `${files++}`, 'store.db');
const open = (path: string, more: { maxRows?: number; lockWaitMs?: number } = {}) =>
  openStore({ path, clock: realClock(), log: silentLog, metrics: createMetrics(), ...more });
const put = (key: string, at = 1): StoreOp => ({ op: 'put', kind: 'service', key, at, body: { key } });

storeContract('sqlite in memory', () => open(':memory:'));
storeContract('sqlite in a file', () => open(fresh()));

describe('store file', () => {
  it('keeps everything over a restart, also what class C had not written yet', async () => {
    const path = fresh();
    const first = await open(path);
    await first.write([put('s')]);
    await first.write([{ op: 'put', kind: 'telemetry', key: 't', at: 2, body: 3 }]);
    await first.close();
    const second = await open(path);
    expect((await second.get('service', 's'))?.body).toEqual({ key: 's' });
    expect(await second.get('telemetry', 't')).toEqual({ key: 't', at: 2, body: 3 });
    await second.close();
  });

  it('is brought from version 1 to the present one without losing a record', async () => {
    const path = fresh();
    await (await open(path)).close();
    const old = new DatabaseSync(path);
    old.exec('DROP INDEX record_by_age; PRAGMA user_version = 1');
    old.exec(`INSERT INTO record VALUES ('service', 'old', 7, '{"v":1}')`);
    old.close();
    const store = await open(path);
    expect(await store.get('service', 'old')).toEqual({ key: 'old', at: 7, body: { v: 1 } });
    await store.close();
    const now = new DatabaseSync(path);
    expect(now.prepare('PRAGMA user_version').get()).toEqual({ user_version: MIGRATIONS.at(-1)?.to });
    expect(now.prepare(`SELECT name FROM sqlite_schema WHERE name = 'record_by_age'`).all()).toHaveLength(1);
    now.close();
  });

  it('keeps its version when a migration step fails', async () => {
    const path = fresh();
    await (await open(path)).close();
    const to = (MIGRATIONS.at(-1)?.to ?? 0) + 1;
    const broken = { to, what: 'break', up: (db: DatabaseSync) => db.exec('DROP TABLE record; CREATE nonsense') };
    expect(() => openDatabase(path, silentLog, { steps: [...MIGRATIONS, broken] })).toThrowError(
      expect.objectContaining({ code: 'store.migration' }),
    );
    const store = await open(path);
    expect(await store.list('service')).toEqual([]);
    await store.close();
  });

  it('lists the newest first, by key within one moment, also after the index by age was made smaller', async () => {
    const path = fresh();
    const before = openDatabase(path, silentLog, { steps: MIGRATIONS.slice(0, 2) });
    const insert = before.prepare(`INSERT INTO record (kind, key, at, body) VALUES ('log', ?, ?, '1')`);
    for (const [key, at] of [
      ['b', 2],
      ['c', 1],
      ['a', 2],
      ['d', 1],
    ] as const)
      insert.run(key, at);
    before.close();
    const store = await open(path);
    expect((await store.list('log', { newestFirst: true, limit: 3 })).map((r) => r.key)).toEqual(['b', 'a', 'd']);
    expect(await store.prune('log', 2)).toBe(2);
    expect((await store.list('log')).map((r) => r.key)).toEqual(['a', 'b']);
    await store.close();
  });

  it('migration steps are numbered without gaps', () => {
    expect(MIGRATIONS.map((m) => m.to)).toEqual(MIGRATIONS.map((_, i) => i + 1));
  });

  it('of a newer version is refused and left as it is', async () => {
    const path = fresh();
    await (await open(path)).close();
    const newer = new DatabaseSync(path);
    newer.exec('PRAGMA user_version = 999');
    newer.close();
    await expect(open(path)).rejects.toMatchObject({
      code: 'store.newer',
      cause: { what: expect.stringContaining('999'), remedy: expect.stringContaining('newer'), retry: 'afterFix' },
    });
    const after = new DatabaseSync(path);
    expect(after.prepare('PRAGMA user_version').get()).toEqual({ user_version: 999 });
    after.close();
  });

  it('of another program is refused', async () => {
    const other = join(dir, 'other.db');
    const db = new DatabaseSync(other);
    db.exec('CREATE TABLE photos (id INTEGER)');
    db.close();
    await expect(open(other)).rejects.toMatchObject({ code: 'store.foreign' });
  });

  it('that is not a database is refused with a remedy and left untouched', async () => {
    const path = join(dir, 'text.db');
    const text = 'these are not the pages you are looking for. '.repeat(300);
    writeFileSync(path, text);
    await expect(open(path)).rejects.toMatchObject({
      code: 'store.corrupt',
      cause: { what: expect.stringContaining(path), remedy: expect.stringContaining('backup') },
    });
    expect(readFileSync(path, 'utf8')).toBe(text);
  });

  it('with damaged pages is refused', async () => {
    const path = fresh();
    const store = await open(path);
    await Promise.all(Array.from({ length: 500 }, (_, i) => store.write([put(`key${i}`)])));
    await store.close();
    const bytes = readFileSync(path);
    bytes.fill(0xa5, 8192, bytes.length - 4096);
    writeFileSync(path, bytes);
    await expect(open(path)).rejects.toMatchObject({ code: 'store.corrupt' });
  });

  it('belongs to one gateway at a time', async () => {
    const path = fresh();
    const store = await open(path);
    await expect(open(path, { lockWaitMs: 10 })).rejects.toMatchObject({
      code: 'store.locked',
      cause: { remedy: expect.stringContaining('Stop the other') },
    });
    await store.write([put('still works')]);
    await store.close();
  });

  it('where a folder or nothing writable is, is refused', async () => {
    await expect(open(dir)).rejects.toMatchObject({ code: 'store.unreachable' });
    const file = join(dir, 'file');
    writeFileSync(file, '');
    await expect(open(join(file, 'store.db'))).rejects.toMatchObject({ code: 'store.unreachable' });
  });
});

describe('failing disk', () => {
  const rig = () => {
    const db = openDatabase(':memory:', silentLog);
    db.exec('PRAGMA max_page_count = 20');
    const health: ComponentHealth[] = [];
    const commit = createCommitter({
      db,
      path: ':memory:',
      records: prepareRecords(db),
      log: silentLog,
      metrics: createMetrics(),
      health: (h) => health.push(h),
    });
    const write = (...writes: StoreOp[][]): Promise<PromiseSettledResult<void>[]> =>
      Promise.allSettled(
        ((): Promise<void>[] => {
          const entries = writes.map((ops) => {
            const { promise, resolve, reject } = Promise.withResolvers<void>();
            return {
              promise,
              entry: {
                ops: prepareOps(ops),
                durability: 'A' as const,
                settle: (e?: Error) => (e ? reject(e) : resolve()),
              },
            };
          });
          commit(entries.map((e) => e.entry));
          return entries.map((e) => e.promise);
        })(),
      );
    return { db, health, write };
  };

  it('fails every write of the commit with store.failed, tells health, and works again when there is room', async () => {
    const { db, health, write } = rig();
    const big: StoreOp = { op: 'put', kind: 'service', key: 'big', at: 1, body: 'x'.repeat(200_000) };
    const results = await write([put('a')], [big]);
    for (const r of results)
      expect(r).toMatchObject({ status: 'rejected', reason: { code: 'store.failed', cause: { retry: 'yes' } } });
    expect(prepareRecords(db).get('service', 'a')).toBeUndefined();
    expect(health.map((h) => [h.state, h.admits])).toEqual([['down', false]]);
    expect(await write([put('a')])).toMatchObject([{ status: 'fulfilled' }]);
    expect(health.at(-1)?.state).toBe('ok');
    db.close();
  });

  it('does not take a refused append for a failing disk', async () => {
    const { db, health, write } = rig();
    const append: StoreOp = { op: 'append', kind: 'record', key: 'r', at: 1, body: 1 };
    await write([append], [append]);
    expect(health).toEqual([]);
    db.close();
  });
});

describe('metrics', () => {
  it('show rows by class, waiting rows and the time of commits', async () => {
    const metrics = createMetrics();
    const store = await openStore({ path: ':memory:', clock: realClock(), log: silentLog, metrics });
    await store.write([put('a')]);
    await store.write([{ op: 'put', kind: 'telemetry', key: 't', at: 1, body: 1 }]);
    const text = metrics.render();
    expect(text).toMatch(/v2gate_store_rows_total\{class="A"\} 1/);
    expect(text).toMatch(/v2gate_store_commit_seconds_count\{sync="full"\} 1/);
    expect(text).toContain('store.deferred');
    await store.close();
    expect(metrics.render()).not.toContain('store.deferred');
  });
});

describe('retention', () => {
  it('keeps proofs and records longer than the single commands, of which there are many', () => {
    const { proof = 0, record = 0, outcome, batch, meter, telemetry } = RETENTION_DAYS;
    expect([meter, telemetry]).toEqual([90, 90]);
    expect([outcome, batch]).toEqual([14, 14]);
    expect(Math.min(proof, record)).toBeGreaterThan(1000);
  });

  it('deletes what is older than its days, every hour', async () => {
    const day = 86_400_000;
    const clock = manualClock();
    const store = await open(':memory:');
    const at = (days: number): number => clock.now() - days * day;
    await store.write([put('old', at(11)), put('young', at(9))]);
    const job = startRetention({ store, clock, log: silentLog, days: { service: 10 } });
    await clock.advance(3_600_000);
    expect((await store.list('service')).map((r) => r.key)).toEqual(['young']);
    await clock.advance(2 * day);
    expect(await store.list('service')).toEqual([]);
    job.cancel();
    expect(clock.pending).toBe(0);
    await store.close();
  });

  it('survives a store that fails', async () => {
    const clock = manualClock();
    const store = await open(':memory:');
    const job = startRetention({ store, clock, log: silentLog, days: { service: 10 } });
    await store.close();
    await clock.advance(2 * 3_600_000);
    expect(clock.pending).toBe(1);
    job.cancel();
  });
});

describe('the write-ahead log', () => {
  it('is moved into the file in a quiet moment, and does not grow beyond that', async () => {
    const path = fresh();
    const store = await open(path);
    const logBytes = (): number => statSync(`${path}-wal`).size;
    const fileBytes = (): number => statSync(path).size;
    const before = fileBytes();
    for (let i = 0; i < 100; i++) await store.write([put(`a${i}`)]);
    expect(fileBytes()).toBe(before);
    for (let i = 0; i < 50; i++) await store.write([put(`b${i}`)]);
    await expect.poll(fileBytes, { timeout: 2_000 }).toBeGreaterThan(before);
    const [once] = [logBytes()];
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 150; i++) await store.write([put(`c${round}/${i}`)]);
      await sleep(40);
    }
    // It is begun anew each time.
    expect(logBytes()).toBeLessThan(2 * once);
    await store.close();
  });

  it('is moved also where it is never quiet', async () => {
    const path = fresh();
    const db = openDatabase(path, silentLog);
    const records = prepareRecords(db);
    const clock = manualClock();
    const checkpoints = new Checkpoints({ db, clock });
    const fileBytes = (): number => statSync(path).size;
    const before = fileBytes();
    const commit = async (i: number): Promise<void> => {
      for (const op of prepareOps([put(`a${i}`), put(`b${i}`)])) records.apply(op);
      checkpoints.committed(128);
      await clock.advance(9);
    };
    for (let i = 0; i < 15; i++) await commit(i);
    expect(fileBytes()).toBe(before);
    await commit(15);
    expect(fileBytes()).toBeGreaterThan(before);
    checkpoints.close();
    expect(clock.pending).toBe(0);
    db.close();
  });
});
