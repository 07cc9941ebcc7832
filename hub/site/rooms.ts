import { type Clock, iso } from '../../core/clock.ts';
import { uuidv7 } from '../../core/ids.ts';
import type { Log } from '../../core/log.ts';
import type { EnvelopeUpdate, SiteFile, WireMessage } from '../../model/index.ts';
import { FleetTwin } from '../fleet/twin.ts';
import type { StorePort } from '../ports.ts';
import { ServiceBook } from '../services/book.ts';
import { Actuation } from './actuation.ts';
import { ServiceDesk } from './desk.ts';
import { EnvelopeKeeper } from './envelope-keeper.ts';
import { Ledger } from './ledger.ts';
import { LimitDesk } from './limit-desk.ts';
import { LimitBook } from './limits.ts';
import { Observer } from './observer.ts';
import { Orders } from './orders.ts';
import { Rounds } from './rounds.ts';
import { StationDirectory } from './stations.ts';
import { Supervisor } from './supervisor.ts';
import { TelemetryBook } from './telemetry.ts';
import { telemetryOf } from './telemetry-sources.ts';
import type { SiteEvents } from './types.ts';

export interface RoomsOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly store: StorePort;
  /** The site file in force. */
  readonly file: () => SiteFile;
  readonly emit: <E extends keyof SiteEvents>(event: E, payload: SiteEvents[E]) => void;
  /** The envelope has moved. */
  readonly push: (update: EnvelopeUpdate) => void;
  /** A station was let in: its resources are new. */
  readonly accepted: () => void;
}

export type Rooms = ReturnType<typeof makeRooms>;

/** Everything that makes up a site, put together. */
export function makeRooms(o: RoomsOptions) {
  const { clock, log, file, emit } = o;
  const { siteId } = file();
  const message = (topic: string, payload: unknown, peer: string, id = uuidv7(clock)): WireMessage => ({
    topic,
    payload,
    v2gate: { id, at: iso(clock.now()), link: `site:${siteId}`.slice(0, 128), peer },
  });
  const twin = new FleetTwin(clock);
  const limits = new LimitBook(clock);
  const ledger = new Ledger({ store: o.store, log, siteId });
  const changes = new Rounds({
    clock,
    size: () => twin.size,
    round: (reason) => emit('changed', { reason, at: clock.now() }),
  });
  const changed = (reason: string): void => changes.cause(reason);
  const orders = new Orders(clock, twin);
  const present = orders.present.bind(orders);
  const envelope = new EnvelopeKeeper({ clock, siteId, twin, limits, file, present, push: o.push });
  const actuation = new Actuation({ clock, log, twin, limits, orders, envelope, file });
  const observer = new Observer({ clock, log, twin, orders, envelope, actuation, ledger });
  const stations = new StationDirectory({
    file: file(),
    clock,
    ledger,
    onChange: (kind, identity) => {
      if (kind === 'accepted') o.accepted();
      emit('stations', { kind, identity });
    },
  });
  const book = new ServiceBook({
    file: file(),
    clock,
    capacity: {
      known: (id) => twin.get(id) !== undefined,
      availableNow: (scope, contract) => actuation.availableNow(scope, contract),
      installed: (scope) => actuation.installed(scope),
      preview: (service, targetW) => actuation.preview(service, targetW),
      measured: (scope) => actuation.measured(scope),
    },
  });
  const desk = new ServiceDesk({
    clock,
    book,
    ledger,
    changed,
    tell: (n, foId) => {
      log.info('service.notice', { fo: foId, topic: n.topic, ...words(n.payload) });
      emit('notice', message(n.topic, n.payload, foId, n.id));
    },
  });
  const supervisor = new Supervisor({ clock, book, desk, twin, file, changed });
  const limitsMoved = (): void => {
    envelope.renew();
    changed('limit');
  };
  const limitDesk = new LimitDesk({ clock, log, limits, ledger, moved: limitsMoved });
  const telemetry = new TelemetryBook({
    clock,
    file,
    ...telemetryOf({ clock, file, twin, book }),
    deliver: (payload, peer) => emit('telemetry', message('hub/Telemetry', payload, peer)),
  });
  return {
    twin,
    limits,
    ledger,
    changes,
    orders,
    envelope,
    actuation,
    observer,
    stations,
    book,
    desk,
    supervisor,
    limitDesk,
    telemetry,
  };
}

/** What a line of the log says about a notice. */
function words(payload: unknown): Record<string, unknown> {
  const body = typeof payload === 'object' && payload !== null ? payload : {};
  const of = (name: string): unknown => Reflect.get(body, name);
  return { fsrId: of('fsrId'), phase: of('phase') ?? of('decision'), cause: of('cause') ?? of('code') };
}
