import { iso } from '../../../core/clock.ts';
import type { PeerOf, Request, Response } from '../../../protocols/ocpp/index.ts';
import type { Authorization, ChangeTrigger, Dialect, StartTrigger } from '../dialect.ts';
import type { Station } from '../station.ts';
import { type Boot, type BootReason, type EndReason, type Outgoing, type Transaction, VENDOR } from '../types.ts';
import type { Unit } from '../unit.ts';
import { ask, type V2 } from './ask.ts';
import { endTrigger, idToken, type TransactionEvent, type Trigger, transactionEvent } from './events.ts';
import { REFUSALS, type Triggers } from './handlers.ts';
import { meterValue } from './meter.ts';
import { DEFAULT_ITEMS, type Row } from './rows.ts';
import { Variables } from './variables.ts';

type Base = 'ocpp2.0.1';
type Status = Request<Base, 'StatusNotification'>['connectorStatus'];
type Measurands = 'TxStartedMeasurands' | 'TxUpdatedMeasurands' | 'TxEndedMeasurands';

/** Why an event is told, for what only 2.1 adds to it. */
export interface EventExtras {
  readonly modeChanged?: boolean;
  readonly end?: EndReason;
}

/** What a station of 2.0.1 and one of 2.1 say alike. */
export abstract class Dialect2<V extends V2> implements Dialect<V> {
  readonly #model: string;
  protected readonly s: Station<V>;
  protected readonly variables: Variables;
  #eventId = 1;
  readonly refusals: Dialect<V>['refusals'] = REFUSALS;
  abstract readonly handler: Dialect<V>['handler'];

  constructor(station: Station<V>, model: string, rows: (statusOf: (unit: Unit) => string) => readonly Row[]) {
    this.s = station;
    this.#model = model;
    this.variables = new Variables(rows(statusOf), {
      itemsPerMessage: station.spec.itemsPerMessage ?? DEFAULT_ITEMS,
      onWrite: (path, value) => {
        if (path === 'OCPPCommCtrlr.HeartbeatInterval') station.line.heartbeatS = Number(value);
      },
    });
  }

  get meterIntervalS(): number {
    return this.variables.number('SampledDataCtrlr.TxUpdatedInterval');
  }

  get authorizeRemote(): boolean {
    return this.variables.flag('AuthCtrlr.AuthorizeRemoteStart');
  }

  get retry(): { attempts: number; intervalS: number } {
    return {
      attempts: this.variables.number('OCPPCommCtrlr.MessageAttempts[TransactionEvent]'),
      intervalS: this.variables.number('OCPPCommCtrlr.MessageAttemptInterval[TransactionEvent]'),
    };
  }

