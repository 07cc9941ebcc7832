import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { signingInput, verifyKey } from '../../core/signing.ts';
import type { Service } from '../../hub/services/service.ts';
import {
  SignedDocument as Document,
  type Proof,
  ProofEvent,
  ServiceRecordEvent,
  type SignedDocument,
} from '../../model/index.ts';
import { knownSigner } from './keys.ts';
import { type Rig, rig } from './rig.ts';
import { accepted, ended, type Wish } from './services.ts';

let r: Rig;
beforeEach(async () => {
  r = await rig({ signer: knownSigner() });
});
afterEach(() => r.close());

/** Registers that follow a power, read every 10 s. */
function metered(power: (resource: string, second: number) => number) {
  const wh = new Map<string, { in: number; out: number }>();
  return async (seconds: number, resources: readonly string[], stepS = 10) => {
    for (let s = 0; s < seconds; s += stepS) {
      for (const id of resources) {
        const now = (r.clock.now() - Date.UTC(2026, 0, 1)) / 1000;
        const w = power(id, now);
        const sum = wh.get(id) ?? { in: 0, out: 0 };
        r.read(id, { powerW: w, importWh: sum.in, exportWh: sum.out });
        // What flows until the next reading.
        wh.set(id, { in: sum.in + (Math.max(w, 0) * stepS) / 3600, out: sum.out + (Math.max(-w, 0) * stepS) / 3600 });
      }
      await r.advance(stepS);
    }
  };
}

async function documents(): Promise<{ record: SignedDocument; proof: SignedDocument; body: Proof }> {
  await r.evidence.flush();
  const [record] = await r.evidence.reader.documents('ServiceRecord');
  const [proof] = await r.evidence.reader.documents('Proof');
  const parsed = JSON.parse(proof?.text ?? '{}');
  return { record: JSON.parse(record?.text ?? '{}'), proof: parsed, body: parsed.body?.proof };
}

/** One whole service of three minutes: begun at 10 min, applied as told, ended, and all have reported. */
async function serve(o: {
  wish?: Wish;
  patch?: Partial<Service>;
  power?: (resource: string, second: number) => number;
  curve?: readonly (readonly [
    second: number,
    requestedW: number | undefined,
    appliedW: number | undefined,
    limitedBy?: string,
  ])[];
}): Promise<Proof> {
  const go = metered(o.power ?? (() => 3000));
  const members = o.wish?.members ?? ['V2G-1.1', 'AC-1.1'];
  const service = accepted(r, o.wish, o.patch);
  await go(600, members);
  r.change({ fsr: service.fsr, state: 'active', startedAt: r.clock.now() });
  const begun = r.clock.now();
  for (let s = 0; s < 180; s += 10) {
    for (const [at, requestedW, appliedW, limitedBy] of o.curve ?? [[0, 6000, 6000]]) {
      if (at !== s) continue;
      r.evidence.applied('fo:test/N-1', {
        at: begun + at * 1000,
        ...(requestedW === undefined ? {} : { requestedW }),
        ...(appliedW === undefined ? {} : { appliedW }),
        ...(limitedBy === undefined ? {} : { limitedBy }),
      });
    }
    await go(10, members);
  }
  ended(r, service);
  await go(20, members);
  return (await documents()).body;
}

