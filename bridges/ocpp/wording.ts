import { iso, parseTime } from '../../core/clock.ts';
import type { MappingLibrary } from '../../core/mapping/library.ts';
import { type PowerCommand, SERVICE_ERRORS } from '../../model/index.ts';
import type { Version } from '../../protocols/ocpp/index.ts';
import { type Channel, commandProfileId, contextOf, defaultProfileId, type Form, type Shape } from './channel.ts';
import { addressee, effectiveRange, field, lasting, profileOf } from './effective.ts';
import { BRIDGE_ERRORS } from './errors.ts';

/** What a translation needs to know of the station. */
export interface Addressee {
  readonly version: Version;
  readonly identity: string;
  readonly vendor?: string | undefined;
  readonly model?: string | undefined;
  /** It has this one EVSE only. */
  readonly single: boolean;
}

/** How one command is put into words for one station. */
export interface Wording {
  readonly form: Form;
  readonly action: string;
  readonly payload: unknown;
  /** How long it holds at the station, s. */
  readonly durationS: number;
}

/** Watts that rounding may add on the way back from a payload. */
const ROUNDING_W = 0.5;
/** Durations are whole seconds, and times of some mappings too. */
const CLOCKWORK_MS = 2_000;

/** The power that may be sent: the command inside the envelope (design 2). Without an envelope nothing is exported. */
export function clip(channel: Channel, command: PowerCommand): number {
  const { resource, envelope } = channel;
  const importLimitW = Math.min(envelope?.importLimitW ?? resource.maxImportW, resource.maxImportW);
  const exportLimitW = Math.min(envelope?.exportLimitW ?? 0, resource.maxExportW);
  if (command.kind === 'setpoint') return within(command.powerW ?? 0, -exportLimitW, importLimitW);
  // A limit that names no import limits none; what is on may take what the command says.
  const asked = command.kind === 'limit' ? (command.importLimitW ?? importLimitW) : (command.powerW ?? 0);
  return within(asked, 0, importLimitW);
}

const within = (x: number, low: number, high: number): number => Math.min(Math.max(x, low), high) + 0;

/** New values may keep an installed dynamic profile if its duration is near the one wanted now. */
export function form(channel: Channel, shape: Exclude<Shape, 'onOff'>, durationS: number): Form {
  const { dynamic, transactionId } = channel;
  if (shape !== 'dynamic' || dynamic === undefined || dynamic.transactionId !== transactionId) return shape;
  return dynamic.durationS >= 0.8 * durationS && dynamic.durationS <= 1.1 * durationS + 1 ? 'update' : shape;
}

/** Time that a command that ends then has left, whole seconds, at least 1. */
export const durationOf = (endsAt: number, now: number): number => Math.max(1, Math.ceil((endsAt - now) / 1000));

/**
 * Translates a command and checks that the result stays within what was granted. Throws `mapping.widens`,
 * `capability.unsupported`, or what the mapping threw.
 */
export function word(
  library: MappingLibrary,
  to: Addressee,
  channel: Channel,
  command: PowerCommand,
  o: {
    readonly appliedW: number;
    readonly form: Form;
    readonly now: number;
    /** The same as text, and when the command ends, epoch ms, where somebody has them at hand. */
    readonly at?: string;
    readonly endsAt?: number;
  },
): Wording {
  const { evse } = channel.resource;
  const below = o.form === 'defaultW' || o.form === 'defaultA';
  const profileId = below ? defaultProfileId(evse) : commandProfileId(evse);
  const endsAt = o.endsAt ?? parseTime(command.validUntil);
  const durationS = durationOf(endsAt, o.now);
  const at = o.at ?? iso(o.now);
  const { version, identity, vendor, model } = to;
  const ctx = contextOf(channel, {
    version,
    identity,
    vendor,
    model,
    at,
    ids: { chargingProfileId: profileId, chargingScheduleId: profileId },
    settings: { shape: o.form, durationS },
  });
  const granted = grantedOf(command, o.appliedW);
  const entry = library.choose('hub/PowerCommand', to.version, 'from-hub', granted, ctx);
  const made = entry.mapping.run(granted, ctx);
  const payload = below || channel.capabilities?.maxStackLevel !== 0 ? made : atLevel0(made);
  const action = (entry.to[0] ?? '').replace(/^.*\//, '').replace(/Request$/, '');
  const target = addressee(payload);
  if (target !== undefined && target !== evse && !(target === 0 && to.single)) {
    throw BRIDGE_ERRORS.fail('mapping.widens', `${entry.path} speaks to EVSE ${String(target)} instead of ${evse}.`);
  }
  const range = effectiveRange(action, payload, ctx.resource);
  const top = Math.max(o.appliedW, 0) + ROUNDING_W;
  const bottom = Math.min(o.appliedW, 0) - ROUNDING_W;
  if (range === undefined || range.maxW > top || range.minW < bottom) {
    const got = range === undefined ? 'no power at all' : `${range.minW} … ${range.maxW} W`;
    throw BRIDGE_ERRORS.fail('mapping.widens', `${entry.path} made ${got} out of ${o.appliedW} W; nothing was sent.`);
  }
  checkProfile(entry.path, payload, {
    profileId,
    now: o.now,
    at,
    endsAt: below ? undefined : endsAt,
  });
  return { form: o.form, action, payload, durationS };
}

/** The command as it is inside the envelope. */
function grantedOf(command: PowerCommand, appliedW: number): PowerCommand {
  if (command.kind === 'limit')
    return command.importLimitW === appliedW ? command : { ...command, importLimitW: appliedW };
  return command.powerW === appliedW ? command : { ...command, powerW: appliedW };
}

/**
 * A station that knows one stack level has no room above it: a profile of the transaction stands above the default by its
 * purpose (ocpp 2.4), another one would take the place of the default. Throws `capability.unsupported`.
 */
function atLevel0(payload: unknown): unknown {
  const copy: unknown = structuredClone(payload);
  const profile = profileOf(copy);
  if (typeof profile !== 'object' || profile === null || field(profile, 'stackLevel') === 0) return copy;
  if (field(profile, 'chargingProfilePurpose') !== 'TxProfile') {
    const what = 'The station knows stack level 0 alone, which its default profile has.';
    throw SERVICE_ERRORS.fail('capability.unsupported', what, { remedy: 'It can be led while a transaction runs.' });
  }
  Reflect.set(profile, 'stackLevel', 0);
  return copy;
}

/**
 * A profile of another id would stay beside ours; one that begins later leaves the station free until then, and one
 * that does not end with its command outlives the grant (design 2). Throws `mapping.widens`.
 */
function checkProfile(
  path: string,
  payload: unknown,
  o: {
    readonly profileId: number;
    readonly now: number;
    readonly at: string;
    readonly endsAt: number | undefined;
  },
): void {
  const profile = profileOf(payload);
  const span = lasting(payload, o.now, o.at);
  if (profile === undefined || span === undefined) return;
  const id = field(profile, 'id') ?? field(profile, 'chargingProfileId');
  const fault =
    id !== o.profileId
      ? `takes the profile id ${String(id)} instead of ${o.profileId}`
      : span.from > o.now + CLOCKWORK_MS
        ? 'begins later than its command'
        : o.endsAt !== undefined && span.until > o.endsAt + CLOCKWORK_MS
          ? 'does not end with its command; give it the duration of $ctx.settings'
          : undefined;
  if (fault !== undefined) throw BRIDGE_ERRORS.fail('mapping.widens', `The profile of ${path} ${fault}.`);
}
