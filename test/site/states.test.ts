import { afterEach, describe, expect, it } from 'vitest';
import { iso } from '../../core/clock.ts';
import type { Contract, Credential, SiteFile } from '../../model/index.ts';
import type { SiteWorld } from '../support/site-world.ts';
import {
  contracts,
  decisions,
  fleet,
  fsr,
  ISSUERS,
  measured,
  power,
  quick,
  request,
  SITE_WIDE,
  service,
  setpoint,
  told,
} from './kit.ts';

let w: SiteWorld;
afterEach(() => w.close());

const site = (contract: Partial<Contract> = {}, patch: Partial<SiteFile> = {}): SiteFile =>
  quick({ ...contracts({ ...SITE_WIDE, ...contract }), ...ISSUERS, ...patch });
const ASKS_BACK: Pick<Contract, 'optPolicy'> = {
  optPolicy: { defaultOpt: 'in', optOutAllowed: true, optOutNoticeS: 0, askUser: false, acceptPartial: false },
};
const span = (fromS: number, toS: number) => ({
  start: iso(w.clock.now() + fromS * 1000),
  end: iso(w.clock.now() + toS * 1000),
});
const amend = (revision: number, patch: object, fsrId = 'N-1') =>
  w.ask('hub/AmendService', { fsrId, revision, ...patch });
const cancel = (fsrId = 'N-1') => w.ask('hub/CancelService', { fsrId, reason: 'no longer', at: iso(w.clock.now()) });
const P = { mode: 'absolute', minW: -10_000, maxW: 30_000, toleranceW: 300, updateIntervalS: 4 };

describe('the way of a service (fo 6.2)', () => {
  it('goes from accepted over scheduled and active to completed, each told', async () => {
    w = await fleet(site());
    await request(w, fsr(w, { window: span(10, 40) }));
    await w.clock.advance(1100);
    expect(service(w)).toMatchObject({
      state: 'scheduled',
      revision: 1,
      priority: 5,
      contractId: 'C-1',
      decision: 'accepted',
    });
    await w.clock.advance(45_000);
    expect(w.phases().filter((p) => p !== 'fallback')).toEqual(['accepted', 'scheduled', 'active', 'completed']);
  });
});

describe('a part that the FO has to confirm (fo 4.2)', () => {
  const more = { parameters: { maxW: 60_000 } };

  it('is held until the same numbers come as the next revision', async () => {
    w = await fleet(site(ASKS_BACK));
    expect(await request(w, fsr(w, more))).toMatchObject({ status: 'ok', state: 'credentialChecked' });
    expect(decisions(w)).toMatchObject([{ decision: 'partial', revision: 1, counter: { maxW: 33_080 } }]);
    expect(await request(w, fsr(w, { fsrId: 'N-2' }))).toMatchObject({ code: 'conflict.overlap' });
    await w.clock.advance(10_000);
    expect(service(w)).toMatchObject({ state: 'credentialChecked', waitsFor: 'confirm' });
    expect(await amend(2, { parameters: { ...P, ...more.parameters } })).toMatchObject({
      status: 'ok',
      state: 'accepted',
    });
    expect(decisions(w).at(-1)).toMatchObject({ decision: 'accepted', revision: 2 });
    await w.clock.advance(1000);
    expect(service(w)?.state).toBe('active');
  });

  it('is given up by cancel, by silence, and may be made smaller instead', async () => {
    w = await fleet(site(ASKS_BACK));
    await request(w, fsr(w, more));
    expect(await cancel()).toMatchObject({ status: 'ok', state: 'rejected' });
    expect(await request(w, fsr(w, { fsrId: 'N-2', ...more }))).toMatchObject({ status: 'ok' });
    await w.clock.advance(29_000);
    expect(told(w, 'aborted', 'N-2')).toEqual([]);
    await w.clock.advance(1100);
    expect(told(w, 'aborted', 'N-2')).toMatchObject([{ cause: 'time.expired' }]);
    await request(w, fsr(w, { fsrId: 'N-3', ...more }));
    expect(await amend(2, { parameters: P }, 'N-3')).toMatchObject({ status: 'ok', state: 'accepted' });
  });

  it('survives a restart', async () => {
    w = await fleet(site(ASKS_BACK));
    await request(w, fsr(w, more));
    await w.reopen();
    await w.clock.advance(30_100);
    expect(told(w, 'aborted')).toMatchObject([{ cause: 'time.expired' }]);
  });
});

