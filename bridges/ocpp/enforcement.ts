import { type Clock, iso } from '../../core/clock.ts';
import { describeError } from '../../core/errors.ts';
import { uuidv7 } from '../../core/ids.ts';
import type { Log } from '../../core/log.ts';
import type { PowerCommand } from '../../model/index.ts';
import { type Channel, commandProfileId, type PowerLimits } from './channel.ts';
import type { Commander } from './commander.ts';
import { field, type PowerRange } from './effective.ts';
import type { TrackedCommand } from './outcome.ts';
import type { CommandTarget } from './profile-calls.ts';

export interface EnforcerOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly commander: Commander;
  /** The connected station of an identity. */
  readonly target: (identity: string) => CommandTarget | undefined;
  /** What the resource may draw without word from us, W (hub). */
  readonly safeImportW: (resourceId: string) => number;
  /** A limit goes out that no flow has asked for. */
  readonly onEnforce: (channel: Channel, command: PowerCommand) => void;
  /** A new default profile is in place, or may be. */
  readonly onDefault: (channel: Channel) => void;
}

/** A limit that the link sends by itself is valid this long and renewed in time. */
const ENFORCED_MS = 600_000;
/** The same limit is not sent again while its answer may be under way. */
const AGAIN_MS = 10_000;
/** When a command ends sooner than this, what comes after it counts as well. */
const ENDING_MS = 15_000;
/** Least time between two default profiles, and after a refusal; stations keep them in flash memory. */
const DEFAULT_AGAIN_MS = 60_000;
const DEFAULT_REFUSED_MS = 600_000;
/** A limit that failed so often in a row is complained about. */
const COMPLAIN_AFTER = 2;
/** Time that the site has to make room for a driver who charges with priority (fo 6.4: release within 5 s). */
const PRIORITY_ROOM_MS = 10_000;
/** Ids of commands that the link makes itself. */
const OWN = 'env:';
const IN_USE: readonly Channel['status'][] = ['charging', 'discharging', 'suspended'];

/** Holds stations to the envelope whatever the wires do (design 2), and keeps the profile below all commands in place. */
export class Enforcer {
  readonly #o: EnforcerOptions;

  constructor(o: EnforcerOptions) {
    this.#o = o;
  }

  /** Sends what is needed when what a station may do now no longer fits the envelope. */
  check(channel: Channel): void {
    const target = this.#o.target(channel.resource.identity);
    const limits = channel.envelope;
    // Until its state is told, the site counts it as out of reach and the envelope is not meant for it.
    if (!target?.ready || !target.station.open || channel.status === undefined) return;
    if (limits === undefined || !mayFlow(channel)) return;
    const now = this.#o.clock.now();
    if (channel.prioritySince !== undefined) {
      this.#checkPriority(target, channel, limits, now);
      return;
    }
    const may = range(channel, now);
    const tooMuch = may.maxW > limits.importLimitW + 1;
    const tooLow = may.minW < -limits.exportLimitW - 1;
    const command = tooMuch || tooLow ? this.#limit(channel, limits, tooLow) : this.#lift(target, channel, limits, now);
    if (command === undefined) {
      delete channel.failures;
      return;
    }
    const e = channel.enforced;
    // The same limit counts as on its way as long as nobody has told the station anything else since.
    const same =
      e?.importLimitW === limits.importLimitW &&
      e.exportLimitW === limits.exportLimitW &&
      e.commandId === channel.lastId;
    if (e && (same || !(tooMuch || tooLow)) && now - e.at < AGAIN_MS) return;
    channel.enforced = { ...limits, at: now, commandId: command.commandId };
    void this.#send(target, channel, command);
  }

  /** What the profile below all commands may allow, W. */
  belowW({ resource }: Channel): number {
    return Math.min(this.#o.safeImportW(resource.resourceId), resource.offlineImportW);
  }

  /** Puts the default profile in place where it is missing or no longer right. Never rejects. */
  async keepDefault(channel: Channel): Promise<void> {
    const { clock, commander, target, onDefault } = this.#o;
    const station = target(channel.resource.identity);
    const wantedW = this.belowW(channel);
    if (!station?.ready || channel.defaultW === wantedW || channel.capabilities?.smartCharging === false) return;
    const waitMs = channel.defaultRefused === true ? DEFAULT_REFUSED_MS : DEFAULT_AGAIN_MS;
    if (channel.defaultTriedAt !== undefined && clock.now() - channel.defaultTriedAt < waitMs) return;
    const before = channel.defaultW;
    await commander.installDefault(station, channel, wantedW);
    if (channel.defaultW !== before) onDefault(channel);
  }

  /** Priority charging stands above every profile of ours: where the site has no room for it, it is ended (K21). */
  #checkPriority(target: CommandTarget, channel: Channel, limits: PowerLimits, now: number): void {
    const { log } = this.#o;
    const { prioritySince = now, transactionId, enforced, resource } = channel;
    if (limits.importLimitW >= resource.maxImportW - 1 || now - prioritySince < PRIORITY_ROOM_MS) return;
    if (transactionId === undefined || (enforced && now - enforced.at < AGAIN_MS)) return;
    channel.enforced = { ...limits, at: now };
    log.warn('priority.noRoom', { resource: resource.resourceId, ...limits });
    target.station
      .callAny('UsePriorityCharging', { transactionId, activate: false }, { priority: 'stop' })
      .catch((e: unknown) => log.warn('priority.noRoom', { resource: resource.resourceId, ...describeError(e) }));
  }

