import { BoundedMap } from '../../core/bounded.ts';
import { type Clock, iso } from '../../core/clock.ts';
import { uuidv7 } from '../../core/ids.ts';
import type { Log } from '../../core/log.ts';
import type { CommandOutcome, WireMessage } from '../../model/index.ts';
import { type Channel, commandProfileId, defaultProfileId, type PowerLimits, voltageOf } from './channel.ts';
import { checkDer, clipPower } from './clip.ts';
import { addressee, field, type PowerRange, profileOf } from './effective.ts';
import { BRIDGE_ERRORS } from './errors.ts';
import type { StationBridge } from './station.ts';

export interface NativeOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly bridge: (identity: string) => StationBridge | undefined;
  /** What the profile below all commands may allow, W. */
  readonly belowW: (channel: Channel) => number;
  /** Tells the site what a station may now do, past its own commands. */
  readonly report: (outcome: CommandOutcome, identity: string) => void;
  /** The profile that carried its command is gone. */
  readonly onCleared: (channel: Channel) => void;
  /** Profiles of the gateway may be gone, or its limits may be needed. */
  readonly onChange: (channel: Channel) => void;
  /** Actions that flows answer. */
  readonly flowAnswers: readonly string[];
}

/** A flow answers within this time, else the session answers with a CALLERROR (design 2.1). */
const REPLY_MS = 10_000;
const MAX_REPLIES = 1_000;
const MAX_PROFILES = 10_000;
/** The site counts a foreign command for two minutes; what holds longer is told again. */
const AGAIN_MS = 60_000;
/** What only the hub's own orders may do, with the reason. */
const NEVER: Readonly<Record<string, string>> = {
  UsePriorityCharging: 'The driver charges past every profile then; send hub/StationOrder with priorityCharging.',
  AFRRSignal: 'The station adds its signal curve to every limit.',
};
/** Ids of transactions are the gateway's: what it answers there it has stored. */
export const GATEWAY_ANSWERS: readonly string[] = ['BootNotification', 'StartTransaction', 'StopTransaction'];

type Address = { readonly channels: readonly Channel[]; readonly limits: PowerLimits };

/**
 * Native messages of flows: requests on their way to stations, clipped to the envelope where they move power (design
 * 2), and answers to calls of stations where flows give them.
 */
