import { beforeEach, describe, expect, it } from 'vitest';
import { iso, type ManualClock, manualClock } from '../../core/clock.ts';
import { type Capacity, ServiceBook } from '../../hub/services/book.ts';
import type { RequestService, ResultBody, ServiceDecision, SiteFile } from '../../model/index.ts';
import { siteFile } from '../support/site-file.ts';

type Fsr = RequestService['fsr'];

let clock: ManualClock;
let capacity: { low: number; high: number };

beforeEach(() => {
  clock = manualClock();
  capacity = { low: -11_000, high: 33_080 };
});

function book(file: SiteFile = siteFile()): ServiceBook {
  const fleet: Capacity = {
    known: (id) => ['V2G-1.1', 'AC-1.1', 'AC-2.1'].includes(id),
    availableNow: () => ({ lowW: capacity.low, highW: capacity.high }),
    installed: () => ({ lowW: capacity.low, highW: capacity.high }),
    preview: (_s, targetW) =>
      targetW > capacity.high ? { appliedW: capacity.high, limitedBy: 'wished' } : { appliedW: targetW },
    measured: () => 4000,
  };
  return new ServiceBook({ file, clock, capacity: fleet });
}

function request(patch: Partial<Fsr> = {}, parameters: Record<string, unknown> = {}): RequestService {
  const now = clock.now();
  const fsr = {
    fsrId: 'N-1',
    revision: 1,
    contractId: 'C-1',
    serviceType: 'setpoint' as const,
    target: { groupId: 'g:all', referencePoint: 'group' as const },
    window: { start: iso(now), end: iso(now + 180_000) },
    decisionBy: iso(now + 5000),
    mandatory: false,
    priority: 5,
    parameters: {
      mode: 'absolute' as const,
      minW: -10_000,
      maxW: 20_000,
      toleranceW: 500,
      updateIntervalS: 4,
      ...parameters,
    },
    fallback: { onExpiry: 'baseline' as const },
    ...patch,
  };
  return { fsr };
}

const ask = (b: ServiceBook, r: RequestService, fo = 'fo:test'): ResultBody | undefined =>
  b.request(r, fo, clock.now()).result;

