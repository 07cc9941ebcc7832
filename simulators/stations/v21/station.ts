import { describeError } from '../../../core/errors.ts';
import type { PeerOf } from '../../../protocols/ocpp/index.ts';
import type { Authorization } from '../dialect.ts';
import { Station, type StationOptions } from '../station.ts';
import type { Outgoing, Transaction } from '../types.ts';
import type { Unit } from '../unit.ts';
import { Dialect2, type EventExtras } from '../v2/dialect.ts';
import { idToken, type TransactionEvent } from '../v2/events.ts';
import { applyUpdate, handlers21 } from './handlers.ts';
import { isV2X, MODEL_21, rowsOf, transfersOf } from './model.ts';
import { needs21 } from './needs.ts';

type V = 'ocpp2.1';
type Peer = PeerOf<V>;

export type Station21 = Station<V>;

/** A station that speaks OCPP 2.1, by its specification with bidirectional DC or AC. */
export function createStation21(o: Omit<StationOptions<V>, 'dialect'>): Station21 {
  return new Station<V>({ ...o, dialect: (station) => new Dialect21(station) });
}

class Dialect21 extends Dialect2<V> {
  /** Profile whose values are being pulled. */
  #pulling: number | undefined;
  readonly handler: Dialect2<V>['handler'];

  constructor(station: Station<V>) {
    super(station, MODEL_21, (statusOf) => rowsOf(station.spec, station.units, statusOf));
    this.handler = handlers21(station, this.variables, this.triggers);
  }

  override async authorize(peer: Peer, idTag: string): Promise<Authorization> {
    const { idTokenInfo, allowedEnergyTransfer } = await peer.call('Authorize', { idToken: idToken(idTag) });
    const [, both] = transfersOf(this.s.spec);
    const v2xAllowed = allowedEnergyTransfer === undefined || allowedEnergyTransfer.some((t) => t === both);
    return { accepted: idTokenInfo.status === 'Accepted', v2xAllowed };
  }

  pressed(_unit: Unit, tx: Transaction, activated: boolean): Outgoing<V> {
    const payload = { transactionId: tx.id, activated };
    const send = { name: 'NotifyPriorityCharging', keep: true };
    return { ...send, send: (peer) => peer.call('NotifyPriorityCharging', payload) };
  }

  /** Pulls the values of Dynamic profiles that ask for it (K28.FR.10). */
  tick(nowMs: number): void {
    const { peer } = this.s;
    if (!peer || this.#pulling !== undefined) return;
    const due = this.s.profiles.find(
      ({ dynUpdateIntervalS = 0, dynUpdateMs = nowMs }) =>
        dynUpdateIntervalS > 0 && nowMs >= dynUpdateMs + dynUpdateIntervalS * 1000,
    );
    if (due) void this.#pull(peer, due.id);
  }

  async #pull(peer: Peer, id: number): Promise<void> {
    this.#pulling = id;
    try {
      const { status, scheduleUpdate } = await peer.call('PullDynamicScheduleUpdate', { chargingProfileId: id });
      const why = status === 'Accepted' && scheduleUpdate ? applyUpdate(this.s, id, scheduleUpdate) : undefined;
      if (why || status !== 'Accepted') this.s.emit('pullRefused', { id, ...why });
    } catch (e) {
      this.s.emit('pullFailed', { id, code: describeError(e).code });
    } finally {
      // One attempt a second at most, also after a failure.
      this.s.clock.after(1000, () => {
        this.#pulling = undefined;
      });
    }
  }

  protected async needs(peer: Peer, unit: Unit, tx: Transaction): Promise<void> {
    const bidirectional = isV2X(this.s.spec) && tx.v2xAllowed && unit.ev?.isV2G === true;
    const needs = unit.tx === tx ? needs21(unit, bidirectional, unit.departureMs) : undefined;
    if (!needs) return;
    const { status } = await peer.call('NotifyEVChargingNeeds', needs);
    if (status !== 'Rejected' || unit.tx !== tx) return;
    this.s.sessions.end(unit, { reason: 'DeAuthorized', transferRejected: true });
  }

  protected modeChanged(unit: Unit, tx: Transaction): Outgoing<V> {
    return this.update(unit, tx, { modeChanged: true });
  }

  protected complete(event: TransactionEvent, tx: Transaction, { modeChanged, end }: EventExtras): unknown {
    if (modeChanged) {
      const transactionInfo = { ...event.transactionInfo, operationMode: tx.shownMode };
      return { ...event, triggerReason: 'OperationModeChanged', transactionInfo };
    }
    if (!end?.transferRejected) return event;
    return { ...event, transactionInfo: { ...event.transactionInfo, stoppedReason: 'ReqEnergyTransferRejected' } };
  }
}
