import { beforeEach, describe, expect, it } from 'vitest';
import { type Log, silentLog } from '../../core/log.ts';
import { Ledger } from '../../hub/site/ledger.ts';
import { type MoodyStore, moodyStore } from './store.ts';

let store: MoodyStore;
let ledger: Ledger;
beforeEach(() => {
  store = moodyStore();
  ledger = new Ledger({ store, log: silentLog, siteId: 'site:a' });
});

const put = (key: string) => ({ op: 'put', kind: 'limit', key, at: 1, body: key }) as const;

describe('what a site writes', () => {
  it('in one lane follows one another, and lanes do not wait for each other', async () => {
    const seen: string[] = [];
    let release = () => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const first = ledger.run('a', async () => {
      await gate;
      seen.push('a1');
    });
    const second = ledger.run('a', async () => seen.push('a2'));
    await ledger.run('b', async () => seen.push('b'));
    expect(ledger.busy('a')).toBe(true);
    release();
    await Promise.all([first, second]);
    expect(seen).toEqual(['b', 'a1', 'a2']);
    expect(ledger.busy('a')).toBe(false);
  });

  it('goes on after a task that failed', async () => {
    const bad = ledger.run('a', () => Promise.reject(new Error('no')));
    const good = ledger.run('a', async () => 'yes');
    await expect(bad).rejects.toThrow('no');
    expect(await good).toBe('yes');
  });

  it('is refused as temporary when too much waits', async () => {
    const all = Array.from({ length: 64 }, () => ledger.run('a', async () => 1));
    await expect(ledger.run('a', async () => 1)).rejects.toMatchObject({ code: 'internal.temporary' });
    await Promise.all(all);
    expect(await ledger.run('a', async () => 1)).toBe(1);
  });

  it('is found again under the key it was written with, over many pages', async () => {
    for (let i = 0; i < 2500; i += 500)
      await ledger.write(Array.from({ length: 500 }, (_, k) => put(`x/${String(i + k).padStart(5, '0')}`)));
    await ledger.write([put('y/1')]);
    const keys: string[] = [];
    for await (const row of ledger.all('limit', 'x/')) keys.push(row.key);
    expect(keys).toHaveLength(2500);
    expect([keys[0], keys.at(-1)]).toEqual(['x/00000', 'x/02499']);
    expect((await ledger.get('limit', 'y/1'))?.body).toBe('y/1');
  });

  it('is not written after the end', async () => {
    await ledger.close();
    await expect(ledger.write([put('a')])).rejects.toMatchObject({ code: 'internal.temporary' });
    await expect(ledger.run('a', async () => 1)).rejects.toMatchObject({ code: 'internal.temporary' });
    ledger.later(put('a'));
    expect(store.written).toEqual([]);
  });

  it('tells once that the store fails and once that it works, whatever is acknowledged before it is written', async () => {
    const said: string[] = [];
    const log: Log = { ...silentLog, error: (event) => said.push(event), info: (event) => said.push(event) };
    ledger = new Ledger({ store, log, siteId: 'site:a' });
    const sample = { op: 'put', kind: 'telemetry', key: 't', at: 1, body: 1 } as const;
    for (let i = 0; i < 3; i++) {
      store.broken = true;
      await expect(ledger.write([put('a')])).rejects.toMatchObject({ code: 'store.failed' });
      store.broken = false;
      await ledger.write([sample]);
    }
    expect(said).toEqual(['site.store']);
    await ledger.write([put('a')]);
    expect(said).toEqual(['site.store', 'site.storeWorks']);
  });
});
