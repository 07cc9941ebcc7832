import { type Clock, iso, parseTime } from '../../core/clock.ts';
import { codeOf, describeError } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import type { MappingLibrary } from '../../core/mapping/library.ts';
import type { CommandOutcome, PowerCommand } from '../../model/index.ts';
import type { CallOptions, Priority, Station } from '../../protocols/ocpp/index.ts';
import type { Attempt, Channel, Shape } from './channel.ts';
import { field, profileOf } from './effective.ts';
import { judge, overdue, type TrackedCommand } from './outcome.ts';
import { type Addressee, clip, defaultForms, durationOf, form, shapesFor, type Wording, word } from './wording.ts';

export interface CommanderOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly library: MappingLibrary;
  /** Tells site and listeners what became of a command. */
  readonly report: (outcome: CommandOutcome, identity: string) => void;
}

/** A station as far as commands are concerned. */
export interface CommandTarget extends Addressee {
  readonly station: Pick<Station, 'open' | 'callAny'>;
  /** It has booted, or is known to be up. */
  readonly ready: boolean;
}

/** What came of one form: the end of the command, or why the next form may be tried. */
type Result =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'told' }
  | { readonly kind: 'refused'; readonly code: string; readonly final?: boolean };

/** The answer never came or cannot be read: the station may have acted. */
const DOUBTFUL = ['ocpp.timeout', 'ocpp.closed', 'ocpp.replaced', 'ocpp.invalidAnswer'];
/** The station does not know this form at all. */
const UNKNOWN_FORM = ['ocpp.notImplemented', 'ocpp.notSupported'];
/** Another form would not fare better. */
const FINAL = ['ocpp.queueFull', 'ocpp.security'];

/**
 * Carries out power commands at stations: clips to the envelope, chooses the form, translates, holds the translation to
 * what was granted, sends, and follows the outcome (design 2.1). Never throws.
 */
export class Commander {
  readonly #o: CommanderOptions;

  constructor(o: CommanderOptions) {
    this.#o = o;
  }

