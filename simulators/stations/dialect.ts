import type { Handler, PeerOf, Version } from '../../protocols/ocpp/index.ts';
import type { Boot, BootReason, EndReason, Outgoing, Transaction } from './types.ts';
import type { Unit } from './unit.ts';

export interface Authorization {
  readonly accepted: boolean;
  /** Whether bidirectional transfer is allowed (2.1 `allowedEnergyTransfer`). */
  readonly v2xAllowed: boolean;
}

export type StartTrigger = 'Authorized' | 'RemoteStart';
export type ChangeTrigger = 'state' | 'mode';

/** What differs between the OCPP versions: how a station says things and how it takes orders. */
export interface Dialect<V extends Version> {
  boot(peer: PeerOf<V>, reason: BootReason): Promise<Boot>;
  heartbeat(peer: PeerOf<V>): Promise<unknown>;
  authorize(peer: PeerOf<V>, idTag: string): Promise<Authorization>;
  /** The status of an EVSE in the words of the version. */
  statusOf(unit: Unit): string;
  status(unit: Unit): Outgoing<V>;
  /** Status of the station itself, where the version has one (1.6: connector 0). */
  stationStatus(): Outgoing<V> | undefined;
  /** Messages that open a transaction, in order. `offline`: it began without the CSMS. */
  started(unit: Unit, tx: Transaction, trigger: StartTrigger, offline: boolean): Outgoing<V>[];
  /** Tells that charging state or operation mode moved; undefined where the version has no such message. */
  changed(unit: Unit, tx: Transaction, why: ChangeTrigger): Outgoing<V> | undefined;
  reading(unit: Unit, tx: Transaction): Outgoing<V>;
  ended(unit: Unit, tx: Transaction, why: EndReason): Outgoing<V>;
  /** Tells that the driver has switched priority charging on or off at the station. */
  pressed(unit: Unit, tx: Transaction, activated: boolean): Outgoing<V>;
  /** The CSMS has just accepted the station, or it is back after a time offline. */
  /** Tells a limit that somebody at the site has set at the station, or that it is gone; nothing where 1.6 is spoken. */
  limited(limitW: number | undefined): Outgoing<V>[];
  ready(o: { readonly booted: boolean; readonly offlineMs: number }): void;
  /** Called at each tick, for what only this version does. */
  tick(nowMs: number): void;
  readonly handler: Handler<V>;
  /** Answers of a station that refuses everything, by action. */
  readonly refusals: Readonly<Record<string, unknown>>;
  readonly meterIntervalS: number;
  readonly authorizeRemote: boolean;
  readonly retry: { readonly attempts: number; readonly intervalS: number };
}
