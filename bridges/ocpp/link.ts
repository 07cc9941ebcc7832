import { BoundedMap } from '../../core/bounded.ts';
import { every, parseTime, stamps, type TimerHandle } from '../../core/clock.ts';
import { uuids } from '../../core/ids.ts';
import type { Log } from '../../core/log.ts';
import type { MappingLibrary } from '../../core/mapping/library.ts';
import { LinkOutlet } from '../../hub/links/outlet.ts';
import type { ActuatingLink, GatewayRuntime, Link, LinkEvents, LinkStatus } from '../../hub/ports.ts';
import type { Site, SiteEvents } from '../../hub/site/types.ts';
import { envelopeId } from '../../hub/trace/notes.ts';
import {
  type EnvelopeUpdate,
  HUB_MESSAGES,
  type MeterReading,
  type PowerCommand,
  type StationOrder,
  type StationOrderOutcome,
  type StationStatus,
  type WireMessage,
} from '../../model/index.ts';
import type { OcppServer, Station } from '../../protocols/ocpp/index.ts';
import { type Channel, forgetBoot, forgetSession, forgetVersion } from './channel.ts';
import { ChannelBook } from './channels.ts';
import { HeldWatch } from './held-watch.ts';
import type { OcppLinkConfig } from './index.ts';
import { forgetSteps } from './ladder.ts';
import { listen } from './listen.ts';
import { Pacer } from './pacer.ts';
import { makeRooms, type Rooms } from './rooms.ts';
import type { SessionSeen } from './sessions.ts';
import { StationBridge, type StationHost } from './station.ts';
import { noteCommand } from './tapped.ts';
import { Teller } from './teller.ts';
import { TransactionBook } from './transactions.ts';
import { resourceIdOf, statusMessage, type WireSource, wireMessage } from './wire.ts';

const MAX_STATIONS = 10_000;
const TICK_MS = 1000;

