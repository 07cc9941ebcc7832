import { afterEach, describe, expect, it } from 'vitest';
import { iso } from '../../core/clock.ts';
import type { Contract, OptChoice } from '../../model/index.ts';
import type { SiteWorld } from '../support/site-world.ts';
import {
  contracts,
  decisions,
  fleet,
  fsr,
  ISSUERS,
  opt,
  power,
  quick,
  request,
  SITE_WIDE,
  setpoint,
  told,
} from './kit.ts';

let w: SiteWorld;
afterEach(() => w.close());

const policy = (patch: object = {}): Pick<Contract, 'optPolicy'> => ({
  optPolicy: { defaultOpt: 'in', optOutAllowed: true, optOutNoticeS: 0, askUser: false, acceptPartial: true, ...patch },
});
const site = (patch: object = {}) => quick({ ...contracts({ ...SITE_WIDE, ...policy(patch) }), ...ISSUERS });
const opts = (): OptChoice[] => w.notices.filter((n) => n.topic === 'hub/OptChoice').map((n) => n.payload as OptChoice);
const state = (id: string) => w.site.snapshot().resources.find((r) => r.resourceId === id)?.optState;
const press = (choice: 'in' | 'out', resourceId = 'AC-2.1') =>
  w.say('hub/OptChoice', { choice, actor: 'evu', scope: { resources: [resourceId] }, at: undefined });

async function led(targetW = 9000, patch: object = {}): Promise<void> {
  w = await fleet(site(patch));
  await request(w, fsr(w));
  await w.clock.advance(1000);
  await setpoint(w, 'N-1', 1, targetW, 'fo:test', 170);
  await w.clock.advance(3000);
}

