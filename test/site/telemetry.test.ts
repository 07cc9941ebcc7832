import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { iso, manualClock } from '../../core/clock.ts';
import { TelemetryBook } from '../../hub/site/telemetry.ts';
import type { Contract, Telemetry, TelemetrySample } from '../../model/index.ts';
import { siteFile } from '../support/site-file.ts';
import { type SiteWorld, siteWorld } from '../support/site-world.ts';

const contract = (patch: Partial<Contract>) => siteFile().contracts?.map((c) => ({ ...c, ...patch })) ?? [];
const telemetry = {
  intervalS: 1,
  fields: ['powerW', 'socPct', 'voltageV', 'importWh', 'frequencyHz'] as const,
  maxLatencyS: 5,
};
const contracts = contract({ telemetry: { ...telemetry, fields: [...telemetry.fields] } });

let w: SiteWorld;
beforeEach(async () => {
  const stations = siteFile().stations.map((x) => ({
    ...x,
    evses: x.evses.map((e) => ({ ...e, minCommandIntervalS: 0 })),
  }));
  w = await siteWorld({ contracts, stations });
  for (const r of ['V2G-1.1', 'AC-1.1', 'AC-2.1']) w.plug(r);
  await w.clock.advance(3000);
});
afterEach(() => w.close());

const subscribe = (patch: object = {}, peer?: string) =>
  w.ask(
    'hub/SubscribeTelemetry',
    { subject: { groupId: 'g:all' }, fields: ['powerW'], intervalS: 2, until: iso(w.clock.now() + 60_000), ...patch },
    peer,
  );
const samples = (): TelemetrySample[] => w.telemetry.map((t) => (t.payload as Telemetry).samples[0] as TelemetrySample);

