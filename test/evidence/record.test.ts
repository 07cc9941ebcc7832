import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { canonical } from '../../core/json.ts';
import { documentId } from '../../hub/evidence/documents.ts';
import type { RecordPage, ServiceRecord } from '../../model/index.ts';
import { moodyStore } from '../site/store.ts';
import { knownSigner } from './keys.ts';
import { type Rig, rig } from './rig.ts';
import { accepted, ended } from './services.ts';

let r: Rig;
beforeEach(async () => {
  r = await rig({ signer: knownSigner() });
});
afterEach(() => r.close());

async function recordOf(): Promise<ServiceRecord> {
  await r.evidence.flush();
  const [doc] = await r.evidence.reader.documents('ServiceRecord');
  return JSON.parse(doc?.text ?? '{}').body?.record;
}

/** A service of three minutes at 10 min with steady registers. */
async function serve(fsrId = 'N-1', members: readonly string[] = ['V2G-1.1', 'AC-1.1']): Promise<void> {
  const start = r.clock.now() + 10_000;
  const service = accepted(r, {
    fsrId,
    members,
    start: new Date(start).toISOString(),
    end: new Date(start + 180_000).toISOString(),
  });
  for (let s = 0; s <= 200; s += 10) {
    // Many members are not read as often, so that the test stays short.
    if (members.length < 100 || s % 100 === 0)
      for (const m of members) r.read(m, { powerW: 3600, importWh: (r.clock.now() - Date.UTC(2026, 0, 1)) / 1000 });
    if (s === 10)
      r.evidence.applied(`fo:test/${fsrId}`, {
        at: r.clock.now(),
        requestedW: 8000,
        appliedW: 7200,
        limitedBy: 'fuse',
      });
    if (s === 190) ended(r, service);
    await r.advance(10);
  }
  await r.evidence.flush();
}

