/** A small seeded random source. Simulators draw from nothing else, so that a seed repeats a whole run. */
export interface Prng {
  /** Uniform in [0, 1). */
  next(): number;
  /** Uniform in [min, max). */
  between(min: number, max: number): number;
  /** Whole number in [min, max]. */
  int(min: number, max: number): number;
  /** `n` random bytes, for ids. */
  bytes(n: number): Uint8Array;
}

/** xoshiro128** (Blackman, Vigna), its state filled by splitmix32 from `seed`. */
export function createPrng(seed: number): Prng {
  const mix = splitmix32(seed);
  let [a, b, c, d] = [mix(), mix(), mix(), mix()];
  const next32 = (): number => {
    const result = Math.imul(rotl(Math.imul(b, 5), 7), 9) >>> 0;
    const t = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= t;
    d = rotl(d, 11);
    return result;
  };
  const next = (): number => next32() / 2 ** 32;
  return {
    next,
    between: (min, max) => min + next() * (max - min),
    int: (min, max) => min + Math.floor(next() * (max - min + 1)),
    bytes: (n) => Uint8Array.from({ length: n }, () => next32() >>> 24),
  };
}

/** One seed out of several numbers: independent streams for station, EVSE, visit… */
export function seedOf(...parts: readonly number[]): number {
  let h = 0x9e3779b9;
  for (const part of parts) h = finish((Math.imul(h, 31) + (part | 0) + Math.floor(part / 2 ** 32)) | 0);
  return h >>> 0;
}

/** Uniform in [−1, 1), a pure function of its arguments: noise without state. */
export const noise = (...parts: readonly number[]): number => seedOf(...parts) / 2 ** 31 - 1;

function splitmix32(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    return finish(state);
  };
}

function finish(x: number): number {
  let t = Math.imul(x ^ (x >>> 16), 0x21f0aaad);
  t = Math.imul(t ^ (t >>> 15), 0x735a2d97);
  return t ^ (t >>> 15);
}

const rotl = (x: number, k: number): number => (x << k) | (x >>> (32 - k));
