import type { Clock } from '../../core/clock.ts';
import type { Log } from '../../core/log.ts';
import {
  type CommandOutcome,
  HUB_MESSAGES,
  type MeterReading,
  type SessionEvent,
  type SiteFile,
  type WireMessage,
} from '../../model/index.ts';
import type { Evidence } from '../evidence/types.ts';
import type { FleetTwin } from '../fleet/twin.ts';
import type { Effect, MeterBook } from '../meters/book.ts';
import { meterOf } from '../meters/known.ts';
import type { StoreOp } from '../ports.ts';
import type { Actuation } from './actuation.ts';
import type { EnvelopeKeeper } from './envelope-keeper.ts';
import type { Ledger } from './ledger.ts';
import type { NeedsKeeper } from './needs-keeper.ts';
import type { Orders } from './orders.ts';
import type { OutcomeMessage } from './types.ts';

export interface ObserverOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly twin: FleetTwin;
  readonly orders: Orders;
  readonly meters: MeterBook;
  readonly envelope: EnvelopeKeeper;
  readonly file: () => SiteFile;
  readonly actuation: Actuation;
  readonly ledger: Ledger;
  readonly evidence: Evidence;
  readonly needs: NeedsKeeper;
}

interface Read {
  readonly taken: MeterReading;
  readonly effect: Effect;
  /** The EVSE is known to do less than what was counted before: others may have that room. */
  readonly freed: boolean;
}

/** Takes what links observe into the twin and into what is known of commands, and keeps it as evidence. */
export class Observer {
  readonly #o: ObserverOptions;

  constructor(o: ObserverOptions) {
    this.#o = o;
  }

  /** Answers why an allocation should look, if it should. Throws `schema.invalid` for what was not `checked`. */
  take({ topic, payload }: WireMessage, checked?: 'checked'): string | undefined {
    switch (topic) {
      case 'hub/StationStatus':
        return this.#status(payload);
      case 'hub/SessionEvent':
        return this.#session(checked ? (payload as SessionEvent) : HUB_MESSAGES.SessionEvent.parse(payload));
      case 'hub/EvNeeds':
        return this.#needs(payload);
      case 'hub/MeterReading':
        return this.#reading(checked ? (payload as MeterReading) : HUB_MESSAGES.MeterReading.parse(payload));
      case 'hub/CommandOutcome':
        return this.#outcomes([HUB_MESSAGES.CommandOutcome.parse(payload)]).at(-1);
      case 'hub/StationCapabilities':
        this.#o.twin.capabilities(HUB_MESSAGES.StationCapabilities.parse(payload));
        return undefined;
      default:
        this.#o.log.warn('site.unknownObservation', { topic });
        return undefined;
    }
  }

  /** Takes what a link says of its commands; answers why an allocation should look, if it should. */
  outcomes(messages: readonly OutcomeMessage[]): readonly string[] {
    return this.#outcomes(messages.map((m) => m.payload));
  }

  #status(payload: unknown): string | undefined {
    const { twin, orders, envelope, needs } = this.#o;
    const body = HUB_MESSAGES.StationStatus.parse(payload);
    const changed = twin.status(body);
    if (body.state === 'available') needs.left(body.resourceId);
    orders.stationChanged(body.resourceId);
    envelope.touch();
    return changed ? 'station' : undefined;
  }

  #needs(payload: unknown): string | undefined {
    const { twin, needs } = this.#o;
    const body = HUB_MESSAGES.EvNeeds.parse(payload);
    if (!twin.needs(body)) return undefined;
    needs.look(body.resourceId);
    return 'needs';
  }

  #session(body: SessionEvent): string | undefined {
    const { twin, orders, envelope, needs } = this.#o;
    const had = twin.get(body.resourceId)?.session?.id;
    const news = twin.session(body);
    if (news === undefined) return undefined;
    if (twin.get(body.resourceId)?.session?.id !== had) needs.look(body.resourceId);
    orders.stationChanged(body.resourceId, news === 'changed' ? undefined : news);
    envelope.touch();
    return 'session';
  }

  #reading(body: MeterReading): string | undefined {
    const { evidence, envelope, actuation } = this.#o;
    const { taken, effect, freed } =
      body.resourceId === undefined ? this.#meter(body) : this.#evse(body.resourceId, body);
    evidence.measured(taken);
    const reason = this.#limitsMoved(effect);
    if (!freed) return reason;
    envelope.touch();
    return reason ?? (actuation.again ? 'outcome' : undefined);
  }

  /** A meter of the site; one at an EVSE speaks for that. */
  #meter(body: MeterReading): Read {
    const { meters, file } = this.#o;
    const { at, subjectRef } = meterOf(file(), body);
    const effect = meters.take(body);
    if (at !== 'evse' || subjectRef === undefined) return { taken: body, effect, freed: false };
    const { meterId: _, ...rest } = body;
    const read = this.#evse(subjectRef, { ...rest, resourceId: subjectRef });
    return { ...read, taken: body };
  }

  /** What an EVSE cannot have is not believed, which is said once (fo 6.4). */
  #evse(resourceId: string, body: MeterReading): Read {
    const { twin, orders, meters, evidence, log, needs } = this.#o;
    const entry = twin.get(resourceId);
    if (!entry) return { taken: body, effect: 'none', freed: false };
    if (twin.isImplausible(entry, body)) {
      const { powerW, ...rest } = body;
      const text = `${powerW} W is beyond what ${resourceId} can have; look at scale and unit of its meter.`;
      if (twin.doubt(entry)) {
        log.warn('meter.implausible', { resource: resourceId, powerW });
        evidence.note({ kind: 'meter.implausible', severity: 'warning', subject: [resourceId], text });
      }
      return { taken: { ...rest, quality: 'substituted' }, effect: 'none', freed: false };
    }
    const isNew = twin.read(entry, body);
    if (isNew) needs.read(resourceId);
    if (!isNew || body.powerW === undefined) return { taken: body, effect: 'none', freed: false };
    const freed = orders.measured(resourceId);
    return { taken: body, effect: meters.measured(entry), freed };
  }

  /** Less room than before: the links hear of it at once, and an allocation looks (T1 budget). */
  #limitsMoved(effect: Effect): string | undefined {
    const { envelope } = this.#o;
    if (effect === 'none') return undefined;
    if (effect === 'less') envelope.refresh();
    else envelope.touch();
    return 'meter';
  }

  #outcomes(bodies: readonly CommandOutcome[]): readonly string[] {
    const { clock, orders, envelope, actuation, ledger } = this.#o;
    const now = clock.now();
    const ops: StoreOp[] = [];
    const reasons = new Set<string>(); // bounded by: the states of outcomes
    let moved = false;
    for (const body of bodies) {
      // That a command was sent is known from the command, and that it was replaced from the next one for the resource.
      if (body.state !== 'sent' && !orders.isReplaced(body))
        ops.push({ op: 'put', kind: 'outcome', key: `${body.commandId}/${body.state}`, at: now, body });
      const moves = orders.outcome(body);
      moved ||= moves;
      if (body.state === 'refused' || body.state === 'notEffective') reasons.add(body.state);
      else if (moves && actuation.again) reasons.add('outcome');
    }
    const [first, ...more] = ops;
    if (first) ledger.later(first, ...more);
    if (moved) envelope.touch();
    return [...reasons];
  }
}