describe('an amendment (fo 4.3 no. 14)', () => {
  async function led(contract: Partial<Contract> = {}): Promise<void> {
    w = await fleet(site(contract));
    await request(w, fsr(w));
    await w.clock.advance(1000);
    await setpoint(w, 'N-1', 1, 20_000, 'fo:test', 170);
    await w.clock.advance(3000);
  }

  it('changes range, window and fallback of what runs, with a decision of its own', async () => {
    await led();
    expect(await amend(2, { parameters: { ...P, maxW: 8000 }, fallback: { onExpiry: 'mobility' } })).toMatchObject({
      status: 'ok',
      state: 'active',
    });
    expect(decisions(w).map((d) => [d.revision, d.decision])).toEqual([
      [1, 'accepted'],
      [2, 'accepted'],
    ]);
    await w.clock.advance(3000);
    expect(measured(w)).toBeLessThanOrEqual(8000);
    expect(await setpoint(w, 'N-1', 2, 20_000)).toMatchObject({ code: 'param.range' });
    const start = String(service(w)?.start);
    expect(await amend(3, { window: { start, end: iso(w.clock.now() + 5000) } })).toMatchObject({ status: 'ok' });
    await w.clock.advance(6000);
    expect(told(w, 'completed')).toHaveLength(1);
    expect(await amend(4, { parameters: P })).toMatchObject({ code: 'state.invalid' });
  });

  it('that is refused leaves the old revision in force', async () => {
    await led({ maxImportW: 30_000 });
    const start = String(service(w)?.start);
    expect(await amend(4, { parameters: P })).toMatchObject({ code: 'param.range' });
    expect(await amend(2, { parameters: { ...P, maxW: 31_000 } })).toMatchObject({ code: 'contract.limit' });
    expect(await amend(2, { parameters: { nonsense: 1 } })).toMatchObject({ code: 'schema.invalid' });
    expect(
      await amend(2, { window: { start: iso(w.clock.now() + 5000), end: iso(w.clock.now() + 9000) } }),
    ).toMatchObject({
      code: 'state.invalid',
    });
    expect(await amend(2, { window: { start, end: '2027-02-01T00:00:00Z' } })).toMatchObject({ code: 'time.window' });
    expect(await amend(2, { parameters: P }, 'N-9')).toMatchObject({ code: 'id.unknown' });
    expect(service(w)).toMatchObject({ revision: 1, state: 'active', targetW: 20_000 });
    expect(await amend(2, { parameters: { ...P, minW: -30_000, maxW: -20_000 } })).toMatchObject({ status: 'ok' });
    expect(decisions(w).at(-1)).toMatchObject({ decision: 'rejected', revision: 2, code: 'capability.insufficient' });
    expect(service(w)).toMatchObject({ revision: 1, decision: 'accepted', targetW: 20_000 });
  });

  it('that was decided as refused is not decided again, and its revision is used up (fo 4.3 no. 12)', async () => {
    await led();
    const body = { parameters: { ...P, minW: -30_000, maxW: -20_000 } };
    await amend(2, body);
    expect(await amend(2, body)).toMatchObject({ status: 'ok', state: 'active' });
    await w.reopen();
    await w.clock.advance(1000);
    expect(await amend(2, body)).toMatchObject({ status: 'ok', state: 'active' });
    expect(await amend(2, { parameters: { ...P, maxW: 8000 } })).toMatchObject({ code: 'seq.stale' });
    expect(decisions(w).map((d) => [d.revision, d.decision])).toEqual([
      [1, 'accepted'],
      [2, 'rejected'],
    ]);
    expect(await amend(3, { parameters: { ...P, maxW: 8000 } })).toMatchObject({ status: 'ok' });
    expect(service(w)).toMatchObject({ revision: 3 });
  });

  it('that comes again is answered again, and is known after a restart', async () => {
    await led();
    const body = { parameters: { ...P, maxW: 25_000 } };
    await amend(2, body);
    expect(await amend(2, body)).toMatchObject({ status: 'ok' });
    expect(decisions(w)).toHaveLength(2);
    await w.reopen();
    await w.clock.advance(1000);
    expect(service(w)).toMatchObject({ revision: 2 });
    expect(await amend(2, { parameters: { ...P, maxW: 26_000 } })).toMatchObject({ code: 'seq.stale' });
  });
});

