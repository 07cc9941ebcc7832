import { readFile } from 'node:fs/promises';
import { codeOf } from '../../core/errors.ts';
import { parseJson } from '../../core/json.ts';
import { type KeyPoint, type VerifyKey, verifyKey } from '../../core/signing.ts';
import { GATEWAY_ERRORS } from '../errors.ts';

const LIMITS = { maxBytes: 1_048_576, maxDepth: 16, duplicateKeys: 'reject' } as const;
const PATIENCE_MS = 5_000;

/** Where a gateway on this machine publishes its keys. */
export const localJwks = (port: string | undefined): string =>
  `http://127.0.0.1:${port || '1880'}/.well-known/jwks.json`;

/**
 * The keys of a JWKS, by file or URL. Keys of other kinds are left out. Rejects with `verify.noKeys`.
 */
export async function readKeys(place: string): Promise<VerifyKey[]> {
  const isUrl = /^https?:\/\//.test(place);
  let content: unknown;
  try {
    content = parseJson(isUrl ? await download(place) : await readFile(place, 'utf8'), LIMITS);
  } catch (e) {
    const why = codeOf(e) ?? (e instanceof Error ? e.message : 'unknown');
    throw GATEWAY_ERRORS.fail('verify.noKeys', `No public keys at ${place} (${why}).`);
  }
  const list: unknown = typeof content === 'object' && content !== null ? Reflect.get(content, 'keys') : undefined;
  const keys = (Array.isArray(list) ? list : []).flatMap(keyOf);
  if (keys.length === 0) throw GATEWAY_ERRORS.fail('verify.noKeys', `${place} holds no key for Ed25519 or ES256.`);
  return keys;
}

async function download(url: string): Promise<string> {
  const res = await fetch(url, { signal: AbortSignal.timeout(PATIENCE_MS), redirect: 'error' });
  if (!res.ok) throw new Error(`HTTP ${res.status}`);
  return res.text();
}

/** The kind follows from the curve; `alg` and `kid` of the file are not believed. */
function keyOf(jwk: unknown): VerifyKey[] {
  if (typeof jwk !== 'object' || jwk === null) return [];
  const [crv, x, y]: unknown[] = ['crv', 'x', 'y'].map((name) => Reflect.get(jwk, name));
  if (typeof x !== 'string' || (crv !== 'Ed25519' && crv !== 'P-256')) return [];
  const point: KeyPoint =
    crv === 'Ed25519' ? { alg: 'EdDSA', x } : { alg: 'ES256', x, ...(typeof y === 'string' ? { y } : {}) };
  try {
    return [verifyKey(point)];
  } catch {
    return [];
  }
}