describe('the record of a service', () => {
  it('says for each member when it was there, what it took and gave, and how reachable it was', async () => {
    const service = accepted(r);
    const at = (s: number) => Date.UTC(2026, 0, 1, 0, 10, s);
    let wh = 0;
    for (let s = -60; s <= 200; s += 10) {
      await r.advance(s === -60 ? 540 : 10);
      r.read('V2G-1.1', { powerW: s < 100 ? 3600 : -1800, importWh: Math.min(wh, 1000), exportWh: 0 });
      wh += s < 100 ? 10 : 0;
      if (s < 90 || s > 170) r.read('AC-1.1', { powerW: 0, importWh: 7 });
      if (s === 0) r.change({ fsr: service.fsr, state: 'active', startedAt: at(0) });
      if (s === 60)
        r.change({
          fsr: service.fsr,
          presence: { 'AC-1.1': { joinedAt: at(0), leftAt: at(120), leaveReason: 'lost' } },
        });
      if (s === 180) ended(r, service);
    }
    await r.advance(1);
    const record = await recordOf();
    expect(record.resources).toEqual([
      {
        resourceId: 'V2G-1.1',
        joinedAt: '2026-01-01T00:10:00.000Z',
        importWh: 100,
        exportWh: 0,
        minPowerW: -1800,
        maxPowerW: 3600,
        availabilityPct: 100,
      },
      {
        resourceId: 'AC-1.1',
        joinedAt: '2026-01-01T00:10:00.000Z',
        leftAt: '2026-01-01T00:12:00.000Z',
        leaveReason: 'lost',
        importWh: 0,
        exportWh: 0,
        minPowerW: 0,
        maxPowerW: 0,
        // Silent for 40 s of 120 s: from 80 s on.
        availabilityPct: 66.67,
      },
    ]);
  });

  it('keeps the request as it came, the curve with what was asked for, and all that happened', async () => {
    const service = accepted(r);
    await r.advance(600);
    r.change({
      fsr: service.fsr,
      state: 'active',
      startedAt: r.clock.now(),
      amendments: [{ revision: 2, at: Date.UTC(2026, 0, 1, 0, 11) }],
      optEvents: [{ at: Date.UTC(2026, 0, 1, 0, 11), actor: 'evu', choice: 'out' }],
      deviations: [{ at: Date.UTC(2026, 0, 1, 0, 12), shortfallW: 500.12345, cause: 'off.target' }],
    });
    r.evidence.applied('fo:test/N-1', { at: r.clock.now(), requestedW: 9000, appliedW: 7000, limitedBy: 'fuse' });
    r.evidence.applied('fo:test/N-1', { at: r.clock.now() + 500, requestedW: 9000, appliedW: 7000, limitedBy: 'fuse' });
    await r.advance(180);
    ended(r, service, 'failed');
    await r.advance(121);
    expect(await recordOf()).toMatchObject({
      requested: canonical(service.fsr),
      decision: 'accepted',
      outcome: 'failed',
      amendments: [{ revision: 2, at: '2026-01-01T00:11:00.000Z' }],
      optEvents: [{ at: '2026-01-01T00:11:00.000Z', actor: 'evu', choice: 'out' }],
      deviations: [{ at: '2026-01-01T00:12:00.000Z', shortfallW: 500.123, cause: 'off.target' }],
      curve: [{ at: '2026-01-01T00:10:00.000Z', requestedW: 9000, appliedW: 7000, limitedBy: 'fuse' }],
    });
  });

  it('carries the head of the chain of its FO, and the range of entries in which it lies', async () => {
    r.evidence.note({ kind: 'x', severity: 'info', subject: [], parties: ['fo:test'] });
    await r.advance(3);
    await serve();
    const chain = await r.chain('fo:test');
    const { headHash, eventRange } = await recordOf();
    const last = chain.find((e) => e.hash === headHash);
    expect(last?.logSeq).toBe(eventRange.to);
    expect(eventRange.from).toBe(2);
    const kinds = chain.map((e) => e.kind);
    expect(kinds).toEqual(['x', 'service.requested', 'setpoint.clipped', 'record.made', 'proof.made']);
  });

  it('gives means where the curve changed too often to be listed', async () => {
    const service = accepted(r, { start: '2026-01-01T00:00:00Z', end: '2026-01-01T01:00:00Z' });
    for (let s = 0; s < 3600; s += 2) {
      r.evidence.applied('fo:test/N-1', {
        at: r.clock.now(),
        requestedW: s % 4 ? 1000 : 3000,
        appliedW: 1000 + (s % 4),
      });
      await r.clock.advance(2000);
      r.evidence.tick();
    }
    ended(r, service);
    await r.advance(121);
    const { curve = [] } = await recordOf();
    expect(curve).toHaveLength(60);
    expect(curve[7]).toEqual({ at: '2026-01-01T00:07:00.000Z', requestedW: 2000, appliedW: 1001 });
  });

  it('lists as many members as fit into one message, and says how many it left out', async () => {
    const members = Array.from({ length: 1800 }, (_, i) => `station-with-a-long-name-${i}`);
    await serve('N-1', members);
    const [doc] = await r.evidence.reader.documents('ServiceRecord');
    const record = await recordOf();
    expect(doc?.text.length).toBeLessThan(240_001);
    expect(record.resources.length).toBeGreaterThan(600);
    expect(record.resources.length + (record.unlistedResources ?? 0)).toBe(1800);
    expect((await r.chain('fo:test')).map((e) => e.kind)).toContain('record.shortened');
  });
});

describe('records and proofs', () => {
  it('are made once, also when the gateway was killed between the end and the making', async () => {
    const service = accepted(r);
    await r.advance(780);
    ended(r, service);
    await r.reopen();
    await r.advance(125);
    await recordOf();
    expect(r.told).toHaveLength(2);
    await r.reopen();
    await r.advance(130);
    expect(await r.evidence.reader.documents('ServiceRecord')).toHaveLength(1);
  });

  it('are told again with the same bytes until a link has taken them, also after a restart', async () => {
    await serve();
    expect(r.told).toHaveLength(2);
    await r.advance(61);
    expect(r.told.slice(2)).toEqual(r.told.slice(0, 2));
    await r.reopen();
    expect(r.told.slice(4)).toEqual(r.told.slice(0, 2));
    expect(r.told.slice(0, 2).map((m) => r.evidence.delivered(m.v2gate.id))).toEqual([true, true]);
    expect(r.evidence.delivered('other')).toBe(false);
    await r.advance(130);
    await r.reopen();
    expect(r.told).toHaveLength(6);
  });

  it('are made when the store works again', async () => {
    const store = moodyStore();
    await r.close();
    r = await rig({ store, signer: knownSigner() });
    const service = accepted(r);
    await r.advance(780);
    ended(r, service);
    await r.advance(100);
    store.broken = true;
    await r.advance(60);
    expect(r.told).toHaveLength(0);
    store.broken = false;
    await r.advance(10);
    await r.evidence.flush();
    expect(r.told).toHaveLength(2);
  });

  it('of a service that was taken back before it began: a record, and no proof', async () => {
    const service = accepted(r);
    await r.advance(60);
    ended(r, service, 'aborted');
    await r.advance(125);
    expect(await recordOf()).toMatchObject({ outcome: 'aborted' });
    expect(await r.evidence.reader.documents('Proof')).toEqual([]);
  });

  it('of a request that was rejected: none', async () => {
    accepted(r, {}, { state: 'rejected' });
    await r.advance(900);
    expect(await recordOf()).toBeUndefined();
  });

  it('have ids that fit, whatever the service is called', () => {
    expect(documentId('Proof', 'N-4711')).toBe('prf:N-4711');
    const [a, b] = [documentId('Proof', 'x'.repeat(64)), documentId('Proof', `${'x'.repeat(63)}y`)];
    expect(a).toHaveLength(64);
    expect(a).not.toBe(b);
  });
});

