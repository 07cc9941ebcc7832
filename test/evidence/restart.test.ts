import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { iso } from '../../core/clock.ts';
import type { CommandBatch } from '../../model/index.ts';
import { type Rig, rig } from './rig.ts';
import { accepted, ended } from './services.ts';

let r: Rig;
beforeEach(async () => {
  r = await rig();
});
afterEach(() => r.close());

const batch = (batchId: string, ...pairs: readonly (readonly [command: string, resource: string])[]): CommandBatch => ({
  batchId,
  siteId: 'site:test',
  at: iso(r.clock.now()),
  commands: pairs.map(([commandId, resourceId]) => ({
    commandId,
    resourceId,
    kind: 'setpoint',
    powerW: 1000,
    validUntil: iso(r.clock.now() + 60_000),
    level: 6,
  })),
});

const outcome = (commandId: string, state: string) =>
  r.store.write([
    {
      op: 'put',
      kind: 'outcome',
      key: `site:test/${commandId}/${state}`,
      at: r.clock.now(),
      body: { commandId, state },
    },
  ]);

describe('a restart', () => {
  it('stands in the local log and in those of operators whose services run', async () => {
    accepted(r, { fsrId: 'N-1' });
    accepted(r, { fsrId: 'N-2' }, { foId: 'fo:other', state: 'rejected' });
    await r.evidence.flush();
    await r.reopen();
    expect((await r.chain('fo:test')).map((e) => e.kind)).toEqual(['service.requested', 'gateway.restart']);
    expect((await r.chain('fo:other')).map((e) => e.kind)).toEqual(['service.requested']);
    expect((await r.chain('local')).filter((e) => e.kind === 'gateway.restart')).toHaveLength(2);
  });

  it('finds every command that could have gone out, for none goes before it is stored', async () => {
    let stored = false;
    const recorded = r.evidence.commanded(batch('b1', ['c1', 'V2G-1.1'])).then(() => {
      stored = true;
    });
    await Promise.resolve();
    expect(stored).toBe(false);
    await recorded;
    expect((await r.store.list('batch')).map((row) => row.key)).toEqual(['site:test/b1']);
  });

  it('states what became of commands that were under way: it is unknown, once', async () => {
    accepted(r);
    r.evidence.commanded(batch('b1', ['c1', 'V2G-1.1'], ['c2', 'AC-1.1'], ['c3', 'AC-2.1']));
    await r.advance(5);
    // c1 was replaced by c4; c2 took effect; of c3 only its acceptance is known.
    r.evidence.commanded(batch('b2', ['c4', 'V2G-1.1']));
    await outcome('c2', 'effective');
    await outcome('c3', 'accepted');
    await r.reopen();
    const stated = (await r.chain('local')).filter((e) => e.kind === 'command.unknown');
    expect(stated.map((e) => e.subject).sort()).toEqual([
      ['AC-2.1', 'c3'],
      ['V2G-1.1', 'c4'],
    ]);
    // V2G-1.1 serves fo:test; AC-2.1 serves nobody.
    expect((await r.chain('fo:test')).filter((e) => e.kind === 'command.unknown').map((e) => e.subject[1])).toEqual([
      'c4',
    ]);
    // That c4 replaced c1 stands in the batches.
    expect(await r.store.get('outcome', 'site:test/c1/superseded')).toBeUndefined();
    expect((await r.store.get('outcome', 'site:test/c4/unknown'))?.body).toMatchObject({ state: 'unknown' });
    await r.reopen();
    expect((await r.chain('local')).filter((e) => e.kind === 'command.unknown')).toHaveLength(2);
  });

  it('says nothing of commands that have ended by themselves long ago', async () => {
    r.evidence.commanded(batch('b1', ['c1', 'V2G-1.1']));
    await r.advance(3600);
    await r.reopen();
    expect((await r.chain('local')).map((e) => e.kind)).not.toContain('command.unknown');
  });

  it('forgets the working rows of a service once its proof is made', async () => {
    const service = accepted(r);
    for (let s = 0; s < 800; s += 10) {
      for (const m of service.members) r.read(m, { powerW: 1000, importWh: s });
      if (s === 780) ended(r, service);
      await r.advance(10);
    }
    await r.evidence.flush();
    expect(await r.evidence.reader.documents('Proof')).toHaveLength(1);
    expect(await r.store.list('energy', { prefix: 'site:test/service/' })).toEqual([]);
  });
});
