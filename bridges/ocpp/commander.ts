import { type Clock, iso, parseTime } from '../../core/clock.ts';
import { codeOf, describeError } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import type { MappingLibrary } from '../../core/mapping/library.ts';
import type { CommandOutcome, PowerCommand } from '../../model/index.ts';
import type { Priority } from '../../protocols/ocpp/index.ts';
import { type Channel, commandProfileId, contextOf, defaultProfileId, SHAPES, type Shape } from './channel.ts';
import { effectiveRange } from './effective.ts';
import { BRIDGE_ERRORS } from './errors.ts';
import { judge, type TrackedCommand, unknownAt } from './outcome.ts';
import type { StationBridge } from './station.ts';

export interface CommanderOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly library: MappingLibrary;
  /** Tells site and listeners what became of a command. */
  readonly report: (outcome: CommandOutcome, identity: string) => void;
}

/** Watts that rounding may add on the way back from a payload. */
const ROUNDING_W = 0.5;

/** How one command is put into words for one station. */
interface Wording {
  readonly shape: Shape | 'update' | 'default';
  readonly action: string;
  readonly payload: unknown;
}

/**
 * Carries out power commands at stations: clips to the envelope, chooses the form, translates, holds the translation to
 * what was granted, sends, and follows the outcome (design 2.1). Never throws.
 */
export class Commander {
  readonly #o: CommanderOptions;

  constructor(o: CommanderOptions) {
    this.#o = o;
  }

  async send(bridge: StationBridge | undefined, channel: Channel, command: PowerCommand): Promise<void> {
    const now = this.#o.clock.now();
    if (parseTime(command.validUntil) <= now)
      return this.#tell(channel, command, 'expired', { code: 'command.lapsed' });
    if (!bridge?.station.open) return this.#tell(channel, command, 'refused', { code: 'station.notConnected' });
    const appliedW = clip(channel, command);
    const shapes = shapesFor(bridge, channel, command, appliedW);
    if (shapes.length === 0) return this.#tell(channel, command, 'refused', { code: 'command.unsupported' });
    let refusal = 'station.refusedCommand';
    for (const shape of shapes) {
      const result = await this.#try(bridge, channel, command, appliedW, shape);
      if (result === 'done') return;
      refusal = result;
    }
    this.#tell(channel, command, 'refused', { code: refusal });
  }

  /** Installs the profile that holds below everything else, so that the gateway may die (design 2). Answers its import, W. */
  async installDefault(bridge: StationBridge, channel: Channel, importW: number): Promise<number | undefined> {
    const command: PowerCommand = {
      commandId: `default:${channel.resource.resourceId}`.slice(0, 64),
      resourceId: channel.resource.resourceId,
      kind: 'limit',
      importLimitW: importW,
      validUntil: iso(this.#o.clock.now() + 86_400_000),
      level: 3,
    };
    try {
      const wording = this.#word(bridge, channel, { ...command, importLimitW: importW }, importW, 'default');
      const answer = await bridge.station.callAny(wording.action, wording.payload, { priority: 'stop' });
      if (statusOf(answer) !== 'Accepted') {
        bridge.log.warn('station.noDefault', { resource: channel.resource.resourceId, status: statusOf(answer) });
        return undefined;
      }
      channel.defaultW = importW;
      return importW;
    } catch (e) {
      bridge.log.warn('station.noDefault', { resource: channel.resource.resourceId, ...describeError(e) });
      return undefined;
    }
  }

  /** Judges the command in force by a meter value (design 2.1). */
  measured(channel: Channel, at: number, powerW: number): void {
    const t = channel.current;
    if (t === undefined || t.acceptedAt === undefined) return;
    const verdict = judge(t, { at, powerW }, channel.resource);
    if (verdict === undefined) return;
    t.state = verdict;
    this.#tell(channel, t.command, verdict, { measuredW: powerW, shape: t.shape, appliedW: t.appliedW });
  }

  /** Looks after a command that nobody has measured, and one that has ended. */
  tick(channel: Channel): void {
    const t = channel.current;
    if (t === undefined) return;
    const now = this.#o.clock.now();
    if (parseTime(t.command.validUntil) <= now) {
      delete channel.current;
      if (t.state === 'accepted') this.#tell(channel, t.command, 'expired');
    } else if (t.state === 'accepted' && now >= unknownAt(t, channel.resource.responseTimeS)) {
      t.state = 'unknown';
      this.#tell(channel, t.command, 'unknown', { shape: t.shape });
    }
  }

  async #try(
    bridge: StationBridge,
    channel: Channel,
    command: PowerCommand,
    appliedW: number,
    shape: Shape,
  ): Promise<'done' | string> {
    const tracked: TrackedCommand = { command, appliedW, shape, sentAt: this.#o.clock.now(), state: 'sent' };
    const before = channel.current;
    try {
      const wording = this.#word(bridge, channel, command, appliedW, this.#variant(channel, shape));
      this.#tell(channel, command, 'sent', { shape, appliedW });
      const answer = await bridge.station.callAny(wording.action, wording.payload, {
        priority: priorityOf(command, appliedW, before?.appliedW),
        replaceKey: `power/${channel.resource.resourceId}`,
        expiresAt: parseTime(command.validUntil),
      });
      if (statusOf(answer) === 'Accepted') {
        this.#accepted(channel, tracked, wording);
        return 'done';
      }
      return await this.#refused(bridge, channel, command, appliedW, wording, shape);
    } catch (e) {
      return this.#failed(channel, command, e);
    }
  }

  #accepted(channel: Channel, t: TrackedCommand, wording: Wording): void {
    t.acceptedAt = this.#o.clock.now();
    t.state = 'accepted';
    channel.current = t;
    if (wording.shape === 'dynamic' && channel.transactionId !== undefined) channel.dynamicFor = channel.transactionId;
    else if (wording.shape !== 'update') delete channel.dynamicFor;
    this.#tell(channel, t.command, 'accepted', { shape: t.shape, appliedW: t.appliedW });
  }

