import { describeError } from '../../core/errors.ts';
import type { Version } from '../../protocols/ocpp/index.ts';
import { type ArrivalEvent, type Ev, endTransaction } from '../core/index.ts';
import type { StartTrigger } from './dialect.ts';
import type { Station } from './station.ts';
import type { EndReason, RemoteStart, Transaction } from './types.ts';
import type { Unit } from './unit.ts';

interface Begin {
  readonly idTag: string;
  readonly trigger: StartTrigger;
  readonly v2xAllowed: boolean;
  readonly offline: boolean;
  readonly remote?: RemoteStart;
}

/** What happens between a car's arrival and its departure, the same in all versions. */
export class Sessions<V extends Version> {
  readonly #station: Station<V>;

  constructor(station: Station<V>) {
    this.#station = station;
  }

  /** Carries out what the arrival process brought. */
  visit(unit: Unit, { kind, visit }: ArrivalEvent): void {
    if (kind === 'arrive') this.plug(unit, visit.ev);
    else this.unplug(unit);
  }

  /** A car is plugged in; its driver identifies a moment later. */
  plug(unit: Unit, ev: Ev): void {
    const s = this.#station;
    unit.plug(ev);
    unit.identifyAtMs = s.clock.now() + s.random.between(300, 1200);
    s.emit('arrived', { evse: unit.id, idTag: ev.idTag, socPct: Math.round(ev.arrivalPct) });
    s.sync(unit);
  }

  /** The driver ends what runs and takes the car away. */
  unplug(unit: Unit): void {
    const s = this.#station;
    if (unit.tx) this.end(unit, { reason: 'Local' });
    s.emit('departed', { evse: unit.id, socPct: Math.round(unit.evse.socPct) });
    unit.unplug();
    s.sync(unit);
  }

  /** Starts what is due: identification of drivers, remote starts. */
  tick(unit: Unit, nowMs: number): void {
    const { remoteStart } = unit;
    if (remoteStart && nowMs >= remoteStart.untilMs) unit.remoteStart = undefined;
    if (!unit.ev || unit.tx || unit.finished || unit.authorizing || !unit.operative || unit.faulted) return;
    if (unit.remoteStart) void this.#remote(unit, unit.remoteStart);
    else if (unit.identifyAtMs !== undefined && nowMs >= unit.identifyAtMs) void this.#identify(unit, unit.ev.idTag);
  }

  /** Ends the running transaction and tells the CSMS. */
  end(unit: Unit, why: EndReason): void {
    const s = this.#station;
    const { tx } = unit;
    if (!tx) return;
    unit.closeContactor(false);
    s.outbox.push(s.dialect.ended(unit, tx, why));
    unit.tx = undefined;
    unit.finished = true;
    s.profiles = endTransaction(s.profiles, tx.id);
    s.emit('txEnded', { evse: unit.id, tx: tx.id, reason: why.reason, meterWh: Math.round(unit.evse.importWh) });
    if (unit.inoperativeAfterTx) {
      unit.inoperativeAfterTx = false;
      unit.operative = false;
    }
    s.sync(unit);
  }

  async #identify(unit: Unit, idTag: string): Promise<void> {
    unit.identifyAtMs = undefined;
    const granted = await this.#authorize(unit, idTag);
    if (granted) this.#begin(unit, { ...granted, idTag, trigger: 'Authorized' });
  }

  async #remote(unit: Unit, remote: RemoteStart): Promise<void> {
    unit.remoteStart = undefined;
    unit.identifyAtMs = undefined;
    const { idTag } = remote;
    const ask = this.#station.dialect.authorizeRemote;
    const granted = ask ? await this.#authorize(unit, idTag) : { v2xAllowed: true, offline: !this.#station.peer };
    if (granted) this.#begin(unit, { ...granted, idTag, remote, trigger: 'RemoteStart' });
  }

  /** Undefined when the driver may not charge, or the car has left meanwhile. Offline everybody may. */
  async #authorize(unit: Unit, idTag: string): Promise<{ v2xAllowed: boolean; offline: boolean } | undefined> {
    const s = this.#station;
    const { peer } = s;
    // A station that was never accepted starts nothing; its driver tries again.
    if (!peer && !s.everReady) {
      unit.identifyAtMs = s.clock.now() + 1000;
      return undefined;
    }
    if (!peer) return { v2xAllowed: true, offline: true };
    const { visits } = unit;
    unit.authorizing = true;
    try {
      const { accepted, v2xAllowed } = await s.dialect.authorize(peer, idTag);
      if (unit.visits !== visits) return undefined;
      if (!accepted) s.emit('authorizeRefused', { evse: unit.id });
      return accepted ? { v2xAllowed, offline: false } : undefined;
    } catch (e) {
      s.emit('authorizeFailed', { evse: unit.id, code: describeError(e).code });
      if (unit.visits === visits) unit.identifyAtMs = s.clock.now() + 2000;
      return undefined;
    } finally {
      unit.authorizing = false;
    }
  }

  #begin(unit: Unit, begin: Begin): void {
    const s = this.#station;
    if (unit.tx || !unit.ev || !unit.operative || unit.faulted) return;
    const nowMs = s.clock.now();
    const tx: Transaction = {
      id: s.newId(),
      idTag: begin.idTag,
      startedMs: nowMs,
      meterStartWh: unit.evse.importWh,
      ...(begin.remote?.remoteStartId === undefined ? {} : { remoteStartId: begin.remote.remoteStartId }),
      seqNo: 0,
      v2xAllowed: begin.v2xAllowed,
      priority: false,
      shownState: '',
      shownMode: 'ChargingOnly',
      meterDueMs: nowMs + s.dialect.meterIntervalS * 1000,
    };
    unit.tx = tx;
    unit.closeContactor(true);
    if (begin.remote?.profile) s.installProfile({ ...begin.remote.profile, transactionId: tx.id });
    for (const message of s.dialect.started(unit, tx, begin.trigger, begin.offline)) s.outbox.push(message);
    s.emit('txStarted', { evse: unit.id, tx: tx.id, trigger: begin.trigger });
    s.sync(unit);
  }
}
