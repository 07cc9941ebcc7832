import { iso } from '../../core/clock.ts';
import { describeError } from '../../core/errors.ts';
import type { SetLimit } from '../../model/index.ts';
import { type Channel, voltageOf } from './channel.ts';
import { periodRanges } from './effective.ts';
import type { StationBridge } from './station.ts';

/** NotifyChargingLimit of 2.0.1 and 2.1. */
export interface ExternalLimit {
  readonly evseId?: number;
  readonly chargingLimit: { readonly chargingLimitSource: string; readonly isLocalGeneration?: boolean };
  readonly chargingSchedule?: readonly object[];
}

export interface ExternalOptions {
  readonly setLimit: (limit: SetLimit) => Promise<void>;
  readonly onPriority: (channel: Channel) => void;
  /** What the hub knows of a driver's choice, also from before a restart. */
  readonly hasPriority: (resourceId: string, sessionId?: string) => boolean;
}

/** A limit that the station tells is believed this long without another word. */
const BELIEVED_MS = 24 * 3_600_000;

/**
 * What others than the CSMS do at a station. A limit of an EMS or a grid operator becomes a limit of the resource in
 * the site, lowest period first, so that allocation and envelope count with it (ocpp 2.6). Priority charging is the
 * driver's opt-out (fo 6.4, K21, K22).
 */
export class ExternalControl {
  readonly #bridge: StationBridge;
  readonly #setLimit: (limit: SetLimit) => Promise<void>;
  readonly #onPriority: (channel: Channel) => void;
  readonly #hasPriority: (resourceId: string, sessionId?: string) => boolean;

  constructor(bridge: StationBridge, o: ExternalOptions) {
    this.#bridge = bridge;
    this.#setLimit = o.setLimit;
    this.#onPriority = o.onPriority;
    this.#hasPriority = o.hasPriority;
  }

  limited({ evseId, chargingLimit, chargingSchedule }: ExternalLimit): void {
    const told = sourceOf(chargingLimit.chargingLimitSource);
    const { log } = this.#bridge;
    // Capacity on top is no limit (ocpp 2.3).
    if (chargingLimit.isLocalGeneration === true) return;
    for (const channel of this.#concerned(evseId)) {
      const source = nameFor(channel, told);
      const { resourceId, current, phases } = channel.resource;
      const ranges = periodRanges(chargingSchedule ?? [], { current, phases, voltageV: voltageOf(channel) });
      const lowestW = Math.min(...ranges.map((r) => r.maxW));
      if (!Number.isFinite(lowestW)) {
        log.info('station.externalLimit', { resource: resourceId, source, importLimitW: 'not told' });
        continue;
      }
      const importLimitW = Math.max(0, Math.round(lowestW));
      const validUntil = iso(this.#bridge.clockMs() + BELIEVED_MS);
      log.info('station.externalLimit', { resource: resourceId, source, importLimitW });
      this.#set({ nodeId: resourceId, source, importLimitW, validUntil });
      channel.externalSources = [...(channel.externalSources ?? []).filter((s) => s !== source), source];
    }
  }

  cleared({ chargingLimitSource, evseId }: { readonly chargingLimitSource: string; readonly evseId?: number }): void {
    const source = sourceOf(chargingLimitSource);
    for (const channel of this.#concerned(evseId)) this.#lift(channel, nameFor(channel, source));
  }

  /** External constraints do not survive a boot (ocpp 2.3), and neither does a driver's choice. */
  rebooted(channel: Channel): void {
    for (const source of channel.externalSources ?? []) this.#lift(channel, source);
    const { resource, prioritySince } = channel;
    if (prioritySince === undefined && !this.#hasPriority(resource.resourceId)) return;
    delete channel.prioritySince;
    this.#choose(channel, 'in');
  }

  /** A transaction goes on in which the driver had chosen before our restart. */
  resumed(channel: Channel, sessionId: string): void {
    if (this.#hasPriority(channel.resource.resourceId, sessionId)) channel.prioritySince ??= this.#bridge.clockMs();
  }

  /** The driver wants it all, or is content again. */
  priority(transactionId: string, activated: boolean): void {
    const s = this.#bridge;
    const channel = s.channels.find((c) => c.transactionId === transactionId);
    if (!channel) {
      s.log.info('station.unknownTransaction', { transactionId });
      return;
    }
    if ((channel.prioritySince !== undefined) === activated) return;
    if (activated) channel.prioritySince = s.clockMs();
    else delete channel.prioritySince;
    this.#choose(channel, activated ? 'out' : 'in');
    this.#onPriority(channel);
  }

  #choose({ resource }: Channel, choice: 'in' | 'out'): void {
    this.#bridge.emit(resource.evse, 'OptChoice', {
      choice,
      actor: 'evu',
      scope: { resources: [resource.resourceId] },
      reason: 'priority charging at the station',
    });
  }

  #lift(channel: Channel, source: string): void {
    channel.externalSources = (channel.externalSources ?? []).filter((s) => s !== source);
    this.#set({ nodeId: channel.resource.resourceId, source, lift: true });
  }

  #set(limit: SetLimit): void {
    this.#setLimit(limit).catch((e: unknown) =>
      this.#bridge.log.warn('station.externalLimit', { node: limit.nodeId, ...describeError(e) }),
    );
  }

  /** EVSE 0, or none: the whole station, hence each of its EVSEs. */
  #concerned(evseId: number | undefined): readonly Channel[] {
    const { channels } = this.#bridge;
    return evseId === undefined || evseId === 0 ? channels : channels.filter((c) => c.resource.evse === evseId);
  }
}

const MAX_SOURCES = 8;
const OTHERS = 'station:others';

/** Each source has its own limit; what a station names beyond the eighth shares one, as the site has room for all. */
function nameFor({ externalSources = [] }: Channel, source: string): string {
  return externalSources.includes(source) || externalSources.length < MAX_SOURCES ? source : OTHERS;
}

/** 2.1 lets stations name sources as they like. */
const sourceOf = (name: string): string => `station:${name.replace(/[^\w.:-]/g, '_').slice(0, 40)}`;