  /** A refused update may mean that the profile is gone: it is installed again once. Else the form is given up. */
  async #refused(
    bridge: StationBridge,
    channel: Channel,
    command: PowerCommand,
    appliedW: number,
    wording: Wording,
    shape: Shape,
  ): Promise<'done' | string> {
    if (wording.shape === 'update') {
      delete channel.dynamicFor;
      return this.#try(bridge, channel, command, appliedW, shape);
    }
    channel.refused.push(shape);
    bridge.log.warn('station.stepsDown', { resource: channel.resource.resourceId, from: shape });
    return 'station.refusedCommand';
  }

  #failed(channel: Channel, command: PowerCommand, e: unknown): 'done' | string {
    const code = codeOf(e) ?? 'internal.permanent';
    if (code === 'ocpp.superseded') this.#tell(channel, command, 'superseded');
    else if (code === 'ocpp.expired') this.#tell(channel, command, 'expired', { code });
    else if (code === 'ocpp.timeout' || code === 'ocpp.closed' || code === 'ocpp.replaced')
      this.#tell(channel, command, 'unknown', { code });
    else {
      this.#o.log.warn('command.failed', { resource: channel.resource.resourceId, ...describeError(e) });
      return code;
    }
    return 'done';
  }

  #variant(channel: Channel, shape: Shape): Shape | 'update' {
    return shape === 'dynamic' && channel.transactionId !== undefined && channel.dynamicFor === channel.transactionId
      ? 'update'
      : shape;
  }

  /** Translates a command and checks that the result stays within it. Throws `mapping.widens` or what the mapping threw. */
  #word(
    bridge: StationBridge,
    channel: Channel,
    command: PowerCommand,
    appliedW: number,
    shape: Wording['shape'],
  ): Wording {
    const now = this.#o.clock.now();
    const { version, identity } = bridge.station;
    const evse = channel.resource.evse;
    const profileId = shape === 'default' ? defaultProfileId(evse) : commandProfileId(evse);
    const ctx = contextOf(channel, {
      at: iso(now),
      version,
      identity,
      ids: { chargingProfileId: profileId, chargingScheduleId: profileId },
      settings: { shape, durationS: Math.max(1, Math.ceil((parseTime(command.validUntil) - now) / 1000)) },
      ...(bridge.vendor === undefined ? {} : { vendor: bridge.vendor }),
      ...(bridge.model === undefined ? {} : { model: bridge.model }),
    });
    const clipped =
      command.kind === 'limit' ? { ...command, importLimitW: appliedW } : { ...command, powerW: appliedW };
    const entry = this.#o.library.choose('hub/PowerCommand', version, 'from-hub', clipped, ctx);
    const payload = entry.mapping.run(clipped, ctx);
    const action = (entry.to[0] ?? '').replace(/^.*\//, '').replace(/Request$/, '');
    const range = effectiveRange(action, payload, { voltageV: ctx.resource.voltageV, phases: ctx.resource.phases });
    const top = Math.max(appliedW, 0) + ROUNDING_W;
    const bottom = Math.min(appliedW, 0) - ROUNDING_W;
    if (range === undefined || range.maxW > top || range.minW < bottom) {
      const got = range === undefined ? 'no power at all' : `${range.minW} … ${range.maxW} W`;
      throw BRIDGE_ERRORS.fail('mapping.widens', `${entry.path} made ${got} out of ${appliedW} W; nothing was sent.`);
    }
    return { shape, action, payload };
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

/** The power that may be sent: the command inside the envelope (design 2). Without an envelope nothing is exported. */
export function clip(channel: Channel, command: PowerCommand): number {
  const asked = command.kind === 'limit' ? (command.importLimitW ?? 0) : (command.powerW ?? 0);
  const importLimitW = Math.min(
    channel.envelope?.importLimitW ?? channel.resource.maxImportW,
    channel.resource.maxImportW,
  );
  const exportLimitW = Math.min(channel.envelope?.exportLimitW ?? 0, channel.resource.maxExportW);
  return Math.min(Math.max(asked, -exportLimitW), importLimitW) + 0;
}

/** Forms that can express the command at this station, the best first. */
function shapesFor(bridge: StationBridge, channel: Channel, command: PowerCommand, appliedW: number): Shape[] {
  return SHAPES[bridge.station.version].filter((shape) => {
    if (channel.refused.includes(shape)) return false;
    // A setpoint needs a transaction; export needs a setpoint (ocpp 4).
    if (shape === 'dynamic') return command.kind !== 'limit' && channel.transactionId !== undefined;
    if (shape === 'limitA' && channel.resource.current === 'dc') return false;
    return appliedW >= 0;
  });
}

function priorityOf(command: PowerCommand, appliedW: number, beforeW: number | undefined): Priority {
  if (command.level <= 4) return 'stop';
  return beforeW !== undefined && Math.abs(appliedW) < Math.abs(beforeW) ? 'reduction' : 'setpoint';
}

function statusOf(answer: unknown): string {
  const status = typeof answer === 'object' && answer !== null ? Reflect.get(answer, 'status') : undefined;
  return typeof status === 'string' ? status : '';
}
