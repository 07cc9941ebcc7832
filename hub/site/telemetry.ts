import { BoundedMap } from '../../core/bounded.ts';
import { type Clock, iso, parseTime, type TimerHandle } from '../../core/clock.ts';
import { uuidv7 } from '../../core/ids.ts';
import {
  type ResultBody,
  SERVICE_ERRORS,
  type SubscribeTelemetry,
  type Telemetry,
  type TelemetrySample,
} from '../../model/index.ts';
import { refused } from '../services/book.ts';

interface Subscription {
  readonly id: string;
  readonly foId: string;
  readonly body: SubscribeTelemetry;
  timer: TimerHandle | undefined;
}

/** The shortest interval that is served, s; a shorter one is answered with this (fo 4.3 no. 19). */
const MIN_INTERVAL_S = 1;
const MAX_SUBSCRIPTIONS = 1000;

export interface TelemetryOptions {
  readonly clock: Clock;
  /** Current value of a subject with all fields, undefined when there is no such subject. */
  readonly sample: (subject: SubscribeTelemetry['subject'], fsrId: string | undefined) => TelemetrySample | undefined;
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

  subscribe(body: SubscribeTelemetry, foId: string): ResultBody {
    const now = this.#o.clock.now();
    if (parseTime(body.until) <= now)
      return refused(SERVICE_ERRORS.fail('time.past', 'until has passed already.', { path: '/until' }));
    if (!this.#o.sample(body.subject, body.fsrId)) {
      return refused(
        SERVICE_ERRORS.fail('resource.unknown', 'There is no such subject, or no contract that covers it.', {
          path: '/subject',
        }),
      );
    }
    const key = `${foId}/${body.subject.groupId ?? body.subject.resourceId}/${body.fsrId ?? ''}`;
    this.#subscriptions.get(key)?.timer?.cancel();
    const subscription: Subscription = { id: uuidv7(this.#o.clock), foId, body, timer: undefined };
    if (!this.#subscriptions.set(key, subscription)) {
      return refused(SERVICE_ERRORS.fail('capability.rate', 'This site serves as many subscriptions as it can.'));
    }
    const intervalS = Math.max(body.intervalS, MIN_INTERVAL_S);
    this.#arm(key, subscription, intervalS * 1000, now + intervalS * 1000);
    return {
      status: 'ok',
      ...(body.intervalS < MIN_INTERVAL_S ? { code: 'capability.rate' } : {}),
      data: { subscriptionId: subscription.id, intervalS },
    };
  }

  close(): void {
    for (const s of this.#subscriptions.values()) s.timer?.cancel();
    this.#subscriptions.clear();
  }

  #arm(key: string, s: Subscription, periodMs: number, at: number): void {
    const { clock } = this.#o;
    s.timer = clock.after(Math.max(0, at - clock.now()), () => {
      if (parseTime(s.body.until) <= clock.now()) {
        if (this.#subscriptions.get(key) === s) this.#subscriptions.delete(key);
        return;
      }
      this.#arm(key, s, periodMs, at + periodMs);
      const sample = this.#o.sample(s.body.subject, s.body.fsrId);
      if (sample) this.#o.deliver({ subscriptionId: s.id, samples: [only(sample, s.body, clock)] }, s.foId);
    });
  }
}

/** Just the fields that were asked for. */
function only(sample: TelemetrySample, body: SubscribeTelemetry, clock: Clock): TelemetrySample {
  const picked: Record<string, number> = {};
  for (const f of body.fields) {
    const value = sample[f];
    if (value !== undefined) picked[f] = value;
  }
  return {
    ...(body.fsrId === undefined ? {} : { fsrId: body.fsrId }),
    ...body.subject,
    at: iso(clock.now()),
    quality: sample.quality,
    ...picked,
  };
}
