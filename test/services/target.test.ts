import { describe, expect, it } from 'vitest';
import type { Service } from '../../hub/services/service.ts';
import { effectiveTarget } from '../../hub/services/target.ts';
import { ServiceRequest } from '../../model/index.ts';

const T = 1_000_000;

function service(fallback: Service['fsr']['fallback'], patch: Partial<Service> = {}): Service {
  return {
    foId: 'fo:test',
    fsr: { ...ServiceRequest.example, fallback },
    digest: '',
    state: 'active',
    members: [],
    outgoing: [],
    baselineW: 4000,
    inForce: { targetW: -8000, validUntil: T },
    fallback: { since: T, fromW: -8000 },
    ...patch,
  };
}

describe('the target of a service', () => {
  it('is what is in force until it expires', () => {
    expect(effectiveTarget(service({ onExpiry: 'zero' }), T - 1)).toEqual({
      targetW: -8000,
      mode: 'target',
      moving: false,
    });
    expect(effectiveTarget(service({ onExpiry: 'zero' }), T).mode).toBe('fallback');
  });

  it('falls back to zero or to the frozen baseline', () => {
    expect(effectiveTarget(service({ onExpiry: 'zero' }), T).targetW).toBe(0);
    expect(effectiveTarget(service({ onExpiry: 'baseline' }), T).targetW).toBe(4000);
  });

  it('ramps from the last applied power to the fallback in rampS', () => {
    const s = service({ onExpiry: 'zero', rampS: 40 });
    expect(effectiveTarget(s, T)).toMatchObject({ targetW: -8000, moving: true });
    expect(effectiveTarget(s, T + 10_000)).toMatchObject({ targetW: -6000, moving: true });
    expect(effectiveTarget(s, T + 40_000)).toMatchObject({ targetW: 0, moving: false });
  });

  it('is held as long as asked for, and then goes to the baseline', () => {
    const s = service({ onExpiry: 'hold', maxHoldS: 60 });
    expect(effectiveTarget(s, T + 59_000).targetW).toBe(-8000);
    expect(effectiveTarget(s, T + 60_000).targetW).toBe(4000);
  });

  it.each(['mobility', 'local'] as const)('is given up with %s: everyone charges towards the need', (onExpiry) => {
    expect(effectiveTarget(service({ onExpiry }), T)).toEqual({ mode: 'fallback', moving: false });
  });

  it('falls back to the need of drivers when no baseline could be computed', () => {
    const { baselineW: _, ...rest } = service({ onExpiry: 'baseline' });
    expect(effectiveTarget(rest, T).targetW).toBeUndefined();
  });

  it('counts a relative setpoint from the baseline', () => {
    const fsr = {
      ...ServiceRequest.example,
      parameters: { ...ServiceRequest.example.parameters, mode: 'relative' as const },
    } as Service['fsr'];
    expect(effectiveTarget(service({ onExpiry: 'zero' }, { fsr }), T - 1).targetW).toBe(-4000);
  });
});
