import {
  type Cipheriv,
  createCipheriv,
  createDecipheriv,
  createHmac,
  type Decipheriv,
  randomBytes,
  scrypt,
  timingSafeEqual,
} from 'node:crypto';

/** How the keys of a backup follow from its passphrase (RFC 7914): memory is 128 · n · r bytes. */
export interface Derivation {
  readonly n: number;
  readonly r: number;
  readonly p: number;
  /** base64url */
  readonly salt: string;
}

/** The keys of one backup. */
export interface BackupKeys {
  /** Begins to encrypt one entry; `head` stands before its text and `cipher.getAuthTag()` behind it. */
  seal(path: string): { readonly head: Buffer; readonly cipher: Cipheriv & { getAuthTag(): Buffer } };
  /** The other way round. Its `final` throws when a bit of the entry, or its path, is not what it was. */
  open(path: string, head: Buffer, tag: Buffer): Decipheriv;
  /** Over everything that says what the backup is and holds. */
  mac(text: Buffer): Buffer;
  fits(text: Buffer, mac: Buffer): boolean;
}

export const HEAD_BYTES = 12;
export const TAG_BYTES = 16;
/** More would be a file that makes the machine work for nothing: 256 MB, and some seconds. */
const MAX_MEMORY = 256 * 1024 * 1024;
const MAX_WORK = 2 ** 24;
const CIPHER = 'aes-256-gcm';

/** 64 MB and a fraction of a second, with a salt of its own. */
export const newDerivation = (): Derivation => ({ n: 65_536, r: 8, p: 1, salt: randomBytes(16).toString('base64url') });

/** Whether a file may ask for this. */
export function isSound({ n, r, p, salt }: Derivation): boolean {
  const whole = [n, r, p].every((x) => Number.isInteger(x) && x > 0);
  return (
    whole &&
    n > 1 &&
    (n & (n - 1)) === 0 &&
    128 * r * (n + p) <= MAX_MEMORY &&
    n * r * p <= MAX_WORK &&
    /^[\w-]{22,86}$/.test(salt)
  );
}

export async function deriveKeys(passphrase: string, { n, r, p, salt }: Derivation): Promise<BackupKeys> {
  const derived = await new Promise<Buffer>((resolve, reject) => {
    const options = { N: n, r, p, maxmem: 2 * MAX_MEMORY };
    // Two ways to type the same letter are the same passphrase.
    scrypt(passphrase.normalize('NFKC'), Buffer.from(salt, 'base64url'), 64, options, (error, key) =>
      error ? reject(error) : resolve(key),
    );
  });
  const [secret, macKey] = [derived.subarray(0, 32), derived.subarray(32)];
  const mac = (text: Buffer): Buffer => createHmac('sha256', macKey).update(text).digest();
  return {
    seal(path) {
      const head = randomBytes(HEAD_BYTES);
      const cipher = createCipheriv(CIPHER, secret, head);
      cipher.setAAD(Buffer.from(path, 'utf8'));
      return { head, cipher };
    },
    open(path, head, tag) {
      const decipher = createDecipheriv(CIPHER, secret, head);
      decipher.setAAD(Buffer.from(path, 'utf8'));
      decipher.setAuthTag(tag);
      return decipher;
    },
    mac,
    fits: (text, given) => given.length === 32 && timingSafeEqual(mac(text), given),
  };
}