/** A running OCPP server of one site: stations on one side, the hub on the other. */
export class OcppLink implements Link, ActuatingLink, StationHost {
  readonly linkId: string;
  readonly runtime: GatewayRuntime;
  readonly site: Site;
  readonly library: MappingLibrary;
  readonly stamp: () => string;
  readonly wire: WireSource;
  readonly transactions: TransactionBook;
  readonly #config: OcppLinkConfig;
  readonly #log: Log;
  readonly #outlet: LinkOutlet;
  readonly #rooms: Rooms;
  readonly #bridges = new BoundedMap<string, StationBridge>({
    name: 'ocpp.bridges',
    max: MAX_STATIONS,
    overflow: 'refuse',
  });
  readonly #channels: ChannelBook;
  #server: OcppServer | undefined;
  #tick: TimerHandle | undefined;
  /** The newest envelope, as the wire timeline calls it. */
  #envelope: string | undefined;
  readonly #undo: (() => void)[] = [];
  readonly #held: HeldWatch;
  /** Stations that are up and have not been given their default profile and their questions yet. */
  readonly #pacer: Pacer<StationBridge>;
  readonly #teller: Teller;

  constructor(config: OcppLinkConfig, runtime: GatewayRuntime, site: Site, library: MappingLibrary) {
    const { clock, store } = runtime;
    this.linkId = config.linkId;
    this.runtime = runtime;
    this.site = site;
    this.library = library;
    this.#config = config;
    this.#log = runtime.log.child({ link: config.linkId });
    this.#outlet = new LinkOutlet(runtime.log, 'ocpp');
    this.#channels = new ChannelBook(4 * MAX_STATIONS, clock);
    this.transactions = new TransactionBook(store, clock);
    this.stamp = stamps(clock);
    this.wire = { newId: uuids(clock), stamp: this.stamp, linkId: config.linkId };
    this.#teller = new Teller({
      clock,
      wire: this.wire,
      site,
      emit: (message) => this.#outlet.emit('outcome', message),
    });
    this.#held = new HeldWatch(MAX_STATIONS, (note) => site.warn(note));
    this.#pacer = new Pacer({
      name: 'ocpp.unprepared',
      clock,
      max: MAX_STATIONS,
      begin: (bridge) => (bridge.ready ? void this.#rooms.preparer.prepare(bridge) : undefined),
    });
    this.#rooms = makeRooms({
      config,
      clock,
      log: this.#log,
      library,
      site,
      bridge: (identity) => this.#bridges.get(identity),
      channel: (resourceId) => this.#channels.get(resourceId),
      onOutcome: (outcome, identity) => this.#teller.tell(outcome, identity),
      onOrder: (outcome, cause) =>
        this.#outlet.emit(
          'outcome',
          wireMessage(this.wire, 'hub/StationOrderOutcome', outcome, outcome.identity, cause),
        ),
      onCapabilities: ({ resource }, told) =>
        this.observe(wireMessage(this.wire, 'hub/StationCapabilities', told, resource.identity)),
      onEnforce: ({ resource }, command) =>
        noteCommand(this.runtime.trace, {
          command,
          cause: this.#envelope,
          linkId: this.linkId,
          peer: resource.identity,
        }),
      onStep: (channel) => this.stepped(channel),
      onStatus: (channel) => (channel.status === undefined ? undefined : this.#say(channel, channel.status)),
    });
  }

  async open(): Promise<void> {
    const { clock, metrics } = this.runtime;
    await this.transactions.restore();
    this.#server = await listen({
      config: this.#config,
      runtime: this.runtime,
      site: this.site,
      log: this.#log,
      onStation: (station) => this.#connected(station),
    });
    this.#undo.push(this.site.attach(this));
    this.#undo.push(this.site.on('stations', (e) => this.#accepted(e)));
    this.#undo.push(this.site.on('reloaded', ({ ok }) => (ok ? this.#reloaded() : undefined)));
    const bounds = () => [
      this.#bridges.stats(),
      this.#pacer.stats(),
      ...this.#channels.stats(),
      ...this.#rooms.native.stats(),
      ...this.#rooms.orders.stats(),
      this.#teller.stats(),
    ];
    this.#undo.push(metrics.collect('v2gate_ocpp_link', bounds));
    this.#tick = every(clock, TICK_MS, () => this.#everySecond());
  }

  get url(): string {
    return this.#server?.url ?? '';
  }

  status(): LinkStatus {
    const peers = this.#server?.stationCount ?? 0;
    const text = `${peers} station${peers === 1 ? '' : 's'} · port ${this.#server?.port ?? this.#config.port}`;
    return { state: this.#server ? 'up' : 'down', text, peers };
  }

  on<E extends keyof LinkEvents>(event: E, listener: (payload: LinkEvents[E]) => void): () => void {
    return this.#outlet.on(event, listener);
  }

  /**
   * Carries out hub/CommandBatch, hub/PowerCommand and hub/StationOrder; passes native requests on, those that move
   * power inside the limits; gives answers of flows to the stations that wait for them.
   */
  async send(message: WireMessage): Promise<void> {
    const { topic, payload, v2gate } = message;
    if (topic === 'hub/CommandBatch') {
      const { batchId, commands } = HUB_MESSAGES.CommandBatch.parse(payload);
      this.#teller.together(commands.length, () => commands.map((command) => this.#command(command, batchId)));
    } else if (topic === 'hub/PowerCommand') {
      void this.#command(HUB_MESSAGES.PowerCommand.parse(payload), v2gate.cause ?? v2gate.id);
    } else if (topic === 'hub/StationOrder') {
      await this.#rooms.orders.take(HUB_MESSAGES.StationOrder.parse(payload), v2gate.id);
    } else if (/^ocpp[\d.]+\/\w+Response$/.test(topic)) {
      this.#rooms.native.reply(message);
    } else {
      const answer = await this.#rooms.native.request(message);
      this.#outlet.emit(
        'outcome',
        wireMessage(this.wire, topic.replace(/Request$/, 'Response'), answer, v2gate.peer, v2gate.id),
      );
    }
  }

  order(order: StationOrder): Promise<StationOrderOutcome> | undefined {
    const identity = order.identity ?? this.#channels.get(order.resourceId ?? '')?.resource.identity ?? '';
    return this.#bridges.get(identity)?.station.open === true
      ? this.#rooms.orders.take(order, order.orderId)
      : undefined;
  }

  applyEnvelope(update: EnvelopeUpdate): void {
    this.#envelope = envelopeId(update);
    for (const channel of this.#channels.limit(update)) this.#rooms.enforcer.check(channel);
  }

  channels(identity: string): readonly Channel[] {
    const channels = this.#channels.of(this.site.stations.resources(identity));
    const version = this.#bridges.get(identity)?.version;
    for (const channel of channels) {
      const before = channel.version ?? version;
      if (version === undefined) continue;
      channel.version = version;
      if (before === version) continue;
      // It has been updated: what it was told and has told counts no more.
      this.rebooted(channel);
      forgetVersion(channel);
    }
    return channels;
  }

  observe(message: WireMessage): void {
    const { topic, payload } = message;
    const channel = this.#channels.get(resourceIdOf(payload) ?? '');
    if (channel && topic === 'hub/StationStatus') {
      channel.status = (payload as StationStatus).state;
      if (channel.status === 'available') channel.left = true;
    }
    if (channel && topic === 'hub/MeterReading') this.#metered(channel, payload as MeterReading);
    this.site.observe(message, 'checked');
    if (this.#config.speaks === 'hub') this.#outlet.emit('message', message);
    if (channel && topic !== 'hub/MeterReading') this.#rooms.enforcer.check(channel);
  }

  tap(asWire: () => WireMessage, action: string | undefined): Promise<unknown> | undefined {
    if (this.#config.speaks !== 'native') return undefined;
    const message = asWire();
    const asked = action === undefined ? undefined : this.#rooms.native.ask(message, action);
    const meta = asked === undefined ? message.v2gate : { ...message.v2gate, replyTo: asked.replyTo };
    this.#outlet.emit('message', { ...message, v2gate: meta });
    return asked?.answer;
  }

  expects(channel: Channel, idToken: string, remoteStartId: number | undefined): boolean {
    return this.#rooms.orders.expects(channel, idToken, remoteStartId);
  }

  priority(channel: Channel): void {
    this.#rooms.enforcer.check(channel);
  }

  ready(bridge: StationBridge): void {
    this.#pacer.add(bridge);
  }

  rebooted(channel: Channel): void {
    this.#rooms.commander.followup.forget(channel, 'station.rebooted');
    forgetSteps(channel, 'boot');
    forgetBoot(channel);
    // What it was before says nothing about now: it is asked (ocpp 7).
    delete channel.status;
  }

  sessionBegins(channel: Channel): void {
    this.#rooms.enforcer.check(channel);
  }

  stepped(channel: Channel): void {
    const version = this.#bridges.get(channel.resource.identity)?.version;
    if (version !== undefined) this.#rooms.preparer.tell(version, channel);
  }

  sessionSeen(channel: Channel, seen: SessionSeen): void {
    this.#rooms.orders.seen(channel, seen);
  }

  sessionEnds(channel: Channel): void {
    this.#rooms.commander.followup.forget(channel, 'session.ended');
    forgetSession(channel);
  }

  async close(): Promise<void> {
    this.#tick?.cancel();
    for (const undo of this.#undo.splice(0)) undo();
    this.#held.clear();
    this.#pacer.close();
    const server = this.#server;
    this.#server = undefined;
    await server?.close();
    this.#teller.flush();
    this.#outlet.emit('status', this.status());
    this.#outlet.clear();
  }

  #connected(station: Station): void {
    const bridge = new StationBridge(station, this);
    if (!this.#bridges.set(station.identity, bridge)) {
      bridge.readiness.close();
      station.close(1013, 'too many stations');
      return;
    }
    // Commands find the station from now on, if only to be told that it is not ready.
    if (bridge.known) this.channels(station.identity);
    station.onClose(() => this.#left(bridge));
    this.#outlet.emit('status', this.status());
  }

  #left(bridge: StationBridge): void {
    bridge.readiness.close();
    this.#pacer.remove(bridge);
    if (this.#bridges.get(bridge.identity) !== bridge) return;
    this.#bridges.delete(bridge.identity);
    this.site.stations.left(bridge.identity);
    for (const channel of bridge.channels) {
      const last = channel.status;
      if (last !== undefined) this.#say(channel, 'offline');
      // Back to what it was, for the day it reconnects without telling.
      if (last === undefined) delete channel.status;
      else channel.status = last;
      if (channel.defaultRefused !== true) delete channel.defaultTriedAt;
    }
    this.#outlet.emit('status', this.status());
  }

  #say(channel: Channel, state: StationStatus['state']): void {
    const { identity } = channel.resource;
    this.observe(statusMessage(this.wire, channel, state, this.#bridges.get(identity)?.version));
  }

  /** A station that was just let in is asked to boot again, for that is when it learns of it. */
  #accepted(e: SiteEvents['stations']): void {
    const bridge = this.#bridges.get(e.identity);
    if (e.kind === 'removed') {
      bridge?.station.close(1008, 'not a station of the site any more');
      this.#reloaded();
    }
    if (e.kind !== 'accepted' || !bridge || bridge.readiness.isBooting) return;
    bridge.refresh();
    bridge.station
      .callAny('TriggerMessage', { requestedMessage: 'BootNotification' })
      .catch(() => this.#log.info('station.bootsLater', { station: e.identity }));
  }

  /** The site file has changed: resources may have come, gone, or be other ones. */
  #reloaded(): void {
    for (const bridge of [...this.#bridges.values()]) {
      bridge.refresh();
      const verdict = this.site.stations.verdict(bridge.identity);
      if (verdict === 'refused') bridge.station.close(1008, 'not in the site file');
      else if (verdict === 'known' && !bridge.ready) this.#accepted({ kind: 'accepted', identity: bridge.identity });
    }
    this.#channels.keep(({ identity, resourceId }) =>
      this.site.stations.resources(identity).some((r) => r.resourceId === resourceId),
    );
    // What is new at a station that is up already gets its default profile, its state and its limits, too.
    for (const bridge of [...this.#bridges.values()])
      if (bridge.ready && bridge.channels.some((c) => c.capabilities === undefined && c.status === undefined))
        this.ready(bridge);
  }

  /** Never rejects. */
  #command(command: PowerCommand, cause: string): Promise<unknown> {
    const channel = this.#channels.get(command.resourceId);
    noteCommand(this.runtime.trace, { command, cause, linkId: this.linkId, peer: channel?.resource.identity });
    if (channel) return this.#rooms.commander.send(this.#bridges.get(channel.resource.identity), channel, command);
    const { commandId, resourceId } = command;
    const refused = {
      commandId,
      resourceId,
      state: 'refused',
      at: this.stamp(),
      code: 'station.notConnected',
    } as const;
    this.#teller.tell(refused, undefined);
    return Promise.resolve();
  }

  #metered(channel: Channel, { at, powerW, voltageV }: MeterReading): void {
    if (voltageV !== undefined) channel.voltageV = voltageV;
    // A station whose clock is ahead does not see the future.
    if (powerW !== undefined && channel.current !== undefined)
      this.#rooms.commander.followup.measured(channel, Math.min(parseTime(at), this.runtime.clock.now()), powerW);
  }

  #everySecond(): void {
    for (const channel of this.#channels.all()) {
      this.#rooms.commander.tick(channel);
      this.#rooms.native.tick(channel);
      const bridge = this.#bridges.get(channel.resource.identity);
      const state = this.#rooms.preparer.assume(channel, bridge?.ready === true);
      if (state !== undefined) this.#say(channel, state);
      this.#rooms.enforcer.check(channel);
      if (bridge === undefined || !this.#pacer.waits(bridge)) void this.#rooms.enforcer.keepDefault(channel);
      this.#held.look(channel);
    }
  }
}
