import { beforeEach, describe, expect, it } from 'vitest';
import { iso } from '../../core/clock.ts';
import type { Decided } from '../../hub/services/book.ts';
import { NOTICE_LIFE_MS, withNotice } from '../../hub/services/notices.ts';
import { type BookWorld, bookWorld } from './kit.ts';

let w: BookWorld;
beforeEach(() => {
  w = bookWorld();
});

const set = (seq: number, targetW: number, patch: Record<string, unknown> = {}, fo = 'fo:test'): Decided => {
  const setpoint = { fsrId: 'N-1', seq, targetW, validUntil: iso(w.clock.now() + 60_000), ...patch };
  const decided = w.book.setpoint({ setpoint }, fo);
  if (decided.setpoint) w.book.commitSetpoint(decided.setpoint, fo);
  return decided;
};
const newest = () => w.book.get('fo:test/N-1')?.course.setpoint;
const force = () => w.book.get('fo:test/N-1')?.course.inForce;

describe('a setpoint', () => {
  it('of an active service becomes a target for the allocation', () => {
    w.active();
    const { result, target } = set(1, -5000);
    expect(result).toEqual({ status: 'ok', state: 'active', data: { appliedW: -5000 } });
    expect(target).toMatchObject({ fsrId: 'N-1', targetW: -5000, seq: 1 });
  });

  it('that is clipped says so and by what', () => {
    w.active();
    w.can.high = 15_000;
    expect(set(1, 20_000).result).toMatchObject({
      status: 'ok',
      code: 'limit.clipped',
      data: { appliedW: 15_000, limitedBy: 'wished' },
    });
  });

  it('that asks for reactive power is refused, so that nobody takes it for delivered', () => {
    w.active();
    expect(set(1, 1000, { reactiveVar: 500 }).result).toMatchObject({
      status: 'rejected',
      code: 'capability.unsupported',
      details: [{ path: '/setpoint/reactiveVar' }],
    });
    expect(force()).toBeUndefined();
  });

  it('before the window begins is kept and in force when it begins', () => {
    w.ask();
    const { result, target } = set(1, 1000);
    expect(result.status).toBe('ok');
    expect(target).toBeUndefined();
    const begun = w.book.begun(w.service(), newest());
    if (begun) w.book.commit(begun);
    expect(force()).toMatchObject({ targetW: 1000, seq: 1 });
    expect(w.notices().at(-1)?.payload).toMatchObject({ phase: 'active', powerW: 1000 });
  });

  it('that takes effect later gives no target yet, and its validity counts from then', () => {
    w.active();
    const effectiveAt = iso(w.clock.now() + 100_000);
    const far = set(1, 1000, { effectiveAt, validUntil: iso(w.clock.now() + 400_000) });
    expect(far.result.status).toBe('ok');
    expect(far.target).toBeUndefined();
    expect(set(2, 1000, { effectiveAt, validUntil: effectiveAt }).result.code).toBe('param.invalid');
    const after = { effectiveAt: iso(w.clock.now() + 181_000), validUntil: iso(w.clock.now() + 190_000) };
    expect(set(2, 1000, after).result.code).toBe('time.window');
  });

  it('that comes again unchanged is answered again, since its answer may have been lost', () => {
    w.active();
    set(3, 7000);
    expect(set(3, 7000).result).toMatchObject({ status: 'ok', data: { appliedW: 7000 } });
    expect(set(3, 7001).result).toMatchObject({ status: 'rejected', code: 'seq.stale' });
  });

  it.each([
    ['an older seq', 1, 0, {}, 'seq.stale'],
    ['one that expired on the way', 3, 0, { validUntil: '2025-12-31T00:00:00Z' }, 'time.expired'],
    ['one beyond what was requested', 3, 30_000, {}, 'param.range'],
    ['one that would hold for hours', 3, 0, { validUntil: '2026-01-01T02:00:00Z' }, 'param.range'],
    ['one of an unknown service', 3, 0, { fsrId: 'N-9' }, 'id.unknown'],
  ])('%s is refused and changes nothing', (_what, seq, targetW, patch, code) => {
    w.active();
    set(2, 7000);
    expect(set(seq, targetW, patch).result).toMatchObject({ status: 'rejected', code });
    expect(newest()).toMatchObject({ seq: 2, targetW: 7000 });
  });

  it('of another party does not reach the service', () => {
    w.active();
    expect(set(9, 0, {}, 'fo:other').result).toMatchObject({ code: 'id.unknown' });
  });
});

