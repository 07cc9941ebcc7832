import { BoundedMap } from '../../core/bounded.ts';
import { type Clock, iso } from '../../core/clock.ts';
import type { Log } from '../../core/log.ts';
import { round3 } from '../../core/quantities.ts';
import type { FleetSnapshot } from '../../model/index.ts';
import type { EventNote } from '../evidence/types.ts';
import type { Gauge } from './gauge.ts';
import type { MeterFault, MeterState } from './types.ts';

/** What is wrong, and what somebody can do about it. */
const WORDS: Readonly<Record<MeterFault, string>> = {
  silent: 'it has sent nothing for 3 intervals; look at the meter and at what reads it',
  stale: 'its values are older than 3 intervals; look at its clock',
  frozen: 'it shows the same value although vehicles changed their power; look at what reads it',
  implausible: 'its value is beyond anything that can flow there; look at scale and unit',
  register: 'its register went back; it was reset or replaced',
  missing: 'its source says that the value is missing',
};

type MeterView = NonNullable<FleetSnapshot['meters']>[number];

/** Tells once when a meter is lost or not believed, and once when it is back (fo 6.4 `meter.lost`). */
export class MeterTeller {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #note: (event: EventNote) => void;
  readonly #told = new BoundedMap<string, MeterState>({ name: 'hub.metersTold', max: 10_000, overflow: 'dropOldest' });

  constructor(o: { clock: Clock; log: Log; note: (event: EventNote) => void }) {
    this.#clock = o.clock;
    this.#log = o.log;
    this.#note = o.note;
  }

  /** True when its state is another one than before. */
  look(gauge: Gauge): boolean {
    const { meterId, at } = gauge.meter;
    const now = gauge.state(this.#clock.now());
    const before = this.#told.get(meterId) ?? 'waiting';
    if (now === before) return false;
    this.#told.set(meterId, now);
    if (now === 'lost') this.#tell(gauge, 'meter.lost', 'alarm', at === 'poc');
    else if (now === 'substituted') this.#tell(gauge, 'meter.implausible', 'warning', false);
    else if (now === 'good' && before !== 'waiting')
      this.#tell(gauge, 'meter.restored', 'info', before === 'lost' && at === 'poc');
    return true;
  }

  /** For people; undefined for a meter that works, or that nobody has heard yet. */
  problem(gauge: Gauge, now: number): string | undefined {
    const state = gauge.state(now);
    if (state === 'good' || state === 'waiting') return undefined;
    return `meter ${gauge.meter.meterId} ${state === 'lost' ? 'is lost' : 'is not believed'}: ${WORDS[gauge.cause()]}`;
  }

  view(gauge: Gauge, now: number): MeterView {
    const { meter, value } = gauge;
    const state = gauge.state(now);
    return {
      meterId: meter.meterId,
      at: meter.at,
      ...(meter.subjectRef === undefined ? {} : { subjectRef: meter.subjectRef }),
      state,
      ...(value === undefined ? {} : { powerW: round3(value.powerW), measuredAt: iso(value.at) }),
      ...(state === 'lost' || state === 'substituted' ? { cause: gauge.cause() } : {}),
    };
  }

  #tell(gauge: Gauge, kind: string, severity: EventNote['severity'], toAll: boolean): void {
    const { meterId } = gauge.meter;
    const back = severity === 'info';
    const cause = gauge.cause();
    const text = back ? `Meter ${meterId} is back.` : `Meter ${meterId}: ${WORDS[cause]}.`;
    if (back) this.#log.info(kind, { meter: meterId });
    else this.#log.warn(kind, { meter: meterId, cause, text });
    this.#note({
      kind,
      severity,
      subject: [meterId],
      ...(back ? {} : { cause }),
      text,
      ...(toAll ? { parties: 'all' as const } : {}),
    });
  }
}
