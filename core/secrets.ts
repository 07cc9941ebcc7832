import { createHash, timingSafeEqual } from 'node:crypto';

/**
 * Whether somebody gave the right secret; text counts as UTF-8. Its duration tells nothing about what was right. An
 * expected secret that is missing or empty opens nothing (ocpp 1.5, fo 9.4).
 */
export function sameSecret(expected: Uint8Array | string | undefined, given: Uint8Array | string | undefined): boolean {
  if (expected === undefined || expected.length === 0 || given === undefined) return false;
  const digest = (x: Uint8Array | string): Buffer => createHash('sha256').update(x).digest();
  return timingSafeEqual(digest(expected), digest(given));
}
