import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { verify } from '../../gateway/cli/verify.ts';
import { siteNodes, useGateway } from '../support/gateway.ts';

const gw = useGateway();
const SITE = '/v2gate/api/sites/site:harbour';

async function get(path: string): Promise<{ status: number; type: string; text: string }> {
  const res = await gw().get(path);
  return { status: res.status, type: res.headers.get('content-type') ?? '', text: await res.text() };
}

beforeAll(async () => {
  await gw().deploy(siteNodes());
  await gw().linkUrl('v2gate-ocpp-server');
});

describe('evidence over HTTP', () => {
  it('publishes the public keys at two places', async () => {
    const [one, two] = [await get('/v2gate/api/jwks.json'), await get('/.well-known/jwks.json')];
    expect(one).toMatchObject({ status: 200, type: 'application/jwk-set+json; charset=utf-8' });
    expect(one.text).toBe(two.text);
    const { keys } = JSON.parse(one.text) as { keys: Record<string, string>[] };
    expect(keys).toEqual([
      {
        kty: 'OKP',
        crv: 'Ed25519',
        x: expect.any(String),
        alg: 'EdDSA',
        use: 'sig',
        kid: gw().gateway.runtime.signers.signer.keyId,
      },
    ]);
  });

  it('exports an event log that verify accepts, whole or from a number on', async () => {
    const site = gw().gateway.runtime.sites.get('site:harbour');
    for (let i = 0; i < 5; i++)
      site?.evidence.note({ kind: 'x', severity: 'info', subject: [`n${i}`], parties: ['fo:demo'] });
    const local = await get(`${SITE}/events`);
    expect(local).toMatchObject({ status: 200, type: 'application/x-ndjson' });
    expect(local.text.split('\n')[0]).toContain('"kind":"gateway.restart"');
    const fo = await get(`${SITE}/events?fo=fo:demo`);
    expect(fo.text.trimEnd().split('\n')).toHaveLength(5);
    const from = await get(`${SITE}/events?fo=fo:demo&from=4`);
    expect(from.text).toBe(`${fo.text.split('\n').slice(3, 5).join('\n')}\n`);
    const dir = mkdtempSync(join(tmpdir(), 'v2gate-'));
    writeFileSync(join(dir, 'l.jsonl'), fo.text);
    const say = () => undefined;
    expect(await verify([join(dir, 'l.jsonl')], { out: say, err: say, stdin: (async function* () {})() })).toBe(0);
    rmSync(dir, { recursive: true });
    const { chains } = JSON.parse((await get(`${SITE}/chains`)).text) as { chains: string[] };
    expect(chains.sort()).toEqual(['fo:demo', 'local']);
  });

  it('lists records and proofs, and says what it does not find', async () => {
    expect(JSON.parse((await get(`${SITE}/records`)).text)).toEqual({ records: [] });
    expect(JSON.parse((await get(`${SITE}/proofs?fo=fo:demo&limit=5`)).text)).toEqual({ proofs: [] });
    expect(await get(`${SITE}/proofs/prf:none`)).toMatchObject({ status: 404 });
    expect(await get('/v2gate/api/sites/elsewhere/records')).toMatchObject({ status: 404 });
    for (const query of ['limit=0', 'limit=x', 'limit=1001', 'fo=a&fo=b', `fo=${'x'.repeat(65)}`])
      expect(await get(`${SITE}/records?${query}`), query).toMatchObject({ status: 400 });
    expect(await get(`${SITE}/events?from=0`)).toMatchObject({ status: 400 });
  });
});
