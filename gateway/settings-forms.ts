import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { isId } from '../core/ids.ts';

/** How the text of an environment variable becomes a value. */
export interface Form<T> {
  /** What is allowed, in words that complete "must be …", with range and unit. */
  readonly allowed: string;
  /** Undefined where the text is not allowed. */
  parse(text: string): T | undefined;
}

/** A whole number from `min` to `max`. */
export function count(min: number, max: number, unit: string): Form<number> {
  return {
    allowed: `a whole number from ${min} to ${max}${unit === '' ? '' : ` ${unit}`}`,
    parse(text) {
      const n = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
      return n >= min && n <= max ? n : undefined;
    },
  };
}

/** A TCP port; 0 lets the system choose. */
export const port: Form<number> = { ...count(0, 65_535, ''), allowed: 'a port from 1 to 65535, or 0 for any free one' };

export const flag: Form<boolean> = {
  allowed: '`on` or `off`',
  parse(text) {
    const word = text.toLowerCase();
    if (['on', 'true', 'yes', '1'].includes(word)) return true;
    if (['off', 'false', 'no', '0'].includes(word)) return false;
    return undefined;
  },
};

export function oneOf<const T extends string>(...words: readonly T[]): Form<T> {
  return {
    allowed: words.map((w) => `\`${w}\``).join(' or '),
    parse: (text) => words.find((w) => w === text.toLowerCase()),
  };
}

/** A path, made absolute from the folder in which the process was started. */
export const path: Form<string> = {
  allowed: 'a path',
  parse: (text) => (text.includes('\0') ? undefined : resolve(text)),
};

export const host: Form<string> = {
  allowed: 'an IP address or a host name',
  parse: (text) => (/^[A-Za-z0-9.:_-]{1,255}$/.test(text) ? text : undefined),
};

export const address: Form<string> = {
  allowed: 'an IP address',
  parse: (text) => (isIP(text) === 0 ? undefined : text.toLowerCase()),
};

export const id: Form<string> = {
  allowed: '1 to 64 characters of A–Z a–z 0–9 . _ : -',
  parse: (text) => (isId(text) ? text : undefined),
};

/** A secret of at least `min` characters. */
export function secret(min: number): Form<string> {
  return {
    allowed: `a text of at least ${min} characters`,
    parse: (text) => (text.length >= min && text.length <= 1024 ? text : undefined),
  };
}

/** True only for exactly these words. */
export function words(sentence: string): Form<boolean> {
  return {
    allowed: `exactly the words “${sentence}”`,
    parse: (text) => (text.toLowerCase().replaceAll(/\s+/g, ' ') === sentence.toLowerCase() ? true : undefined),
  };
}
