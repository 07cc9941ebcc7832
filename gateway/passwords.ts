import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';

/** Cost of a hash: memory is 128 · n · r bytes, time grows with n · r · p (RFC 7914). */
export interface ScryptCost {
  /** A power of two from 2 to 1 048 576. */
  readonly n: number;
  readonly r: number;
  readonly p: number;
}

/** 32 MB and about a quarter of a second. */
export const PASSWORD_COST: ScryptCost = { n: 32_768, r: 8, p: 3 };

export const MIN_PASSWORD = 12;
const MAX_PASSWORD = 1_024;
const KEY_BYTES = 32;
const SALT_BYTES = 16;
/** A file that asks for more is taken for broken, not worked for: 256 MB, and some seconds. */
const MAX_MEMORY = 256 * 1024 * 1024;
const MAX_WORK = 2 ** 24;
const HASH = /^scrypt\$n=(\d{1,7}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9_-]{22,86})\$([A-Za-z0-9_-]{43,86})$/;

/** What is wrong with a new password, in words that complete "The password …"; undefined when nothing is. */
export function passwordProblem(password: string): string | undefined {
  const length = [...password].length;
  if (length < MIN_PASSWORD) return `needs at least ${MIN_PASSWORD} characters; it has ${length}.`;
  if (password.length > MAX_PASSWORD) return `may have at most ${MAX_PASSWORD} characters.`;
  if (new Set(password).size < 4) return 'repeats the same few characters.';
  return undefined;
}

/** `scrypt$n=…,r=…,p=…$salt$hash`, salt and hash in base64url. */
export async function hashPassword(password: string, cost: ScryptCost = PASSWORD_COST): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const key = await derive(password, salt, cost, KEY_BYTES);
  const text = (bytes: Buffer): string => bytes.toString('base64url');
  return `scrypt$n=${cost.n},r=${cost.r},p=${cost.p}$${text(salt)}$${text(key)}`;
}

/** Whether this is a hash that {@link checkPassword} can work with. */
export const isPasswordHash = (text: string): boolean => read(text) !== undefined;

/** Compares in constant time. A hash that cannot be read fits no password. */
export async function checkPassword(password: string, hash: string): Promise<boolean> {
  const known = read(hash);
  if (known === undefined || password.length > MAX_PASSWORD) return false;
  const key = await derive(password, known.salt, known.cost, known.key.length);
  return timingSafeEqual(key, known.key);
}

function read(hash: string): { cost: ScryptCost; salt: Buffer; key: Buffer } | undefined {
  const [, n = '', r = '', p = '', salt = '', key = ''] = HASH.exec(hash) ?? [];
  const cost = { n: Number(n), r: Number(r), p: Number(p) };
  const { n: N, r: R, p: P } = cost;
  if (N < 2 || (N & (N - 1)) !== 0 || R < 1 || P < 1) return undefined;
  if (memoryOf(cost) > MAX_MEMORY || N * R * P > MAX_WORK) return undefined;
  return { cost, salt: Buffer.from(salt, 'base64url'), key: Buffer.from(key, 'base64url') };
}

const memoryOf = ({ n, r, p }: ScryptCost): number => 128 * r * (n + p);

function derive(password: string, salt: Buffer, cost: ScryptCost, bytes: number): Promise<Buffer> {
  // Two ways to type the same letter are the same password.
  const text = password.normalize('NFKC');
  const options = { N: cost.n, r: cost.r, p: cost.p, maxmem: 2 * memoryOf(cost) };
  return new Promise((resolve, reject) => {
    scrypt(text, salt, bytes, options, (error, key) => (error ? reject(error) : resolve(key)));
  });
}
