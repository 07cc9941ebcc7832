import { BoundedMap, type BoundStats } from '../core/bounded.ts';
import type { Clock } from '../core/clock.ts';
import { GATEWAY_ERRORS } from './errors.ts';

/** So many wrong passwords are nobody's trouble: people mistype. */
const FREE = 5;
const FIRST_MS = 1_000;
const MAX_MS = 60_000;
/** After this long without a wrong password an address is forgotten. */
const FORGET_MS = 15 * 60_000;
const MAX_ADDRESSES = 10_000;

interface Tried {
  readonly failures: number;
  /** The name that all of them were for; undefined where there are several. */
  readonly name: string | undefined;
  /** Epoch ms. */
  readonly at: number;
}

/**
 * Slows down who tries passwords: after 5 wrong ones an address waits 1 s, then 2, 4, … 60 s before the next one is looked
 * at. Addresses of IPv6 count by their /64.
 */
export class Attempts {
  readonly #clock: Clock;
  readonly #tried = new BoundedMap<string, Tried>({
    name: 'gateway.attempts',
    max: MAX_ADDRESSES,
    overflow: 'dropOldest',
  });

  /** `clock` is the machine's. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Throws `api.tooManyAttempts` while the address has to wait. */
  check(address: string): void {
    const tried = this.#tried.get(networkOf(address));
    if (tried === undefined || tried.failures < FREE) return;
    const waitMs = Math.min(MAX_MS, FIRST_MS * 2 ** (tried.failures - FREE));
    const leftMs = tried.at + waitMs - this.#clock.now();
    if (leftMs <= 0) return;
    const seconds = Math.ceil(leftMs / 1_000);
    throw GATEWAY_ERRORS.fail('api.tooManyAttempts', `Too many wrong passwords came from here; wait ${seconds} s.`);
  }

  /**
   * Counts before the password is looked at, so that many at once count too. A right one takes back what was counted for
   * its name, not what was tried with other names: an own password must not make guessing that of somebody else free.
   */
  begin(address: string, name: string): { succeeded(): void } {
    this.check(address);
    const network = networkOf(address);
    const now = this.#clock.now();
    const last = this.#tried.get(network);
    const before = last !== undefined && now - last.at < FORGET_MS ? last : undefined;
    const only = before === undefined || before.name === name ? name : undefined;
    this.#tried.set(network, { failures: (before?.failures ?? 0) + 1, name: only, at: now });
    return { succeeded: () => this.#takeBack(network, name, before) };
  }

  #takeBack(network: string, name: string, before: Tried | undefined): void {
    const tried = this.#tried.get(network);
    if (tried === undefined) return;
    const failures = tried.failures - 1;
    if (tried.name === name || failures <= 0) this.#tried.delete(network);
    else this.#tried.set(network, failures === before?.failures ? before : { ...tried, failures });
  }

  stats(): BoundStats {
    return this.#tried.stats();
  }
}

function networkOf(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d)/i, '');
  if (!plain.includes(':')) return plain;
  const [head = '', tail] = plain.split('%', 1)[0]?.split('::') ?? [];
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - before.length - after.length);
  return [...before, ...Array<string>(zeros).fill('0'), ...after].slice(0, 4).join(':');
}