describe('an opt-out while a service runs (fo 6.4)', () => {
  it('releases that vehicle within 5 s, others take over, and the FO hears of it within 2 s', async () => {
    await led();
    expect(power(w, 'AC-2.1')).toBeLessThan(6000);
    expect(
      await w.site.opt({ choice: 'out', actor: 'cso', scope: { resources: ['AC-2.1'] } }, 'console'),
    ).toMatchObject({
      status: 'ok',
      data: { effectiveAt: iso(w.clock.now()) },
    });
    await w.clock.advance(1000);
    expect(opts()).toEqual([{ choice: 'out', actor: 'cso', scope: { fsrId: 'N-1', resources: ['AC-2.1'] } }]);
    await w.clock.advance(3000);
    expect(power(w, 'AC-2.1')).toBeGreaterThan(10_900);
    expect(power(w, 'V2G-1.1', 'AC-1.1')).toBeCloseTo(9000, -3);
    expect(state('AC-2.1')).toBe('out');
    expect(told(w, 'deviation')).toEqual([]);
    const last = w.batches.flatMap((b) => b.commands).findLast((c) => c.resourceId === 'AC-2.1');
    expect(last).toMatchObject({ kind: 'limit', level: 5 });
  });

  it('is told as a deviation when the others cannot make up for it', async () => {
    await led(30_000);
    await w.site.opt({ choice: 'out', actor: 'fleet', scope: { resources: ['AC-2.1'] } }, 'console');
    await w.clock.advance(12_000);
    expect(told(w, 'deviation')).toMatchObject([{ cause: 'resource.optedOut' }]);
    expect(told(w, 'deviation')[0]?.shortfallW).toBeGreaterThan(7000);
  });

  it('ends with an opt-in of the same actor, which the FO hears too', async () => {
    await led();
    await w.site.opt({ choice: 'out', actor: 'cso', scope: { resources: ['AC-2.1'] } }, 'console');
    await w.clock.advance(2000);
    await w.site.opt({ choice: 'in', actor: 'fleet', scope: { resources: ['AC-2.1'] } }, 'console');
    await w.clock.advance(2000);
    expect(state('AC-2.1')).toBe('out');
    await w.site.opt({ choice: 'in', actor: 'cso', scope: { resources: ['AC-2.1'] } }, 'console');
    await w.clock.advance(3000);
    expect(opts().map((o) => [o.choice, o.actor])).toEqual([
      ['out', 'cso'],
      ['in', 'cso'],
    ]);
    expect(power(w, 'V2G-1.1', 'AC-1.1', 'AC-2.1')).toBeCloseTo(9000, -3);
  });

  it('is told to the FO by whom it was said; its own words are not told back to it', async () => {
    await led();
    await opt(w, 'out', ['AC-2.1']);
    await w.clock.advance(2000);
    expect(state('AC-2.1')).toBe('out');
    await opt(w, 'in', ['AC-2.1']);
    await w.clock.advance(2000);
    expect(state('AC-2.1')).toBe('in');
    expect(opts()).toEqual([]);
    await w.site.opt({ choice: 'out', actor: 'fleet', scope: { resources: ['AC-2.1'] } }, 'console');
    await w.clock.advance(2000);
    await w.site.opt({ choice: 'in', actor: 'fleet', scope: { resources: ['AC-2.1'] } }, 'console');
    await w.clock.advance(2000);
    expect(opts().map((o) => [o.choice, o.actor])).toEqual([
      ['out', 'fleet'],
      ['in', 'fleet'],
    ]);
  });

  it('of all ends the service', async () => {
    await led();
    const resources = ['V2G-1.1', 'AC-1.1', 'AC-2.1'];
    await w.site.opt({ choice: 'out', actor: 'fleet', scope: { resources } }, 'console');
    await w.clock.advance(3000);
    expect(told(w, 'aborted')).toMatchObject([{ cause: 'resource.optedOut' }]);
    expect(power(w, ...resources)).toBeGreaterThan(30_000);
  });

  it('waits for the notice that the contract asks for', async () => {
    await led(9000, { optOutNoticeS: 20 });
    const result = await opt(w, 'out', ['AC-2.1']);
    expect(result).toMatchObject({ status: 'ok', data: { effectiveAt: iso(w.clock.now() + 20_000) } });
    await w.clock.advance(19_500);
    expect(state('AC-2.1')).toBe('in');
    await w.clock.advance(600);
    expect(state('AC-2.1')).toBe('out');
  });

  it('is refused where the contract allows none, and where the service is mandatory', async () => {
    await led(9000, { optOutAllowed: false });
    expect(await opt(w, 'out', ['AC-2.1'])).toMatchObject({ status: 'rejected', code: 'contract.limit' });
    await w.close();
    w = await fleet(site());
    await request(w, fsr(w, { mandatory: true, mandateRef: 'DSO-1' }));
    await w.clock.advance(1000);
    await setpoint(w, 'N-1', 1, 0);
    await w.clock.advance(3000);
    expect(await opt(w, 'out', ['AC-2.1'])).toMatchObject({ status: 'rejected', code: 'mandatory.noOptOut' });
    press('out');
    await w.clock.advance(3000);
    expect(state('AC-2.1')).toBe('in');
    expect(power(w, 'AC-2.1')).toBe(0);
    // The driver can always go.
    w.say('hub/SessionEvent', { resourceId: 'AC-2.1', sessionId: 'tx-AC-2.1', kind: 'ended' });
    w.say('hub/StationStatus', { resourceId: 'AC-2.1', state: 'available' });
    await w.clock.advance(1000);
    expect(w.site.snapshot().resources.find((r) => r.resourceId === 'AC-2.1')?.state).toBe('available');
  });

  it('that an FO passes on is about its own services and what its contracts cover', async () => {
    w = await fleet(
      quick(
        contracts({ scope: { resourceIds: ['AC-1.1'] } }, { scope: { resourceIds: ['AC-2.1'] }, foId: 'fo:other' }),
      ),
    );
    const one = (id: string, contractId: string) =>
      fsr(w, { contractId, target: { resourceIds: [id], referencePoint: 'group' } });
    await request(w, one('AC-1.1', 'C-1'));
    await request(w, one('AC-2.1', 'C-2'), 'fo:other');
    await w.clock.advance(1000);
    expect(await opt(w, 'out', ['AC-2.1'])).toMatchObject({ status: 'rejected', code: 'resource.unknown' });
    expect(await opt(w, 'out', ['AC-1.1'])).toMatchObject({ status: 'ok' });
    await w.clock.advance(2000);
    expect(opts()).toEqual([]);
    expect(told(w, 'aborted')).toHaveLength(1);
  });
});

