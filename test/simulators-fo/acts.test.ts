import { createHash, generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { manualClock } from '../../core/clock.ts';
import { canonical } from '../../core/json.ts';
import { detached, jwkOfKey, signBytes } from '../../core/signing.ts';
import { type EventEntry, Proof, ServiceRecord, SignedDocument } from '../../model/index.ts';
import { FO_CATALOGUE } from '../../protocols/fo/index.ts';
import { chainBreak, documentComplaints, proofComplaints, recordComplaints } from '../../simulators/fo/evidence.ts';
import { pointsOf } from '../../simulators/fo/keys.ts';
import { linkClock } from '../../simulators/fo/link-clock.ts';
import { type Act, Scenario } from '../../simulators/fo/scenario-file.ts';
import { message, player } from './player.ts';

type Service = Scenario['services'][number];

const CONGESTION: Service = {
  type: 'congestion',
  durationS: 60,
  gridNode: 'node:7',
  limits: [
    { atS: 0, importLimitW: 20_000 },
    { atS: 30, importLimitW: 8000 },
  ],
};
const SETPOINT: Service = {
  type: 'setpoint',
  durationS: 60,
  minW: -9000,
  maxW: 9000,
  steps: [{ atS: 0, targetW: 5000 }],
};

/** A player whose only service was accepted at once. */
function accepted(service: Service, acts: Act[] = []) {
  const scenario: Scenario = { services: [{ ...service, acts }], pauseS: 10, repeat: false };
  expect(Scenario.check(scenario)).toEqual([]);
  const p = player(scenario);
  p.take({ kind: 'up' });
  p.accept();
  return p;
}

const notice = (phase: string) => message('ExecutionNotice', { fsrId: 'sim-1', phase, at: '2026-03-02T17:01:00Z' });

describe('a congestion service', () => {
  it('asks for its limits over time, firm, and sends no setpoints', () => {
    const p = accepted({ ...CONGESTION, mandateRef: 'DSO-1' });
    p.to(59);
    expect(p.requests('RequestService')[0]?.body).toMatchObject({
      fsr: {
        serviceType: 'congestion',
        mandatory: true,
        mandateRef: 'DSO-1',
        parameters: {
          gridNode: 'node:7',
          firm: true,
          limits: {
            start: '2026-03-02T17:00:00.000Z',
            points: [
              { offsetS: 0, importLimitW: 20_000 },
              { offsetS: 30, importLimitW: 8000 },
            ],
          },
        },
      },
    });
    expect(p.setpoints()).toEqual([]);
    p.to(60);
    p.take({ kind: 'message', message: notice('completed') });
    expect(p.told('done')).toHaveLength(1);
  });

  it('is amended with all its parameters anew, and runs as long as the gateway agreed to', () => {
    const limits = [{ atS: 0, importLimitW: 5000 }];
    const p = accepted(CONGESTION, [
      { atS: 10, do: 'amend', limits, durationS: 90 },
      { atS: 20, do: 'amend', durationS: 300 },
    ]);
    p.to(10);
    const result = (status: 'ok' | 'rejected') =>
      p.take({ kind: 'result', of: 'AmendService', fsrId: 'sim-1', result: { status } });
    result('ok');
    p.to(20);
    result('rejected');
    expect(p.requests('AmendService').map((r) => r.body)).toMatchObject([
      { revision: 2, parameters: { limits: { points: [{ offsetS: 0, importLimitW: 5000 }] } } },
      { revision: 3, window: { end: '2026-03-02T17:05:00.000Z' } },
    ]);
    p.to(89);
    expect(p.told('ended')).toEqual([]);
    p.to(90);
    expect(p.told('ended')).toHaveLength(1);
  });
});

describe('a partial decision', () => {
  const decided = (onPartial?: 'confirm' | 'cancel' | 'wait') => {
    const p = player({ services: [{ ...SETPOINT, ...(onPartial ? { onPartial } : {}) }], pauseS: 1 });
    p.take({ kind: 'up' });
    p.accept('partial');
    return p;
  };

  it('is confirmed with the same numbers, cancelled, or left open', () => {
    expect(decided().requests('AmendService')[0]?.body).toMatchObject({
      fsrId: 'sim-1',
      revision: 2,
      parameters: { minW: -9000, maxW: 9000 },
    });
    expect(decided('cancel').requests('CancelService')).toHaveLength(1);
    const waits = decided('wait');
    expect([...waits.requests('AmendService'), ...waits.requests('CancelService')]).toEqual([]);
  });
});

describe('acts', () => {
  it('come at their time, with valid messages, also before the window and after the end', () => {
    const p = player({
      services: [
        {
          ...SETPOINT,
          startInS: 20,
          acts: [
            { atS: -10, do: 'optOut', resources: ['r1'] },
            { atS: 5, do: 'optIn', resources: ['r1'], actor: 'cso' },
            { atS: 10, do: 'activate', action: 'arm', targetW: 100 },
            { atS: 20, do: 'queryResources' },
            { atS: 62, do: 'queryEvents' },
            { atS: 65, do: 'queryRecords' },
          ],
        },
      ],
      pauseS: 10,
      repeat: false,
    });
    p.take({ kind: 'up' });
    p.accept();
    p.to(80);
    p.take({ kind: 'message', message: notice('completed') });
    expect(p.told('done')).toEqual([]);
    p.to(100);
    const acted = ['Opt', 'ActivateService', 'QueryResources', 'QueryEvents', 'QueryRecords'].flatMap((type) =>
      p.requests(type).map((r) => [type, r.atS]),
    );
    expect(acted).toEqual([
      ['Opt', 10],
      ['Opt', 25],
      ['ActivateService', 30],
      ['QueryResources', 40],
      ['QueryEvents', 82],
      ['QueryRecords', 85],
    ]);
    for (const { action } of p.log) {
      if (action.do === 'request') expect(FO_CATALOGUE[action.type].message.check(action.body)).toEqual([]);
    }
    expect(p.told('done')).toHaveLength(1);
  });

  it('of a service that was refused are forgotten', () => {
    const p = player({ services: [{ ...SETPOINT, acts: [{ atS: 5, do: 'queryEvents' }] }], pauseS: 90, repeat: false });
    p.take({ kind: 'up' });
    p.accept('rejected');
    p.to(60);
    expect(p.requests('QueryEvents')).toEqual([]);
    expect(p.told('done')).toHaveLength(1);
  });

  it('repeat an old number, send what has lapsed, and pause', () => {
    const p = accepted(SETPOINT, [
      { atS: 9, do: 'staleSetpoint' },
      { atS: 10, do: 'lateSetpoint', byS: 7, targetW: 1 },
      { atS: 13, do: 'pause', forS: 20 },
    ]);
    p.to(40);
    expect(p.setpoints().map((x) => [x.atS, x.seq])).toEqual([
      [0, 1],
      [4, 2],
      [8, 3],
      [9, 2],
      [10, 4],
      [12, 5],
      [33, 6],
      [37, 7],
    ]);
    expect(p.setpoints()[4]).toMatchObject({ targetW: 1, validUntil: '2026-03-02T17:00:03.000Z' });
  });

  it('silence the link and let it be heard again, drop it, cancel', () => {
    const p = accepted(SETPOINT, [
      { atS: 10, do: 'mute', forS: 20 },
      { atS: 40, do: 'drop', forS: 5 },
      { atS: 50, do: 'cancel' },
    ]);
    p.to(60);
    const done = p.log.flatMap(({ atS, action }) => (['mute', 'drop'].includes(action.do) ? [[atS, action]] : []));
    expect(done).toEqual([
      [10, { do: 'mute', on: true }],
      [30, { do: 'mute', on: false }],
      [40, { do: 'drop', forMs: 5000 }],
    ]);
    expect(p.setpoints().some((x) => x.atS > 10 && x.atS < 30)).toBe(false);
    expect(p.requests('CancelService').map((r) => r.atS)).toEqual([50]);
  });

  it.each([
    [{ atS: 1, do: 'optOut' }, '/services/0/acts/0/resources'],
    [{ atS: 1, do: 'dance' }, '/services/0/acts/0/do'],
  ])('as %j are refused', (act, path) => {
    const issues = Scenario.check({ services: [{ ...SETPOINT, acts: [act] }], pauseS: 1 });
    expect(issues.map((i) => i.path)).toContain(path);
  });

  it.each([
    [{ ...CONGESTION, limits: undefined }, '/services/0/limits'],
    [{ ...CONGESTION, limits: [{ atS: 3 }] }, '/services/0/limits/0/atS'],
    [{ ...SETPOINT, steps: undefined }, '/services/0/steps'],
  ])('a service needs what its type needs', (service, path) => {
    const json: unknown = JSON.parse(JSON.stringify({ services: [service], pauseS: 1 }));
    expect(Scenario.check(json).map((i) => i.path)).toContain(path);
  });
});

describe('answers to queries', () => {
  const entry = (logSeq: number, prevHash: string): EventEntry => {
    const rest = { logSeq, at: '2026-03-02T17:00:00Z', kind: 'x', severity: 'info' as const, subject: [], prevHash };
    return { ...rest, hash: createHash('sha256').update(canonical(rest)).digest('hex') };
  };

  it('say whether the chain of events holds', () => {
    const first = entry(7, '0'.repeat(64));
    const second = entry(8, first.hash);
    expect(chainBreak([first, second])).toBeUndefined();
    expect(chainBreak([first, { ...second, kind: 'y' }])).toBe(8);
    expect(chainBreak([first, entry(9, first.hash)])).toBe(9);
    const p = accepted(SETPOINT);
    const data = { entries: [first, second], headHash: second.hash };
    p.take({ kind: 'result', of: 'QueryEvents', fsrId: 'sim-1', result: { status: 'ok', data } });
    expect(p.told('events')[0]).toMatchObject({ count: 2, kinds: ['x', 'x'], brokenAt: undefined, more: false });
  });

  it('tell of records, resources, and of data that is none', () => {
    const p = accepted(SETPOINT);
    const result = (of: 'QueryRecords' | 'QueryResources', data: object) =>
      p.take({ kind: 'result', of, fsrId: 'sim-1', result: { status: 'ok', data: JSON.parse(JSON.stringify(data)) } });
    result('QueryRecords', { records: [], proofs: [] });
    result('QueryResources', { revision: 3, evcs: [], states: [], nextPage: 'p2' });
    result('QueryRecords', { records: 7 });
    expect(p.told('records')[0]).toMatchObject({ records: 0, proofs: 0 });
    expect(p.told('resources')[0]).toMatchObject({ revision: 3, more: true });
    expect(p.told('answerInvalid')[0]).toMatchObject({ of: 'QueryRecords', path: '/records' });
  });
});

describe('record and proof', () => {
  const record = { ...ServiceRecord.example, requested: '{"fsrId":"N-4711"}' };
  const interval = {
    start: '2026-03-02T17:00:00Z',
    durationS: 60,
    requestedWh: 5,
    deliveredWh: 4,
    quality: 'good' as const,
  };
  const totals = { requestedWh: 5, deliveredWh: 4 };
  const proof: Proof = { ...Proof.example, intervals: [interval], totals };

  it('are read for what is wrong in them', () => {
    expect([...recordComplaints(record), ...proofComplaints(proof)]).toEqual([]);
    expect(recordComplaints({ ...record, requested: '{}' })).toEqual(['it does not show what was requested']);
    expect(recordComplaints({ ...record, headHash: 'x', foId: 'fo:other' }, 'fo:us')).toHaveLength(2);
    expect(proofComplaints({ ...proof, totals: { ...totals, deliveredWh: 40 } })).toHaveLength(1);
    expect(proofComplaints({ ...proof, intervals: [interval, interval] })).toContain('its intervals are not in order');
  });

  it('that are read again are judged by signature and content', () => {
    const { privateKey } = generateKeyPairSync('ed25519');
    const jwk = jwkOfKey(privateKey);
    const messageId = '0197f2c0-5b1e-7c34-9a51-2f6f0a4be001';
    const body = { proof };
    const sign = (bytes: Uint8Array) => signBytes(privateKey, 'EdDSA', bytes);
    const signature = detached({ alg: jwk.alg, keyId: jwk.kid, sign }, 'Proof', messageId, body);
    const document: SignedDocument = { ...SignedDocument.example, type: 'Proof', messageId, body, signature };
    expect(documentComplaints(document, [jwk])).toEqual([]);
    expect(documentComplaints(document, [])).toEqual(['its signature does not hold']);
    expect(documentComplaints({ ...document, body: { proof: { ...proof, fsrId: 'x' } } }, [jwk])).toHaveLength(1);
    expect(documentComplaints({ ...document, type: 'ServiceRecord' }, undefined)).toHaveLength(1);
  });

  it('that do not come are missed, after the time that the scenario gives', () => {
    const p = accepted({ ...SETPOINT, evidenceWithinS: 30 });
    p.to(61);
    p.take({ kind: 'message', message: notice('completed') });
    p.take({ kind: 'message', message: message('ServiceRecord', { record: { ...record, fsrId: 'sim-1' } }) });
    const unsigned = expect.arrayContaining(['the record is not signed']);
    expect(p.told('record')[0]).toMatchObject({ complaints: unsigned });
    p.to(90.9);
    expect(p.told('done')).toEqual([]);
    p.to(92);
    expect(p.told('evidenceMissing')[0]).toMatchObject({ record: true, proof: false });
    expect(p.told('done')).toHaveLength(1);
  });

  it('that belong to different records are noticed', () => {
    const p = accepted({ ...SETPOINT, evidenceWithinS: 30 });
    p.to(61);
    p.take({ kind: 'message', message: notice('completed') });
    const rest = { fsrId: 'sim-1', recordId: 'rec:1' };
    p.take({ kind: 'message', message: message('ServiceRecord', { record: { ...record, ...rest } }) });
    p.take({ kind: 'message', message: message('Proof', { proof: { ...proof, ...rest, recordId: 'rec:2' } }) });
    const apart = expect.arrayContaining(['the proof is about another record']);
    expect(p.told('evidence')[0]).toMatchObject({ complaints: apart });
  });
});

describe('the means of a link', () => {
  it('a key set gives the keys of both algorithms, whatever else it says', () => {
    const jwks = [generateKeyPairSync('ed25519'), generateKeyPairSync('ec', { namedCurve: 'P-256' })].map((k) =>
      jwkOfKey(k.publicKey),
    );
    expect(pointsOf(JSON.stringify({ keys: jwks }))).toEqual(
      jwks.map(({ alg, x, y }) => ({ alg, x, ...(y === undefined ? {} : { y }) })),
    );
    expect(() => pointsOf('{"keys":[{"kty":"RSA"}]}')).toThrowError(
      expect.objectContaining({ code: 'schema.invalid' }),
    );
  });

  it('a mute clock holds timers back, but not those cancelled meanwhile', async () => {
    const base = manualClock(1000);
    const clock = linkClock(base, 500);
    const fired: string[] = [];
    expect(clock.now()).toBe(1500);
    clock.mute(true);
    clock.after(10, () => fired.push('a'));
    const b = clock.after(20, () => fired.push('b'));
    const c = clock.after(30, () => fired.push('c'));
    clock.after(25, () => c.cancel());
    await base.advance(100);
    b.cancel();
    expect(fired).toEqual([]);
    clock.mute(false);
    expect(fired).toEqual(['a']);
    expect(clock.pending).toBe(0);
  });
});
