import type { Clock } from '../../core/clock.ts';
import type { Log } from '../../core/log.ts';
import { HUB_MESSAGES, type MeterReading, type SiteFile, type WireMessage } from '../../model/index.ts';
import type { Evidence } from '../evidence/types.ts';
import type { FleetTwin } from '../fleet/twin.ts';
import type { Effect, MeterBook } from '../meters/book.ts';
import { meterOf } from '../meters/known.ts';
import type { Actuation } from './actuation.ts';
import type { EnvelopeKeeper } from './envelope-keeper.ts';
import type { Ledger } from './ledger.ts';
import type { NeedsKeeper } from './needs-keeper.ts';
import type { Orders } from './orders.ts';

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

  /** Answers why an allocation should look, if it should. Throws `schema.invalid`. */
  take({ topic, payload }: WireMessage): string | undefined {
    switch (topic) {
      case 'hub/StationStatus':
        return this.#status(payload);
      case 'hub/SessionEvent':
        return this.#session(payload);
      case 'hub/EvNeeds':
        return this.#needs(payload);
      case 'hub/MeterReading':
        return this.#reading(payload);
      case 'hub/CommandOutcome':
        return this.#outcome(payload);
      case 'hub/StationCapabilities':
        this.#o.twin.capabilities(HUB_MESSAGES.StationCapabilities.parse(payload));
        return undefined;
      default:
        this.#o.log.warn('site.unknownObservation', { topic });
        return undefined;
    }
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

  #session(payload: unknown): string | undefined {
    const { twin, orders, envelope, needs } = this.#o;
    const body = HUB_MESSAGES.SessionEvent.parse(payload);
    const had = twin.get(body.resourceId)?.session?.id;
    const news = twin.session(body);
    if (news === undefined) return undefined;
    if (twin.get(body.resourceId)?.session?.id !== had) needs.look(body.resourceId);
    orders.stationChanged(body.resourceId, news === 'changed' ? undefined : news);
    envelope.touch();
    return 'session';
  }

  #reading(payload: unknown): string | undefined {
    const { clock, ledger, evidence, envelope, actuation } = this.#o;
    const body = HUB_MESSAGES.MeterReading.parse(payload);
    const { taken, effect, freed } =
      body.resourceId === undefined ? this.#meter(body) : this.#evse(body.resourceId, body);
    const { resourceId, meterId, at } = body;
    ledger.later({ op: 'put', kind: 'meter', key: `${resourceId ?? meterId}/${at}`, at: clock.now(), body: taken });
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
    if (twin.isImplausible(body)) {
      const { powerW, ...rest } = body;
      const text = `${powerW} W is beyond what ${resourceId} can have; look at scale and unit of its meter.`;
      if (twin.doubt(resourceId)) {
        log.warn('meter.implausible', { resource: resourceId, powerW });
        evidence.note({ kind: 'meter.implausible', severity: 'warning', subject: [resourceId], text });
      }
      return { taken: { ...rest, quality: 'substituted' }, effect: 'none', freed: false };
    }
    const isNew = twin.reading(body);
    if (isNew) needs.read(resourceId);
    if (!isNew || body.powerW === undefined) return { taken: body, effect: 'none', freed: false };
    const freed = orders.measured(resourceId);
    const entry = twin.get(resourceId);
    return { taken: body, effect: entry ? meters.measured(entry) : 'none', freed };
  }

  /** Less room than before: the links hear of it at once, and an allocation looks (T1 budget). */
  #limitsMoved(effect: Effect): string | undefined {
    const { envelope } = this.#o;
    if (effect === 'none') return undefined;
    if (effect === 'less') envelope.refresh();
    else envelope.touch();
    return 'meter';
  }

  #outcome(payload: unknown): string | undefined {
    const { clock, orders, envelope, actuation, ledger } = this.#o;
    const body = HUB_MESSAGES.CommandOutcome.parse(payload);
    // That a command was sent is known from the command, and that it was replaced from the next one for the resource.
    if (body.state !== 'sent' && !orders.isReplaced(body))
      ledger.later({ op: 'put', kind: 'outcome', key: `${body.commandId}/${body.state}`, at: clock.now(), body });
    const moved = orders.outcome(body);
    if (moved) envelope.touch();
    if (body.state === 'refused' || body.state === 'notEffective') return body.state;
    return moved && actuation.again ? 'outcome' : undefined;
  }
}
