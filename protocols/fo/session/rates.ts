import type { Clock } from '../../../core/clock.ts';
import { FO_RATES, type FoRate, type FoSessionOptions } from '../types.ts';

/** A token bucket under an injected clock. */
export class TokenBucket {
  readonly #clock: Clock;
  readonly #rate: FoRate;
  #tokens: number;
  #at: number;

  constructor(clock: Clock, rate: FoRate) {
    this.#clock = clock;
    this.#rate = rate;
    this.#tokens = rate.burst;
    this.#at = clock.now();
  }

  /** Takes one token. Answers 0, or after how many seconds (≥ 1) one will be there. */
  take(): number {
    const now = this.#clock.now();
    const { perS, burst } = this.#rate;
    // A clock that was set back gives nothing and takes nothing.
    this.#tokens = Math.min(burst, this.#tokens + (Math.max(0, now - this.#at) / 1000) * perS);
    this.#at = now;
    if (this.#tokens >= 1) {
      this.#tokens--;
      return 0;
    }
    return Math.max(1, Math.ceil((1 - this.#tokens) / perS));
  }
}

/** Each reads the outbox; a peer that was throttled must still be able to come back. */
const HELLOS = { perS: 1, burst: 30 };

/** What the peer may send: requests and setpoints have a bucket each. Only a gateway limits its peers (fo 9.4). */
export class Rates {
  readonly #buckets: Readonly<Record<'hello' | 'requests' | 'setpoints', TokenBucket>> | undefined;

  constructor({ role, clock, rates }: FoSessionOptions) {
    if (role !== 'fcsbe') return;
    this.#buckets = {
      hello: new TokenBucket(clock, HELLOS),
      requests: new TokenBucket(clock, rates?.requests ?? FO_RATES.requests),
      setpoints: new TokenBucket(clock, rates?.setpoints ?? FO_RATES.setpoints),
    };
  }

  /** 0, or the seconds after which a message of this type is welcome again. */
  take(type: string): number {
    if (!this.#buckets) return 0;
    const { hello, requests, setpoints } = this.#buckets;
    return (type === 'UpdateSetpoint' ? setpoints : type === 'Hello' ? hello : requests).take();
  }
}