  /** Resolves to whether the station has accepted the command. */
  async send(target: CommandTarget | undefined, channel: Channel, command: PowerCommand): Promise<boolean> {
    const no = (state: CommandOutcome['state'], code: string): boolean => {
      this.#tell(channel, command, state, { code });
      return false;
    };
    if (parseTime(command.validUntil) <= this.#o.clock.now()) return no('expired', 'command.lapsed');
    if (!target?.station.open) return no('refused', 'station.notConnected');
    if (!target.ready) return no('refused', 'station.notReady');
    const attempt: Attempt = { command, appliedW: clip(channel, command) };
    const shapes = shapesFor(target.version, channel, command);
    if (shapes.length === 0) return no('refused', 'capability.unsupported');
    channel.newest = attempt;
    try {
      return await this.#inTurn(target, channel, attempt, shapes);
    } catch (e) {
      this.#o.log.error('command.failed', { resource: channel.resource.resourceId, ...describeError(e) });
      return no('refused', codeOf(e) ?? 'internal.permanent');
    } finally {
      if (channel.newest === attempt) delete channel.newest;
    }
  }

  /** Installs the profile that holds below everything else, so that the gateway may die (design 2); `importW` ≥ 0. */
  async installDefault(target: CommandTarget, channel: Channel, importW: number): Promise<void> {
    const { clock, library, log } = this.#o;
    const { resourceId } = channel.resource;
    const command: PowerCommand = {
      commandId: 'default',
      resourceId,
      kind: 'limit',
      importLimitW: importW,
      validUntil: iso(clock.now() + 86_400_000),
      level: 3,
    };
    channel.defaultTriedAt = clock.now();
    let why: object = {};
    for (const f of defaultForms(target.version, channel)) {
      try {
        const wording = word(library, target, channel, command, { appliedW: importW, form: f, now: clock.now() });
        const answer = await this.#call(target, wording, { priority: 'stop', replaceKey: `default/${resourceId}` });
        if (field(answer, 'status') === 'Accepted') {
          channel.defaultW = importW;
          channel.defaultRefused = false;
          return;
        }
        why = { status: field(answer, 'status'), reason: reasonOf(answer) };
      } catch (e) {
        // Not refused: it is tried again when the station is back.
        if (DOUBTFUL.includes(codeOf(e) ?? '') || codeOf(e) === 'ocpp.superseded') return;
        why = describeError(e);
      }
    }
    if (channel.defaultRefused !== true) log.warn('station.noDefault', { resource: resourceId, ...why });
    channel.defaultRefused = true;
  }

  /** Judges the command in force by a meter value (design 2.1); `at` epoch ms. */
  measured(channel: Channel, at: number, powerW: number): void {
    const t = channel.current;
    const verdict = t && judge(t, { at, powerW }, channel.resource);
    if (t === undefined || verdict === undefined) return;
    t.state = verdict;
    this.#tell(channel, t.command, verdict, { measuredW: powerW, shape: t.shape, appliedW: t.appliedW });
  }

  /** Looks after a command that nobody has measured, and one that has ended. */
  tick(channel: Channel): void {
    const t = channel.current;
    const now = this.#o.clock.now();
    if (channel.doubt && channel.doubt.until <= now) delete channel.doubt;
    if (t === undefined) return;
    if (t.endsAt <= now) {
      delete channel.current;
      if (t.state === 'accepted') this.#tell(channel, t.command, 'expired');
      return;
    }
    const verdict = overdue(t, now, channel.resource.responseTimeS);
    if (verdict === undefined) return;
    t.state = verdict;
    const measured = t.off === undefined ? {} : { measuredW: t.off.powerW };
    this.#tell(channel, t.command, verdict, { shape: t.shape, appliedW: t.appliedW, ...measured });
  }

  /** The station has forgotten what it was told: its session has ended or it has restarted. */
  forget(channel: Channel, why: 'session.ended' | 'station.rebooted'): void {
    const t = channel.current;
    delete channel.dynamic;
    delete channel.doubt;
    if (t === undefined || (why === 'session.ended' && t.transactionId === undefined)) return;
    delete channel.current;
    // A default profile may outlive a restart (ocpp 2.3).
    if (t.transactionId === undefined) this.#doubt(channel, t.command, t.appliedW);
    if (t.state !== 'accepted') return;
    this.#tell(channel, t.command, why === 'session.ended' ? 'expired' : 'unknown', { code: why });
  }

  /** Tries the forms one after the other, as long as no newer command has come. */
  async #inTurn(target: CommandTarget, channel: Channel, attempt: Attempt, shapes: readonly Shape[]): Promise<boolean> {
    const { command } = attempt;
    const failed: Shape[] = [];
    let code = 'station.refusedCommand';
    for (const shape of shapes) {
      const result = await this.#try(target, channel, attempt, shape);
      if (result.kind === 'told') return false;
      if (result.kind === 'accepted') {
        this.#stepDown(channel, failed, shape);
        return true;
      }
      code = result.code;
      failed.push(shape);
      if (result.final === true) break;
      if (channel.newest !== attempt) {
        this.#tell(channel, command, 'superseded');
        return false;
      }
    }
    this.#tell(channel, command, 'refused', { code });
    return false;
  }

