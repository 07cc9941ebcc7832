import type { Clock } from '../../core/clock.ts';
import type { Log } from '../../core/log.ts';
import { HUB_MESSAGES, type WireMessage } from '../../model/index.ts';
import type { FleetTwin } from '../fleet/twin.ts';
import type { Actuation } from './actuation.ts';
import type { EnvelopeKeeper } from './envelope-keeper.ts';
import type { Ledger } from './ledger.ts';
import type { Orders } from './orders.ts';

export interface ObserverOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly twin: FleetTwin;
  readonly orders: Orders;
  readonly envelope: EnvelopeKeeper;
  readonly actuation: Actuation;
  readonly ledger: Ledger;
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
        return this.#o.twin.needs(HUB_MESSAGES.EvNeeds.parse(payload)) ? 'needs' : undefined;
      case 'hub/MeterReading':
        return this.#reading(payload);
      case 'hub/CommandOutcome':
        return this.#outcome(payload);
      default:
        this.#o.log.warn('site.unknownObservation', { topic });
        return undefined;
    }
  }

  #status(payload: unknown): string | undefined {
    const { twin, orders, envelope } = this.#o;
    const body = HUB_MESSAGES.StationStatus.parse(payload);
    const changed = twin.status(body);
    orders.stationChanged(body.resourceId);
    envelope.touch();
    return changed ? 'station' : undefined;
  }

  #session(payload: unknown): string | undefined {
    const { twin, orders, envelope } = this.#o;
    const body = HUB_MESSAGES.SessionEvent.parse(payload);
    const news = twin.session(body);
    if (news === undefined) return undefined;
    orders.stationChanged(body.resourceId, news === 'changed' ? undefined : news);
    envelope.touch();
    return 'session';
  }

  #reading(payload: unknown): undefined {
    const { clock, twin, orders, ledger } = this.#o;
    const body = HUB_MESSAGES.MeterReading.parse(payload);
    const { resourceId } = body;
    if (twin.reading(body) && resourceId !== undefined && body.powerW !== undefined) orders.measured(resourceId);
    const key = `${resourceId ?? body.meterId}/${body.at}`;
    ledger.later({ op: 'put', kind: 'meter', key, at: clock.now(), body });
  }

  #outcome(payload: unknown): string | undefined {
    const { clock, orders, envelope, actuation, ledger } = this.#o;
    const body = HUB_MESSAGES.CommandOutcome.parse(payload);
    // That a command was sent is known from the command; what came of it is evidence.
    if (body.state !== 'sent')
      ledger.later({ op: 'put', kind: 'outcome', key: `${body.commandId}/${body.state}`, at: clock.now(), body });
    const moved = orders.outcome(body);
    if (moved) envelope.touch();
    if (body.state === 'refused' || body.state === 'notEffective') return body.state;
    return moved && actuation.again ? 'outcome' : undefined;
  }
}