describe('the button for priority charging at a station', () => {
  it('is an opt-out until the vehicle goes', async () => {
    await led();
    press('out');
    await w.clock.advance(4000);
    expect(power(w, 'AC-2.1')).toBeGreaterThan(10_900);
    expect(opts()).toMatchObject([{ choice: 'out', actor: 'evu' }]);
    w.say('hub/SessionEvent', { resourceId: 'AC-2.1', sessionId: 'tx-AC-2.1', kind: 'ended' });
    w.say('hub/StationStatus', { resourceId: 'AC-2.1', state: 'available' });
    await w.clock.advance(1000);
    expect(state('AC-2.1')).toBe('in');
    expect(opts().at(-1)).toMatchObject({ choice: 'in' });
  });

  it('is known after a restart, and forgotten when another session has begun meanwhile', async () => {
    await led();
    press('out');
    await w.clock.advance(2000);
    await w.reopen();
    expect(state('AC-2.1')).toBe('out');
    w.plug('AC-2.1');
    await w.clock.advance(1000);
    expect(state('AC-2.1')).toBe('out');
    await w.reopen();
    w.say('hub/StationStatus', { resourceId: 'AC-2.1', state: 'connected', protocol: 'ocpp1.6' });
    w.say('hub/SessionEvent', { resourceId: 'AC-2.1', sessionId: 'other', kind: 'started', state: 'connected' });
    await w.clock.advance(1000);
    expect(state('AC-2.1')).toBe('in');
  });
});

describe('the choice before a service is decided (fo 4.2)', () => {
  const ask = (patch: object = {}) => request(w, fsr(w, { decisionBy: iso(w.clock.now() + 30_000), ...patch }));

  it('is waited for until 5 s before decisionBy, then the default counts', async () => {
    w = await fleet(site({ askUser: true }));
    expect(await ask()).toMatchObject({ status: 'pending', state: 'credentialChecked' });
    await w.clock.advance(24_900);
    expect(decisions(w)).toEqual([]);
    await w.clock.advance(200);
    expect(decisions(w)).toMatchObject([{ decision: 'accepted' }]);
    await w.close();
    w = await fleet(site({ askUser: true, defaultOpt: 'out' }));
    await ask();
    await w.clock.advance(25_100);
    expect(decisions(w)).toMatchObject([{ decision: 'optedOut', code: 'resource.optedOut' }]);
    await w.close();
    w = await fleet(site({ askUser: true, defaultOpt: 'out' }));
    await ask();
    await w.site.opt({ choice: 'in', actor: 'evu', scope: { fsrId: 'N-1', resources: ['AC-1.1'] } }, 'console');
    await w.clock.advance(25_100);
    expect(decisions(w)).toMatchObject([{ decision: 'accepted' }]);
  });

  it('one out is enough for a vehicle, and all out for the service; its capacity is held meanwhile', async () => {
    w = await fleet(site({ askUser: true }));
    await ask();
    expect(await ask({ fsrId: 'N-2' })).toMatchObject({ code: 'conflict.overlap' });
    await opt(w, 'in', ['AC-1.1'], { scope: { fsrId: 'N-1', resources: ['AC-1.1'] } });
    await w.site.opt({ choice: 'out', actor: 'evu', scope: { resources: ['AC-1.1'] } }, 'console');
    await w.clock.advance(25_100);
    expect(decisions(w, 'N-1')).toMatchObject([
      { decision: 'accepted', accepted: ['V2G-1.1', 'AC-2.1'], refused: [{ id: 'AC-1.1', code: 'resource.optedOut' }] },
    ]);
    await w.close();
    w = await fleet(site({ askUser: true }));
    await ask();
    await w.site.opt({ choice: 'out', actor: 'evu', scope: { resources: ['V2G-1.1', 'AC-1.1', 'AC-2.1'] } }, 'console');
    await w.clock.advance(1000);
    expect(decisions(w)).toMatchObject([{ decision: 'optedOut' }]);
    expect(w.site.snapshot().services.filter((s) => s.state === 'credentialChecked')).toEqual([]);
  });
});