describe('what a setpoint became (fo 8.3.4)', () => {
  it('names the minimum of an EVSE where that is why it is less', async () => {
    w = await fleet(site());
    const target = { groupId: 'g:ac2', referencePoint: 'group' };
    await request(w, fsr(w, { target, parameters: { minW: 0, maxW: 11_000 } }));
    await w.clock.advance(1000);
    const data = { appliedW: 0, limitedBy: 'minimum' };
    expect(await setpoint(w, 'N-1', 1, 800)).toMatchObject({ code: 'limit.clipped', data });
    expect((await setpoint(w, 'N-1', 2, 6000)).data).not.toHaveProperty('limitedBy');
    expect(await setpoint(w, 'N-1', 3, 11_000)).not.toMatchObject({ data: { limitedBy: 'minimum' } });
  });
});

describe('limits of a contract (fo 3.4)', () => {
  it('count activations of the day, also over a restart', async () => {
    w = await fleet(site({ maxActivationsPerDay: 2 }));
    for (const fsrId of ['N-1', 'N-2']) {
      expect(await request(w, fsr(w, { fsrId, window: span(0, 10) }))).toMatchObject({ status: 'ok' });
      await w.clock.advance(12_000);
    }
    expect(await request(w, fsr(w, { fsrId: 'N-3' }))).toMatchObject({ code: 'contract.limit' });
    await w.reopen();
    expect(await request(w, fsr(w, { fsrId: 'N-3' }))).toMatchObject({ code: 'contract.limit' });
    expect(await request(w, fsr(w, { fsrId: 'N-3', window: span(86_400, 86_500) }))).toMatchObject({ status: 'ok' });
  });

  it('stop the export when the energy of the day is used up', async () => {
    w = await fleet(site({ maxExportWhPerDay: 100 }));
    await request(w, fsr(w));
    await w.clock.advance(1000);
    await setpoint(w, 'N-1', 1, -9000, 'fo:test', 170);
    await w.clock.advance(20_000);
    expect(power(w, 'V2G-1.1')).toBeCloseTo(-9000, -3);
    await w.clock.advance(30_000);
    expect(measured(w)).toBe(0);
    await w.reopen();
    for (const id of ['V2G-1.1', 'AC-1.1', 'AC-2.1']) w.plug(id, { bidirectional: true, exportableWh: 20_000 });
    await w.clock.advance(10_000);
    expect(Math.min(...w.power.values())).toBeGreaterThanOrEqual(0);
  });

  it('hold for what a relative service leads to', async () => {
    const baseline = { method: 'declared' as const };
    w = await fleet(site({ baseline, maxImportW: 35_000 }));
    await request(w, fsr(w, { parameters: { mode: 'relative', minW: -5000, maxW: 1000 } }));
    await w.clock.advance(1000);
    const { contracts: list = [] } = site({ baseline, maxImportW: 20_000 });
    await w.site.reload(site({ baseline }, { contracts: list }));
    await setpoint(w, 'N-1', 1, 0);
    await w.clock.advance(3000);
    expect(measured(w)).toBeLessThanOrEqual(20_000);
  });
});