  /** Forms that failed where a simpler one was taken are left alone until the next session or boot (fo 6.4). */
  #stepDown(channel: Channel, failed: readonly Shape[], to: Shape): void {
    for (const shape of failed) if (!channel.refused.includes(shape)) channel.refused.push(shape);
    if (failed.length > 0)
      this.#o.log.warn('station.stepsDown', { resource: channel.resource.resourceId, from: failed, to });
  }

  async #try(target: CommandTarget, channel: Channel, attempt: Attempt, shape: Shape): Promise<Result> {
    const { command } = attempt;
    const now = this.#o.clock.now();
    const transactionId = channel.transactionId;
    // The envelope may have moved since the last form was tried.
    const appliedW = clip(channel, command);
    attempt.appliedW = appliedW;
    try {
      const f = form(channel, shape, durationOf(command, now));
      const wording = word(this.#o.library, target, channel, command, { appliedW, form: f, now });
      this.#tell(channel, command, 'sent', { shape, appliedW });
      const answer = await this.#call(target, wording, {
        priority: priorityOf(command, appliedW, channel.current?.appliedW),
        replaceKey: `power/${channel.resource.resourceId}`,
        expiresAt: parseTime(command.validUntil),
      });
      if (field(answer, 'status') === 'Accepted') {
        this.#accepted(channel, attempt, shape, wording, transactionId);
        return { kind: 'accepted' };
      }
      if (wording.form === 'update') {
        // The profile is gone: it is installed again.
        delete channel.dynamic;
        return this.#try(target, channel, attempt, shape);
      }
      return this.#refused(channel, answer, shape, transactionId);
    } catch (e) {
      return this.#failed(channel, attempt, shape, e);
    }
  }

  /** A refusal for a foreign profile in the same place is answered by clearing that place, once. */
  async #call(target: CommandTarget, wording: Wording, options: CallOptions): Promise<unknown> {
    const answer = await target.station.callAny(wording.action, wording.payload, options);
    if (reasonOf(answer) !== 'DuplicateProfile') return answer;
    const profile = profileOf(wording.payload);
    await target.station.callAny(
      'ClearChargingProfile',
      {
        chargingProfileCriteria: {
          evseId: field(wording.payload, 'evseId'),
          chargingProfilePurpose: field(profile, 'chargingProfilePurpose'),
          stackLevel: field(profile, 'stackLevel'),
        },
      },
      { priority: options.priority ?? 'request' },
    );
    return target.station.callAny(wording.action, wording.payload, options);
  }

  #accepted(
    channel: Channel,
    { command, appliedW }: Attempt,
    shape: Shape,
    wording: Wording,
    transactionId: Channel['transactionId'],
  ): void {
    const before = channel.current;
    if (before?.state === 'accepted' && before.command.commandId !== command.commandId)
      this.#tell(channel, before.command, 'superseded');
    const bound = transactionId !== undefined;
    const t: TrackedCommand = {
      command,
      appliedW,
      shape,
      ...(bound ? { transactionId } : {}),
      acceptedAt: this.#o.clock.now(),
      endsAt: parseTime(command.validUntil),
      state: 'accepted',
    };
    channel.current = t;
    delete channel.doubt;
    if (wording.form === 'dynamic' && bound) channel.dynamic = { transactionId, durationS: wording.durationS };
    else if (wording.form !== 'update') delete channel.dynamic;
    this.#tell(channel, command, 'accepted', { shape, appliedW });
    // The session has ended while the answer was under way.
    if (bound && channel.transactionId !== transactionId) this.forget(channel, 'session.ended');
  }

  #refused(channel: Channel, answer: unknown, shape: Shape, transactionId: Channel['transactionId']): Result {
    const reason = reasonOf(answer);
    const { resourceId } = channel.resource;
    this.#o.log.info('command.refused', { resource: resourceId, shape, status: field(answer, 'status'), reason });
    if (reason === 'TxNotFound' || channel.transactionId !== transactionId)
      return { kind: 'refused', code: 'station.noTransaction', final: true };
    if (field(answer, 'status') === 'NotSupported') channel.refused.push(shape);
    return { kind: 'refused', code: 'station.refusedCommand' };
  }

  #failed(channel: Channel, { command, appliedW }: Attempt, shape: Shape, e: unknown): Result {
    const code = codeOf(e) ?? 'internal.permanent';
    if (code === 'ocpp.superseded') this.#tell(channel, command, 'superseded');
    else if (code === 'ocpp.expired') this.#tell(channel, command, 'expired', { code });
    else if (DOUBTFUL.includes(code)) {
      this.#doubt(channel, command, appliedW);
      this.#tell(channel, command, 'unknown', { code, shape, appliedW });
    } else {
      this.#o.log.warn('command.failed', { resource: channel.resource.resourceId, shape, ...describeError(e) });
      if (UNKNOWN_FORM.includes(code) && !channel.refused.includes(shape)) channel.refused.push(shape);
      return { kind: 'refused', code, final: FINAL.includes(code) };
    }
    return { kind: 'told' };
  }

  #doubt(channel: Channel, command: PowerCommand, appliedW: number): void {
    const d = channel.doubt;
    channel.doubt = {
      minW: Math.min(appliedW, d?.minW ?? 0),
      maxW: Math.max(appliedW, d?.maxW ?? 0),
      until: Math.max(parseTime(command.validUntil), d?.until ?? 0),
    };
  }

  #tell(
    channel: Channel,
    command: PowerCommand,
    state: CommandOutcome['state'],
    extra: Partial<CommandOutcome> = {},
  ): void {
    this.#o.report(
      { commandId: command.commandId, resourceId: command.resourceId, state, at: iso(this.#o.clock.now()), ...extra },
      channel.resource.identity,
    );
  }
}

/** Stops and limits first, then reductions (design 5). */
function priorityOf(command: PowerCommand, appliedW: number, beforeW: number | undefined): Priority {
  if (command.level <= 4) return 'stop';
  return beforeW !== undefined && Math.abs(appliedW) < Math.abs(beforeW) ? 'reduction' : 'setpoint';
}

function reasonOf(answer: unknown): string | undefined {
  const reason = field(field(answer, 'statusInfo'), 'reasonCode');
  return typeof reason === 'string' ? reason : undefined;
}
