import { type Clock, iso } from '../../core/clock.ts';
import { uuidv7 } from '../../core/ids.ts';
import type { Log } from '../../core/log.ts';
import type { EnvelopeUpdate, SiteFile, WireMessage } from '../../model/index.ts';
import { openEvidence } from '../evidence/index.ts';
import type { EventNote, MeanPower } from '../evidence/types.ts';
import { FleetTwin, hasEv } from '../fleet/twin.ts';
import { MeterBook } from '../meters/book.ts';
import type { Signer, StorePort } from '../ports.ts';
import { PublicationBook } from '../publication/book.ts';
import { ServiceBook } from '../services/book.ts';
import { OptBook } from '../services/opt.ts';
import { ContractUse } from '../services/usage.ts';
import { Actuation } from './actuation.ts';
import { ClockWatch } from './clocks.ts';
import { CongestionKeeper } from './congestion-keeper.ts';
import { ServiceDesk } from './desk.ts';
import { EnvelopeKeeper } from './envelope-keeper.ts';
import { demandOf, planned } from './forecast.ts';
import { lastKnown } from './group.ts';
import { Ledger } from './ledger.ts';
import { LimitDesk } from './limit-desk.ts';
import { LimitBook } from './limits.ts';
import { NeedsKeeper } from './needs-keeper.ts';
import { Observer } from './observer.ts';
import { OptDesk } from './opt-desk.ts';
import { Orders } from './orders.ts';
import { Rounds } from './rounds.ts';
import { StationDirectory } from './stations.ts';
import { Supervisor } from './supervisor.ts';
import { TelemetryBook } from './telemetry.ts';
import { telemetryOf } from './telemetry-sources.ts';
import type { SiteEvents } from './types.ts';
import { UseDesk } from './use-desk.ts';
import type { WarningNote } from './warnings.ts';