describe('telemetry', () => {
  it('is sent for what an active contract of the party covers', async () => {
    expect(await subscribe()).toMatchObject({ status: 'ok', data: { intervalS: 2 } });
    await w.clock.advance(6000);
    expect(samples()).toHaveLength(3);
    expect(w.telemetry[0]?.v2gate.peer).toBe('fo:test');
    expect(await subscribe({ subject: { resourceId: 'AC-2.1' } })).toMatchObject({ status: 'ok' });
  });

  it.each([
    ['of another party', {}, 'fo:other', 'resource.unknown', '/subject'],
    ['of a group that does not exist', { subject: { groupId: 'g:x' } }, undefined, 'resource.unknown', '/subject'],
    ['of fields that were not agreed', { fields: ['powerW', 'reactiveVar'] }, undefined, 'contract.scope', '/fields/1'],
    ['of a service that is not theirs', { fsrId: 'N-9' }, undefined, 'id.unknown', '/fsrId'],
    ['of a time that has passed', { until: '2025-01-01T00:00:00Z' }, undefined, 'time.past', '/until'],
  ])('%s is refused with its field', async (_what, patch, peer, code, path) => {
    expect(await subscribe(patch, peer)).toMatchObject({ status: 'rejected', code, details: [{ path }] });
    await w.clock.advance(5000);
    expect(w.telemetry).toEqual([]);
  });

  it('of unknown fields is an error of form', async () => {
    expect(await subscribe({ fields: ['mood'] })).toMatchObject({ status: 'error', code: 'schema.invalid' });
  });

  it('stops while the contract is suspended, and ends at its time', async () => {
    await subscribe();
    await w.clock.advance(4000);
    await w.site.reload(siteFile({ contracts: contract({ status: 'suspended' }) }));
    await w.clock.advance(4000);
    expect(samples()).toHaveLength(2);
    await w.site.reload(siteFile({ contracts }));
    await w.clock.advance(4000);
    expect(samples()).toHaveLength(4);
    await w.clock.advance(120_000);
    const sent = samples().length;
    await w.clock.advance(20_000);
    expect(samples()).toHaveLength(sent);
  });

  it('of the same subject replaces the old one', async () => {
    await subscribe({ intervalS: 1 });
    await subscribe({ intervalS: 5 });
    await w.clock.advance(10_000);
    expect(samples()).toHaveLength(2);
  });

  it('is not served faster than once a second, which is said', async () => {
    expect(await subscribe({ intervalS: 0.1 })).toMatchObject({ code: 'capability.rate', data: { intervalS: 1 } });
  });

  it('is bounded for each party, and replacing counts as nothing new', () => {
    const book = new TelemetryBook({
      clock: manualClock(),
      file: () => siteFile(),
      refusal: () => undefined,
      values: () => ({ quality: 'good' }),
      deliver: () => {},
    });
    const ask = (resourceId: string, foId = 'fo:a') =>
      book.take({ subject: { resourceId }, fields: ['powerW'], intervalS: 1, until: '2027-01-01T00:00:00Z' }, foId);
    for (let i = 0; i < 100; i++) expect(ask(`R-${i}`).status).toBe('ok');
    expect(ask('R-100')).toMatchObject({ status: 'rejected', code: 'capability.rate' });
    expect(ask('R-0').status).toBe('ok');
    expect(ask('R-100', 'fo:b').status).toBe('ok');
    book.close();
  });

  it('of a resource has its own values; of a group no charge, and energy only when all members have a register', async () => {
    const values = { powerW: 5000, socPct: 40, voltageV: 231.5, frequencyHz: 50.0123, importWh: 1000.12345 };
    w.say('hub/MeterReading', { resourceId: 'V2G-1.1', quality: 'good', ...values });
    w.power.delete('V2G-1.1');
    const fields = [...telemetry.fields];
    await subscribe({ subject: { resourceId: 'V2G-1.1' }, fields, intervalS: 1 });
    await w.clock.advance(1000);
    expect(samples()[0]).toMatchObject({
      resourceId: 'V2G-1.1',
      socPct: 40,
      voltageV: 231.5,
      frequencyHz: 50.0123,
      importWh: 1000.123,
    });
    await subscribe({ fields, intervalS: 1 });
    await w.clock.advance(1000);
    const group = samples().find((s) => s.groupId !== undefined);
    expect(group).not.toHaveProperty('socPct');
    expect(group).not.toHaveProperty('importWh');
    expect(group?.powerW).toBeGreaterThan(5000);
  });

  it('shows a gap by its quality and invents no power', async () => {
    await subscribe({ intervalS: 1 });
    w.say('hub/StationStatus', { resourceId: 'V2G-1.1', state: 'offline' });
    w.power.delete('V2G-1.1');
    await w.clock.advance(2000);
    expect(samples().at(-1)).toMatchObject({ quality: 'estimated', powerW: expect.any(Number) });
    await w.clock.advance(30_000);
    expect(samples().at(-1)).toMatchObject({ quality: 'missing' });
    expect(samples().at(-1)).not.toHaveProperty('powerW');
  });

  it('tells a party its own setpoint only', async () => {
    await w.service();
    await w.setpoint(1, 5000);
    await subscribe({ fields: ['setpointW'], intervalS: 1 });
    await w.clock.advance(1000);
    expect(samples().at(-1)?.setpointW).toBe(5000);
    const both = [...contracts, ...contract({ contractId: 'C-2', foId: 'fo:two' })];
    await w.site.reload(siteFile({ contracts: both, parties: [{ partyId: 'fo:two', role: 'fo' }] }));
    w.telemetry.length = 0;
    expect(await subscribe({ fields: ['powerW', 'setpointW'], intervalS: 1 }, 'fo:two')).toMatchObject({
      status: 'ok',
    });
    await w.clock.advance(1000);
    const theirs = w.telemetry.find((t) => t.v2gate.peer === 'fo:two')?.payload as Telemetry | undefined;
    expect(theirs?.samples[0]).toBeDefined();
    expect(theirs?.samples[0]).not.toHaveProperty('setpointW');
  });
});
