import { iso } from '../../../core/clock.ts';
import type { PeerOf, Request, Response } from '../../../protocols/ocpp/index.ts';
import type { Authorization, Dialect } from '../dialect.ts';
import { Station, type StationOptions } from '../station.ts';
import { type Boot, type EndReason, type Outgoing, type Transaction, VENDOR } from '../types.ts';
import type { Unit } from '../unit.ts';
import { Config16 } from './config.ts';
import { handlers16, REFUSALS } from './handlers.ts';
import { meterValue } from './meter.ts';

type V = 'ocpp1.6';
type Peer = PeerOf<V>;
type Status = Request<V, 'StatusNotification'>['status'];

export const MODEL_16 = 'SimAC16';

export type Station16 = Station<V>;

/** A station that speaks OCPP 1.6. */
export function createStation16(o: Omit<StationOptions<V>, 'dialect'>): Station16 {
  return new Station<V>({ ...o, dialect: (station) => new Dialect16(station) });
}

class Dialect16 implements Dialect<V> {
  readonly #s: Station<V>;
  readonly #config: Config16;
  readonly handler: Dialect<V>['handler'];
  readonly refusals = REFUSALS;

  constructor(station: Station<V>) {
    this.#s = station;
    this.#config = new Config16(station.spec);
    this.handler = handlers16(station, this.#config, { readings: (unit) => this.#triggered(unit) });
  }

  get meterIntervalS(): number {
    return this.#config.number('MeterValueSampleInterval');
  }

  get authorizeRemote(): boolean {
    return this.#config.flag('AuthorizeRemoteTxRequests');
  }

  get retry(): { attempts: number; intervalS: number } {
    return {
      attempts: this.#config.number('TransactionMessageAttempts'),
      intervalS: this.#config.number('TransactionMessageRetryInterval'),
    };
  }

  async boot(peer: Peer): Promise<Boot> {
    const { identity } = this.#s.spec;
    const { status, interval } = await peer.call('BootNotification', {
      chargePointVendor: VENDOR,
      chargePointModel: MODEL_16,
      chargePointSerialNumber: identity.slice(0, 25),
      firmwareVersion: '1.0.0',
      meterType: 'simulated',
    });
    if (status === 'Accepted' && interval > 0) this.#config.change('HeartbeatInterval', String(interval));
    return { status, intervalS: interval };
  }

  heartbeat(peer: Peer): Promise<unknown> {
    return peer.call('Heartbeat', {});
  }

  async authorize(peer: Peer, idTag: string): Promise<Authorization> {
    const { idTagInfo } = await peer.call('Authorize', { idTag });
    return { accepted: idTagInfo.status === 'Accepted', v2xAllowed: false };
  }

  statusOf(unit: Unit): Status {
    if (unit.faulted) return 'Faulted';
    if (unit.tx) return IN_SESSION[unit.activity];
    if (!unit.operative) return 'Unavailable';
    if (!unit.ev) return 'Available';
    return unit.finished ? 'Finishing' : 'Preparing';
  }

  status(unit: Unit): Outgoing<V> {
    return this.#status(unit.id, this.statusOf(unit));
  }

  stationStatus(): Outgoing<V> {
    const inService = this.#s.units.some((u) => u.operative);
    return this.#status(0, inService ? 'Available' : 'Unavailable');
  }

  started(unit: Unit, tx: Transaction): Outgoing<V>[] {
    const payload = {
      connectorId: unit.id,
      idTag: tx.idTag,
      meterStart: Math.round(tx.meterStartWh),
      timestamp: iso(tx.startedMs),
    };
    const send = async (peer: Peer): Promise<void> => {
      const { transactionId, idTagInfo } = await peer.call('StartTransaction', payload);
      tx.wireId = transactionId;
      this.#accepted(unit, tx, idTagInfo);
    };
    return [{ name: 'StartTransaction', keep: true, send }];
  }

  /** 1.6 tells state changes by StatusNotification only. */
  changed(): undefined {
    return undefined;
  }

  reading(unit: Unit, tx: Transaction): Outgoing<V> {
    const value = meterValue(unit, this.#config.measurands('MeterValuesSampledData'), 'Sample.Periodic');
    const send = async (peer: Peer): Promise<void> => {
      if (!value) return;
      const id = tx.wireId === undefined ? {} : { transactionId: tx.wireId };
      await peer.call('MeterValues', { connectorId: unit.id, ...id, meterValue: [value] });
    };
    return { name: 'MeterValues', keep: true, periodic: true, send };
  }

  ended(unit: Unit, tx: Transaction, why: EndReason): Outgoing<V> {
    const data = meterValue(unit, this.#config.measurands('StopTxnSampledData'), 'Transaction.End');
    const payload = {
      idTag: tx.idTag,
      meterStop: Math.round(unit.evse.importWh),
      timestamp: iso(this.#s.clock.now()),
      reason: why.reason,
      ...(data ? { transactionData: [data] } : {}),
    };
    const send = async (peer: Peer): Promise<void> => {
      // Without an id from the CSMS (StartTransaction was given up) there is nothing it could end.
      if (tx.wireId !== undefined) await peer.call('StopTransaction', { ...payload, transactionId: tx.wireId });
    };
    return { name: 'StopTransaction', keep: true, send };
  }

  /** 1.6 has no message for it; the simulated vendor uses DataTransfer. */
  pressed(_unit: Unit, tx: Transaction, activated: boolean): Outgoing<V> {
    const send = (peer: Peer): Promise<unknown> => {
      const data = JSON.stringify({ transactionId: tx.wireId, activated });
      return peer.call('DataTransfer', { vendorId: VENDOR, messageId: 'PriorityCharging', data });
    };
    return { name: 'DataTransfer', keep: true, send };
  }

  limited(): Outgoing<V>[] {
    return [];
  }

  ready(): void {
    this.#s.announce();
  }

  tick(): void {
    // Nothing that only 1.6 does.
  }

  #accepted(unit: Unit, tx: Transaction, info: Response<V, 'StartTransaction'>['idTagInfo']): void {
    if (info.status === 'Accepted' || unit.tx !== tx || !this.#config.flag('StopTransactionOnInvalidId')) return;
    this.#s.sessions.end(unit, { reason: 'DeAuthorized' });
  }

  #triggered(unit: Unit): void {
    const value = meterValue(unit, this.#config.measurands('MeterValuesSampledData'), 'Trigger');
    if (!value) return;
    const id = unit.tx?.wireId === undefined ? {} : { transactionId: unit.tx.wireId };
    const payload = { connectorId: unit.id, ...id, meterValue: [value] };
    this.#s.outbox.push({ name: 'MeterValues', keep: false, send: (peer) => peer.call('MeterValues', payload) });
  }

  #status(connectorId: number, status: Status): Outgoing<V> {
    const timestamp = iso(this.#s.clock.now());
    const errorCode = status === 'Faulted' ? 'InternalError' : 'NoError';
    const payload = { connectorId, errorCode, status, timestamp } as const;
    return { name: 'StatusNotification', keep: false, send: (peer) => peer.call('StatusNotification', payload) };
  }
}

const IN_SESSION = {
  idle: 'Preparing',
  charging: 'Charging',
  suspendedEV: 'SuspendedEV',
  suspendedEVSE: 'SuspendedEVSE',
} as const satisfies Record<Unit['activity'], Status>;