describe('credentials of the FO (fo 6.1)', () => {
  const credential = (
    status: Credential['status'],
    patch: Partial<Credential> = {},
  ): Pick<SiteFile, 'credentials'> => ({
    credentials: [
      {
        credentialId: 'cr:1',
        kind: 'identity',
        subjectRef: 'fo:test',
        issuer: 'ca',
        validFrom: '2026-01-01T00:00:00Z',
        validTo: '2027-01-01T00:00:00Z',
        form: 'reference',
        status,
        ...patch,
      },
    ],
  });

  it('that cannot be verified stop new services, and running ones only after 24 h', async () => {
    w = await fleet(site({}, credential('valid')));
    await request(w, fsr(w, { window: span(0, 100_000), parameters: { updateIntervalS: 3600 } }));
    await w.clock.advance(1000);
    await w.site.reload(site({}, credential('unverifiable')));
    await w.clock.advance(5000);
    expect(
      await request(w, fsr(w, { fsrId: 'N-2', target: { groupId: 'g:ac2', referencePoint: 'group' } })),
    ).toMatchObject({
      code: 'credential.unverifiable',
    });
    expect(service(w)?.state).toBe('active');
    w.clock.set(w.clock.now() + 86_390_000);
    await w.clock.advance(2000);
    expect(told(w, 'aborted')).toEqual([]);
    await w.clock.advance(10_000);
    expect(told(w, 'aborted')).toMatchObject([{ cause: 'credential.unverifiable' }]);
  });

  it('that are revoked end it within 5 s', async () => {
    w = await fleet(site({}, credential('valid')));
    await request(w, fsr(w));
    await w.clock.advance(1000);
    await w.site.reload(site({}, credential('revoked')));
    await w.clock.advance(1000);
    expect(told(w, 'aborted')).toMatchObject([{ cause: 'credential.revoked' }]);
  });
});

describe('a service taken back by the gateway', () => {
  it('is one whose members a mandatory service has taken until its end', async () => {
    w = await fleet(site());
    await request(w, fsr(w));
    await w.clock.advance(1000);
    await setpoint(w, 'N-1', 1, 20_000);
    await w.clock.advance(2000);
    await request(w, fsr(w, { fsrId: 'M-1', mandatory: true, mandateRef: 'DSO-1', window: span(0, 600) }));
    await w.clock.advance(100);
    await setpoint(w, 'M-1', 1, 0);
    await w.clock.advance(2000);
    expect(told(w, 'deviation', 'N-1')).toMatchObject([{ cause: 'priority' }]);
    const cancelled = w.notices.filter((n) => n.topic === 'hub/CancelService').map((n) => n.payload);
    expect(cancelled).toMatchObject([{ fsrId: 'N-1', reason: 'mandate' }]);
    expect(told(w, 'aborted', 'N-1')).toMatchObject([{ cause: 'mandate' }]);
  });
});

describe('a flow whose wire to allocate is missing', () => {
  it('is told and shown, and not gone around', async () => {
    w = await fleet(site());
    await request(w, fsr(w));
    await w.clock.advance(1000);
    w.wired = false;
    for (let seq = 1; seq <= 4; seq++) {
      await setpoint(w, 'N-1', seq, 9000);
      await w.clock.advance(4000);
    }
    expect(service(w)).toMatchObject({ requestedW: 9000, flow: 'silent' });
    expect(service(w)?.targetW).toBeUndefined();
    const log = await w.ask('hub/QueryEvents', { fromLogSeq: 1, kinds: ['flow.targetMissing'] });
    expect(log.data?.entries).toHaveLength(1);
    w.wired = true;
    await setpoint(w, 'N-1', 9, 8000);
    await w.clock.advance(2000);
    expect(service(w)).toMatchObject({ targetW: 8000 });
    expect(service(w)?.flow).toBeUndefined();
  });
});
