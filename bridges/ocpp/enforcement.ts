import { type Clock, iso } from '../../core/clock.ts';
import { uuidv7 } from '../../core/ids.ts';
import type { Log } from '../../core/log.ts';
import type { PowerCommand } from '../../model/index.ts';
import type { Channel, PowerLimits } from './channel.ts';
import type { Commander, CommandTarget } from './commander.ts';
import type { PowerRange } from './effective.ts';

export interface EnforcerOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly commander: Commander;
  /** The connected station of an identity. */
  readonly target: (identity: string) => CommandTarget | undefined;
  /** What the resource may draw without word from us, W (hub). */
  readonly safeImportW: (resourceId: string) => number;
  /** A new default profile is in place. */
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
    const may = range(channel, now);
    const tooMuch = may.maxW > limits.importLimitW + 1;
    const tooLow = may.minW < -limits.exportLimitW - 1;
    const command = tooMuch || tooLow ? this.#limit(channel, limits, tooLow) : this.#lift(channel, limits, now);
    if (command === undefined) {
      channel.notHeld = false;
      return;
    }
    const e = channel.enforced;
    const same = e?.importLimitW === limits.importLimitW && e.exportLimitW === limits.exportLimitW;
    if (e && (same || !(tooMuch || tooLow)) && now - e.at < AGAIN_MS) return;
    channel.enforced = { ...limits, at: now };
    void this.#send(target, channel, command);
  }

  /** Puts the default profile in place where it is missing or no longer right. Never rejects. */
  async keepDefault(channel: Channel): Promise<void> {
    const { clock, commander, target, safeImportW, onDefault } = this.#o;
    const { resourceId, identity, offlineImportW } = channel.resource;
    const station = target(identity);
    const wantedW = Math.min(safeImportW(resourceId), offlineImportW);
    if (!station?.ready || channel.defaultW === wantedW) return;
    const waitMs = channel.defaultRefused === true ? DEFAULT_REFUSED_MS : DEFAULT_AGAIN_MS;
    if (channel.defaultTriedAt !== undefined && clock.now() - channel.defaultTriedAt < waitMs) return;
    await commander.installDefault(station, channel, wantedW);
    if (channel.defaultW === wantedW) onDefault(channel);
  }

  async #send(target: CommandTarget, channel: Channel, command: PowerCommand): Promise<void> {
    const held = await this.#o.commander.send(target, channel, command);
    // A newer command on its way is checked by itself.
    if (!held && channel.newest === undefined && channel.notHeld !== true) {
      channel.notHeld = true;
      const { resourceId } = channel.resource;
      this.#o.log.warn('limit.notHeld', { resource: resourceId, ...channel.envelope });
    }
  }

  #limit(channel: Channel, limits: PowerLimits, tooLow: boolean): PowerCommand {
    const { importLimitW, exportLimitW } = limits;
    if (tooLow) return this.#command(channel, { kind: 'setpoint', powerW: 0 - exportLimitW });
    return this.#command(channel, { kind: 'limit', importLimitW });
  }

  /** A limit of our own that is no longer needed gives way, unless somebody else commands the station. */
  #lift(channel: Channel, limits: PowerLimits, now: number): PowerCommand | undefined {
    const t = channel.current;
    if (channel.newest || t?.command.kind !== 'limit' || !t.command.commandId.startsWith(OWN) || t.endsAt <= now)
      return undefined;
    const importLimitW = Math.min(limits.importLimitW, freeW(channel));
    const gainW = importLimitW - t.appliedW;
    if (gainW <= Math.max(100, 0.01 * channel.resource.maxImportW)) return undefined;
    return this.#command(channel, { kind: 'limit', importLimitW });
  }

  #command(channel: Channel, what: Pick<PowerCommand, 'kind' | 'powerW' | 'importLimitW'>): PowerCommand {
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

/** Power may flow: a transaction runs, or the station says that one does. */
const mayFlow = (channel: Channel): boolean => channel.transactionId !== undefined || IN_USE.includes(channel.status);

/** What the station allows when nobody commands it, W. */
const freeW = (channel: Channel): number => channel.defaultW ?? channel.resource.maxImportW;

/** What the station may be doing when all that is under way has arrived. */
function range(channel: Channel, now: number): PowerRange {
  const { newest, current, doubt } = channel;
  if (newest) return hull({ minW: 0, maxW: 0 }, newest.appliedW);
  const until = current?.endsAt ?? 0;
  const free: PowerRange = { minW: 0, maxW: until - now > ENDING_MS ? 0 : freeW(channel) };
  const told = current && until > now ? hull(free, current.appliedW) : free;
  return doubt && doubt.until > now ? hull(hull(told, doubt.minW), doubt.maxW) : told;
}

const hull = (r: PowerRange, powerW: number): PowerRange => ({
  minW: Math.min(r.minW, powerW),
  maxW: Math.max(r.maxW, powerW),
});
