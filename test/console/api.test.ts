import { describe, expect, it } from 'vitest';
import { ask, errorOf } from '../../gateway/console/api.js';

const answering =
  (response: () => Response | Promise<Response>): typeof fetch =>
  async () =>
    response();

describe('asking the gateway', () => {
  it('gives its answer', async () => {
    const get = answering(() => Response.json({ limit: { nodeId: 'poc' } }));
    expect(await ask('http://gateway/limit', { body: {}, fetch: get })).toEqual({
      ok: true,
      body: { limit: { nodeId: 'poc' } },
    });
  });

  it('gives its error with code, what, remedy and the fields that are wrong', async () => {
    const error = {
      code: 'schema.invalid',
      what: 'The message is not valid.',
      remedy: 'Correct the field.',
      retry: 'afterFix',
      details: [{ path: '/importLimitW', code: 'schema.range', message: 'must be ≥ 0' }],
    };
    const get = answering(() => Response.json({ error }, { status: 400 }));
    const { retry: _, ...shown } = error;
    expect(await ask('http://gateway/limit', { body: {}, fetch: get })).toEqual({ ok: false, error: shown });
  });

  it('says so when nobody answers, and that it may have been done', async () => {
    const get = answering(() => Promise.reject(new TypeError('fetch failed')));
    const result = await ask('http://gateway/limit', { body: {}, fetch: get });
    expect(result).toMatchObject({ ok: false, error: { code: 'console.noAnswer' } });
  });

  it('finds words for an answer without an explanation', async () => {
    const get = answering(() => new Response('<html>Bad gateway', { status: 502 }));
    expect(await ask('http://gateway/limit', { body: {}, fetch: get })).toMatchObject({
      ok: false,
      error: { code: 'http.502' },
    });
    expect(errorOf({ error: 'text' }, 500)).toMatchObject({ code: 'http.500' });
    expect(errorOf(null, 500)).toMatchObject({ code: 'http.500' });
  });

  it('sends JSON when it has something to say', async () => {
    const sent: RequestInit[] = [];
    const get: typeof fetch = async (_url, init) => {
      sent.push(init ?? {});
      return Response.json({});
    };
    await ask('http://gateway/x', { body: { a: 1 }, fetch: get });
    await ask('http://gateway/x', { fetch: get });
    expect(sent[0]).toMatchObject({ method: 'POST', body: '{"a":1}', headers: { 'content-type': 'application/json' } });
    expect(sent[1]?.method).toBeUndefined();
  });
});
