import { BoundedMap } from '../../core/bounded.ts';
import { type Clock, iso, parseTime, type TimerHandle } from '../../core/clock.ts';
import type { V2gateError } from '../../core/errors.ts';
import { uuidv7 } from '../../core/ids.ts';
import { round3, round4 } from '../../core/quantities.ts';
import {
  type ResultBody,
  SERVICE_ERRORS,
  type SiteFile,
  type SubscribeTelemetry,
  SubscribeTelemetry as SubscribeTelemetryMessage,
  type Telemetry,
  type TelemetrySample,
} from '../../model/index.ts';
import { refused } from '../services/results.ts';

interface Subscription {
  readonly id: string;
  readonly foId: string;
  readonly body: SubscribeTelemetry;
  readonly periodMs: number;
  /** Epoch ms. */
  readonly until: number;
  timer: TimerHandle | undefined;
  /** When the party was last found to be allowed, and by which site file. */
  checked: { readonly file: SiteFile; readonly at: number; readonly allowed: boolean };
}

/** The shortest interval that is served, s; a shorter one is answered with this (fo 4.3 no. 19). */
const MIN_INTERVAL_S = 1;
const MAX_SUBSCRIPTIONS = 1_000;
const MAX_PER_PARTY = 100;
/** Contracts end by time as well. */
const CHECK_AGAIN_MS = 60_000;

export type TelemetryValues = Omit<TelemetrySample, 'at' | 'fsrId' | 'resourceId' | 'groupId'>;

export interface TelemetryOptions {
  readonly clock: Clock;
  readonly file: () => SiteFile;
  /** Why the party may not see this (fo 9.4: default deny); undefined when an active contract covers it. */
  readonly refusal: (body: SubscribeTelemetry, foId: string) => V2gateError | undefined;
  /** Current values of a subject with all fields. */
  readonly values: (body: SubscribeTelemetry, foId: string) => TelemetryValues;
  readonly deliver: (telemetry: Telemetry, foId: string) => void;
}

/** Streams of measured values to parties (fo 4.3 no. 19, 20). A new subscription to the same subject replaces the old one. */
export class TelemetryBook {
  readonly #o: TelemetryOptions;
  readonly #subscriptions = new BoundedMap<string, Subscription>({
    name: 'hub.subscriptions',
    max: MAX_SUBSCRIPTIONS,
    overflow: 'refuse',
  });

  constructor(o: TelemetryOptions) {
    this.#o = o;
  }

  /** `SubscribeTelemetry` as it came. Throws `schema.invalid`. */
  take(payload: unknown, foId: string): ResultBody {
    const body = SubscribeTelemetryMessage.accept(payload);
    const { clock, refusal } = this.#o;
    const until = parseTime(body.until);
    if (until <= clock.now())
      return refused(SERVICE_ERRORS.fail('time.past', 'until has passed already.', { path: '/until' }));
    const no = refusal(body, foId);
    if (no) return refused(no);
    const key = `${foId}/${body.subject.groupId ?? body.subject.resourceId}/${body.fsrId ?? ''}`;
    const before = this.#subscriptions.get(key);
    const intervalS = Math.max(body.intervalS, MIN_INTERVAL_S);
    const made: Subscription = {
      id: uuidv7(clock),
      foId,
      body,
      periodMs: intervalS * 1000,
      until,
      timer: undefined,
      checked: { file: this.#o.file(), at: clock.now(), allowed: true },
    };
    if ((!before && this.#countOf(foId) >= MAX_PER_PARTY) || !this.#subscriptions.set(key, made)) {
      return refused(SERVICE_ERRORS.fail('capability.rate', 'No more subscriptions are served at a time.'));
    }
    before?.timer?.cancel();
    this.#arm(key, made, clock.now() + made.periodMs);
    return {
      status: 'ok',
      ...(body.intervalS < MIN_INTERVAL_S ? { code: 'capability.rate' } : {}),
      data: { subscriptionId: made.id, intervalS },
    };
  }

  close(): void {
    for (const s of this.#subscriptions.values()) s.timer?.cancel();
    this.#subscriptions.clear();
  }

  #countOf(foId: string): number {
    let count = 0;
    for (const s of this.#subscriptions.values()) if (s.foId === foId) count++;
    return count;
  }

  #arm(key: string, s: Subscription, due: number): void {
    const { clock } = this.#o;
    // Set back or far ahead, the clock must neither stop the stream nor make it catch up.
    const wait = Math.min(Math.max(0, due - clock.now()), s.periodMs);
    s.timer = clock.after(wait, () => {
      const now = clock.now();
      if (s.until <= now) {
        if (this.#subscriptions.get(key) === s) this.#subscriptions.delete(key);
        return;
      }
      this.#arm(key, s, Math.max(due, now - s.periodMs) + s.periodMs);
      this.#tell(s, now);
    });
  }

  /** What the party may no longer see is left out until it may again. */
  #tell(s: Subscription, now: number): void {
    const { file, refusal, values, deliver } = this.#o;
    if (s.checked.file !== file() || Math.abs(now - s.checked.at) > CHECK_AGAIN_MS)
      s.checked = { file: file(), at: now, allowed: refusal(s.body, s.foId) === undefined };
    if (!s.checked.allowed) return;
    const sample = only(values(s.body, s.foId), s.body, now);
    deliver({ subscriptionId: s.id, samples: [sample] }, s.foId);
  }
}

/** Just the fields that were asked for. A gap is visible by its quality, and has no power (fo 3.9). */
function only(values: TelemetryValues, body: SubscribeTelemetry, now: number): TelemetrySample {
  const picked: Record<string, number> = {};
  for (const f of body.fields) {
    const value = values[f];
    if (value !== undefined && !(f === 'powerW' && values.quality === 'missing'))
      picked[f] = f === 'frequencyHz' ? round4(value) : round3(value);
  }
  return {
    ...(body.fsrId === undefined ? {} : { fsrId: body.fsrId }),
    ...body.subject,
    at: iso(now),
    quality: values.quality,
    ...picked,
  };
}