export class NativeDoor {
  readonly #o: NativeOptions;
  readonly #replies = new BoundedMap<string, { readonly topic: string; readonly give: (payload: unknown) => void }>({
    name: 'ocpp.replies',
    max: MAX_REPLIES,
    overflow: 'dropOldest',
  });
  /** EVSE of native dynamic profiles, by station and profile id. */
  readonly #profiles = new BoundedMap<string, number>({
    name: 'ocpp.nativeProfiles',
    max: MAX_PROFILES,
    overflow: 'dropOldest',
  });

  constructor(o: NativeOptions) {
    this.#o = o;
  }

  stats() {
    return [this.#replies.stats(), this.#profiles.stats()];
  }

  /** The answer of a flow to a call of a station, or undefined where the gateway answers. */
  ask(
    message: WireMessage,
    action: string,
  ): { readonly replyTo: string; readonly answer: Promise<unknown> } | undefined {
    const { clock, log, flowAnswers } = this.#o;
    if (!flowAnswers.includes(action) || GATEWAY_ANSWERS.includes(action)) return undefined;
    const replyTo = uuidv7(clock);
    const answer = new Promise<unknown>((resolve) => {
      const late = clock.after(REPLY_MS, () => {
        if (this.#replies.delete(replyTo))
          log.warn('reply.missing', { topic: message.topic, peer: message.v2gate.peer });
      });
      this.#replies.set(replyTo, {
        topic: message.topic.replace(/Request$/, 'Response'),
        give: (payload) => {
          late.cancel();
          resolve(payload);
        },
      });
    });
    return { replyTo, answer };
  }

  /** A flow answers. Throws `native.noReply` when nobody waits for that. */
  reply({ topic, payload, v2gate }: WireMessage): void {
    const waiting = this.#replies.get(v2gate.replyTo ?? '');
    if (waiting?.topic !== topic || !this.#replies.delete(v2gate.replyTo ?? ''))
      throw BRIDGE_ERRORS.fail('native.noReply', `Nobody waits for this ${topic}.`);
    waiting.give(payload);
  }

  /**
   * Passes a native request on to its station and resolves to the payload of the answer. Rejects with
   * `native.unsupported`, `native.power`, `station.notConnected`, or as the station does (`ocpp.…`).
   */
  async request(message: WireMessage): Promise<unknown> {
    const { topic, payload, v2gate } = message;
    const [, language, action] = /^(ocpp[\d.]+)\/(\w+)Request$/.exec(topic) ?? [];
    if (language === undefined || action === undefined)
      throw BRIDGE_ERRORS.fail('native.unsupported', `${topic} is not sent to charging stations.`);
    const never = Object.hasOwn(NEVER, action) ? NEVER[action] : undefined;
    if (never !== undefined) throw BRIDGE_ERRORS.fail('native.power', `${action} is not passed through. ${never}`);
    if (action === 'SetDERControl' || action === 'ClearDERControl') checkDer(action, payload);
    const bridge = this.#o.bridge(v2gate.peer ?? '');
    if (!bridge?.station.open) {
      const name = v2gate.peer ?? '(none named)';
      throw BRIDGE_ERRORS.fail('station.notConnected', `The station ${name} is not connected.`);
    }
    if (bridge.version !== language)
      throw BRIDGE_ERRORS.fail('native.unsupported', `${bridge.identity} speaks ${bridge.version}, not ${language}.`);
    if (action === 'ClearChargingProfile') return this.#clear(bridge, payload);
    if (action === 'SetChargingProfile' || action === 'UpdateDynamicSchedule' || profileOf(payload) !== undefined)
      return this.#power(bridge, action, message);
    return bridge.station.callAny(action, payload);
  }

  /** What still holds past the hub is told again; what has ended is forgotten. */
  tick(channel: Channel): void {
    const n = channel.native;
    const now = this.#o.clock.now();
    if (n === undefined) return;
    if (n.until <= now) delete channel.native;
    else if (now - n.toldAt >= AGAIN_MS) this.#tell(channel, n, n.until, uuidv7(this.#o.clock));
  }

  async #power(bridge: StationBridge, action: string, { payload, v2gate }: WireMessage): Promise<unknown> {
    const { log, clock } = this.#o;
    const { channels, limits } = this.#address(bridge, action, payload);
    const [first] = channels;
    if (first === undefined) throw BRIDGE_ERRORS.fail('native.power', 'It names no EVSE of the site file.');
    const { current, phases } = first.resource;
    const clipped = clipPower(action, payload, limits, { current, phases, voltageV: voltageOf(first) });
    const fields = { station: bridge.identity, action, ...limits, ...(clipped.range ?? {}) };
    if (clipped.changed) log.warn('native.clipped', fields);
    else log.info('native.power', fields);
    const answer = await bridge.station.callAny(action, clipped.payload, { priority: 'setpoint' });
    if (field(answer, 'status') !== 'Accepted') return answer;
    const profile = profileOf(clipped.payload);
    if (field(profile, 'chargingProfileKind') === 'Dynamic' && channels.length === 1)
      this.#profiles.set(`${bridge.identity}/${String(idOf(profile))}`, first.resource.evse);
    // A default is never more than ours, and a station maximum takes only away.
    if (clipped.range === undefined || field(profile, 'chargingProfilePurpose') === 'TxDefaultProfile') return answer;
    const until = clock.now() + 1000 * (durationOf(profile) ?? Number.POSITIVE_INFINITY);
    for (const channel of channels) {
      this.#tell(
        channel,
        clipped.range,
        channel.native && profile === undefined ? channel.native.until : until,
        v2gate.id,
      );
      // A limit of the gateway that only held what was there before gives way to it.
      delete channel.enforced;
      this.#o.onChange(channel);
    }
    return answer;
  }

  /** Ours may be among what is cleared: default and limits are put back. */
  async #clear(bridge: StationBridge, payload: unknown): Promise<unknown> {
    const answer = await bridge.station.callAny('ClearChargingProfile', payload, { priority: 'setpoint' });
    const status = field(answer, 'status');
    this.#o.log.warn('native.cleared', { station: bridge.identity, status });
    if (status !== 'Accepted') return answer;
    for (const channel of bridge.channels) {
      delete channel.native;
      delete channel.defaultW;
      delete channel.defaultTriedAt;
      delete channel.enforced;
      this.#o.onCleared(channel);
      // Nothing is known to hold it back until the profiles are there again.
      this.#report(channel, channel.resource.maxImportW, uuidv7(this.#o.clock));
      this.#o.onChange(channel);
    }
    return answer;
  }

  /** Who is meant, and the narrowest limits among them. Throws `native.power`. */
  #address(bridge: StationBridge, action: string, payload: unknown): Address {
    const profile = profileOf(payload);
    const id = action === 'UpdateDynamicSchedule' ? field(payload, 'chargingProfileId') : idOf(profile);
    const own = bridge.channels.some(
      ({ resource: { evse } }) => id === defaultProfileId(evse) || id === commandProfileId(evse),
    );
    if (own)
      throw BRIDGE_ERRORS.fail(
        'native.power',
        `The profile id ${String(id)} is used by the gateway; take another one.`,
      );
    const evse =
      action === 'UpdateDynamicSchedule'
        ? (this.#profiles.get(`${bridge.identity}/${String(id)}`) ?? (bridge.single ? 0 : -1))
        : addressee(payload);
    const channels =
      evse === undefined || evse === 0 ? bridge.channels : bridge.channels.filter((c) => c.resource.evse === evse);
    const below = field(profile, 'chargingProfilePurpose') === 'TxDefaultProfile';
    const of = (c: Channel): PowerLimits => {
      const { maxImportW, maxExportW } = c.resource;
      const belowW = this.#o.belowW(c);
      if (below) return { importLimitW: Math.min(belowW, maxImportW), exportLimitW: 0 };
      const importW = c.envelope?.importLimitW ?? maxImportW;
      // The envelope of an EVSE without a session is not meant for its next one; its share always is.
      const importLimitW = Math.min(c.transactionId === undefined ? Math.max(importW, belowW) : importW, maxImportW);
      return { importLimitW, exportLimitW: Math.min(c.envelope?.exportLimitW ?? 0, maxExportW) };
    };
    const all = channels.map(of);
    const importLimitW = Math.min(...all.map((l) => l.importLimitW));
    return { channels, limits: { importLimitW, exportLimitW: Math.min(...all.map((l) => l.exportLimitW)) } };
  }

  #tell(channel: Channel, { minW, maxW }: PowerRange, until: number, id: string): void {
    channel.native = { minW, maxW, until, toldAt: this.#o.clock.now() };
    if (minW < 0 && maxW > minW) this.#report(channel, minW, `${id}:low`);
    this.#report(channel, maxW, id);
  }

  /** Into the twin, as a command that is not the site's own: the most that the station may do by it (design 2.1). */
  #report(channel: Channel, appliedW: number, id: string): void {
    const { resourceId, identity } = channel.resource;
    const at = iso(this.#o.clock.now());
    const outcome = { commandId: `native:${id}`, resourceId, at, appliedW, shape: 'native' };
    this.#o.report({ ...outcome, state: 'accepted' }, identity);
  }
}

const idOf = (profile: unknown): unknown => field(profile, 'id') ?? field(profile, 'chargingProfileId');

/** The longest of its schedules, s; undefined where one has no end of its own. */
function durationOf(profile: unknown): number | undefined {
  const durations = [field(profile, 'chargingSchedule')].flat().map((s) => field(s, 'duration'));
  return durations.every((d) => typeof d === 'number') ? Math.max(...durations) : undefined;
}