export interface RoomsOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly store: StorePort;
  /** Signs records and proofs; without it they stay unsigned (tests). */
  readonly signer?: Signer;
  /** 0 ≤ x < 1, the same for the same words: spreads what must not happen at one moment. Default by the words alone. */
  readonly random?: (seed: string) => number;
  /** The site file in force. */
  readonly file: () => SiteFile;
  readonly emit: <E extends keyof SiteEvents>(event: E, payload: SiteEvents[E]) => void;
  /** The envelope has moved. */
  readonly push: (update: EnvelopeUpdate) => void;
  /** A station was let in: its resources are new. */
  readonly accepted: () => void;
  /** Something needs somebody's eyes, or no longer. */
  readonly warn?: (note: WarningNote) => void;
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
  const meters = new MeterBook({
    clock,
    log,
    file,
    twin,
    effective: (nodeId, own) => limits.effective(nodeId, own),
    present,
    isUncertain: (id) => orders.isUncertain(id),
    note: (event) => evidence.note(event),
  });
  const envelope = new EnvelopeKeeper({
    clock,
    siteId,
    twin,
    limits,
    meters,
    file,
    present,
    goal: () => actuation.goal(),
    push: o.push,
  });
  const clocks = new ClockWatch({ log, note: (event) => evidence.note(event) });
  const use = new ContractUse();
  const actuation = new Actuation({
    clock,
    log,
    twin,
    limits,
    meters,
    orders,
    envelope,
    file,
    led: () => book.led(clock.now()),
    mayExport: (id) =>
      use.mayExport(
        file().contracts?.find((c) => c.contractId === id),
        clock.now(),
      ),
    ...(o.warn === undefined ? {} : { warn: o.warn }),
  });
  const evidence = openEvidence({
    clock,
    log,
    ledger,
    file,
    services: () => book.all().map((e) => e.service),
    quiet: (id) => quietOf(twin, id, clock.now()),
    resources: () => Array.from(twin.all(), (e) => e.resource.resourceId),
    ratedW: (id) => ratedW(twin, id),
    onClockOffset: (foId, offsetMs) => clocks.take(foId, offsetMs),
    tell: (m) => emit('notice', m),
    ...(o.signer === undefined ? {} : { signer: o.signer }),
  });
  const needs = new NeedsKeeper({ clock, twin, ledger });
  const observer = new Observer({
    clock,
    log,
    file,
    twin,
    orders,
    meters,
    envelope,
    actuation,
    ledger,
    evidence,
    needs,
  });
  const stations = new StationDirectory({
    file: file(),
    clock,
    ledger,
    onChange: (kind, identity) => {
      if (kind !== 'pending') o.accepted();
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
      preview: (service, targetW, done) => actuation.preview(service, targetW, done),
      measured: (scope) => actuation.measured(scope),
      mean: (scope, from, to) => known(evidence.mean(scope, from, to)),
      planned: (scope, from, to) => planned(actuation.sources, scope, from, to),
      isOut: (id) => twin.get(id)?.optOut ?? false,
      nodes: (fsr, members) => congestion.nodes(fsr, members),
      demand: (scope) => demandOf(actuation.sources, scope),
    },
    use,
  });
  const desk = new ServiceDesk({
    clock,
    book,
    ledger,
    changed,
    alongside: (before, after) => useDesk.activated(before, after),
    stored: (before, after) => {
      evidence.serviceChanged(before, after);
      useDesk.stored();
      congestion.look();
    },
    tell: (n, foId) => {
      log.info('service.notice', { fo: foId, topic: n.topic, ...words(n.payload) });
      emit('notice', message(n.topic, n.payload, foId, n.id));
    },
  });
  const limitsMoved = (): void => {
    envelope.renew();
    changed('limit');
  };
  const opts = new OptBook();
  const note = (event: EventNote): void => evidence.note(event);
  const optDesk = new OptDesk({
    clock,
    log,
    opts,
    twin,
    book,
    desk,
    ledger,
    file,
    note,
    changed: () => {
      changed('opt');
      supervisor.tick();
    },
  });
  const supervisor = new Supervisor({
    clock,
    log,
    book,
    desk,
    twin,
    meters,
    file,
    changed,
    note,
    outs: (service) => optDesk.outs(service),
    saidIn: (id, service) => opts.saidIn(id, service.foId),
  });
  const congestion = new CongestionKeeper({
    clock,
    twin,
    limits,
    book,
    ledger,
    file,
    grantedW: (id) => actuation.grantedOf(id),
    random: o.random ?? seeded,
    moved: limitsMoved,
  });
  const useDesk = new UseDesk({ clock, use, book, twin, ledger, file });
  const limitDesk = new LimitDesk({ clock, log, limits, ledger, moved: limitsMoved });
  const publication = new PublicationBook({
    clock,
    log,
    ledger,
    file,
    twin,
    plan: actuation.sources,
    tell: (topic, payload, foId, id) => emit('notice', message(topic, payload, foId, id)),
  });
  const telemetry = new TelemetryBook({
    clock,
    file,
    ...telemetryOf({ clock, file, twin, book, clocks }),
    deliver: (payload, peer) => emit('telemetry', message('hub/Telemetry', payload, peer)),
  });
  return {
    twin,
    limits,
    meters,
    clocks,
    publication,
    ledger,
    changes,
    orders,
    envelope,
    actuation,
    evidence,
    observer,
    needs,
    stations,
    book,
    desk,
    supervisor,
    optDesk,
    congestion,
    useDesk,
    limitDesk,
    telemetry,
  };
}

const known = (m: MeanPower): number | undefined => (m.quality === 'missing' ? undefined : m.powerW);

/** FNV-1a with a last mix: spreads words evenly over 0 ≤ x < 1. */
function seeded(words: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < words.length; i++) h = Math.imul(h ^ words.charCodeAt(i), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x45d9f3b);
  return ((h ^ (h >>> 16)) >>> 0) / 4_294_967_296;
}

/** No vehicle is there, or the station is out of service: its power is 0 without that a meter has to say so. */
function quietOf(twin: FleetTwin, resourceId: string, now: number): 'good' | 'estimated' | undefined {
  const entry = twin.get(resourceId);
  if (!entry || hasEv(entry)) return undefined;
  if (entry.online) return 'good';
  return lastKnown(entry, now) === 0 ? 'estimated' : undefined;
}

function ratedW(twin: FleetTwin, resourceId: string): { importW: number; exportW: number } | undefined {
  const resource = twin.get(resourceId)?.resource;
  return resource && { importW: resource.maxImportW, exportW: resource.limits.exportLimitW };
}

/** What a line of the log says about a notice. */
function words(payload: unknown): Record<string, unknown> {
  const body = typeof payload === 'object' && payload !== null ? payload : {};
  const of = (name: string): unknown => Reflect.get(body, name);
  return { fsrId: of('fsrId'), phase: of('phase') ?? of('decision'), cause: of('cause') ?? of('code') };
}
