import { createHash } from 'node:crypto';
import { canonical, parseJson } from '../../core/json.ts';
import { Envelope, FO_LIMITS } from './envelope.ts';
import { FO_ERRORS } from './errors.ts';
import { FO_PROFILE } from './types.ts';

/** One frame, read: the envelope, or why not and whatever could be read of it for the answer. */
export type Decoded =
  | { readonly ok: true; readonly envelope: Envelope }
  | {
      readonly ok: false;
      readonly error: unknown;
      readonly messageId?: string;
      readonly type?: string;
      readonly from?: string;
      readonly eventSeq?: number;
    };

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Reads a frame: 256 KiB, depth 32, no duplicate keys (fo 4.2, 9.2). Never throws. */
export function decode(text: string): Decoded {
  let raw: unknown;
  try {
    raw = parseJson(text, { maxBytes: FO_LIMITS.maxBytes, maxDepth: FO_LIMITS.maxDepth, duplicateKeys: 'reject' });
  } catch (error) {
    return { ok: false, error };
  }
  try {
    const profile = textOf(raw, 'profile');
    if (profile !== undefined && profile !== FO_PROFILE) throw FO_ERRORS.fail('profile.unsupported');
    return { ok: true, envelope: Envelope.parse(raw) };
  } catch (error) {
    const messageId = textOf(raw, 'messageId');
    const type = textOf(raw, 'type');
    const from = textOf(raw, 'from');
    const eventSeq: unknown = isObject(raw) ? raw.eventSeq : undefined;
    return {
      ok: false,
      error,
      ...(messageId !== undefined && UUID.test(messageId) ? { messageId } : {}),
      ...(type === undefined ? {} : { type }),
      ...(from === undefined ? {} : { from }),
      ...(typeof eventSeq === 'number' && Number.isSafeInteger(eventSeq) && eventSeq > 0 ? { eventSeq } : {}),
    };
  }
}

/** The frame of an envelope. */
export const encode = (envelope: Envelope): string => JSON.stringify(envelope);

/** Lower-case hex SHA-256 over the canonical body: what idempotency compares (fo 4.2). */
export const bodyHash = (body: unknown): string => hashLater(body)();

/** The same of the body as it is now, computed when it is first asked for. */
export function hashLater(body: unknown): () => string {
  const text = canonical(body);
  let hash: string | undefined;
  return () => {
    hash ??= createHash('sha256').update(text).digest('hex');
    return hash;
  };
}

const isObject = (x: unknown): x is Record<string, unknown> => typeof x === 'object' && x !== null && !Array.isArray(x);

function textOf(x: unknown, key: string): string | undefined {
  if (!isObject(x) || !Object.hasOwn(x, key)) return undefined;
  const value = x[key];
  return typeof value === 'string' ? value : undefined;
}
