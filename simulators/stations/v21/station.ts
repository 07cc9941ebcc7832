import { iso } from '../../../core/clock.ts';
import { describeError } from '../../../core/errors.ts';
import type { PeerOf, Request, Response } from '../../../protocols/ocpp/index.ts';
import type { Authorization, ChangeTrigger, Dialect, StartTrigger } from '../dialect.ts';
import { Station, type StationOptions } from '../station.ts';
import type { Boot, BootReason, EndReason, Outgoing, Transaction } from '../types.ts';
import type { Unit } from '../unit.ts';
import { chargingNeeds, endTrigger, idToken, type TransactionEvent, type Trigger, transactionEvent } from './events.ts';
import { handlers21, REFUSALS } from './handlers.ts';
import { meterValue } from './meter.ts';
import { MODEL_21, rowsOf, VENDOR } from './model.ts';
import { applyUpdate } from './smart-charging.ts';
import { Variables } from './variables.ts';

type V = 'ocpp2.1';
type Peer = PeerOf<V>;
type Status = Request<V, 'StatusNotification'>['connectorStatus'];
type Measurands = 'TxStartedMeasurands' | 'TxUpdatedMeasurands' | 'TxEndedMeasurands';

export type Station21 = Station<V>;

/** A station that speaks OCPP 2.1 with bidirectional DC. */
export function createStation21(o: Omit<StationOptions<V>, 'dialect'>): Station21 {
  return new Station<V>({ ...o, dialect: (station) => new Dialect21(station) });
}

class Dialect21 implements Dialect<V> {
  readonly #s: Station<V>;
  readonly #variables: Variables;
  /** Profile whose values are being pulled. */
  #pulling: number | undefined;
  #eventId = 1;
  readonly handler: Dialect<V>['handler'];
  readonly refusals = REFUSALS;

