import { BoundedMap } from '../../core/bounded.ts';
import { every, iso, parseTime, type TimerHandle } from '../../core/clock.ts';
import { describeError } from '../../core/errors.ts';
import { uuidv7 } from '../../core/ids.ts';
import type { Log } from '../../core/log.ts';
import type { MappingLibrary } from '../../core/mapping/library.ts';
import { LinkOutlet } from '../../hub/links/outlet.ts';
import { openOnPort } from '../../hub/links/ports.ts';
import type { ActuatingLink, GatewayRuntime, Link, LinkEvents, LinkStatus } from '../../hub/ports.ts';
import type { Site } from '../../hub/site/types.ts';
import {
  type CommandOutcome,
  type EnvelopeUpdate,
  HUB_MESSAGES,
  type MeterReading,
  type PowerCommand,
  type StationStatus,
  type WireMessage,
} from '../../model/index.ts';
import {
  type Admission,
  type Credentials,
  createOcppServer,
  type OcppServer,
  type Station,
  samePassword,
} from '../../protocols/ocpp/index.ts';
import type { Channel } from './channel.ts';
import { Commander } from './commander.ts';
import { BRIDGE_ERRORS } from './errors.ts';
import type { OcppLinkConfig } from './index.ts';
import { StationBridge, type StationHost } from './station.ts';
import { TransactionBook } from './transactions.ts';