describe('a target that reaches the allocation', () => {
  const validUntil = () => iso(w.clock.now() + 60_000);

  it('is in force, and never an older one after a newer', () => {
    w.active();
    expect(force()).toBeUndefined();
    expect(w.book.inForce({ fsrId: 'N-1', targetW: 1, validUntil: validUntil(), seq: 5 })).toBeDefined();
    expect(w.book.inForce({ fsrId: 'N-1', targetW: 2, validUntil: validUntil(), seq: 4 })).toBeUndefined();
    expect(force()?.targetW).toBe(1);
  });

  it('stays within what the service asked for, whatever a flow made of it', () => {
    w.active();
    w.book.inForce({ fsrId: 'N-1', targetW: 1e6, validUntil: iso(w.clock.now() + 86_400_000) });
    expect(force()?.targetW).toBe(20_000);
    expect(force()?.validUntil).toBeLessThanOrEqual(w.clock.now() + 310_000);
  });

  it('is for nobody before the window has begun', () => {
    w.ask();
    expect(w.book.inForce({ fsrId: 'N-1', targetW: 1, validUntil: validUntil() })).toBeUndefined();
  });
});

describe('the initial power of a request', () => {
  it('is in force from the begin for as long as a setpoint would be', () => {
    w.active({}, { initialW: 6000, validityS: 30 });
    expect(force()).toEqual({ targetW: 6000, validUntil: w.clock.now() + 30_000 });
  });
});

describe('the most important service', () => {
  it('is the one of higher priority, then the one that was accepted first (fo 6.3)', async () => {
    const at = (fsrId: string, priority: number, acceptedAt: number) => ({
      ...w.request({ fsrId, priority }),
      fsrId,
      acceptedAt,
    });
    for (const { fsr, acceptedAt } of [at('A', 5, 2), at('B', 3, 3), at('C', 3, 1)]) {
      w.book.commit({ foId: 'fo:test', fsr, digest: '', state: 'active', acceptedAt, members: [], outgoing: [] });
    }
    expect(w.book.leading(w.clock.now())?.service.fsr.fsrId).toBe('C');
    w.book.forget('fo:test/C');
    expect(w.book.leading(w.clock.now())?.service.fsr.fsrId).toBe('B');
    expect(w.book.leading(w.clock.now() + 180_000)).toBeUndefined();
  });
});

describe('the end of a service', () => {
  const cancel = (at = w.clock.now(), rampS?: number): Decided => {
    const body = { fsrId: 'N-1', reason: 'market closed', at: iso(at), ...(rampS === undefined ? {} : { rampS }) };
    const decided = w.book.cancel(body, 'fo:test');
    if (decided.service) w.book.commit(decided.service);
    return decided;
  };

  it('by cancel is told with the reason, and a second cancel is invalid', () => {
    w.ask();
    expect(cancel().result).toEqual({ status: 'ok', state: 'aborted' });
    expect(w.notices().at(-1)?.payload).toMatchObject({ phase: 'aborted', cause: 'market closed' });
    expect(cancel().result).toMatchObject({ status: 'rejected', code: 'state.invalid' });
  });

  it('by a cancel that lies ahead is only noted', () => {
    w.active();
    expect(cancel(w.clock.now() + 30_000).result).toEqual({ status: 'ok', state: 'active' });
    expect(w.service().cancel).toMatchObject({ at: w.clock.now() + 30_000 });
  });

  it('by cancel leads from what was applied to the fallback over its ramp', () => {
    w.active({ fallback: { onExpiry: 'zero', rampS: 10 } });
    const course = w.book.get('fo:test/N-1')?.course;
    if (course) course.applied = { targetW: 8000, shortfallW: 0, at: 0 };
    cancel(w.clock.now(), 40);
    expect(course?.tail).toMatchObject({ fromW: 8000, toW: 0, until: w.clock.now() + 40_000 });
    expect(w.book.leading(w.clock.now() + 39_000)?.service.state).toBe('aborted');
    expect(w.book.leading(w.clock.now() + 40_000)).toBeUndefined();
  });

  it('is remembered until its last notice is delivered', async () => {
    w.ask();
    cancel();
    await w.clock.advance(3_600_000);
    expect(w.book.over()).toEqual([]);
    w.book.commit({ ...w.service(), outgoing: [] });
    expect(w.book.over()).toHaveLength(1);
  });
});

describe('notices that nobody takes', () => {
  it('are bounded, and those that tell a state are kept longest', () => {
    w.active();
    let s = w.service();
    for (let i = 0; i < 300; i++) s = withNotice(s, w.clock, i % 2 ? 'deviation' : 'resourceLost');
    expect(s.outgoing).toHaveLength(200);
    expect(s.outgoing[0]?.topic).toBe('hub/ServiceDecision');
    expect(s.outgoing[1]?.payload).toMatchObject({ phase: 'active' });
  });

  it('are given up after a day', async () => {
    w.active();
    expect(w.book.withoutOldNotices(w.service())).toBeUndefined();
    await w.clock.advance(NOTICE_LIFE_MS + 1000);
    expect(w.book.withoutOldNotices(w.service())?.outgoing).toEqual([]);
  });
});
