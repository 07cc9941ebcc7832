import { type Clock, parseTime, stamps } from '../../core/clock.ts';
import { codeOf, describeError } from '../../core/errors.ts';
import { failPoint } from '../../core/failpoint.ts';
import type { Log } from '../../core/log.ts';
import type { MappingLibrary } from '../../core/mapping/library.ts';
import type { CommandOutcome, PowerCommand } from '../../model/index.ts';
import type { CallOptions, Priority } from '../../protocols/ocpp/index.ts';
import { type Attempt, type Channel, runningOf, type Shape } from './channel.ts';
import { installDefault } from './default-profile.ts';
import { field } from './effective.ts';
import { EXCLUDED, Followup } from './followup.ts';
import { MANDATORY, SHAPE_NAMES, shapesFor, stepDown } from './ladder.ts';
import { switchCall, switchedW } from './onoff.ts';
import type { TrackedCommand } from './outcome.ts';
import { type CommandTarget, call, clearPlace, DOUBTFUL, isTaken, reasonOf } from './profile-calls.ts';
import { clip, durationOf, form, word } from './wording.ts';

export interface CommanderOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly library: MappingLibrary;
  /** The connected station of an identity. */
  readonly target: (identity: string) => CommandTarget | undefined;
  /** Tells site and listeners what became of a command. */
  readonly report: (outcome: CommandOutcome, identity: string) => void;
  /** The form in use, or why it is that one, has changed. */
  readonly onStep: (channel: Channel) => void;
}

/** What came of one form: the end of the command, or why the next form may be tried. */
type Result =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'told' }
  | { readonly kind: 'refused'; readonly code: string; readonly why: string; readonly final?: boolean };

/** The station does not know this form at all. */
const UNKNOWN_FORM = ['ocpp.notImplemented', 'ocpp.notSupported'];
/** Another form would not fare better. */
const FINAL = ['ocpp.queueFull', 'ocpp.security'];
/** A stop that may be under way is not said again. */
const SAY_OFF_AGAIN_MS = 10_000;
/** The transaction is over at the station. */
const OVER: readonly unknown[] = ['TxNotFound', 'InvalidTransactionId'];

/**
 * Carries out power commands at stations: clips to the envelope, chooses the form, translates, holds the translation to
 * what was granted, sends, and follows the outcome (design 2.1). Never throws.
 */
export class Commander {
  readonly followup: Followup;
  readonly #o: CommanderOptions;
  readonly #stamp: () => string;

  constructor(o: CommanderOptions) {
    this.#o = o;
    this.#stamp = stamps(o.clock);
    this.followup = new Followup({
      clock: o.clock,
      report: o.report,
      onIgnored: (channel, t) => this.#ignored(channel, t),
      onEffective: (channel) => delete channel.retried,
    });
  }

