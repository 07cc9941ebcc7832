import { type Clock, every, type TimerHandle } from '../../core/clock.ts';
import { describeError } from '../../core/errors.ts';
import { parseJson } from '../../core/json.ts';
import { list, message, obj, oneOf, opt, text } from '../../core/schema.ts';
import type { KeyPoint } from '../../core/signing.ts';

/** The part of a key set (RFC 7517) that signatures of fo 9.4 need; other members are ignored. */
const Jwk = obj({
  kty: oneOf('OKP', 'EC'),
  crv: oneOf('Ed25519', 'P-256'),
  x: text({ max: 64 }),
  y: opt(text({ max: 64 })),
});
const KeySet = message(
  'OperatorKeySet',
  { keys: list(Jwk, { max: 16 }) },
  {
    clause: 'simulators, fo 9.4',
    doc: 'The public keys of a gateway.',
    example: { keys: [{ kty: 'OKP', crv: 'Ed25519', x: 'AA' }] },
  },
);

export interface KeyRing {
  /** The keys known now; empty before the first load. */
  readonly points: readonly KeyPoint[];
  /** Settles when the keys were loaded for the first time. */
  readonly loaded: Promise<void>;
  stop(): void;
}

const REFRESH_MS = 60_000;
const RETRY_MS = 2000;
const MAX_BYTES = 65_536;

/** Loads the key set behind `url` again and again, so that a rotation is followed. */
export function keyRing(
  url: string,
  clock: Clock,
  tell: (event: string, details: Readonly<Record<string, unknown>>) => void,
): KeyRing {
  let points: readonly KeyPoint[] = [];
  let retry: TimerHandle | undefined;
  const { promise: loaded, resolve } = Promise.withResolvers<void>();
  const load = async (): Promise<void> => {
    try {
      points = pointsOf(await (await fetch(url)).text());
      tell('keys', { count: points.length });
      resolve();
    } catch (e) {
      tell('keysFailed', { what: describeError(e).what });
      retry?.cancel();
      retry = clock.after(RETRY_MS, () => void load());
    }
  };
  void load();
  const timer = every(clock, REFRESH_MS, () => void load());
  return {
    get points() {
      return points;
    },
    loaded,
    stop() {
      timer.cancel();
      retry?.cancel();
    },
  };
}

/** The keys in the text of a key set. Throws `json.…`, `schema.invalid`. */
export function pointsOf(set: string): KeyPoint[] {
  const parsed = parseJson(set, { maxBytes: MAX_BYTES, maxDepth: 8, duplicateKeys: 'reject' });
  return KeySet.parse(known(parsed)).keys.map(({ crv, x, y }) => ({
    alg: crv === 'Ed25519' ? 'EdDSA' : 'ES256',
    x,
    ...(y === undefined ? {} : { y }),
  }));
}

/** Without the members that only others need: kid, use, alg, certificates. */
function known(set: unknown): unknown {
  const keys = typeof set === 'object' && set !== null && 'keys' in set ? set.keys : undefined;
  if (!Array.isArray(keys)) return set;
  return {
    keys: keys.map((key: unknown) => {
      if (typeof key !== 'object' || key === null) return key;
      return Object.fromEntries(Object.entries(key).filter(([name]) => ['kty', 'crv', 'x', 'y'].includes(name)));
    }),
  };
}
