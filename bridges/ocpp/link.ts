import { BoundedMap } from '../../core/bounded.ts';
import { every, iso, parseTime, type TimerHandle } from '../../core/clock.ts';
import { uuidv7 } from '../../core/ids.ts';
import type { Log } from '../../core/log.ts';
import type { MappingLibrary } from '../../core/mapping/library.ts';
import { LinkOutlet } from '../../hub/links/outlet.ts';
import { openOnPort } from '../../hub/links/ports.ts';
import type { ActuatingLink, GatewayRuntime, Link, LinkEvents, LinkStatus } from '../../hub/ports.ts';
import type { Site, SiteEvents } from '../../hub/site/types.ts';
import {
  type CommandOutcome,
  type EnvelopeUpdate,
  HUB_MESSAGES,
  type MeterReading,
  type PowerCommand,
  type StationStatus,
  type WireMessage,
} from '../../model/index.ts';
import { createOcppServer, type OcppServer, type Station } from '../../protocols/ocpp/index.ts';
import { admit } from './admission.ts';
import { type Channel, forgetBoot, forgetSession, forgetVersion } from './channel.ts';
import { ChannelBook } from './channels.ts';
import type { OcppLinkConfig } from './index.ts';
import { forgetSteps } from './ladder.ts';
import { makeRooms, type Rooms } from './rooms.ts';
import type { SessionSeen } from './sessions.ts';
import { StationBridge, type StationHost } from './station.ts';
import { TransactionBook } from './transactions.ts';

const MAX_STATIONS = 10_000;
const TICK_MS = 1000;
const LOOPBACK: readonly string[] = ['127.0.0.1', '::1', 'localhost'];

