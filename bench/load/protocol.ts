import type { Version } from './messages.ts';
import type { Place } from './station.ts';

/** What the orchestrator asks the load generator. `set` names a group of connected stations. */
export type ToLoad =
  /** Connects `count` stations `<prefix>-<n>`; they say nothing yet. */
  | {
      readonly do: 'connect';
      readonly set: string;
      readonly place: Place;
      readonly count: number;
      readonly prefix: string;
      readonly version: Version;
      readonly echoed?: boolean;
    }
  /** Boot, state and start of a transaction, all answered. */
  | { readonly do: 'begin'; readonly set: string }
  /** As many meter values as the server answers, one open per station, for `ms`. */
  | { readonly do: 'up'; readonly set: string; readonly ms: number }
  /** One meter value of each station, all answered. */
  | { readonly do: 'meter'; readonly set: string }
  /** Meter values at a steady rate from now on, in turn; 0 ends it. */
  | { readonly do: 'pace'; readonly set: string; readonly perSecond: number }
  /** Forgets which profiles have arrived. */
  | { readonly do: 'mark'; readonly set: string }
  /** Waits until each station of the set, or of `only`, has got a profile since the mark and answered it. */
  | {
      readonly do: 'reached';
      readonly set: string;
      readonly withinMs: number;
      readonly only?: readonly string[];
    }
  /** Waits until the stations of `only` together may draw no more than `sumW`. */
  | ({ readonly do: 'lowered'; readonly set: string } & Lowering)
  /** Like `connect` with boots, in a rush. */
  | {
      readonly do: 'storm';
      readonly set: string;
      readonly place: Place;
      readonly count: number;
      readonly prefix: string;
      readonly version: Version;
      readonly atOnce: number;
    }
  /** The stations of a set send heartbeats one after the other from now on, until `watched` asks for their round trips. */
  | { readonly do: 'watch'; readonly set: string }
  | { readonly do: 'watched'; readonly set: string }
  | { readonly do: 'close'; readonly set: string };

/** Which stations of a set come down to what together, W. */
export interface Lowering {
  readonly only: readonly string[];
  readonly sumW: number;
  readonly withinMs: number;
}

/** Answers and how many did not fit their CALL. */
export interface Exchanged {
  readonly answers: number;
  readonly lost: number;
  readonly wrong: number;
}

/** Which stations profiles have reached; times on the monotonic clock, ms. */
export interface Reached {
  readonly stations: number;
  readonly commands: number;
  readonly firstAtMs: number;
  readonly lastAtMs: number;
  /** When the server had read the last answer: it answered a ping that was sent behind it. */
  readonly backAtMs: number;
}

/** What stations may draw together, and since when, on the monotonic clock, ms. */
export interface Lowered {
  readonly fromW: number;
  readonly sumW: number;
  readonly atMs: number;
}

export interface Storm {
  readonly ms: number;
  readonly failed: number;
}

export interface RoundTrips {
  /** ms. */
  readonly roundTrips: readonly number[];
}

export type FromLoad = Exchanged | Reached | Lowered | Storm | RoundTrips | { readonly done: true };
