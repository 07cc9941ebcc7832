import { iso } from '../../../core/clock.ts';
import { dispatch, type PeerOf, type Response } from '../../../protocols/ocpp/index.ts';
import { composite, onPhases, wToRate } from '../../core/index.ts';
import { Station, type StationOptions } from '../station.ts';
import { type Outgoing, type Transaction, VENDOR } from '../types.ts';
import type { Unit } from '../unit.ts';
import { Dialect2 } from '../v2/dialect.ts';
import type { TransactionEvent } from '../v2/events.ts';
import { deviceModel, maintenance, transactions, triggered } from '../v2/handlers.ts';
import { chargingNeeds } from '../v2/needs.ts';
import { commonRows, MAX_PERIODS } from '../v2/rows.ts';
import { type CompositeQuestion, smartCharging } from '../v2/smart-charging.ts';
import { rules201 } from './rules.ts';

type V = 'ocpp2.0.1';

export const MODEL_201 = 'Sim201';

export type Station201 = Station<V>;

/** A station that speaks OCPP 2.0.1: AC or DC, import only. */
export function createStation201(o: Omit<StationOptions<V>, 'dialect'>): Station201 {
  return new Station<V>({ ...o, dialect: (station) => new Dialect201(station) });
}

class Dialect201 extends Dialect2<V> {
  readonly handler: Dialect2<V>['handler'];

  constructor(station: Station<V>) {
    const { spec, units } = station;
    super(station, MODEL_201, (statusOf) => commonRows({ spec, name: MODEL_201, units, statusOf }));
    const rules = rules201(spec);
    this.handler = dispatch('ocpp2.0.1', {
      ...smartCharging(station, rules, compositeAnswer),
      ...transactions(station, this.variables, rules),
      ...deviceModel(station, this.variables),
      ...maintenance(station),
      ...triggered(station, this.triggers),
    });
  }

  tick(): void {
    // Nothing that only 2.0.1 does.
  }

  /** 2.0.1 has no message for it; the simulated vendor uses DataTransfer. */
  pressed(_unit: Unit, tx: Transaction, activated: boolean): Outgoing<V> {
    const data = { transactionId: tx.id, activated };
    const payload = { vendorId: VENDOR, messageId: 'PriorityCharging', data };
    return { name: 'DataTransfer', keep: true, send: (peer) => peer.call('DataTransfer', payload) };
  }

  protected async needs(peer: PeerOf<V>, unit: Unit, tx: Transaction): Promise<void> {
    const needs = unit.tx === tx ? chargingNeeds(unit) : undefined;
    if (needs) await peer.call('NotifyEVChargingNeeds', { evseId: unit.id, chargingNeeds: needs });
  }

  protected modeChanged(): undefined {
    return undefined;
  }

  protected complete(event: TransactionEvent): TransactionEvent {
    return event;
  }
}

/** The answer to GetCompositeSchedule; where nothing limits, `unlimitedW` stands. */
function compositeAnswer(q: CompositeQuestion): Response<V, 'GetCompositeSchedule'> {
  const { ctx, unit, unlimitedW } = q;
  const periods = composite(q.profiles, q.nowMs, q.durationS, ctx).slice(0, MAX_PERIODS);
  return {
    status: 'Accepted',
    schedule: {
      evseId: ctx.evseId,
      duration: q.durationS,
      scheduleStart: iso(q.nowMs),
      chargingRateUnit: unit,
      chargingSchedulePeriod: periods.map((p) => ({
        startPeriod: p.startS,
        limit: wToRate(Math.min(p.limitW ?? unlimitedW, unlimitedW), unit, onPhases(ctx, p.numberPhases)),
        ...(ctx.phases > 0 ? { numberPhases: onPhases(ctx, p.numberPhases).phases } : {}),
      })),
    },
  };
}