  async #send(target: CommandTarget, channel: Channel, command: PowerCommand): Promise<void> {
    this.#o.onEnforce(channel, command);
    const held = await this.#o.commander.send(target, channel, command);
    // A newer command on its way is checked by itself, and a session that is over draws nothing.
    if (held || channel.newest !== undefined || !mayFlow(channel)) return;
    // One refusal may be the end of a session that was not told yet.
    if (channel.failures !== COMPLAIN_AFTER) return;
    const { resourceId } = channel.resource;
    this.#o.log.warn('limit.notHeld', { resource: resourceId, ...channel.envelope });
  }

  #limit(channel: Channel, limits: PowerLimits, tooLow: boolean): PowerCommand {
    const { importLimitW, exportLimitW } = limits;
    const t = channel.current;
    const now = this.#o.clock.now();
    // Less of what was commanded, as long as that; where nothing asks for export any more, none at all.
    if (tooLow && t !== undefined && t.endsAt > now && t.appliedW < 0) {
      const validUntil = iso(Math.min(t.endsAt, now + ENFORCED_MS));
      return this.#command(channel, { kind: 'setpoint', powerW: 0 - exportLimitW, validUntil });
    }
    return this.#command(channel, { kind: 'limit', importLimitW });
  }

  /** A limit of our own that is no longer needed gives way, unless somebody else commands the station. */
  #lift(target: CommandTarget, channel: Channel, limits: PowerLimits, now: number): PowerCommand | undefined {
    const t = channel.current;
    if (channel.newest || t?.command.kind !== 'limit' || !t.command.commandId.startsWith(OWN) || t.endsAt <= now)
      return undefined;
    const below = unled(channel, now);
    if (channel.native !== undefined && below.maxW <= limits.importLimitW && below.minW >= -limits.exportLimitW) {
      this.#release(target, channel, t);
      return undefined;
    }
    const importLimitW = Math.min(limits.importLimitW, below.maxW);
    const gainW = importLimitW - t.appliedW;
    if (gainW <= Math.max(100, 0.01 * channel.resource.maxImportW)) return undefined;
    return this.#command(channel, { kind: 'limit', importLimitW });
  }

  /** What a flow has told the station counts again: our profile above it is taken away. */
  #release(target: CommandTarget, channel: Channel, t: TrackedCommand): void {
    const { clock, log } = this.#o;
    const now = clock.now();
    if (channel.enforced && now - channel.enforced.at < AGAIN_MS) return;
    channel.enforced = { ...(channel.envelope ?? channel.resource.limits), at: now };
    const id = commandProfileId(channel.resource.evse);
    target.station
      .callAny('ClearChargingProfile', target.version === 'ocpp1.6' ? { id } : { chargingProfileId: id })
      .then((answer) => {
        if (field(answer, 'status') === 'Accepted' && channel.current === t) delete channel.current;
      })
      .catch((e: unknown) =>
        log.info('limit.notLifted', { resource: channel.resource.resourceId, ...describeError(e) }),
      );
  }

  #command(
    channel: Channel,
    what: Pick<PowerCommand, 'kind' | 'powerW' | 'importLimitW'> & Partial<PowerCommand>,
  ): PowerCommand {
    const { clock } = this.#o;
    return {
      commandId: `${OWN}${uuidv7(clock)}`,
      resourceId: channel.resource.resourceId,
      validUntil: iso(clock.now() + ENFORCED_MS),
      level: 3,
      ...what,
    };
  }
}

/** A limit that must hold was refused more than once. */
export const isNotHeld = ({ failures = 0 }: Channel): boolean => failures >= COMPLAIN_AFTER;

/** Power may flow: a transaction runs, or the station says that one does; not when it says that this one is over. */
function mayFlow(channel: Channel): boolean {
  if (channel.over !== undefined && channel.over === channel.transactionId) return false;
  return channel.transactionId !== undefined || IN_USE.includes(channel.status);
}

/** What the station allows when nobody commands it, W. */
const freeW = (channel: Channel): number => channel.defaultW ?? channel.resource.maxImportW;

/** What it may do without a command of the hub: what a flow has told it, else what the profile below says. */
function unled(channel: Channel, now: number): PowerRange {
  const { native } = channel;
  if (native !== undefined && native.until - now > ENDING_MS) return hull({ minW: 0, maxW: native.maxW }, native.minW);
  return { minW: 0, maxW: freeW(channel) };
}

/** What the station may be doing when all that is under way has arrived. */
function range(channel: Channel, now: number): PowerRange {
  const { newest, current, doubt } = channel;
  if (newest) return hull({ minW: 0, maxW: 0 }, newest.appliedW);
  const until = current?.endsAt ?? 0;
  const free: PowerRange = until - now > ENDING_MS ? { minW: 0, maxW: 0 } : unled(channel, now);
  const told = current && until > now ? hull(free, current.appliedW) : free;
  return doubt && doubt.until > now ? hull(hull(told, doubt.minW), doubt.maxW) : told;
}

const hull = (r: PowerRange, powerW: number): PowerRange => ({
  minW: Math.min(r.minW, powerW),
  maxW: Math.max(r.maxW, powerW),
});
