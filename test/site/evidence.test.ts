import { afterEach, describe, expect, it } from 'vitest';
import { iso } from '../../core/clock.ts';
import type { EventEntry, EventPage, Proof, RecordPage } from '../../model/index.ts';
import { type SiteWorld, siteWorld } from '../support/site-world.ts';

let w: SiteWorld;
afterEach(() => w.close());

async function chain(name: string): Promise<EventEntry[]> {
  await w.site.evidence.flush();
  const entries: EventEntry[] = [];
  for await (const e of w.site.evidence.reader.events(name)) entries.push(e);
  return entries;
}

/** A service of three minutes that follows 8 kW and, after 90 s, -4 kW; setpoints come every 10 s. */
async function serve(): Promise<void> {
  w.plug('V2G-1.1', { bidirectional: true, exportMaxW: 10_000, importMaxW: 11_000, exportableWh: 20_000 });
  w.plug('AC-1.1');
  w.plug('AC-2.1');
  await w.clock.advance(90_000);
  await w.service({ initialW: 8000 });
  for (let s = 0; s < 180; s += 10) {
    await w.setpoint(s, s < 90 ? 8000 : 2000, 30);
    await w.clock.advance(10_000);
  }
  await w.clock.advance(5_000);
  await w.site.evidence.flush();
}

describe('evidence of a site', () => {
  it('is complete after a service: log, record and proof, told to the party', async () => {
    w = await siteWorld();
    await serve();
    const kinds = (await chain('fo:test')).map((e) => e.kind);
    expect(kinds.slice(0, 2)).toEqual(['service.requested', 'service.accepted']);
    expect(kinds).toContain('service.active');
    expect(kinds.slice(-3)).toEqual(['service.completed', 'record.made', 'proof.made']);
    const topics = w.notices.map((n) => n.topic);
    expect(topics.slice(-2)).toEqual(['hub/ServiceRecordEvent', 'hub/ProofEvent']);
    const { proof } = (w.notices.at(-1)?.payload ?? {}) as { proof: Proof };
    expect(proof.intervals.map((i) => i.durationS)).toEqual([60, 60, 60]);
    expect(proof.totals.requestedWh).toBeGreaterThan(0);
    expect(proof.performancePct).toBeGreaterThan(80);
    expect(proof.intervals.map((i) => i.quality)).not.toContain('missing');
  });

  it('counts a station that is out of service as 0, and one that is lost with its vehicle as missing', async () => {
    w = await siteWorld();
    for (const id of ['V2G-1.1', 'AC-1.1']) w.plug(id);
    // AC-2.1 has not been seen for more than five minutes when the service begins.
    await w.clock.advance(400_000);
    await w.service({ initialW: 5000 });
    await w.clock.advance(58_000);
    w.power.delete('AC-1.1');
    w.say('hub/StationStatus', { resourceId: 'AC-1.1', state: 'offline' });
    await w.clock.advance(250_000);
    await w.site.evidence.flush();
    const { proof } = (w.notices.at(-1)?.payload ?? {}) as { proof: Proof };
    expect(proof.intervals.map((i) => i.quality)).toEqual(['estimated', 'missing', 'missing']);
  });

  it('answers QueryEvents and QueryRecords of the party, with nothing of others', async () => {
    w = await siteWorld();
    await serve();
    const events = await w.ask('hub/QueryEvents', { fromLogSeq: 1, kinds: ['service.active', 'proof.made'] });
    expect((events.data as EventPage).entries.map((e) => e.kind)).toEqual(['service.active', 'proof.made']);
    const { proofs, records } = (await w.ask('hub/QueryRecords', { ids: ['N-1'] })).data as RecordPage;
    expect(proofs[0]?.body).toEqual(w.notices.at(-1)?.payload);
    expect(records[0]?.messageId).toBe(w.notices.at(-2)?.v2gate.id);
    const other = await w.ask('hub/QueryRecords', { ids: ['N-1'] }, 'fo:other');
    expect(other.data).toEqual({ records: [], proofs: [] });
    expect((await w.ask('hub/QueryEvents', { fromLogSeq: 1 }, 'fo:other')).data).toMatchObject({ entries: [] });
    expect(await w.ask('hub/QueryEvents', {})).toMatchObject({ status: 'error', code: 'schema.semantic' });
  });

  it('goes on over a restart in the middle of a service, and says that there was one', async () => {
    w = await siteWorld();
    w.plug('V2G-1.1');
    w.plug('AC-1.1');
    w.plug('AC-2.1');
    await w.clock.advance(60_000);
    await w.service({ initialW: 6000 });
    await w.clock.advance(60_000);
    await w.reopen();
    for (const id of ['V2G-1.1', 'AC-1.1', 'AC-2.1']) w.plug(id);
    for (let s = 60; s < 180; s += 10) {
      await w.setpoint(s, 6000, 30);
      await w.clock.advance(10_000);
    }
    await w.clock.advance(130_000);
    await w.site.evidence.flush();
    const entries = await chain('fo:test');
    expect(entries.map((e) => e.kind)).toContain('gateway.restart');
    entries.reduce((before, e) => {
      expect([e.logSeq, e.prevHash]).toEqual([before.logSeq + 1, before.hash]);
      return e;
    });
    expect(w.notices.filter((n) => n.topic === 'hub/ProofEvent')).toHaveLength(1);
  });

  it('tells what nobody has taken again after a restart', async () => {
    w = await siteWorld();
    const delivered = w.site.delivered.bind(w.site);
    w.site.delivered = (id) => {
      const isDocument = w.notices.some((n) => n.v2gate.id === id && /Record|Proof/.test(n.topic));
      if (!isDocument) delivered(id);
    };
    await serve();
    const before = w.notices.filter((n) => n.topic === 'hub/ProofEvent');
    expect(before).toHaveLength(1);
    await w.reopen();
    await w.clock.advance(61_000);
    const after = w.notices.filter((n) => n.topic === 'hub/ProofEvent');
    expect(after.length).toBeGreaterThan(1);
    expect(after.at(-1)?.v2gate).toEqual(before[0]?.v2gate);
    expect(iso(w.clock.now())).not.toBe(before[0]?.v2gate.at);
  });
});
