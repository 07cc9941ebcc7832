import { describe, expect, it } from 'vitest';
import { iso } from '../../core/clock.ts';
import type { ResultBody } from '../../model/index.ts';
import { siteFile } from '../support/site-file.ts';
import type { SiteWorld } from '../support/site-world.ts';
import { fleet, fsr, quick, request } from './kit.ts';

/** Decides about a setpoint and lets its run follow; the answer is read before that run, or after it. */
async function setpoint(w: SiteWorld, seq: number, targetW: number, read: 'before' | 'after'): Promise<ResultBody> {
  const at = iso(w.clock.now());
  const decision = await w.site.decide({
    topic: 'hub/UpdateSetpoint',
    payload: { setpoint: { fsrId: 'N-1', seq, targetW, validUntil: iso(w.clock.now() + 60_000) } },
    v2gate: { id: `m${seq}`, at, link: 'test', peer: 'fo:test', replyTo: 'r' },
  });
  const early = read === 'before' ? decision.result : undefined;
  if (decision.target) w.site.allocate({ reason: 'test', target: decision.target });
  return early ?? decision.result;
}

/** The answers to the same setpoints in two equal worlds. */
async function both(
  parameters: object,
  targets: readonly number[],
  prepare: (w: SiteWorld) => void = () => undefined,
  file = quick(),
) {
  const answers = await Promise.all(
    (['before', 'after'] as const).map(async (read) => {
      const w = await fleet(file);
      prepare(w);
      await request(w, fsr(w, { parameters }));
      await w.clock.advance(2000);
      const said: ResultBody[] = [];
      for (const [i, targetW] of targets.entries()) {
        said.push(await setpoint(w, i + 1, targetW, read));
        await w.clock.advance(4000);
      }
      await w.close();
      return said;
    }),
  );
  return { before: answers[0] ?? [], after: answers[1] ?? [] };
}

const TARGETS = [12_000, 29_000, -4000, 0, 3000, 60, 30_000];

describe('the answer to a setpoint', () => {
  it('says after the run what it would have said before', async () => {
    const { before, after } = await both({}, TARGETS, (w) =>
      w.say('hub/StationStatus', { resourceId: 'AC-2.1', state: 'available' }),
    );
    expect(after).toEqual(before);
    expect(before.map((r) => r.code)).toContain('limit.clipped');
    expect(before.map((r) => r.status)).toEqual(TARGETS.map(() => 'ok'));
  });

  it('says so also where a ramp is under way', async () => {
    const { before, after } = await both({ rampWPerS: 500 }, TARGETS);
    expect(after).toEqual(before);
  });

  it('says so also where stations take a new command only later', async () => {
    const { before, after } = await both({}, TARGETS, undefined, siteFile());
    expect(after).toEqual(before);
  });

  it('says so also where nobody can be led', async () => {
    const out = (w: SiteWorld): void => {
      for (const resourceId of ['V2G-1.1', 'AC-1.1', 'AC-2.1'])
        w.say('hub/StationStatus', { resourceId, state: 'available' });
    };
    const { before, after } = await both({}, [8000, 0], out);
    expect(after).toEqual(before);
  });

  it('is worked out once, and is what the operator is held to', async () => {
    const w = await fleet(quick());
    await request(w, fsr(w));
    await w.clock.advance(2000);
    const at = iso(w.clock.now());
    const decision = await w.site.decide({
      topic: 'hub/UpdateSetpoint',
      payload: { setpoint: { fsrId: 'N-1', seq: 1, targetW: 5000, validUntil: iso(w.clock.now() + 60_000) } },
      v2gate: { id: 'm1', at, link: 'test', peer: 'fo:test', replyTo: 'r' },
    });
    const first = decision.result;
    w.say('hub/StationStatus', { resourceId: 'AC-2.1', state: 'available' });
    expect(decision.result).toBe(first);
    await w.close();
  });
});