const MAX_STATIONS = 10_000;
const TICK_MS = 1000;
/** A limit that the link sends by itself is valid this long and renewed in time. */
const ENFORCED_MS = 600_000;
/** The same limit is not sent again while its answer may be under way. */
const ENFORCE_AGAIN_MS = 10_000;
/** A command that ends sooner than this counts as ended when limits are enforced. */
const ENDING_MS = 15_000;
/** Actions that change power; only the hub's commands do that here. */
const POWER_ACTIONS = [
  'SetChargingProfile',
  'ClearChargingProfile',
  'UpdateDynamicSchedule',
  'UsePriorityCharging',
  'SetDERControl',
  'ClearDERControl',
  'AFRRSignal',
];

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
  readonly #commander: Commander;
  readonly #bridges = new BoundedMap<string, StationBridge>({
    name: 'ocpp.stations',
    max: MAX_STATIONS,
    overflow: 'refuse',
  });
  readonly #channels = new BoundedMap<string, Channel>({
    name: 'ocpp.channels',
    max: 4 * MAX_STATIONS,
    overflow: 'refuse',
  });
  #envelope: EnvelopeUpdate | undefined;
  #server: OcppServer | undefined;
  #tick: TimerHandle | undefined;
  readonly #undo: (() => void)[] = [];

  constructor(config: OcppLinkConfig, runtime: GatewayRuntime, site: Site, library: MappingLibrary) {
    this.linkId = config.linkId;
    this.runtime = runtime;
    this.site = site;
    this.library = library;
    this.#config = config;
    this.#log = runtime.log.child({ link: config.linkId });
    this.#outlet = new LinkOutlet(runtime.log, 'ocpp');
    this.transactions = new TransactionBook(runtime.store, runtime.clock);
    this.#commander = new Commander({
      clock: runtime.clock,
      log: this.#log,
      library,
      report: (outcome, identity) => this.#outcome(outcome, identity),
    });
  }

  async open(): Promise<void> {
    const { clock, metrics } = this.runtime;
    const config = this.#config;
    await this.transactions.restore();
    this.#server = await openOnPort(config.port, config.portSearch, (port) =>
      createOcppServer({
        host: config.host,
        port,
        path: config.path,
        versions: ['ocpp2.1', 'ocpp1.6'],
        clock,
        log: this.#log,
        metrics,
        authenticate: (identity, credentials) => this.#admit(identity, credentials),
        onStation: (station) => this.#connected(station),
      }),
    );
    this.#undo.push(this.site.attach(this));
    this.#undo.push(this.site.on('stations', (e) => this.#accepted(e)));
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

  /** Carries out hub/CommandBatch and hub/PowerCommand; native requests that do not touch power are passed through. */
  async send(message: WireMessage): Promise<void> {
    if (message.topic === 'hub/CommandBatch') {
      const { commands } = HUB_MESSAGES.CommandBatch.parse(message.payload);
      for (const command of commands) this.#command(command);
      return;
    }
    if (message.topic === 'hub/PowerCommand') {
      this.#command(HUB_MESSAGES.PowerCommand.parse(message.payload));
      return;
    }
    await this.#native(message);
  }

  applyEnvelope(update: EnvelopeUpdate): void {
    this.#envelope = update;
    for (const e of update.evses) {
      const channel = this.#channels.get(e.resourceId);
      if (!channel) continue;
      channel.envelope = { importLimitW: e.importLimitW, exportLimitW: e.exportLimitW };
      this.#enforce(channel);
    }
  }

  channels(identity: string): readonly Channel[] {
    return this.site.stations.resources(identity).flatMap((resource) => {
      const known = this.#channels.get(resource.resourceId);
      if (known) {
        known.resource = resource;
        return [known];
      }
      const e = this.#envelope?.evses.find((x) => x.resourceId === resource.resourceId);
      const channel: Channel = {
        resource,
        seqNo: -1,
        refused: [],
        ...(e === undefined ? {} : { envelope: { importLimitW: e.importLimitW, exportLimitW: e.exportLimitW } }),
      };
      return this.#channels.set(resource.resourceId, channel) ? [channel] : [];
    });
  }

  observe(message: WireMessage): void {
    const channel = this.#channels.get(resourceIdOf(message.payload) ?? '');
    if (channel && message.topic === 'hub/StationStatus') channel.status = (message.payload as StationStatus).state;
    if (channel && message.topic === 'hub/MeterReading') this.#metered(channel, message.payload as MeterReading);
    this.site.observe(message);
    if (this.#config.speaks === 'hub') this.#outlet.emit('message', message);
    if (channel && message.topic === 'hub/SessionEvent') this.#enforce(channel);
  }

  tap(message: WireMessage): void {
    if (this.#config.speaks === 'native') this.#outlet.emit('message', message);
  }

  ready(bridge: StationBridge): void {
    for (const channel of bridge.channels) void this.#prepare(bridge, channel);
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

  #admit(identity: string, credentials: Credentials | undefined): Admission {
    const verdict = this.site.stations.verdict(identity);
    if (verdict === 'refused') return { accept: false, status: 404 };
    const ref = this.site.stations.passwordRef(identity);
    if (ref === undefined) return { accept: true };
    const secret = this.runtime.secret(ref);
    const right = secret !== undefined && credentials !== undefined && samePassword(credentials.password, secret);
    return right ? { accept: true } : { accept: false, status: 401 };
  }

  #connected(station: Station): void {
    const bridge = new StationBridge(station, this);
    if (!this.#bridges.set(station.identity, bridge)) {
      station.close(1013, 'too many stations');
      return;
    }
    station.onClose(() => this.#left(bridge));
    this.#outlet.emit('status', this.status());
    if (this.site.stations.verdict(station.identity) === 'known') void this.#resume(bridge);
  }

  /** After a reconnect: what was known holds again; what is not known is asked for (ocpp 1.1). */
  async #resume(bridge: StationBridge): Promise<void> {
    for (const channel of bridge.channels) {
      const stored = await this.transactions.last(channel.resource.resourceId).catch(() => undefined);
      if (stored && !stored.ended && channel.transactionId === undefined) channel.transactionId = stored.transactionId;
      if (channel.status !== undefined && channel.status !== 'offline') this.#say(bridge, channel, channel.status);
      await this.#prepare(bridge, channel);
    }
  }

  async #prepare(bridge: StationBridge, channel: Channel): Promise<void> {
    if (channel.defaultW === undefined)
      await this.#commander.installDefault(bridge, channel, this.site.safeImportW(channel.resource.resourceId));
    if (channel.defaultW !== undefined && channel.status !== undefined) this.#say(bridge, channel, channel.status);
    if (channel.status === undefined) await this.#askStatus(bridge, channel);
    this.#enforce(channel);
  }

  async #askStatus(bridge: StationBridge, channel: Channel): Promise<void> {
    const evse = channel.resource.evse;
    const where = bridge.station.version === 'ocpp1.6' ? { connectorId: evse } : { evse: { id: evse, connectorId: 1 } };
    await bridge.station
      .callAny('TriggerMessage', { requestedMessage: 'StatusNotification', ...where })
      .catch((e: unknown) => this.#log.info('station.noTrigger', { station: bridge.identity, ...describeError(e) }));
  }

  #left(bridge: StationBridge): void {
    if (this.#bridges.get(bridge.identity) !== bridge) return;
    this.#bridges.delete(bridge.identity);
    this.site.stations.left(bridge.identity);
    for (const channel of bridge.channels) {
      const last = channel.status;
      this.#say(bridge, channel, 'offline');
      // Back to what it was, for the day it reconnects without telling.
      if (last === undefined) delete channel.status;
      else channel.status = last;
    }
    this.#outlet.emit('status', this.status());
  }

  #say(bridge: StationBridge, channel: Channel, state: StationStatus['state']): void {
    const { clock } = this.runtime;
    const payload: StationStatus = {
      resourceId: channel.resource.resourceId,
      at: iso(clock.now()),
      state,
      protocol: bridge.station.version,
      ...(channel.defaultW === undefined ? {} : { offlineImportW: channel.defaultW }),
    };
    this.observe({
      topic: 'hub/StationStatus',
      payload,
      v2gate: { id: uuidv7(clock), at: iso(clock.now()), link: this.linkId, peer: bridge.identity },
    });
  }

  #accepted(e: { readonly kind: 'pending' | 'accepted'; readonly identity: string }): void {
    const bridge = this.#bridges.get(e.identity);
    if (e.kind !== 'accepted' || !bridge) return;
    bridge.station
      .callAny('TriggerMessage', { requestedMessage: 'BootNotification' })
      .catch(() => this.#log.info('station.bootsLater', { station: e.identity }));
  }

  #command(command: PowerCommand): void {
    const channel = this.#channels.get(command.resourceId);
    if (!channel) {
      this.#outcome(
        {
          commandId: command.commandId,
          resourceId: command.resourceId,
          state: 'refused',
          at: iso(this.runtime.clock.now()),
          code: 'station.notConnected',
        },
        '',
      );
      return;
    }
    void this.#commander.send(this.#bridges.get(channel.resource.identity), channel, command);
  }

  #metered(channel: Channel, reading: MeterReading): void {
    if (reading.voltageV !== undefined) channel.voltageV = reading.voltageV;
    if (reading.powerW !== undefined) this.#commander.measured(channel, parseTime(reading.at), reading.powerW);
  }

  /** Sends what is needed when what a station may do now no longer fits the envelope (design 2). */
  #enforce(channel: Channel): void {
    const bridge = this.#bridges.get(channel.resource.identity);
    if (!bridge || channel.envelope === undefined || channel.transactionId === undefined) return;
    const now = this.runtime.clock.now();
    const t = channel.current;
    const holds = t !== undefined && parseTime(t.command.validUntil) - now > ENDING_MS;
    const mayW = holds ? t.appliedW : (channel.defaultW ?? channel.resource.maxImportW);
    const { importLimitW, exportLimitW } = channel.envelope;
    if (mayW <= importLimitW + 1 && mayW >= -exportLimitW - 1) return;
    const e = channel.enforced;
    if (e && e.importLimitW === importLimitW && e.exportLimitW === exportLimitW && now - e.at < ENFORCE_AGAIN_MS) return;
    channel.enforced = { at: now, importLimitW, exportLimitW };
    const command: PowerCommand = {
      commandId: `env:${uuidv7(this.runtime.clock)}`,
      resourceId: channel.resource.resourceId,
      validUntil: iso(now + ENFORCED_MS),
      level: 3,
      ...(mayW < 0 ? { kind: 'setpoint', powerW: -exportLimitW } : { kind: 'limit', importLimitW }),
    };
    void this.#commander.send(bridge, channel, command);
  }

  #everySecond(): void {
    for (const channel of this.#channels.values()) {
      this.#commander.tick(channel);
      this.#enforce(channel);
    }
  }

  #outcome(outcome: CommandOutcome, identity: string): void {
    const { clock } = this.runtime;
    const message: WireMessage = {
      topic: 'hub/CommandOutcome',
      payload: outcome,
      v2gate: { id: uuidv7(clock), at: outcome.at, link: this.linkId, peer: identity, cause: outcome.commandId },
    };
    this.site.observe(message);
    this.#outlet.emit('outcome', message);
  }

  async #native(message: WireMessage): Promise<void> {
    const match = /^ocpp[\d.]+\/(\w+)Request$/.exec(message.topic);
    const action = match?.[1];
    if (action === undefined)
      throw BRIDGE_ERRORS.fail('command.unsupported', `${message.topic} is not sent to charging stations.`);
    if (POWER_ACTIONS.includes(action))
      throw BRIDGE_ERRORS.fail('native.power', `${action} changes power and is not passed through.`);
    const bridge = this.#bridges.get(message.v2gate.peer ?? '');
    if (!bridge)
      throw BRIDGE_ERRORS.fail(
        'station.notConnected',
        `The station ${message.v2gate.peer ?? '(none named)'} is not connected.`,
      );
    const payload = await bridge.station.callAny(action, message.payload);
    const { clock } = this.runtime;
    this.#outlet.emit('outcome', {
      topic: message.topic.replace(/Request$/, 'Response'),
      payload,
      v2gate: {
        id: uuidv7(clock),
        at: iso(clock.now()),
        link: this.linkId,
        peer: bridge.identity,
        cause: message.v2gate.id,
      },
    });
  }
}

function resourceIdOf(payload: unknown): string | undefined {
  const id = typeof payload === 'object' && payload !== null ? Reflect.get(payload, 'resourceId') : undefined;
  return typeof id === 'string' ? id : undefined;
}