describe('the proof of a setpoint service', () => {
  it('has the numbers that a person finds by hand', async () => {
    // Two members. Minute 1: 3 kW each against a target of 6 kW. Minute 2: 2 kW each, 2 kW short.
    // Minute 3: one gives 4 kW, the other takes 1 kW, against a target of -3 kW.
    const proof = await serve({
      power: (id, s) => (s < 660 ? 3000 : s < 720 ? 2000 : id === 'V2G-1.1' ? -4000 : 1000),
      curve: [
        [0, 6000, 6000],
        [120, -5000, -3000, 'needed'],
      ],
    });
    expect(proof).toEqual({
      proofId: 'prf:N-1',
      recordId: 'rec:N-1',
      fsrId: 'N-1',
      foId: 'fo:test',
      issuerId: 'cso:test',
      method: 'zero',
      formula: 'setpoint',
      meterLevel: 'evse',
      intervals: [
        // 6 kW for a minute: 100 Wh. All delivered.
        interval('00:10:00', { importWh: 100, exportWh: 0, targetWh: 100, requestedWh: 100, deliveredWh: 100 }),
        // 4 kW: 66.667 Wh, off by 33.333: 100 - 33.333.
        interval('00:11:00', { importWh: 66.667, exportWh: 0, targetWh: 100, requestedWh: 100, deliveredWh: 66.667 }),
        // -3 kW in sum, as applied: what counts is the applied curve, not the -5 kW asked for.
        interval('00:12:00', { importWh: 16.667, exportWh: 66.667, targetWh: -50, requestedWh: 50, deliveredWh: 50 }),
      ],
      totals: { requestedWh: 250, deliveredWh: 216.667 },
      // 216.667 / 250
      performancePct: 86.67,
      // (0 + 33.333 + 0) / (100 + 100 + 50)
      trackingErrorPct: 13.33,
      clock: { source: 'unknown' },
    });
  });

  it('is signed, and its record with it, and both have the form of the model', async () => {
    await serve({});
    const { record, proof } = await documents();
    const key = verifyKey(knownSigner().publicKeys()[0] ?? { alg: 'EdDSA', x: '' });
    for (const doc of [record, proof]) {
      expect(Document.check(doc)).toEqual([]);
      expect(doc).toMatchObject({ profile: 'v2gate-fo/1', from: 'cso:test', to: 'fo:test' });
      expect(key.verify(signingInput(doc.type, doc.messageId, doc.body), doc.signature)).toBe(true);
    }
    expect(ProofEvent.check(proof.body)).toEqual([]);
    expect(ServiceRecordEvent.check(record.body)).toEqual([]);
  });

  it('is told once to the party with id, time and signature of the document', async () => {
    await serve({});
    const { record, proof } = await documents();
    expect(r.told.map((m) => m.topic)).toEqual(['hub/ServiceRecordEvent', 'hub/ProofEvent']);
    for (const [i, doc] of [record, proof].entries())
      expect(r.told[i]).toMatchObject({
        payload: doc.body,
        v2gate: { id: doc.messageId, at: doc.sentAt, peer: 'fo:test', signature: doc.signature },
      });
  });

  it('counts a missing interval as delivered 0, and shows it', async () => {
    const service = accepted(r, { members: ['V2G-1.1', 'AC-1.1'] });
    const go = metered(() => 3000);
    await go(600, ['V2G-1.1', 'AC-1.1']);
    r.evidence.applied('fo:test/N-1', { at: r.clock.now(), requestedW: 6000, appliedW: 6000 });
    // One of two says nothing from 11:00 to 12:00.
    await go(70, ['V2G-1.1', 'AC-1.1']);
    await go(50, ['V2G-1.1']);
    await go(60, ['V2G-1.1', 'AC-1.1']);
    ended(r, service);
    await go(20, ['V2G-1.1', 'AC-1.1']);
    const { body } = await documents();
    expect(body.intervals[1]).toEqual({
      start: '2026-01-01T00:11:00.000Z',
      durationS: 60,
      baselineWh: 0,
      targetWh: 100,
      requestedWh: 100,
      deliveredWh: 0,
      quality: 'missing',
    });
    expect(body.intervals.map((i) => i.quality)).toEqual(['good', 'missing', 'good']);
    expect(body.performancePct).toBe(66.67);
  });

  it('leaves delivered energy open where the baseline cannot be computed, and shows no performance', async () => {
    const proof = await serve({
      patch: {
        baselineW: undefined as never,
        decision: { fsrId: 'N-1', revision: 1, decision: 'accepted', baseline: { method: 'priorWindow' } },
      },
    });
    expect(proof.method).toBe('priorWindow');
    expect(proof.intervals[0]).toEqual({
      start: '2026-01-01T00:10:00.000Z',
      durationS: 60,
      importWh: 100,
      exportWh: 0,
      targetWh: 100,
      quality: 'good',
    });
    expect(proof.totals).toEqual({ requestedWh: 0, deliveredWh: 0 });
    expect(proof.performancePct).toBe(0);
  });

  it('measures against a declared series, step by step', async () => {
    const series = {
      start: '2026-01-01T00:10:00Z',
      end: '2026-01-01T00:13:00Z',
      points: [
        { offsetS: 0, powerW: 12_000 },
        { offsetS: 90, powerW: 6000 },
      ],
    };
    const proof = await serve({
      patch: {
        baselineW: 1,
        decision: { fsrId: 'N-1', revision: 1, decision: 'accepted', baseline: { method: 'declared', series } },
      },
      curve: [[0, 6000, 6000]],
    });
    expect(proof.method).toBe('declared');
    expect(proof.intervals.map((i) => i.baselineWh)).toEqual([200, 150, 100]);
    expect(proof.intervals.map((i) => [i.requestedWh, i.deliveredWh])).toEqual([
      [100, 100],
      [50, 50],
      [0, 0],
    ]);
    expect(proof.performancePct).toBe(100);
  });

  it('asks for nothing while no target was in force', async () => {
    const proof = await serve({
      curve: [
        [60, 6000, 6000],
        [120, undefined, undefined],
      ],
    });
    expect(proof.intervals.map((i) => i.requestedWh)).toEqual([0, 100, 0]);
  });

  it('ends with a shorter interval where the service ended early', async () => {
    const service = accepted(r);
    const go = metered(() => 3000);
    await go(600, service.members);
    r.evidence.applied('fo:test/N-1', { at: r.clock.now(), requestedW: 6000, appliedW: 6000 });
    await go(90, service.members);
    ended(r, service, 'aborted');
    await go(10, service.members);
    const { body, record } = await documents();
    expect(body.intervals.map((i) => [i.durationS, i.importWh])).toEqual([
      [60, 100],
      [30, 50],
    ]);
    expect(record.body.record).toMatchObject({ outcome: 'aborted' });
  });

  it('is by the power, and estimated, where meters have no registers', async () => {
    const service = accepted(r, { members: ['V2G-1.1'] });
    for (let s = 0; s < 800; s += 10) {
      if (s === 600) r.evidence.applied('fo:test/N-1', { at: r.clock.now(), requestedW: 3000, appliedW: 3000 });
      r.read('V2G-1.1', { powerW: 3000 });
      if (s === 780) ended(r, service);
      await r.advance(10);
    }
    const { body } = await documents();
    expect(body.intervals.map((i) => [i.importWh, i.quality])).toEqual(Array(3).fill([50, 'estimated']));
  });

  it('counts places without a vehicle as 0 without that a meter says so', async () => {
    r.quiet.add('AC-1.1');
    const service = accepted(r);
    const go = metered(() => 3000);
    await go(600, ['V2G-1.1']);
    r.evidence.applied('fo:test/N-1', { at: r.clock.now(), requestedW: 3000, appliedW: 3000 });
    await go(180, ['V2G-1.1']);
    ended(r, service);
    await go(20, ['V2G-1.1']);
    const { body } = await documents();
    expect(body.intervals.map((i) => [i.importWh, i.quality])).toEqual(Array(3).fill([50, 'good']));
  });

  it('says how far the clock of the FO was off', async () => {
    r.evidence.clockOffset('fo:test', 900);
    r.evidence.clockOffset('fo:test', 120);
    const power = (_: string, second: number) => {
      if (second === 650) r.evidence.clockOffset('fo:test', -340);
      return 3000;
    };
    // What was long before the service does not count.
    expect((await serve({ power })).clock).toEqual({ source: 'fo', maxErrorMs: 340 });
  });

  it('waits for the last values no longer than two minutes', async () => {
    const service = accepted(r);
    const go = metered(() => 3000);
    await go(780, service.members);
    r.evidence.applied('fo:test/N-1', { at: r.clock.now(), requestedW: 6000, appliedW: 6000 });
    ended(r, service);
    await go(118, ['V2G-1.1'], 2);
    expect(r.told).toEqual([]);
    await go(4, ['V2G-1.1'], 2);
    await documents();
    expect(r.told).toHaveLength(2);
  });

  it('fits into one message however long the service was: its intervals become longer', async () => {
    const service = accepted(r, { start: '2026-01-01T00:00:00Z', end: '2026-01-02T12:00:00Z', members: ['V2G-1.1'] });
    for (let h = 0; h < 36 * 60; h += 10) {
      r.read('V2G-1.1', { powerW: 3000, importWh: h * 50 });
      r.evidence.applied('fo:test/N-1', { at: r.clock.now(), requestedW: 3000 + h, appliedW: 3000 });
      await r.clock.advance(600_000);
      r.evidence.tick();
    }
    ended(r, service);
    r.read('V2G-1.1', { powerW: 3000, importWh: 36 * 60 * 50 });
    await r.advance(1);
    const { body, proof } = await documents();
    expect(JSON.stringify(proof).length).toBeLessThan(240_001);
    expect(body.intervals.map((i) => i.durationS)).toContain(120);
    expect(body.totals.requestedWh).toBe(108_000);
    expect(body.performancePct).toBe(100);
  });
});

function interval(time: string, numbers: Partial<Proof['intervals'][number]>) {
  return { start: `2026-01-01T${time}.000Z`, durationS: 60, baselineWh: 0, quality: 'good', ...numbers };
}
