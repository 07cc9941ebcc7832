import { describe, expect, it } from 'vitest';
import { iso } from '../../core/clock.ts';
import type { Contract, SiteFile } from '../../model/index.ts';
import { siteFile } from '../support/site-file.ts';
import { bookWorld, type Fsr } from './kit.ts';

const withContract = (patch: Partial<Contract>): SiteFile => {
  const file = siteFile();
  return { ...file, contracts: file.contracts?.map((c) => ({ ...c, ...patch })) ?? [] };
};

describe('a request for a service', () => {
  it('is answered at once and decided by a notice that waits in its record', () => {
    const w = bookWorld();
    const { result, service } = w.book.request(w.request(), 'fo:test');
    expect(result).toEqual({ status: 'ok', state: 'credentialChecked' });
    expect(service?.state).toBe('accepted');
    expect(service?.outgoing).toMatchObject([
      { topic: 'hub/ServiceDecision', payload: { fsrId: 'N-1', decision: 'accepted' } },
    ]);
    expect(service?.decision?.accepted).toEqual(['V2G-1.1', 'AC-1.1', 'AC-2.1']);
  });

  it('changes nothing before it is committed', () => {
    const w = bookWorld();
    w.book.request(w.request(), 'fo:test');
    expect(w.book.all()).toEqual([]);
  });

  it('that comes again unchanged is no second service, and with other content a conflict', () => {
    const w = bookWorld();
    w.ask();
    expect(w.ask()).toEqual({ status: 'ok', state: 'accepted' });
    expect(w.book.all()).toHaveLength(1);
    expect(w.ask({ priority: 1 })).toMatchObject({ status: 'rejected', code: 'id.conflict' });
  });

  it('that was served and forgotten long ago is still known by what the store has', () => {
    const w = bookWorld();
    w.ask();
    const earlier = { ...w.service(), state: 'completed' as const };
    w.book.forget('fo:test/N-1');
    expect(w.book.request(w.request(), 'fo:test', earlier).result).toEqual({ status: 'ok', state: 'completed' });
    expect(w.book.request(w.request({ priority: 1 }), 'fo:test', earlier).result.code).toBe('id.conflict');
  });

  it.each<[string, Partial<Fsr>, Record<string, unknown>, string]>([
    ['of an unknown contract', { contractId: 'C-9' }, {}, 'contract.unknown'],
    ['for a group that does not exist', { target: { groupId: 'g:x', referencePoint: 'group' } }, {}, 'contract.scope'],
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
    ['that claims a mandate which nobody can check', { mandatory: true, mandateRef: 'M-1' }, {}, 'mandatory.unproven'],
  ])('%s is rejected with its code and field', (_what, patch, parameters, code) => {
    const result = bookWorld().ask(patch, parameters);
    expect(result).toMatchObject({ status: 'rejected', code });
    expect(result.details?.[0]?.path).toMatch(/^\/fsr\//);
    expect(result.message).toMatch(/\w\. \w/);
  });

  it('of another party under our contract says nothing about that contract', () => {
    expect(bookWorld().ask({}, {}, 'fo:other')).toMatchObject({ status: 'rejected', code: 'contract.unknown' });
  });

  it('under a contract that is suspended is rejected', () => {
    expect(bookWorld(withContract({ status: 'suspended' })).ask()).toMatchObject({ code: 'contract.inactive' });
  });

  it.each([
    [{ maxExportW: 5000 }, '/fsr/parameters/minW'],
    [{ maxImportW: 5000 }, '/fsr/parameters/maxW'],
    [{ maxDurationS: 60 }, '/fsr/window'],
    [{ minNoticeS: 60 }, '/fsr/window/start'],
  ] as const)('beyond the contract (%o) is rejected', (limits, path) => {
    expect(bookWorld(withContract(limits)).ask()).toMatchObject({ code: 'contract.limit', details: [{ path }] });
  });

  it('for a group is covered when all its members are', () => {
    const all = ['V2G-1.1', 'AC-1.1', 'AC-2.1'];
    expect(bookWorld(withContract({ scope: { resourceIds: all } })).ask().status).toBe('ok');
    expect(bookWorld(withContract({ scope: { resourceIds: all.slice(1) } })).ask().code).toBe('contract.scope');
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
    expect(bookWorld(siteFile({ credentials: [revoked] })).ask()).toMatchObject({ code: 'credential.revoked' });
  });

  it('that the fleet can never serve is rejected with numbers', () => {
    const w = bookWorld();
    Object.assign(w.can, { low: 0, high: 3000.12345 });
    w.ask({}, { minW: 5000, maxW: 8000 });
    expect(w.decision()).toMatchObject({
      decision: 'rejected',
      code: 'capability.insufficient',
      offered: { importMaxW: 3000.123 },
    });
  });

  it('that can be served in part is accepted in part where the contract says so, and else only offered', () => {
    const part = bookWorld();
    part.can.low = 0;
    part.ask();
    expect(part.decision()?.decision).toBe('partial');
    const optPolicy = { defaultOpt: 'in', optOutAllowed: true, optOutNoticeS: 0, askUser: false } as const;
    const whole = bookWorld(withContract({ optPolicy: { ...optPolicy, acceptPartial: false } }));
    whole.can.low = 0;
    whole.ask();
    expect(whole.decision()).toMatchObject({ decision: 'partial', counter: { minW: 0, maxW: 20_000 } });
    expect(whole.service()).toMatchObject({ state: 'credentialChecked', pending: { why: 'confirm' } });
  });

  it('stays a question to drivers and owners when it is amended while they are asked', () => {
    const asks = {
      defaultOpt: 'out',
      optOutAllowed: true,
      optOutNoticeS: 0,
      askUser: true,
      acceptPartial: true,
    } as const;
    const w = bookWorld(withContract({ optPolicy: asks }));
    const decisionBy = iso(w.clock.now() + 60_000);
    expect(w.ask({ decisionBy })).toMatchObject({ status: 'pending' });
    const { fsr } = w.service();
    const parameters = { ...fsr.parameters, maxW: 15_000 };
    const { service } = w.book.amend({ fsrId: 'N-1', revision: 2, parameters }, 'fo:test');
    if (service) w.book.commit(service);
    expect(w.service()).toMatchObject({ state: 'credentialChecked', fsr: { revision: 2 }, pending: { why: 'opt' } });
    expect(w.decision()).toBeUndefined();
  });

  it('for reactive power is refused, as no station is given any', () => {
    const w = bookWorld();
    expect(w.ask({}, { reactiveVar: 2000 })).toMatchObject({
      status: 'rejected',
      code: 'capability.unsupported',
      details: [{ path: '/fsr/parameters/reactiveVar' }],
    });
    expect(w.ask({}, { reactiveVar: 0 })).toMatchObject({ status: 'ok' });
  });

  it('for a time at which another service runs is a conflict', () => {
    const w = bookWorld();
    w.ask();
    expect(w.ask({ fsrId: 'N-2' })).toMatchObject({ status: 'rejected', code: 'conflict.overlap' });
    const later = { start: iso(w.clock.now() + 180_000), end: iso(w.clock.now() + 360_000) };
    expect(w.ask({ fsrId: 'N-2', window: later })).toMatchObject({ status: 'ok' });
  });
});

describe('a request for relative setpoints', () => {
  const relative = { mode: 'relative', minW: -4000, maxW: 4000 };

  it('counts what the contract and the fleet allow from the baseline', () => {
    const declared = { baseline: { method: 'declared' as const }, maxImportW: 7000 };
    const w = bookWorld(withContract(declared));
    expect(w.ask({}, relative)).toMatchObject({ code: 'contract.limit' });
    w.can.measured = 2000;
    expect(w.ask({}, relative)).toMatchObject({ status: 'ok' });
    expect(w.decision()).toMatchObject({ decision: 'accepted', baseline: { method: 'declared', powerW: 2000 } });
    w.can.high = 5000;
    w.book.forget('fo:test/N-1');
    w.ask({}, relative);
    expect(w.decision()?.decision).toBe('partial');
  });

  it('is refused where the baseline cannot be computed', () => {
    const w = bookWorld(withContract({ baseline: { method: 'priorWindow', windowS: 900, gapS: 0 } }));
    expect(w.ask({}, relative)).toMatchObject({
      code: 'capability.unsupported',
      details: [{ path: '/fsr/parameters/mode' }],
    });
    expect(w.ask()).toMatchObject({ status: 'ok' });
    expect(w.decision()).not.toHaveProperty('baseline');
  });
});