  /** Resolves to whether the station has accepted the command. */
  async send(target: CommandTarget | undefined, channel: Channel, command: PowerCommand): Promise<boolean> {
    const no = (state: CommandOutcome['state'], code: string | undefined): boolean => {
      this.followup.tell(channel, command, state, code === undefined ? {} : { code });
      return false;
    };
    const endsAt = parseTime(command.validUntil);
    if (endsAt <= this.#o.clock.now()) return no('expired', 'command.lapsed');
    if (!target?.station.open) return no('refused', 'station.notConnected');
    if (!target.ready) return no('refused', 'station.notReady');
    if (channel.transactionId !== undefined && runningOf(channel) === undefined)
      return no('refused', 'station.noTransaction');
    const urgent = command.level <= MANDATORY || channel.newest?.urgent === true;
    const attempt: Attempt = { command, endsAt, appliedW: clip(channel, command), urgent };
    const shapes = shapesFor(target.version, channel, command);
    if (shapes.length === 0) return no('refused', 'capability.unsupported');
    channel.newest = attempt;
    channel.lastId = command.commandId;
    try {
      if (channel.answering !== undefined) {
        await channel.answering;
        if (channel.newest !== attempt) return no('superseded', undefined);
      }
      return await this.#inTurn(target, channel, attempt, shapes);
    } catch (e) {
      this.#o.log.error('command.failed', { resource: channel.resource.resourceId, ...describeError(e) });
      return no('refused', codeOf(e) ?? 'internal.permanent');
    } finally {
      if (channel.newest === attempt) delete channel.newest;
    }
  }

  /** Looks after what has ended or was not measured, and after EVSEs that shall be off. */
  tick(channel: Channel): void {
    this.followup.tick(channel);
    const { off, resource } = channel;
    if (off === undefined) return;
    const { clock, log, target } = this.#o;
    const station = target(resource.identity);
    const ended = off.until <= clock.now();
    if (ended) delete channel.off;
    if (!station?.ready || channel.newest) return;
    // A session that has begun in spite of it is stopped; what has ended lets the driver go on, where there is room.
    const room = (channel.envelope?.importLimitW ?? resource.maxImportW) >= resource.maxImportW - 1;
    const call = ended && !room ? undefined : switchCall(station.version, channel, !ended);
    if (call === undefined || (!ended && clock.now() - (off.saidAt ?? 0) < SAY_OFF_AGAIN_MS)) return;
    if (!ended) channel.off = { ...off, saidAt: clock.now() };
    station.station
      .callAny(call.action, call.payload, { priority: 'stop' })
      .catch((e: unknown) => log.info('station.switch', { resource: resource.resourceId, ...describeError(e) }));
  }

  /** Installs the profile that holds below everything else; `importW` ≥ 0. */
  installDefault(target: CommandTarget, channel: Channel, importW: number): Promise<void> {
    return installDefault(this.#o, target, channel, importW);
  }

  /**
   * An accepted command is not followed: once, the same is said in a simpler form. Where that has not helped before, the
   * fault is not the form, and the best one is used again.
   */
  #ignored(channel: Channel, t: TrackedCommand): boolean {
    const { log, target, onStep } = this.#o;
    const { resourceId, identity } = channel.resource;
    const station = target(identity);
    const now = this.#o.clock.now();
    // A limit that must hold goes down to the last step.
    if (channel.retried === true && (t.command.level > MANDATORY || t.shape === 'onOff')) {
      const kept = channel.steps.filter((s) => s.cause !== 'ignored');
      if (kept.length < channel.steps.length) {
        channel.steps.splice(0, channel.steps.length, ...kept);
        onStep(channel);
      }
      log.warn('resource.excluded', { resource: resourceId, shape: t.shape, measuredW: t.off?.powerW });
      return false;
    }
    if (channel.newest || !station?.ready || t.endsAt <= now) return false;
    const step = { shape: t.shape, why: 'it was accepted and not followed', cause: 'ignored' } as const;
    const before = [...channel.steps];
    stepDown(channel, step);
    const again = channel.retried;
    channel.retried = true;
    if (shapesFor(station.version, channel, t.command).length === 0) {
      channel.steps.splice(0, channel.steps.length, ...before);
      if (again === undefined) delete channel.retried;
      return false;
    }
    onStep(channel);
    log.warn('station.stepsDown', { resource: resourceId, from: [t.shape], why: step.why });
    // After the word that it was ignored.
    void Promise.resolve().then(() => this.send(station, channel, t.command));
    return true;
  }

  /** Tries the forms one after the other, as long as no newer command has come. */
  async #inTurn(target: CommandTarget, channel: Channel, attempt: Attempt, shapes: readonly Shape[]): Promise<boolean> {
    const { command } = attempt;
    const failed: { readonly shape: Shape; readonly why: string }[] = [];
    let code = EXCLUDED;
    for (const shape of shapes) {
      const result = await this.#try(target, channel, attempt, shape);
      if (result.kind === 'told') return false;
      if (result.kind === 'accepted') {
        this.#stepDown(channel, failed, shape);
        delete channel.failures;
        return true;
      }
      failed.push({ shape, why: result.why });
      if (result.final === true || result.code === 'mapping.widens') code = result.code;
      if (result.final === true) break;
      if (channel.newest !== attempt) {
        this.followup.tell(channel, command, 'superseded');
        return false;
      }
    }
    this.followup.tell(channel, command, 'refused', { code });
    if (command.level <= MANDATORY) channel.failures = (channel.failures ?? 0) + 1;
    return false;
  }