describe('QueryRecords', () => {
  const page = async (q: object, foId = 'fo:test') => (await r.evidence.queryRecords(foId, q)).data as RecordPage;
  const idsOf = (p: RecordPage) => [
    ...p.records.map((d) => (d.body as { record: ServiceRecord }).record.recordId),
    ...p.proofs.map((d) => (d.body as { proof: { proofId: string } }).proof.proofId),
  ];

  it('gives the same bytes and signature as were sent first, by any id', async () => {
    await serve('N-1');
    const [record, proof] = r.told;
    for (const ids of [['N-1'], ['rec:N-1', 'prf:N-1'], ['rec:N-1', 'N-1', 'nothing', 'prf:N-1']]) {
      const { records, proofs } = await page({ ids });
      expect([records.length, proofs.length]).toEqual([1, 1]);
      for (const [doc, told] of [
        [records[0], record],
        [proofs[0], proof],
      ] as const) {
        const { id, at, signature } = told?.v2gate ?? {};
        expect(doc).toMatchObject({ messageId: id, sentAt: at, signature });
        expect(canonical(doc?.body)).toBe(canonical(told?.payload));
      }
    }
  });

  it('reveals nothing of another party', async () => {
    await serve('N-1');
    expect(await page({ ids: ['N-1', 'rec:N-1'] }, 'fo:other')).toEqual({ records: [], proofs: [] });
    const all = { start: '2025-01-01T00:00:00Z', end: '2027-01-01T00:00:00Z' };
    expect(await page({ window: all }, 'fo:other')).toEqual({ records: [], proofs: [] });
  });

  it('pages through a window by the end of the services, each once', async () => {
    const store = r.store;
    for (let i = 0; i < 70; i++) {
      const end = Date.UTC(2026, 0, 1, 1, i);
      const service = accepted(r, {
        fsrId: `N-${i}`,
        members: ['V2G-1.1'],
        start: new Date(end - 60_000).toISOString(),
        end: new Date(end).toISOString(),
      });
      r.clock.set(end);
      ended(r, service);
    }
    r.clock.set(Date.UTC(2026, 0, 2));
    await r.advance(1);
    await r.evidence.flush();
    expect((await store.list('record', { prefix: 'site:test/doc/' })).length).toBe(70);
    const window = { start: '2026-01-01T01:10:00Z', end: '2026-01-01T02:09:00Z' };
    const seen: string[] = [];
    let [next, pages]: [string | undefined, number] = [undefined, 0];
    do {
      const p = await page({ window, ...(next ? { page: next } : {}) });
      expect(p.records.length + p.proofs.length).toBeLessThanOrEqual(50);
      seen.push(...idsOf(p));
      next = p.nextPage;
      pages++;
    } while (next !== undefined);
    const wanted = Array.from({ length: 59 }, (_, i) => [`rec:N-${i + 10}`, `prf:N-${i + 10}`]).flat();
    expect(seen.sort()).toEqual(wanted.sort());
    expect(pages).toBe(3);
  });

  it('pages through many ids by their size', async () => {
    for (let i = 0; i < 4; i++)
      await serve(
        `N-${i}`,
        Array.from({ length: 600 }, (_, k) => `station-${k}`),
      );
    const ids = ['N-0', 'N-1', 'N-2', 'N-3'];
    const seen: string[] = [];
    let next: string | undefined;
    do {
      const p = await page({ ids, ...(next ? { page: next } : {}) });
      expect(Buffer.byteLength(JSON.stringify(p))).toBeLessThan(256 * 1024);
      seen.push(...idsOf(p));
      next = p.nextPage;
    } while (next !== undefined);
    expect(seen.sort()).toEqual(ids.flatMap((i) => [`prf:${i}`, `rec:${i}`]).sort());
    expect(await r.evidence.queryRecords('fo:test', { ids, page: 'x' })).toMatchObject({ code: 'param.invalid' });
  });
});
