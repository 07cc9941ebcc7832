import { describe, expect, it } from 'vitest';
import { hashOf, parseRoute } from '../../gateway/console/route.js';
import { may, meOf } from '../../gateway/console/session.js';

describe('an address', () => {
  it('opens the overview where it names nothing', () => {
    expect(parseRoute('')).toEqual({ view: 'overview', params: {} });
  });

  it('names a view with what it is opened with, there and back', () => {
    const params = { follow: 'fsr & 1', stage: 'fo,ocpp' };
    expect(parseRoute(hashOf('wire', { ...params, peer: '', topic: undefined }))).toEqual({ view: 'wire', params });
  });

  it('that names no view of ours leaves the view as it is', () => {
    for (const hash of ['#main', '#/nothing', '#wire', '#/wire/deep']) expect(parseRoute(hash)).toBeUndefined();
  });

  it('carries no endless texts', () => {
    expect(parseRoute(`#/wire?follow=${'x'.repeat(2000)}`)?.params).toEqual({});
  });
});

describe('who looks at the console', () => {
  const error = (code: string) => meOf({ ok: false, error: { code, what: '', remedy: '' } });

  it('may do what the role allows and everything below it', () => {
    const operator = { name: 'otto', role: 'operator', authRequired: true } as const;
    expect(['viewer', 'operator', 'engineer'].map((r) => may(operator, r as 'viewer'))).toEqual([true, true, false]);
    expect(may({ name: undefined, role: undefined, authRequired: true }, 'viewer')).toBe(false);
  });

  it('has to log in where the gateway says so', () => {
    expect(meOf({ ok: true, body: { name: null, role: null, authRequired: true } })).toEqual({
      name: undefined,
      role: undefined,
      authRequired: true,
    });
    expect(error('api.unauthorised')).toMatchObject({ role: undefined, authRequired: true });
  });

  it('has no role that is not known', () => {
    expect(meOf({ ok: true, body: { name: 'x', role: 'root', authRequired: true } })?.role).toBeUndefined();
  });

  it('stays who it was while the gateway does not answer', () => {
    expect(error('console.noAnswer')).toBeUndefined();
  });
});
