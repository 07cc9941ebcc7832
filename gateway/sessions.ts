import { createHash, randomBytes } from 'node:crypto';
import { BoundedMap, type BoundStats } from '../core/bounded.ts';
import type { Clock } from '../core/clock.ts';

/** How long a person stays logged in, ms. */
export const SESSION_MS = 12 * 3_600_000;
const MAX_SESSIONS = 512;

/** Somebody who has logged in. */
export interface Session {
  readonly name: string;
  /** What showed who they are, for example the hash of the password: another one ends the session. */
  readonly proof: string;
}

interface Kept extends Session {
  readonly endsAt: number;
}

/** The sessions of people, by a random token that only the cookie of their browser knows. Gone after a restart. */
export class Sessions {
  readonly #clock: Clock;
  readonly #kept = new BoundedMap<string, Kept>({
    name: 'gateway.sessions',
    max: MAX_SESSIONS,
    overflow: 'dropOldest',
  });

  /** `clock` is the machine's. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The token of a new session: 256 bits, base64url. */
  open(session: Session): string {
    const token = randomBytes(32).toString('base64url');
    const { name, proof } = session;
    this.#kept.set(keyOf(token), { name, proof, endsAt: this.#clock.now() + SESSION_MS });
    return token;
  }

  find(token: string): Session | undefined {
    const key = keyOf(token);
    const session = this.#kept.get(key);
    if (session === undefined || session.endsAt > this.#clock.now()) return session;
    this.#kept.delete(key);
    return undefined;
  }

  end(token: string): void {
    this.#kept.delete(keyOf(token));
  }

  stats(): BoundStats {
    return this.#kept.stats();
  }
}

/** A hash is found in a time that tells nothing about tokens. */
const keyOf = (token: string): string => createHash('sha256').update(token).digest('base64url');
