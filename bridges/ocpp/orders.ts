import { BoundedMap } from '../../core/bounded.ts';
import { type Clock, iso } from '../../core/clock.ts';
import { codeOf, describeError } from '../../core/errors.ts';
import { toId } from '../../core/ids.ts';
import type { StationOrder, StationOrderOutcome } from '../../model/index.ts';
import type { CallOptions, Version } from '../../protocols/ocpp/index.ts';
import { type Channel, runningOf } from './channel.ts';
import { type Answered, configurationCall, readConfiguration, reportedSettings } from './configuration.ts';
import { field } from './effective.ts';
import { BRIDGE_ERRORS } from './errors.ts';
import { startCall } from './onoff.ts';
import type { SessionSeen } from './sessions.ts';
import type { StationBridge } from './station.ts';

export interface OrderOptions {
  readonly clock: Clock;
  readonly channel: (resourceId: string) => Channel | undefined;
  readonly bridge: (identity: string) => StationBridge | undefined;
  readonly report: (outcome: StationOrderOutcome, cause: string) => void;
}

/** A start that was accepted and whose session has not begun yet. */
interface Started {
  readonly order: StationOrder;
  readonly remoteStartId: number;
  readonly idToken: string;
  readonly cause: string;
  readonly until: number;
}

/** A session that begins later than this after a remote start is another one, ms. */
const START_MS = 300_000;
const MAX_STARTS = 10_000;

/** Carries out hub/StationOrder in all versions of OCPP and tells what came of it (ocpp 5, ocpp 7). Never throws. */
export class OrderDesk {
  readonly #o: OrderOptions;
  readonly #starts = new BoundedMap<string, Started>({ name: 'ocpp.starts', max: MAX_STARTS, overflow: 'dropOldest' });
  #lastStart = 0;

  constructor(o: OrderOptions) {
    this.#o = o;
  }

  stats() {
    return [this.#starts.stats()];
  }

  /** Resolves to what the station said. */
  async take(order: StationOrder, cause: string): Promise<StationOrderOutcome> {
    const channel = order.resourceId === undefined ? undefined : this.#o.channel(order.resourceId);
    const identity = channel?.resource.identity ?? order.identity ?? '';
    const tell = (state: StationOrderOutcome['state'], extra: Partial<StationOrderOutcome> = {}) =>
      this.#tell(order, identity, cause, { state, ...extra });
    try {
      const bridge = this.#o.bridge(identity);
      if (!bridge?.station.open || (order.resourceId !== undefined && channel === undefined))
        throw BRIDGE_ERRORS.fail('station.notConnected');
      const remoteStartId = NUMBERED.includes(order.action) ? this.#nextStart() : 0;
      const { action, payload } = wordOrder(bridge.version, order, channel, remoteStartId);
      if (order.action === 'start' && channel) this.#await(channel, order, payload, remoteStartId, cause);
      const options: CallOptions = {
        priority: order.action === 'stop' ? 'stop' : 'request',
        about: { cause: order.orderId, ...(order.resourceId === undefined ? {} : { resourceId: order.resourceId }) },
      };
      const ask = () => bridge.station.callAny(action, payload, options);
      const { status, why, settings } =
        action === 'GetBaseReport'
          ? await reported(bridge, remoteStartId, ask)
          : readAnswer(bridge.version, order, await ask());
      const taken = TAKEN.includes(status);
      if (!taken && order.action === 'start' && channel) this.#starts.delete(channel.resource.resourceId);
      return tell(status === 'Scheduled' ? 'scheduled' : taken ? 'accepted' : 'rejected', {
        ...(taken ? {} : { code: 'station.refusedOrder' }),
        ...(taken && why === undefined
          ? {}
          : { reason: why === undefined ? status : `${status}: ${why}`.slice(0, 256) }),
        ...(settings === undefined ? {} : { settings: [...settings] }),
      });
    } catch (e) {
      if (channel) this.#starts.delete(channel.resource.resourceId);
      return tell('rejected', { code: codeOf(e) ?? 'internal.permanent', reason: describeError(e).what.slice(0, 256) });
    }
  }

  /** Whether a token was ordered to charge here. */
  expects(channel: Channel, idToken: string, remoteStartId?: number): boolean {
    return this.#match(channel, { idToken, remoteStartId, isNew: true }) !== undefined;
  }

  /** A session has begun: the order that started it is done (ocpp 5: `remoteStartId`, or the idTag in 1.6). */
  seen(channel: Channel, seen: SessionSeen): void {
    const start = this.#match(channel, seen);
    if (start === undefined || channel.transactionId === undefined) return;
    this.#starts.delete(channel.resource.resourceId);
    const sessionId = toId(String(channel.transactionId));
    this.#tell(start.order, channel.resource.identity, start.cause, { state: 'done', sessionId });
  }

  #match(channel: Channel, { remoteStartId, idToken, isNew }: SessionSeen): Started | undefined {
    const start = this.#starts.get(channel.resource.resourceId);
    if (start === undefined || start.until <= this.#o.clock.now()) return undefined;
    if (remoteStartId !== undefined) return remoteStartId === start.remoteStartId ? start : undefined;
    return isNew && idToken === start.idToken ? start : undefined;
  }

  #await(channel: Channel, order: StationOrder, payload: unknown, remoteStartId: number, cause: string): void {
    const token = field(payload, 'idToken');
    const idToken = String(field(payload, 'idTag') ?? field(token, 'idToken'));
    const until = this.#o.clock.now() + START_MS;
    this.#starts.set(channel.resource.resourceId, { order, remoteStartId, idToken, cause, until });
  }