/** A running OCPP server of one site: stations on one side, the hub on the other. */
export class OcppLink implements Link, ActuatingLink, StationHost {
  readonly linkId: string;
  readonly runtime: GatewayRuntime;
  readonly site: Site;
  readonly library: MappingLibrary;
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
  readonly #undo: (() => void)[] = [];

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
    this.#rooms = makeRooms({
      config,
      clock,
      log: this.#log,
      library,
      site,
      bridge: (identity) => this.#bridges.get(identity),
      channel: (resourceId) => this.#channels.get(resourceId),
      onOutcome: (outcome, identity) => this.#outcome(outcome, identity),
      onOrder: (outcome, cause) =>
        this.#outlet.emit('outcome', this.#message('hub/StationOrderOutcome', outcome, outcome.identity, cause)),
      onCapabilities: ({ resource }, told) =>
        this.observe(this.#message('hub/StationCapabilities', told, resource.identity)),
      onStep: (channel) => this.stepped(channel),
      onStatus: (channel) => (channel.status === undefined ? undefined : this.#say(channel, channel.status)),
    });
  }

  async open(): Promise<void> {
    const { clock, metrics, settings, tls } = this.runtime;
    const config = this.#config;
    const mustProve = settings.insecure !== true && !LOOPBACK.includes(config.host);
    await this.transactions.restore();
    this.#server = await openOnPort(config.port, config.portSearch, (port) =>
      createOcppServer({
        host: config.host,
        port,
        path: config.path,
        versions: ['ocpp2.1', 'ocpp2.0.1', 'ocpp1.6'],
        clock,
        log: this.#log,
        metrics,
        ...(config.validators === undefined ? {} : { validators: config.validators }),
        authenticate: (identity, credentials, { version }) =>
          admit(this.site, (ref) => this.runtime.secret(ref), identity, credentials, { version, mustProve }),
        ...(tls?.ocpp ? { tlsSource: tls.ocpp } : {}),
        allowInsecure: settings.insecure === true,
        onStation: (station) => this.#connected(station),
      }),
    );
    this.#undo.push(this.site.attach(this));
    this.#undo.push(this.site.on('stations', (e) => this.#accepted(e)));
    this.#undo.push(this.site.on('reloaded', ({ ok }) => (ok ? this.#reloaded() : undefined)));
    const bounds = () => [
      this.#bridges.stats(),
      ...this.#channels.stats(),
      ...this.#rooms.native.stats(),
      ...this.#rooms.orders.stats(),
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
      const { commands } = HUB_MESSAGES.CommandBatch.parse(payload);
      for (const command of commands) this.#command(command);
    } else if (topic === 'hub/PowerCommand') {
      this.#command(HUB_MESSAGES.PowerCommand.parse(payload));
    } else if (topic === 'hub/StationOrder') {
      await this.#rooms.orders.take(HUB_MESSAGES.StationOrder.parse(payload), v2gate.id);
    } else if (/^ocpp[\d.]+\/\w+Response$/.test(topic)) {
      this.#rooms.native.reply(message);
    } else {
      const answer = await this.#rooms.native.request(message);
      this.#outlet.emit(
        'outcome',
        this.#message(topic.replace(/Request$/, 'Response'), answer, v2gate.peer, v2gate.id),
      );
    }
  }

  applyEnvelope(update: EnvelopeUpdate): void {
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
    this.site.observe(message);
    if (this.#config.speaks === 'hub') this.#outlet.emit('message', message);
    if (channel && topic !== 'hub/MeterReading') this.#rooms.enforcer.check(channel);
  }

  tap(message: WireMessage, action: string | undefined): Promise<unknown> | undefined {
    if (this.#config.speaks !== 'native') return undefined;
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
    void this.#rooms.preparer.prepare(bridge);
  }

  rebooted(channel: Channel): void {
    this.#rooms.commander.followup.forget(channel, 'station.rebooted');
    forgetSteps(channel, 'boot');
    forgetBoot(channel);
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
    const server = this.#server;
    this.#server = undefined;
    await server?.close();
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
    const { identity, offlineImportW, resourceId } = channel.resource;
    const version = this.#bridges.get(identity)?.version;
    const payload: StationStatus = {
      resourceId,
      at: iso(this.runtime.clock.now()),
      state,
      ...(version === undefined ? {} : { protocol: version }),
      // Without a default that is known to be there, nothing else holds it.
      offlineImportW: channel.defaultW ?? offlineImportW,
    };
    this.observe(this.#message('hub/StationStatus', payload, identity));
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

  #command(command: PowerCommand): void {
    const channel = this.#channels.get(command.resourceId);
    if (channel) {
      void this.#rooms.commander.send(this.#bridges.get(channel.resource.identity), channel, command);
      return;
    }
    const { commandId, resourceId } = command;
    const at = iso(this.runtime.clock.now());
    this.#outcome({ commandId, resourceId, state: 'refused', at, code: 'station.notConnected' }, undefined);
  }

  #metered(channel: Channel, { at, powerW, voltageV }: MeterReading): void {
    if (voltageV !== undefined) channel.voltageV = voltageV;
    // A station whose clock is ahead does not see the future.
    if (powerW !== undefined)
      this.#rooms.commander.followup.measured(channel, Math.min(parseTime(at), this.runtime.clock.now()), powerW);
  }

  #everySecond(): void {
    for (const channel of this.#channels.all()) {
      this.#rooms.commander.tick(channel);
      this.#rooms.native.tick(channel);
      const state = this.#rooms.preparer.assume(channel, this.#bridges.get(channel.resource.identity)?.ready === true);
      if (state !== undefined) this.#say(channel, state);
      this.#rooms.enforcer.check(channel);
      void this.#rooms.enforcer.keepDefault(channel);
    }
  }

  #outcome(outcome: CommandOutcome, identity: string | undefined): void {
    const message = this.#message('hub/CommandOutcome', outcome, identity, outcome.commandId);
    this.site.observe(message);
    this.#outlet.emit('outcome', message);
  }

  #message(topic: string, payload: unknown, peer: string | undefined, cause?: string): WireMessage {
    const { clock } = this.runtime;
    return {
      topic,
      payload,
      v2gate: {
        id: uuidv7(clock),
        at: iso(clock.now()),
        link: this.linkId,
        ...(peer === undefined ? {} : { peer }),
        ...(cause === undefined ? {} : { cause }),
      },
    };
  }
}

function resourceIdOf(payload: unknown): string | undefined {
  const id = typeof payload === 'object' && payload !== null ? Reflect.get(payload, 'resourceId') : undefined;
  return typeof id === 'string' ? id : undefined;
}
