import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { chmod, mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { codeOf } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import { jwkOfKey, type PublicJwk, publicJwk, type SignatureAlg, signBytes } from '../core/signing.ts';
import type { Signer } from '../hub/ports.ts';
import type { SiteFile } from '../model/index.ts';
import { GATEWAY_ERRORS } from './errors.ts';
import type { SecretSource } from './secrets.ts';

export interface SignerOptions {
  /** Private key, PEM (PKCS 8); made at the first start. */
  readonly file: string;
  /** Of a key that is made; a key that is there says itself what it is. */
  readonly alg: SignatureAlg;
  /** Where public keys are remembered, and relative paths of site files begin. */
  readonly folder: string;
  readonly secret: SecretSource;
  readonly log: Log;
  /** Whether records or proofs are kept that were signed here; default: nobody knows. */
  readonly signedBefore?: () => Promise<boolean>;
}

/** The signing keys of a gateway process. */
export interface Signers {
  readonly signer: Signer;
  /** The signer of a site: by `keys` with `use: sign` of its file, else the gateway's. Rejects with `signer.broken`. */
  forSite(file: SiteFile): Promise<Signer>;
  /** Every public key with which something here was ever signed, the present ones first. */
  publicKeys(): readonly PublicJwk[];
}

/** As many former keys are published; what they signed stays checkable. */
const MAX_KEYS = 64;

/**
 * Opens the gateway's signing key, or makes the first one (readable by its owner only). A key that takes the place of
 * another is the rotation: the public half of the former stays published (fo 9.4). A key that is gone is not replaced by
 * itself: operators know the gateway by it. Rejects with `signer.broken` or `signer.lost`.
 */
export async function openSigners(o: SignerOptions): Promise<Signers> {
  const book = await openKeyBook(join(o.folder, 'signing-keys.json'));
  const sign = async (key: KeyObject): Promise<Signer> => {
    const jwk = jwkOf(key);
    await book.add(jwk);
    return {
      alg: jwk.alg,
      keyId: jwk.kid,
      sign: (bytes) => signBytes(key, jwk.alg, bytes),
      publicKeys: () => book.keys(),
    };
  };
  const known = await readKey(o.file, o.log);
  if (known === undefined && (book.keys().length > 0 || (await o.signedBefore?.()))) throw lost(o.file, book.keys());
  const signer = await sign(known ?? (await makeKey(o)));
  return {
    signer,
    publicKeys: () => book.keys(),
    async forSite(file) {
      const ref = file.keys?.find((k) => k.use === 'sign')?.keyRef;
      if (ref === undefined) return signer;
      const secret = o.secret(ref);
      const path = resolve(o.folder, ref);
      const key = secret === undefined ? await readKey(path, o.log) : parseKey(secret, `the secret ${ref}`);
      if (key) return sign(key);
      throw GATEWAY_ERRORS.fail('signer.broken', `There is no secret ${ref} and no file ${path} with a signing key.`);
    },
  };
}

function lost(file: string, [last]: readonly PublicJwk[]): Error {
  const which = last === undefined ? 'records that were signed are kept' : `its public half ${last.kid} is known`;
  return GATEWAY_ERRORS.fail('signer.lost', `The signing key ${file} is gone, but ${which}.`, {
    remedy: `Restore it with \`npx v2gate restore\`, or copy it there from a backup. If there is none, or you want another one: \`openssl genpkey -algorithm ed25519 -out ${file} && chmod 600 ${file}\`; what was signed before stays checkable.`,
  });
}

async function readKey(file: string, log: Log): Promise<KeyObject | undefined> {
  let pem: string;
  try {
    pem = await readFile(file, 'utf8');
  } catch (e) {
    if (codeOf(e) === 'ENOENT') return undefined;
    throw GATEWAY_ERRORS.fail('signer.broken', `The signing key ${file} cannot be read (${codeOf(e) ?? 'unknown'}).`);
  }
  const { mode } = await stat(file);
  if ((mode & 0o077) !== 0)
    log.warn('signer.readable', { file, text: 'others may read this file; run chmod 600 on it' });
  return parseKey(pem, file);
}

/** Says nothing of what is wrong inside, because a message could show the key. */
function parseKey(pem: string, name: string): KeyObject {
  try {
    const key = createPrivateKey(pem);
    jwkOfKey(key);
    return key;
  } catch {
    throw GATEWAY_ERRORS.fail('signer.broken', `What ${name} holds is not an Ed25519 or P-256 private key as PEM.`);
  }
}

async function makeKey({ file, alg, log }: SignerOptions): Promise<KeyObject> {
  const { privateKey } =
    alg === 'EdDSA' ? generateKeyPairSync('ed25519') : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    await writeFile(file, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600, flag: 'wx' });
    await chmod(file, 0o600);
  } catch (e) {
    throw GATEWAY_ERRORS.fail('signer.broken', `No signing key can be put into ${file} (${codeOf(e) ?? 'unknown'}).`);
  }
  log.info('signer.made', { file, keyId: jwkOf(privateKey).kid, alg });
  return privateKey;
}

const jwkOf = (key: KeyObject): PublicJwk => jwkOfKey(key);

interface KeyBook {
  keys(): readonly PublicJwk[];
  /** Makes it the first. */
  add(jwk: PublicJwk): Promise<void>;
}

async function openKeyBook(file: string): Promise<KeyBook> {
  let keys = await readBook(file);
  return {
    keys: () => keys,
    async add(jwk) {
      if (keys[0]?.kid === jwk.kid) return;
      keys = [jwk, ...keys.filter((k) => k.kid !== jwk.kid)].slice(0, MAX_KEYS);
      try {
        await writeFile(`${file}.new`, `${JSON.stringify({ keys }, undefined, 2)}\n`);
        await rename(`${file}.new`, file);
      } catch (e) {
        throw GATEWAY_ERRORS.fail(
          'signer.broken',
          `Public keys cannot be kept in ${file} (${codeOf(e) ?? 'unknown'}).`,
        );
      }
    },
  };
}

async function readBook(file: string): Promise<readonly PublicJwk[]> {
  try {
    const content: unknown = JSON.parse(await readFile(file, 'utf8'));
    const keys: unknown = typeof content === 'object' && content !== null ? Reflect.get(content, 'keys') : undefined;
    if (!Array.isArray(keys)) throw new TypeError('no keys');
    return keys.map((k: PublicJwk) => publicJwk(k));
  } catch (e) {
    if (codeOf(e) === 'ENOENT') return [];
    throw GATEWAY_ERRORS.fail('signer.broken', `The list of public keys ${file} is not a JWKS.`, {
      remedy: 'Restore it from a backup; without it what was signed with former keys cannot be checked any more.',
    });
  }
}