  constructor(station: Station<V>) {
    this.#s = station;
    const rows = rowsOf(station.spec, station.units, (unit) => this.statusOf(unit));
    this.#variables = new Variables(rows, (path, value) => {
      if (path === 'OCPPCommCtrlr.HeartbeatInterval') station.line.heartbeatS = Number(value);
    });
    this.handler = handlers21(station, this.#variables, {
      transactionEvent: (unit) => {
        if (unit.tx) station.outbox.push(this.#update(unit, unit.tx, 'Trigger', 'Trigger'));
      },
      meterValues: (unit) => this.#meterValues(unit),
    });
  }

  get meterIntervalS(): number {
    return this.#variables.number('SampledDataCtrlr.TxUpdatedInterval');
  }

  get authorizeRemote(): boolean {
    return this.#variables.flag('AuthCtrlr.AuthorizeRemoteStart');
  }

  get retry(): { attempts: number; intervalS: number } {
    return {
      attempts: this.#variables.number('OCPPCommCtrlr.MessageAttempts[TransactionEvent]'),
      intervalS: this.#variables.number('OCPPCommCtrlr.MessageAttemptInterval[TransactionEvent]'),
    };
  }

  async boot(peer: Peer, reason: BootReason): Promise<Boot> {
    const { status, interval } = await peer.call('BootNotification', {
      reason,
      chargingStation: {
        model: MODEL_21,
        vendorName: VENDOR,
        serialNumber: this.#s.spec.identity.slice(0, 25),
        firmwareVersion: '1.0.0',
      },
    });
    return { status, intervalS: interval };
  }

  heartbeat(peer: Peer): Promise<unknown> {
    return peer.call('Heartbeat', {});
  }

  async authorize(peer: Peer, idTag: string): Promise<Authorization> {
    const { idTokenInfo, allowedEnergyTransfer } = await peer.call('Authorize', { idToken: idToken(idTag) });
    const v2xAllowed = allowedEnergyTransfer === undefined || allowedEnergyTransfer.includes('DC_BPT');
    return { accepted: idTokenInfo.status === 'Accepted', v2xAllowed };
  }

  statusOf(unit: Unit): Status {
    if (!unit.operative) return 'Unavailable';
    return unit.ev ? 'Occupied' : 'Available';
  }

  status(unit: Unit): Outgoing<V> {
    const payload: Request<V, 'StatusNotification'> = {
      timestamp: iso(this.#s.clock.now()),
      connectorStatus: this.statusOf(unit),
      evseId: unit.id,
      connectorId: 1,
    };
    if (this.#s.spec.statusAs === 'NotifyEvent') return this.#statusEvent(unit.id, payload);
    return { name: 'StatusNotification', keep: false, send: (peer) => peer.call('StatusNotification', payload) };
  }

  stationStatus(): undefined {
    return undefined;
  }

  started(unit: Unit, tx: Transaction, trigger: StartTrigger, offline: boolean): Outgoing<V>[] {
    const nowMs = this.#s.clock.now();
    const meter = this.#sample(unit, 'TxStartedMeasurands', 'Transaction.Begin');
    const event = transactionEvent(unit, tx, { type: 'Started', trigger, nowMs, offline, meter });
    const started = this.#send(event, (answer) => this.#accepted(unit, tx, answer));
    const needs: Outgoing<V> = {
      name: 'NotifyEVChargingNeeds',
      keep: true,
      send: (peer) => this.#needs(peer, unit, tx),
    };
    return [started, needs];
  }

  changed(unit: Unit, tx: Transaction, why: ChangeTrigger): Outgoing<V> {
    return this.#update(unit, tx, why === 'mode' ? 'OperationModeChanged' : 'ChargingStateChanged');
  }

  reading(unit: Unit, tx: Transaction): Outgoing<V> {
    return { ...this.#update(unit, tx, 'MeterValuePeriodic', 'Sample.Periodic'), periodic: true };
  }

  ended(unit: Unit, tx: Transaction, end: EndReason): Outgoing<V> {
    const meter = this.#sample(unit, 'TxEndedMeasurands', 'Transaction.End');
    const common = { nowMs: this.#s.clock.now(), offline: !this.#s.peer, meter, end };
    return this.#send(transactionEvent(unit, tx, { type: 'Ended', trigger: endTrigger(end), ...common }));
  }

  ready({ booted, offlineMs }: { readonly booted: boolean; readonly offlineMs: number }): void {
    // ocpp 1.1: all connectors after a long time offline, else only what changed.
    const long = offlineMs > this.#variables.number('OCPPCommCtrlr.OfflineThreshold') * 1000;
    if (booted || long) this.#s.announce();
    else for (const unit of this.#s.units) this.#s.sync(unit);
  }

  /** The same as AvailabilityState of the connector. */
  #statusEvent(evseId: number, { timestamp, connectorStatus }: Request<V, 'StatusNotification'>): Outgoing<V> {
    const payload: Request<V, 'NotifyEvent'> = {
      generatedAt: timestamp,
      seqNo: 0,
      eventData: [
        {
          eventId: this.#eventId++,
          timestamp,
          trigger: 'Delta',
          actualValue: connectorStatus,
          eventNotificationType: 'HardWiredNotification',
          component: { name: 'Connector', evse: { id: evseId, connectorId: 1 } },
          variable: { name: 'AvailabilityState' },
        },
      ],
    };
    return { name: 'NotifyEvent', keep: false, send: (peer) => peer.call('NotifyEvent', payload) };
  }

  /** Pulls the values of Dynamic profiles that ask for it (K28.FR.10). */
  tick(nowMs: number): void {
    const { peer } = this.#s;
    if (!peer || this.#pulling !== undefined) return;
    const due = this.#s.profiles.find(
      ({ dynUpdateIntervalS = 0, dynUpdateMs = nowMs }) =>
        dynUpdateIntervalS > 0 && nowMs >= dynUpdateMs + dynUpdateIntervalS * 1000,
    );
    if (due) void this.#pull(peer, due.id);
  }

  async #pull(peer: Peer, id: number): Promise<void> {
    this.#pulling = id;
    try {
      const { status, scheduleUpdate } = await peer.call('PullDynamicScheduleUpdate', { chargingProfileId: id });
      const why = status === 'Accepted' && scheduleUpdate ? applyUpdate(this.#s, id, scheduleUpdate) : undefined;
      if (why || status !== 'Accepted') this.#s.emit('pullRefused', { id, ...why });
    } catch (e) {
      this.#s.emit('pullFailed', { id, code: describeError(e).code });
    } finally {
      // One attempt a second at most, also after a failure.
      this.#s.clock.after(1000, () => {
        this.#pulling = undefined;
      });
    }
  }

  async #needs(peer: Peer, unit: Unit, tx: Transaction): Promise<void> {
    const bidirectional = tx.v2xAllowed && unit.ev?.isV2G === true;
    const needs = unit.tx === tx ? chargingNeeds(unit, bidirectional, unit.departureMs) : undefined;
    if (!needs) return;
    const { status } = await peer.call('NotifyEVChargingNeeds', needs);
    if (status !== 'Rejected' || unit.tx !== tx) return;
    this.#s.sessions.end(unit, { reason: 'DeAuthorized', transferRejected: true });
  }

  #accepted(unit: Unit, tx: Transaction, { idTokenInfo }: Response<V, 'TransactionEvent'>): void {
    if (!idTokenInfo || idTokenInfo.status === 'Accepted' || unit.tx !== tx) return;
    if (this.#variables.flag('TxCtrlr.StopTxOnInvalidId')) this.#s.sessions.end(unit, { reason: 'DeAuthorized' });
  }

  #update(unit: Unit, tx: Transaction, trigger: Trigger, context?: 'Sample.Periodic' | 'Trigger'): Outgoing<V> {
    const meter = context && this.#sample(unit, 'TxUpdatedMeasurands', context);
    const common = { nowMs: this.#s.clock.now(), offline: !this.#s.peer, meter };
    return this.#send(transactionEvent(unit, tx, { type: 'Updated', trigger, ...common }));
  }

  #send(event: TransactionEvent, onAnswer?: (answer: Response<V, 'TransactionEvent'>) => void): Outgoing<V> {
    const send = async (peer: Peer): Promise<void> => {
      const answer = await peer.call('TransactionEvent', event);
      onAnswer?.(answer);
    };
    return { name: `TransactionEvent ${event.eventType}`, keep: true, send };
  }

  #sample(unit: Unit, list: Measurands, context: Parameters<typeof meterValue>[2]): ReturnType<typeof meterValue> {
    return meterValue(unit, this.#variables.measurands(`SampledDataCtrlr.${list}`), context);
  }

  #meterValues(unit: Unit): void {
    const value = this.#sample(unit, 'TxUpdatedMeasurands', 'Trigger');
    if (!value) return;
    const payload = { evseId: unit.id, meterValue: [value] };
    this.#s.outbox.push({ name: 'MeterValues', keep: false, send: (peer) => peer.call('MeterValues', payload) });
  }
}
