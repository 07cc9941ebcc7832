import { type Clock, parseTime, stamps } from '../../core/clock.ts';
import type { CommandOutcome, PowerCommand } from '../../model/index.ts';
import { type Channel, runningOf, type Shape } from './channel.ts';
import { judge, overdue, type TrackedCommand } from './outcome.ts';
import type { Wording } from './wording.ts';

export interface FollowupOptions {
  readonly clock: Clock;
  /** Tells site and listeners what became of a command. */
  readonly report: (outcome: CommandOutcome, identity: string) => void;
  /** A command has proved not to be followed; true when it is tried once more in a simpler form (fo 6.4). */
  readonly onIgnored: (channel: Channel, t: TrackedCommand) => boolean;
  /** The form of a command has proved to work. */
  readonly onEffective: (channel: Channel) => void;
}

/** The fault is not the form: the resource is left out until it follows again (fo 6.4). */
export const EXCLUDED = 'resource.excluded';
/** It follows as far as its vehicle can. */
const TAKES_LESS = 'resource.takesLess';
/** Below this an EV takes nothing, W. */
const FLOWING_W = 100;

/** Follows commands that a station has accepted to their end (design 2.1). Never throws. */
export class Followup {
  readonly #o: FollowupOptions;
  readonly #stamp: () => string;

  constructor(o: FollowupOptions) {
    this.#o = o;
    this.#stamp = stamps(o.clock);
  }

  tell(
    channel: Channel,
    command: PowerCommand,
    state: CommandOutcome['state'],
    extra: Partial<CommandOutcome> = {},
  ): void {
    const at = this.#stamp();
    const { commandId, resourceId } = command;
    this.#o.report({ commandId, resourceId, state, at, ...extra }, channel.resource.identity);
  }

  /** The station has accepted; `transactionId` is the one to which it bound the command. */
  accepted(
    channel: Channel,
    o: {
      readonly command: PowerCommand;
      /** `validUntil` of the command, epoch ms. */
      readonly endsAt: number;
      readonly appliedW: number;
      readonly shape: Shape;
      readonly transactionId: Channel['transactionId'];
      readonly wording?: Wording;
    },
  ): void {
    const { command, endsAt, appliedW, shape, transactionId, wording } = o;
    const before = channel.current;
    if (before?.state === 'accepted' && before.command.commandId !== command.commandId)
      this.tell(channel, before.command, 'superseded');
    const bound = transactionId !== undefined && shape !== 'onOff';
    channel.current = {
      command,
      appliedW,
      shape,
      ...(bound ? { transactionId } : {}),
      acceptedAt: this.#o.clock.now(),
      endsAt,
      state: 'accepted',
    };
    delete channel.doubt;
    if (wording?.form === 'dynamic' && bound) channel.dynamic = { transactionId, durationS: wording.durationS };
    else if (wording?.form !== 'update') delete channel.dynamic;
    this.tell(channel, command, 'accepted', { shape, appliedW });
    // The session has ended while the answer was under way.
    if (bound && runningOf(channel) !== transactionId) this.forget(channel, 'session.ended');
  }

  /** Judges the command in force by a meter value; `at` epoch ms. */
  measured(channel: Channel, at: number, powerW: number): void {
    const t = channel.current;
    const verdict = t && judge(t, { at, powerW }, channel.resource);
    if (t === undefined || verdict === undefined) return;
    t.state = verdict;
    if (verdict === 'effective') this.#o.onEffective(channel);
    this.#verdict(channel, t, verdict, { measuredW: powerW });
  }

  /** Looks after a command that nobody has measured, and one that has ended. */
  tick(channel: Channel): void {
    const t = channel.current;
    const now = this.#o.clock.now();
    if (channel.doubt && channel.doubt.until <= now) delete channel.doubt;
    if (t === undefined) return;
    if (t.endsAt <= now) {
      delete channel.current;
      // The watchdog of a dynamic profile may run a little longer than the last update in it (K28).
      const runsUntil = t.shape === 'dynamic' && channel.dynamic ? t.acceptedAt + 1000 * channel.dynamic.durationS : 0;
      if (runsUntil > now) this.doubt(channel, t.command, t.appliedW, { bound: true, until: runsUntil });
      if (t.state === 'accepted') this.tell(channel, t.command, 'expired');
      return;
    }
    const verdict = overdue(t, now, channel.resource.responseTimeS);
    if (verdict === undefined) return;
    t.state = verdict;
    this.#verdict(channel, t, verdict, t.off === undefined ? {} : { measuredW: t.off.powerW });
  }

  /** The station has forgotten what it was told: its session has ended or it has restarted. */
  forget(channel: Channel, why: 'session.ended' | 'station.rebooted'): void {
    const t = channel.current;
    delete channel.dynamic;
    const { doubt } = channel;
    if (doubt?.bound === true) delete channel.doubt;
    // Only profiles of transactions export, and they do not outlive a restart (ocpp 2.3).
    else if (doubt && why === 'station.rebooted') channel.doubt = { ...doubt, minW: Math.max(0, doubt.minW) };
    if (t === undefined || (why === 'session.ended' && t.transactionId === undefined)) return;
    delete channel.current;
    // A default profile may outlive a restart (ocpp 2.3).
    if (t.transactionId === undefined) this.doubt(channel, t.command, t.appliedW, { bound: false });
    if (t.state !== 'accepted') return;
    this.tell(channel, t.command, why === 'session.ended' ? 'expired' : 'unknown', { code: why });
  }

  /** Somebody else has taken our profiles away. */
  cleared(channel: Channel): void {
    const t = channel.current;
    delete channel.current;
    delete channel.dynamic;
    if (t?.state === 'accepted') this.tell(channel, t.command, 'superseded');
  }

  /** The station may or may not have taken it. */
  doubt(
    channel: Channel,
    command: PowerCommand,
    appliedW: number,
    { bound, until = parseTime(command.validUntil) }: { readonly bound: boolean; readonly until?: number },
  ): void {
    const d = channel.doubt;
    channel.doubt = {
      minW: Math.min(appliedW, d?.minW ?? 0),
      maxW: Math.max(appliedW, d?.maxW ?? 0),
      until: Math.max(until, d?.until ?? 0),
      bound: bound && d?.bound !== false,
    };
  }

  #verdict(
    channel: Channel,
    t: TrackedCommand,
    verdict: 'effective' | 'notEffective' | 'unknown',
    extra: Partial<CommandOutcome>,
  ): void {
    this.tell(channel, t.command, verdict, {
      ...extra,
      shape: t.shape,
      appliedW: t.appliedW,
      ...(verdict === 'notEffective' ? this.#verdictCode(channel, t) : {}),
    });
  }

  /** Why it is not followed: another form is tried, the vehicle takes less, or nothing helps. */
  #verdictCode(channel: Channel, t: TrackedCommand): { readonly code?: string } {
    if (takesLess(t)) return { code: TAKES_LESS };
    return this.#o.onIgnored(channel, t) ? {} : { code: EXCLUDED };
  }
}

/** Power flows in the right direction, and not more than asked for. */
function takesLess({ appliedW, off }: TrackedCommand): boolean {
  const w = off?.powerW ?? 0;
  return w * appliedW > 0 && Math.abs(w) > FLOWING_W && Math.abs(w) < Math.abs(appliedW);
}
