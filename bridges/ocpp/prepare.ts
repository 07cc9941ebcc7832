import { type Clock, iso } from '../../core/clock.ts';
import { describeError } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import type { StationCapabilities } from '../../model/index.ts';
import type { Version } from '../../protocols/ocpp/index.ts';
import { type Capabilities, functionsOf } from './capabilities.ts';
import { type Channel, voltageOf } from './channel.ts';
import { field, periodRanges } from './effective.ts';
import type { Enforcer } from './enforcement.ts';
import { standingOf, steppedDownText } from './ladder.ts';
import { METER_INTERVAL_S } from './metering.ts';
import { PROBE_OPTIONS, probe } from './probe.ts';
import type { StationBridge } from './station.ts';

export interface PreparerOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly enforcer: Enforcer;
  /** The state of the channel is known. */
  readonly onStatus: (channel: Channel) => void;
  readonly onCapabilities: (channel: Channel, told: StationCapabilities) => void;
}

/** A station that is up and does not tell the state of an EVSE within this time counts as what its session says. */
const STATUS_MS = 5_000;
/** The composite schedule of the next minute is looked at. */
const SHOWN_S = 60;
/** What a composite schedule may show beyond the default by rounding and voltage, as part and W. */
const SLACK = 0.02;
const SLACK_W = 100;

/** Makes a station ready that is up: its default profile, its state, and what it can do. Never rejects. */
export class Preparer {
  readonly #o: PreparerOptions;

  constructor(o: PreparerOptions) {
    this.#o = o;
  }

  async prepare(bridge: StationBridge): Promise<void> {
    try {
      await Promise.all(bridge.channels.map((channel) => this.#one(bridge, channel)));
      if (bridge.channels.some((c) => c.capabilities === undefined)) await this.#look(bridge);
    } catch (e) {
      this.#o.log.error('station.prepare', { station: bridge.identity, ...describeError(e) });
    }
  }

  /** The state of an EVSE that does not tell it when asked, once that is due: its session shows it. */
  assume(channel: Channel, up: boolean): 'available' | 'connected' | undefined {
    if (channel.statusBy === undefined || channel.statusBy > this.#o.clock.now()) return undefined;
    delete channel.statusBy;
    if (channel.status !== undefined || !up) return undefined;
    return channel.transactionId === undefined ? 'available' : 'connected';
  }

  /** Tells the twin what is known of a channel now. */
  tell(version: Version, channel: Channel): void {
    const { clock, onCapabilities } = this.#o;
    const c = channel.capabilities;
    const { form, reasons } = standingOf(version, channel);
    const steppedDown = steppedDownText(version, channel);
    const told: StationCapabilities = {
      resourceId: channel.resource.resourceId,
      at: iso(clock.now()),
      protocol: version,
      source: c?.source ?? 'assumed',
      form,
      functions: c === undefined ? [] : functionsOf(c),
      ...(c?.rateUnits === undefined ? {} : { rateUnits: [...c.rateUnits] }),
      ...(c?.maxStackLevel === undefined ? {} : { maxStackLevel: c.maxStackLevel }),
      ...(c?.maxPeriods === undefined ? {} : { maxPeriods: c.maxPeriods }),
      ...(c?.maxProfiles === undefined ? {} : { maxProfiles: c.maxProfiles }),
      ...(c?.meterIntervalS === undefined ? {} : { meterIntervalS: c.meterIntervalS }),
      ...(c?.measurands === undefined ? {} : { measurands: c.measurands.map((m) => m.slice(0, 64)) }),
      ...(channel.shownW === undefined ? {} : { shownImportW: channel.shownW }),
      ...(steppedDown === undefined ? {} : { steppedDown }),
      reasons: [...reasons, ...(c?.notes ?? [])].slice(0, 64).map(({ step, why }) => ({
        step: step.slice(0, 64),
        why: why.slice(0, 256),
      })),
    };
    onCapabilities(channel, told);
  }

  /** Default profile, state, and the limits of now (design 2). */
  async #one(bridge: StationBridge, channel: Channel): Promise<void> {
    const { clock, enforcer, onStatus } = this.#o;
    await enforcer.keepDefault(channel);
    if (channel.status !== undefined) {
      onStatus(channel);
      enforcer.check(channel);
    } else {
      if (bridge.version !== 'ocpp1.6') await bridge.sessions.recall2(channel);
      const willSay = await bridge.askStatus([channel]);
      channel.statusBy = clock.now() + (willSay ? STATUS_MS : 0);
    }
  }

  /** Asks what the station can do, once per boot, and whether it shows the default that it has accepted. */
  async #look(bridge: StationBridge): Promise<void> {
    const { channels, station, version } = bridge;
    const [first] = channels;
    if (first === undefined) return;
    const exports = channels.some((c) => c.resource.maxExportW > 0);
    const needs = { intervalS: METER_INTERVAL_S, exports, current: first.resource.current };
    const seen = await probe(version, station, needs);
    if (!station.open) return;
    for (const channel of channels) {
      channel.capabilities = await this.#composite(bridge, channel, seen);
      this.tell(version, channel);
    }
    const { source, smartCharging, rateUnits, notes } = seen;
    this.#o.log.info('station.probed', {
      station: bridge.identity,
      source,
      smartCharging,
      rateUnits,
      notes: notes.length,
    });
  }

  /** "Accepted" is not seen: the composite schedule shows whether the default holds (ocpp 2.3, ocpp 2.5). */
  async #composite({ station, version }: StationBridge, channel: Channel, seen: Capabilities): Promise<Capabilities> {
    const { defaultW, resource } = channel;
    delete channel.shownW;
    // Some stations do not answer what they do not know, and an open call holds up all others.
    if (seen.smartCharging !== true || defaultW === undefined) return seen;
    const old = version === 'ocpp1.6';
    const where = old ? { connectorId: resource.evse } : { evseId: resource.evse };
    let answer: unknown;
    try {
      answer = await station.callAny('GetCompositeSchedule', { ...where, duration: SHOWN_S }, PROBE_OPTIONS);
    } catch {
      return { ...seen, composite: false };
    }
    if (field(answer, 'status') !== 'Accepted') return { ...seen, composite: false };
    const { current, phases } = resource;
    const circuitry = { current, phases, voltageV: voltageOf(channel) };
    const ranges = periodRanges([field(answer, old ? 'chargingSchedule' : 'schedule')], circuitry);
    const shownW = Math.max(...ranges.map((r) => r.maxW));
    if (!Number.isFinite(shownW)) return { ...seen, composite: true };
    channel.shownW = Math.max(0, Math.round(shownW));
    const held = shownW <= defaultW * (1 + SLACK) + SLACK_W;
    // While a session runs, what its own profile says is shown.
    if (held || channel.transactionId !== undefined) return { ...seen, composite: true };
    const { resourceId, maxImportW } = resource;
    this.#o.log.warn('station.defaultNotShown', { resource: resourceId, defaultW, shownW: channel.shownW });
    // Some stations of 1.6 show defaults only in sessions; from 2.0.1 on they count always (K08).
    if (!old) {
      channel.defaultW = Math.min(channel.shownW, maxImportW);
      channel.defaultRefused = true;
      this.#o.onStatus(channel);
    }
    const why = `its composite schedule shows ${channel.shownW} W where ${Math.round(defaultW)} W was accepted`;
    return { ...seen, composite: true, notes: [...seen.notes, { step: 'default', why }] };
  }
}