  protected get triggers(): Triggers {
    return {
      transactionEvent: (unit) => {
        if (unit.tx) this.s.outbox.push(this.#update(unit, unit.tx, 'Trigger', 'Trigger'));
      },
      meterValues: (unit) => this.#meterValues(unit),
    };
  }

  async boot(peer: PeerOf<V>, reason: BootReason): Promise<Boot> {
    const { status, interval } = await ask(peer, 'BootNotification', {
      reason,
      chargingStation: {
        model: this.#model,
        vendorName: VENDOR,
        serialNumber: this.s.spec.identity.slice(0, 25),
        firmwareVersion: '1.0.0',
      },
    });
    return { status, intervalS: interval };
  }

  heartbeat(peer: PeerOf<V>): Promise<unknown> {
    return ask(peer, 'Heartbeat', {});
  }

  async authorize(peer: PeerOf<V>, idTag: string): Promise<Authorization> {
    const { idTokenInfo } = await ask(peer, 'Authorize', { idToken: idToken(idTag) });
    return { accepted: idTokenInfo.status === 'Accepted', v2xAllowed: false };
  }

  statusOf(unit: Unit): Status {
    return statusOf(unit);
  }

  status(unit: Unit): Outgoing<V> {
    const payload: Request<Base, 'StatusNotification'> = {
      timestamp: iso(this.s.clock.now()),
      connectorStatus: statusOf(unit),
      evseId: unit.id,
      connectorId: 1,
    };
    if (this.s.spec.statusAs === 'NotifyEvent') return this.#statusEvent(unit.id, payload);
    return { name: 'StatusNotification', keep: false, send: (peer) => ask(peer, 'StatusNotification', payload) };
  }

  stationStatus(): undefined {
    return undefined;
  }

  started(unit: Unit, tx: Transaction, trigger: StartTrigger, offline: boolean): Outgoing<V>[] {
    const nowMs = this.s.clock.now();
    const meter = this.#sample(unit, 'TxStartedMeasurands', 'Transaction.Begin');
    const event = transactionEvent(unit, tx, { type: 'Started', trigger, nowMs, offline, meter });
    const started = this.#send(event, (answer) => this.#accepted(unit, tx, answer));
    if (!(unit.ev?.tellsNeeds ?? unit.ev?.phases === 0)) return [started];
    return [started, { name: 'NotifyEVChargingNeeds', keep: true, send: (peer) => this.needs(peer, unit, tx) }];
  }

  changed(unit: Unit, tx: Transaction, why: ChangeTrigger): Outgoing<V> | undefined {
    return why === 'state' ? this.#update(unit, tx, 'ChargingStateChanged') : this.modeChanged(unit, tx);
  }

  reading(unit: Unit, tx: Transaction): Outgoing<V> {
    return { ...this.#update(unit, tx, 'MeterValuePeriodic', 'Sample.Periodic'), periodic: true };
  }

  ended(unit: Unit, tx: Transaction, end: EndReason): Outgoing<V> {
    const meter = this.#sample(unit, 'TxEndedMeasurands', 'Transaction.End');
    const common = { nowMs: this.s.clock.now(), offline: !this.s.peer, meter, end };
    const event = transactionEvent(unit, tx, { type: 'Ended', trigger: endTrigger(end), ...common });
    return this.#send(this.complete(event, tx, { end }));
  }

  limited(limitW: number | undefined): Outgoing<V>[] {
    const source = 'EMS';
    if (limitW === undefined) {
      const payload = { chargingLimitSource: source } as const;
      const name = 'ClearedChargingLimit';
      return [{ name, keep: false, send: (peer) => ask(peer, name, payload) }];
    }
    const chargingSchedule: Request<Base, 'NotifyChargingLimit'>['chargingSchedule'] = [
      {
        id: 1,
        startSchedule: iso(this.s.clock.now()),
        chargingRateUnit: 'W',
        chargingSchedulePeriod: [{ startPeriod: 0, limit: limitW }],
      },
    ];
    const payload = {
      chargingLimit: { chargingLimitSource: source, isGridCritical: false },
      chargingSchedule,
    } as const;
    return [{ name: 'NotifyChargingLimit', keep: false, send: (peer) => ask(peer, 'NotifyChargingLimit', payload) }];
  }

  ready({ booted, offlineMs }: { readonly booted: boolean; readonly offlineMs: number }): void {
    // ocpp 1.1: all connectors after a long time offline, else only what changed.
    const long = offlineMs > this.variables.number('OCPPCommCtrlr.OfflineThreshold') * 1000;
    if (booted || long) this.s.announce();
    else for (const unit of this.s.units) this.s.sync(unit);
  }

  abstract tick(nowMs: number): void;
  abstract pressed(unit: Unit, tx: Transaction, activated: boolean): Outgoing<V>;
  /** Tells what the EV needs, if it says so; ends the transaction where the CSMS refuses the transfer. */
  protected abstract needs(peer: PeerOf<V>, unit: Unit, tx: Transaction): Promise<void>;
  /** Tells a new operation mode, where the version has them. */
  protected abstract modeChanged(unit: Unit, tx: Transaction): Outgoing<V> | undefined;
  /** Adds to an event what only the version has. */
  protected abstract complete(event: TransactionEvent, tx: Transaction, extras: EventExtras): unknown;

  /** An event without readings. */
  protected update(unit: Unit, tx: Transaction, extras: EventExtras): Outgoing<V> {
    return this.#update(unit, tx, 'ChargingStateChanged', undefined, extras);
  }

  #update(
    unit: Unit,
    tx: Transaction,
    trigger: Trigger,
    context?: 'Sample.Periodic' | 'Trigger',
    extras: EventExtras = {},
  ): Outgoing<V> {
    const meter = context && this.#sample(unit, 'TxUpdatedMeasurands', context);
    const common = { nowMs: this.s.clock.now(), offline: !this.s.peer, meter };
    return this.#send(this.complete(transactionEvent(unit, tx, { type: 'Updated', trigger, ...common }), tx, extras));
  }

  #send(event: unknown, onAnswer?: (answer: Response<Base, 'TransactionEvent'>) => void): Outgoing<V> {
    const send = async (peer: PeerOf<V>): Promise<void> => {
      // `complete` may have added fields of 2.1.
      const answer = await ask(peer, 'TransactionEvent', event as TransactionEvent);
      onAnswer?.(answer);
    };
    return { name: 'TransactionEvent', keep: true, send };
  }

  #accepted(unit: Unit, tx: Transaction, { idTokenInfo }: Response<Base, 'TransactionEvent'>): void {
    if (!idTokenInfo || idTokenInfo.status === 'Accepted' || unit.tx !== tx) return;
    if (this.variables.flag('TxCtrlr.StopTxOnInvalidId')) this.s.sessions.end(unit, { reason: 'DeAuthorized' });
  }

  #sample(unit: Unit, list: Measurands, context: Parameters<typeof meterValue>[2]): ReturnType<typeof meterValue> {
    return meterValue(unit, this.variables.measurands(`SampledDataCtrlr.${list}`), context);
  }

  #meterValues(unit: Unit): void {
    const value = this.#sample(unit, 'TxUpdatedMeasurands', 'Trigger');
    if (!value) return;
    const payload = { evseId: unit.id, meterValue: [value] };
    this.s.outbox.push({ name: 'MeterValues', keep: false, send: (peer) => ask(peer, 'MeterValues', payload) });
  }

  /** The status as AvailabilityState of the connector. */
  #statusEvent(evseId: number, status: Request<Base, 'StatusNotification'>): Outgoing<V> {
    const { timestamp, connectorStatus } = status;
    const payload: Request<Base, 'NotifyEvent'> = {
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
    return { name: 'NotifyEvent', keep: false, send: (peer) => ask(peer, 'NotifyEvent', payload) };
  }
}

function statusOf(unit: Unit): Status {
  if (unit.faulted) return 'Faulted';
  if (!unit.operative) return 'Unavailable';
  return unit.ev ? 'Occupied' : 'Available';
}