describe('a request for a service', () => {
  it('is answered at once and decided by a notice that is stored first', () => {
    const { result, persist, notices } = book().request(request(), 'fo:test', clock.now());
    expect(result).toEqual({ status: 'ok', state: 'credentialChecked' });
    expect(persist).toHaveLength(1);
    expect(notices.map((n) => n.topic)).toEqual(['hub/ServiceDecision']);
    expect(notices[0]?.payload).toMatchObject({
      fsrId: 'N-1',
      decision: 'accepted',
      accepted: ['V2G-1.1', 'AC-1.1', 'AC-2.1'],
    });
  });

  it('that comes again unchanged is no second service, and with other content a conflict', () => {
    const b = book();
    ask(b, request());
    expect(ask(b, request())).toEqual({ status: 'ok', state: 'accepted' });
    expect(b.all()).toHaveLength(1);
    expect(ask(b, request({ priority: 1 }))).toMatchObject({ status: 'rejected', code: 'id.conflict' });
  });

  it.each<[string, Partial<Fsr>, Record<string, unknown>, string]>([
    ['of an unknown contract', { contractId: 'C-9' }, {}, 'contract.unknown'],
    [
      'for a resource that does not exist',
      { target: { groupId: 'g:none', referencePoint: 'group' } },
      {},
      'contract.scope',
    ],
    ['outside the contract', { target: { resourceIds: ['X'], referencePoint: 'evse' } }, {}, 'contract.scope'],
    [
      'whose window has passed',
      { window: { start: '2025-01-01T00:00:00Z', end: '2025-01-01T01:00:00Z' } },
      {},
      'time.past',
    ],
    [
      'that ends after the contract',
      { window: { start: '2026-12-31T00:00:00Z', end: '2027-01-02T00:00:00Z' } },
      {},
      'time.window',
    ],
    ['decided too late', { decisionBy: '2025-12-31T00:00:00Z' }, {}, 'time.expired'],
    ['of a type that is not in the contract', { serviceType: 'congestion' }, {}, 'contract.scope'],
  ])('%s is rejected with its code and field', (_what, patch, parameters, code) => {
    const result = ask(book(), request(patch, parameters));
    expect(result).toMatchObject({ status: 'rejected', code });
    expect(result?.details?.[0]?.path).toMatch(/^\/fsr\//);
    expect(result?.message).toMatch(/\w\. \w/);
  });

  it('of another party under our contract says nothing about that contract', () => {
    expect(ask(book(), request(), 'fo:other')).toMatchObject({ status: 'rejected', code: 'contract.unknown' });
  });

  it('under a contract that is suspended is rejected', () => {
    const file = siteFile();
    const contracts = file.contracts?.map((c) => ({ ...c, status: 'suspended' as const })) ?? [];
    expect(ask(book({ ...file, contracts }), request())).toMatchObject({ code: 'contract.inactive' });
  });

  it('beyond the contract in power is rejected', () => {
    const file = siteFile();
    const contracts = file.contracts?.map((c) => ({ ...c, maxExportW: 5000 })) ?? [];
    expect(ask(book({ ...file, contracts }), request())).toMatchObject({ code: 'contract.limit' });
  });

  it('of a party whose credential was revoked is rejected', () => {
    const revoked = {
      credentialId: 'cr:1',
      kind: 'identity' as const,
      subjectRef: 'fo:test',
      issuer: 'ca',
      validFrom: '2026-01-01T00:00:00Z',
      validTo: '2027-01-01T00:00:00Z',
      form: 'reference' as const,
      status: 'revoked' as const,
    };
    expect(ask(book(siteFile({ credentials: [revoked] })), request())).toMatchObject({ code: 'credential.revoked' });
  });

  it('that the fleet can never serve is rejected with numbers', () => {
    capacity = { low: 0, high: 3000 };
    const { notices } = book().request(request({}, { minW: 5000, maxW: 8000 }), 'fo:test', clock.now());
    expect(notices[0]?.payload).toMatchObject({
      decision: 'rejected',
      code: 'capability.insufficient',
      offered: { importMaxW: 3000 },
    });
  });

  it('that can be served in part is accepted in part only where the contract says so', () => {
    capacity = { low: 0, high: 33_080 };
    const decide = (b: ServiceBook) =>
      b.request(request(), 'fo:test', clock.now()).notices[0]?.payload as ServiceDecision;
    expect(decide(book()).decision).toBe('partial');
    const file = siteFile();
    const contracts = file.contracts?.map((c) => ({ ...c, optPolicy: { ...c.optPolicy, acceptPartial: false } })) ?? [];
    expect(decide(book({ ...file, contracts }))).toMatchObject({
      decision: 'rejected',
      code: 'capability.insufficient',
    });
  });

  it('for a time at which another service runs is a conflict', () => {
    const b = book();
    ask(b, request());
    expect(ask(b, request({ fsrId: 'N-2' }))).toMatchObject({ status: 'rejected', code: 'conflict.overlap' });
    const later = { start: iso(clock.now() + 180_000), end: iso(clock.now() + 360_000) };
    expect(ask(b, request({ fsrId: 'N-2', window: later }))).toMatchObject({ status: 'ok' });
  });
});

describe('a setpoint', () => {
  const set = (b: ServiceBook, seq: number, targetW: number, patch: Record<string, unknown> = {}) =>
    b.setpoint(
      { setpoint: { fsrId: 'N-1', seq, targetW, validUntil: iso(clock.now() + 60_000), ...patch } },
      'fo:test',
      clock.now(),
    );

  function active(): ServiceBook {
    const b = book();
    ask(b, request());
    const s = b.find('N-1');
    if (s) b.move(s, 'begin', clock.now());
    return b;
  }

  it('of an active service becomes a target for the allocation', () => {
    const { result, target, persist } = set(active(), 1, -5000);
    expect(result).toEqual({ status: 'ok', state: 'active', data: { appliedW: -5000 } });
    expect(target).toMatchObject({ fsrId: 'N-1', targetW: -5000, seq: 1 });
    expect(persist[0]).toMatchObject({ kind: 'setpoint' });
  });

  it('that is clipped says so and by what', () => {
    capacity.high = 15_000;
    expect(set(active(), 1, 20_000).result).toMatchObject({
      status: 'ok',
      code: 'limit.clipped',
      data: { appliedW: 15_000, limitedBy: 'wished' },
    });
  });

  it('before the window begins is kept but gives no target yet', () => {
    const b = book();
    ask(b, request());
    const { result, target } = set(b, 1, 1000);
    expect(result?.status).toBe('ok');
    expect(target).toBeUndefined();
  });

  it.each([
    ['an older seq', 1, 0, {}, 'seq.stale'],
    ['one that expired on the way', 3, 0, { validUntil: '2025-12-31T00:00:00Z' }, 'time.expired'],
    ['one beyond what was requested', 3, 30_000, {}, 'param.range'],
    ['one that would hold for hours', 3, 0, { validUntil: '2026-01-01T02:00:00Z' }, 'param.range'],
    ['one of an unknown service', 3, 0, { fsrId: 'N-9' }, 'id.unknown'],
  ])('%s is refused and changes nothing', (_what, seq, targetW, patch, code) => {
    const b = active();
    set(b, 2, 7000);
    expect(set(b, seq, targetW, patch).result).toMatchObject({ status: 'rejected', code });
    expect(b.find('N-1')?.setpoint).toMatchObject({ seq: 2, targetW: 7000 });
  });

  it('of another party does not reach the service', () => {
    const b = active();
    const body = { setpoint: { fsrId: 'N-1', seq: 9, targetW: 0, validUntil: iso(clock.now() + 1000) } };
    expect(b.setpoint(body, 'fo:other', clock.now()).result).toMatchObject({ code: 'id.unknown' });
  });

  it('counts as in force only when it reached the allocation, and never an older one after a newer', () => {
    const b = active();
    const validUntil = iso(clock.now() + 60_000);
    expect(b.find('N-1')?.inForce).toBeUndefined();
    expect(b.inForce({ fsrId: 'N-1', targetW: 1, validUntil, seq: 5 }, clock.now()).taken).toBe(true);
    expect(b.inForce({ fsrId: 'N-1', targetW: 2, validUntil, seq: 4 }, clock.now()).taken).toBe(false);
    expect(b.find('N-1')?.inForce?.targetW).toBe(1);
  });
});

describe('the end of a service', () => {
  it('by cancel is told with the reason, and a second cancel is invalid', () => {
    const b = book();
    ask(b, request());
    const cancel = () =>
      b.cancel({ fsrId: 'N-1', reason: 'market closed', at: iso(clock.now()) }, 'fo:test', clock.now());
    const { result, notices } = cancel();
    expect(result).toEqual({ status: 'ok', state: 'aborted' });
    expect(notices[0]?.payload).toMatchObject({ phase: 'aborted', cause: 'market closed' });
    expect(cancel().result).toMatchObject({ status: 'rejected', code: 'state.invalid' });
  });

  it('is remembered until its last notice is delivered', () => {
    const b = book();
    const decision = b.request(request(), 'fo:test', clock.now()).notices[0];
    b.cancel({ fsrId: 'N-1', reason: 'x', at: iso(clock.now()) }, 'fo:test', clock.now());
    const hour = clock.now() + 3_600_000;
    b.forgetEnded(hour);
    expect(b.all()).toHaveLength(1);
    for (const n of b.all()[0]?.outgoing ?? []) b.delivered(n.id, clock.now());
    expect(decision).toBeDefined();
    b.forgetEnded(hour);
    expect(b.all()).toHaveLength(0);
  });
});
