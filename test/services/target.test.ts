import { describe, expect, it } from 'vitest';
import type { Course, Service } from '../../hub/services/service.ts';
import { deviationOf, expectedW, goalAt, steer } from '../../hub/services/target.ts';
import { ServiceRequest } from '../../model/index.ts';

const T = 1_000_000;

function service(fallback: Service['fsr']['fallback'], parameters: object = {}): Service {
  const fsr = { ...ServiceRequest.example, fallback } as Service['fsr'];
  return {
    foId: 'fo:test',
    fsr: { ...fsr, parameters: { ...fsr.parameters, ...parameters } } as Service['fsr'],
    digest: '',
    state: 'active',
    members: [],
    outgoing: [],
    baselineW: 4000,
  };
}

const course = (patch: Partial<Course> = {}): Course => ({
  lost: [],
  inForce: { targetW: -8000, validUntil: T },
  fallback: { since: T, fromW: -8000 },
  ...patch,
});

describe('the target of a service', () => {
  it('is what is in force until it expires', () => {
    const s = service({ onExpiry: 'zero' });
    expect(goalAt(s, course(), T - 1)).toEqual({ targetW: -8000, mode: 'target', moving: false });
    expect(goalAt(s, course(), T).mode).toBe('fallback');
  });

  it('falls back to zero or to the frozen baseline', () => {
    expect(goalAt(service({ onExpiry: 'zero' }), course(), T).targetW).toBe(0);
    expect(goalAt(service({ onExpiry: 'baseline' }), course(), T).targetW).toBe(4000);
  });

  it('ramps from the last applied power to the fallback in rampS', () => {
    const s = service({ onExpiry: 'zero', rampS: 40 });
    expect(goalAt(s, course(), T)).toMatchObject({ targetW: -8000, moving: true });
    expect(goalAt(s, course(), T + 10_000)).toMatchObject({ targetW: -6000, moving: true });
    expect(goalAt(s, course(), T + 40_000)).toMatchObject({ targetW: 0, moving: false });
  });

  it('is held as long as asked for, at most 900 s, and then goes to the baseline', () => {
    const s = service({ onExpiry: 'hold', maxHoldS: 60 });
    expect(goalAt(s, course(), T + 59_000).targetW).toBe(-8000);
    expect(goalAt(s, course(), T + 60_000).targetW).toBe(4000);
    expect(goalAt(service({ onExpiry: 'hold' }), course(), T + 899_000).targetW).toBe(-8000);
    expect(goalAt(service({ onExpiry: 'hold' }), course(), T + 900_000).targetW).toBe(4000);
  });

  it('has nothing to hold before the first setpoint', () => {
    expect(goalAt(service({ onExpiry: 'hold' }), { lost: [] }, T).targetW).toBe(4000);
  });

  it.each(['mobility', 'local'] as const)('is given up with %s: everyone charges towards the need', (onExpiry) => {
    expect(goalAt(service({ onExpiry }), course(), T)).toEqual({ mode: 'fallback', moving: false });
  });

  it('falls back to the need of drivers when no baseline could be computed', () => {
    const { baselineW: _, ...rest } = service({ onExpiry: 'baseline' });
    expect(goalAt(rest, course(), T).targetW).toBeUndefined();
  });

  it('counts a relative setpoint from the baseline', () => {
    expect(goalAt(service({ onExpiry: 'zero' }, { mode: 'relative' }), course(), T - 1).targetW).toBe(-4000);
  });

  it('leads an ended service out over its ramp', () => {
    const tail = { since: T, until: T + 10_000, fromW: 6000, toW: 0 };
    expect(goalAt(service({ onExpiry: 'zero' }), course({ tail }), T + 5000)).toMatchObject({ targetW: 3000 });
  });
});

describe('the ramp of a request', () => {
  const s = service({ onExpiry: 'zero' }, { rampWPerS: 100 });
  const force = (targetW: number): Partial<Course> => ({ inForce: { targetW, validUntil: T + 600_000 } });

  it('starts at the measured power and moves no faster than rampWPerS', () => {
    const c = course(force(5000));
    expect(steer(s, c, T, () => 2000)).toMatchObject({ targetW: 2000, moving: true });
    expect(steer(s, c, T + 10_000, () => 0)).toMatchObject({ targetW: 3000, moving: true });
    expect(steer(s, c, T + 60_000, () => 0)).toMatchObject({ targetW: 5000, moving: false });
  });

  it('turns around where it stands when the target changes', () => {
    const c = course(force(5000));
    steer(s, c, T, () => 0);
    steer(s, c, T + 20_000, () => 0);
    Object.assign(c, force(-5000));
    expect(steer(s, c, T + 30_000, () => 0).targetW).toBe(1000);
    expect(steer(s, c, T + 50_000, () => 0).targetW).toBe(-1000);
  });

  it('does not move backwards in time when the clock is set back', () => {
    const c = course(force(5000));
    steer(s, c, T, () => 0);
    steer(s, c, T + 20_000, () => 0);
    expect(steer(s, c, T - 3_600_000, () => 0).targetW).toBe(2000);
  });

  it('is not there unless the request says so', () => {
    expect(steer(service({ onExpiry: 'zero' }), course(force(5000)), T, () => 0).targetW).toBe(5000);
  });
});

describe('a deviation', () => {
  const applied = { targetW: 1000, shortfallW: 0, at: T };
  const s = service({ onExpiry: 'zero' }, { toleranceW: 500 });

  it('is more than what is tolerated, on both sides', () => {
    expect(deviationOf(s, applied, 1000, 1500)).toBeUndefined();
    expect(deviationOf(s, applied, 1000, 1501)).toBe('off.target');
    expect(deviationOf(s, applied, 1000, 499)).toBe('off.target');
  });

  it('says whether needs, limits or the stations are the cause', () => {
    expect(deviationOf(s, { ...applied, shortfallW: 501 }, 1000, 1000)).toBe('needs.shortfall');
    expect(deviationOf(s, { ...applied, limitedBy: 'poc' }, 9000, 1000)).toBe('limit.clipped');
    expect(deviationOf(s, { ...applied, limitedBy: 'poc' }, 9000, 5000)).toBe('off.target');
  });

  it('is counted from what the FO was told, on a ramp from where that is, in a fallback from what is applied', () => {
    const c = course({
      inForce: { targetW: 8000, validUntil: T, seq: 2 },
      applied,
      promise: { seq: 2, targetW: 6000 },
    });
    expect(expectedW(s, c, T - 1)).toBe(6000);
    expect(expectedW(s, { ...c, ramp: { targetW: 2000, at: T } }, T - 1)).toBe(2000);
    expect(expectedW(s, { ...c, promise: { seq: 1, targetW: 6000 } }, T - 1)).toBe(8000);
    expect(expectedW(s, { ...c, promise: { seq: 2, targetW: 9000 } }, T - 1)).toBe(9000);
    expect(expectedW(s, c, T)).toBe(1000);
  });
});