  /** Forms that failed where a simpler one was taken are left alone until the next session or boot (fo 6.4). */
  #stepDown(channel: Channel, failed: readonly { readonly shape: Shape; readonly why: string }[], to: Shape): void {
    if (failed.length === 0) return;
    for (const { shape, why } of failed) stepDown(channel, { shape, why, cause: 'refused' });
    const { resourceId } = channel.resource;
    this.#o.log.warn('station.stepsDown', { resource: resourceId, from: failed.map((f) => f.shape), to });
    this.#o.onStep(channel);
  }

  async #try(
    target: CommandTarget,
    channel: Channel,
    attempt: Attempt,
    shape: Shape,
    mayClear = true,
  ): Promise<Result> {
    const { command, endsAt } = attempt;
    const now = this.#o.clock.now();
    const transactionId = channel.transactionId;
    // The envelope may have moved since the last form was tried.
    const appliedW = clip(channel, command);
    attempt.appliedW = appliedW;
    const options: CallOptions = {
      priority: attempt.urgent ? 'stop' : priorityOf(appliedW, channel.current?.appliedW),
      replaceKey: `power/${channel.resource.resourceId}`,
      expiresAt: endsAt,
      about: { cause: command.commandId, resourceId: channel.resource.resourceId },
    };
    try {
      if (shape === 'onOff') return await this.#switch(target, channel, attempt, options);
      const f = form(channel, shape, durationOf(endsAt, now));
      const how = { appliedW, form: f, now, at: this.#stamp(), endsAt };
      const wording = word(this.#o.library, target, channel, command, how);
      this.followup.tell(channel, command, 'sent', { shape, appliedW });
      const answering = call(target, wording, options);
      failPoint('command.sent');
      const answer = await answering;
      failPoint('command.answered');
      // Said again from the start: meanwhile the envelope may have moved, and somebody may have said something newer.
      if (mayClear && isTaken(answer) && (await clearPlace(target, wording, answer)) && channel.newest === attempt)
        return this.#try(target, channel, attempt, shape, false);
      if (field(answer, 'status') === 'Accepted') {
        delete channel.off;
        this.followup.accepted(channel, { command, endsAt, appliedW, shape, transactionId, wording });
        return { kind: 'accepted' };
      }
      if (wording.form === 'update') {
        // The profile is gone: it is installed again.
        delete channel.dynamic;
        if (channel.newest === attempt) return this.#try(target, channel, attempt, shape);
        // What is newer has been sent meanwhile and must not be followed by this.
        this.followup.tell(channel, command, 'superseded');
        return { kind: 'told' };
      }
      return this.#refused(channel, answer, shape, transactionId);
    } catch (e) {
      return this.#failed(channel, attempt, { shape, bound: transactionId !== undefined }, e);
    }
  }

  /** The last step: the session is stopped, or may run as the station likes where that is within the grant. */
  async #switch(target: CommandTarget, channel: Channel, attempt: Attempt, options: CallOptions): Promise<Result> {
    const { command, endsAt } = attempt;
    const appliedW = switchedW(channel, attempt.appliedW);
    attempt.appliedW = appliedW;
    const off = appliedW === 0;
    if (off) channel.off = { until: endsAt, saidAt: this.#o.clock.now() };
    else delete channel.off;
    const call = switchCall(target.version, channel, off);
    this.followup.tell(channel, command, 'sent', { shape: 'onOff', appliedW });
    if (call !== undefined) {
      const answer = await target.station.callAny(call.action, call.payload, { ...options, priority: 'stop' });
      if (field(answer, 'status') !== 'Accepted') return this.#refused(channel, answer, 'onOff', channel.transactionId);
    }
    this.followup.accepted(channel, {
      command,
      endsAt,
      appliedW,
      shape: 'onOff',
      transactionId: channel.transactionId,
    });
    return { kind: 'accepted' };
  }

  #refused(channel: Channel, answer: unknown, shape: Shape, transactionId: Channel['transactionId']): Result {
    const reason = reasonOf(answer);
    const status = field(answer, 'status');
    const { resourceId } = channel.resource;
    this.#o.log.info('command.refused', { resource: resourceId, shape, status, reason });
    if (OVER.includes(reason) && transactionId !== undefined && channel.transactionId === transactionId)
      channel.over = transactionId;
    if (OVER.includes(reason) || channel.transactionId !== transactionId)
      return { kind: 'refused', code: 'station.noTransaction', why: 'the transaction is over', final: true };
    const why = `${String(status)}${reason === undefined ? '' : ` (${reason})`}`;
    if (status === 'NotSupported') this.#unknown(channel, shape, why);
    return { kind: 'refused', code: EXCLUDED, why };
  }

  #failed(
    channel: Channel,
    { command, appliedW }: Attempt,
    { shape, bound }: { readonly shape: Shape; readonly bound: boolean },
    e: unknown,
  ): Result {
    const code = codeOf(e) ?? 'internal.permanent';
    const { followup } = this;
    if (code === 'ocpp.superseded') followup.tell(channel, command, 'superseded');
    else if (code === 'ocpp.expired') followup.tell(channel, command, 'expired', { code });
    else if (DOUBTFUL.includes(code)) {
      followup.doubt(channel, command, appliedW, { bound });
      followup.tell(channel, command, 'unknown', { code, shape, appliedW });
    } else {
      this.#o.log.warn('command.failed', { resource: channel.resource.resourceId, shape, ...describeError(e) });
      if (UNKNOWN_FORM.includes(code)) this.#unknown(channel, shape, code);
      return { kind: 'refused', code, why: code, final: FINAL.includes(code) };
    }
    return { kind: 'told' };
  }

  #unknown(channel: Channel, shape: Shape, why: string): void {
    stepDown(channel, { shape, why: `${SHAPE_NAMES[shape]} not supported: ${why}`, cause: 'unknown' });
    this.#o.onStep(channel);
  }
}

/** Behind stops and limits, reductions come first (design 5). */
function priorityOf(appliedW: number, beforeW: number | undefined): Priority {
  return beforeW !== undefined && Math.abs(appliedW) < Math.abs(beforeW) ? 'reduction' : 'setpoint';
}