  /** Distinct over restarts too, without a store: seconds since 2020, counted up. */
  #nextStart(): number {
    const s = Math.floor(this.#o.clock.now() / 1000) - 1_577_836_800;
    this.#lastStart = Math.max(this.#lastStart + 1, s);
    return this.#lastStart % 2_147_483_647;
  }

  #tell(order: StationOrder, identity: string, cause: string, what: Partial<StationOrderOutcome>) {
    const { orderId, resourceId, action } = order;
    const at = iso(this.#o.clock.now());
    const base = { orderId, ...(resourceId === undefined ? {} : { resourceId }), identity, action, at };
    const outcome: StationOrderOutcome = { ...base, state: 'rejected', ...what };
    this.#o.report(outcome, cause);
    return outcome;
  }
}

/** Answers that mean yes, of all the messages that carry orders. */
const TAKEN = ['Accepted', 'Scheduled', 'Unlocked', 'RebootRequired'];

/** Orders whose calls need a number of their own. */
const NUMBERED: readonly StationOrder['action'][] = ['start', 'getConfiguration'];

/** Asks for all settings of a station of 2.x, and waits for its report. */
async function reported(bridge: StationBridge, requestId: number, ask: () => Promise<unknown>): Promise<Answered> {
  let said: Answered = { status: '' };
  const rows = await bridge.reports.collect(requestId, async () => {
    const answer = await ask();
    said = { status: String(field(answer, 'status')), why: reasonOf(answer) };
    return said.status === 'Accepted';
  });
  return rows === undefined ? said : { ...said, settings: reportedSettings(rows) };
}

function readAnswer(version: Version, order: StationOrder, answer: unknown): Answered {
  if (order.action === 'getConfiguration' || order.action === 'setConfiguration')
    return readConfiguration(version, order.action, answer);
  return { status: String(field(answer, 'status')), why: reasonOf(answer) };
}

/**
 * The call of an order in the words of a version. Throws `order.incomplete` where something is missing and
 * `capability.unsupported` where the version has no such thing.
 */
export function wordOrder(
  version: Version,
  order: StationOrder,
  channel: Channel | undefined,
  remoteStartId: number,
): { readonly action: string; readonly payload: unknown } {
  const old = version === 'ocpp1.6';
  const evse = channel?.resource.evse;
  const there = (): Channel => {
    if (channel === undefined)
      throw BRIDGE_ERRORS.fail('order.incomplete', `Name the resource that shall ${order.action}.`);
    return channel;
  };
  const transaction = (): string | number => {
    const transactionId = runningOf(there());
    if (transactionId === undefined) throw BRIDGE_ERRORS.fail('station.noTransaction', 'No session runs there.');
    return transactionId;
  };
  switch (order.action) {
    case 'start': {
      const last = there().idToken;
      const token = order.idToken === undefined ? last : { idToken: order.idToken, type: 'Central' };
      if (token === undefined)
        throw BRIDGE_ERRORS.fail('order.incomplete', 'Name an idToken: no session was here before.');
      return startCall(version, evse, token, remoteStartId);
    }
    case 'stop':
      return {
        action: old ? 'RemoteStopTransaction' : 'RequestStopTransaction',
        payload: { transactionId: transaction() },
      };
    case 'availability': {
      const status = order.operative === false ? 'Inoperative' : 'Operative';
      if (old) return { action: 'ChangeAvailability', payload: { connectorId: evse ?? 0, type: status } };
      const where = evse === undefined ? {} : { evse: { id: evse } };
      return { action: 'ChangeAvailability', payload: { operationalStatus: status, ...where } };
    }
    case 'trigger': {
      const requestedMessage = order.message ?? 'StatusNotification';
      const where = evse === undefined ? {} : old ? { connectorId: evse } : { evse: { id: evse, connectorId: 1 } };
      return { action: 'TriggerMessage', payload: { requestedMessage, ...where } };
    }
    case 'reset': {
      const type = old ? (order.hard ? 'Hard' : 'Soft') : order.hard ? 'Immediate' : 'OnIdle';
      return { action: 'Reset', payload: { type } };
    }
    case 'unlock': {
      const id = there().resource.evse;
      return { action: 'UnlockConnector', payload: old ? { connectorId: id } : { evseId: id, connectorId: 1 } };
    }
    case 'priorityCharging':
      if (version !== 'ocpp2.1') throw BRIDGE_ERRORS.fail('order.unsupported', `${version} has no priority charging.`);
      return {
        action: 'UsePriorityCharging',
        payload: { transactionId: transaction(), activate: order.activate !== false },
      };
    case 'getConfiguration':
    case 'setConfiguration':
      return configurationCall(version, order.action, order, remoteStartId);
  }
}

function reasonOf(answer: unknown): string | undefined {
  const info = field(answer, 'statusInfo');
  const words = [field(info, 'reasonCode'), field(info, 'additionalInfo')].filter((w) => typeof w === 'string');
  return words.length === 0 ? undefined : words.join(', ');
}
