import type { PowerCommand } from '../../model/index.ts';
import type { Version } from '../../protocols/ocpp/index.ts';
import { type Channel, type Form, runningOf, type Shape } from './channel.ts';

/**
 * Shapes per version, the most capable first: a setpoint that only changes its value, a scheduled setpoint, a limit in
 * the unit that stations of the version know best, the other unit, and at last on and off (fo 6.4, ocpp 4).
 */
export const SHAPES: Readonly<Record<Version, readonly Shape[]>> = {
  'ocpp1.6': ['limitA', 'limitW', 'onOff'],
  'ocpp2.0.1': ['limitW', 'limitA', 'onOff'],
  'ocpp2.1': ['dynamic', 'setpoint', 'limitW', 'limitA', 'onOff'],
};

/** For people. */
export const SHAPE_NAMES: Readonly<Record<Shape, string>> = {
  dynamic: 'dynamic setpoint',
  setpoint: 'scheduled setpoint',
  limitW: 'limit in W',
  limitA: 'limit in A',
  onOff: 'on and off',
};

/** One form that is left out. `unknown`: the station does not know it at all. */
export interface Step {
  readonly shape: Shape;
  readonly why: string;
  readonly cause: 'refused' | 'unknown' | 'ignored';
}

/** Levels of mandatory limits and of the envelope (fo 6.3): a session may be stopped for them. */
export const MANDATORY = 4;

/** Notes that a form is left out; the first reason stands. */
export function stepDown(channel: Channel, step: Step): void {
  if (!channel.steps.some((s) => s.shape === step.shape)) channel.steps.push(step);
}

/** A new session tries again what was refused or ignored in the last one, a boot everything. True when there was any. */
export function forgetSteps(channel: Channel, since: 'session' | 'boot'): boolean {
  const before = channel.steps.length;
  const kept = since === 'boot' ? [] : channel.steps.filter((s) => s.cause === 'unknown');
  channel.steps.splice(0, before, ...kept);
  delete channel.retried;
  return kept.length < before;
}

/** Why a form cannot work at this station by what was seen of it; undefined when it may. */
export function lacking(channel: Channel, shape: Shape): string | undefined {
  const c = channel.capabilities;
  if (shape === 'limitA' && channel.resource.current === 'dc') return 'amperes say nothing about power at a DC outlet';
  if (c === undefined || shape === 'onOff') return undefined;
  if (c.smartCharging === false) return 'it has no smart charging';
  if (shape === 'limitA') return c.rateUnits?.includes('A') === false ? 'it takes no amperes' : undefined;
  if (c.rateUnits?.includes('W') === false) return 'it takes no watts';
  if (shape === 'limitW') return undefined;
  if (c.setpoint === false) return 'it has no central setpoint';
  return shape === 'dynamic' && c.dynamic === false ? 'it has no dynamic profiles' : undefined;
}

/** Why a form is left out now; undefined when it may be tried. */
const leftOut = (channel: Channel, shape: Shape): string | undefined =>
  channel.steps.find((s) => s.shape === shape)?.why ?? lacking(channel, shape);

/** True when the station is known to take no profile at all. */
const profileless = (version: Version, channel: Channel): boolean =>
  SHAPES[version].every(
    (shape) =>
      shape === 'onOff' ||
      lacking(channel, shape) !== undefined ||
      channel.steps.some((s) => s.shape === shape && s.cause === 'unknown'),
  );

/** Forms that can express the command at this station, the best first. */
export function shapesFor(version: Version, channel: Channel, command: PowerCommand): Shape[] {
  const signed = command.kind === 'setpoint';
  const exports = signed && (command.powerW ?? 0) < 0;
  const shapes = SHAPES[version].filter((shape) => {
    if (shape === 'onOff' || leftOut(channel, shape) !== undefined) return false;
    // A setpoint needs a transaction; what asks for export is not answered by a limit of zero (ocpp 4).
    if (shape === 'dynamic' || shape === 'setpoint') return signed && runningOf(channel) !== undefined;
    return !exports;
  });
  if (exports || leftOut(channel, 'onOff') !== undefined) return shapes;
  const last = profileless(version, channel) || (command.level <= MANDATORY && isLastMeans(channel, shapes));
  return last ? [...shapes, 'onOff'] : shapes;
}

/** What must hold cannot be said, was refused before, or is not followed: one refusal alone may be a session that begins. */
const isLastMeans = (channel: Channel, shapes: readonly Shape[]): boolean =>
  shapes.length === 0 || (channel.failures ?? 0) > 0 || channel.retried === true;

/** The same for the profile below all commands: in the unit that stations of the version know best. */
export function defaultForms(version: Version, channel: Channel): readonly Form[] {
  if (channel.resource.current === 'dc') return ['defaultW'];
  const forms = version === 'ocpp1.6' ? (['defaultA', 'defaultW'] as const) : (['defaultW', 'defaultA'] as const);
  const units = channel.capabilities?.rateUnits;
  const fit = forms.filter((f) => units?.includes(f === 'defaultA' ? 'A' : 'W') !== false);
  return fit.length === 0 ? forms : fit;
}

/** The best form for setpoints now, and what stands in the way of better ones, for people and for the twin. */
export function standingOf(
  version: Version,
  channel: Channel,
): { readonly form: Shape; readonly reasons: { readonly step: string; readonly why: string }[] } {
  const reasons: { step: string; why: string }[] = [];
  for (const shape of SHAPES[version]) {
    const why = leftOut(channel, shape);
    if (why === undefined) return { form: shape, reasons };
    reasons.push({ step: SHAPE_NAMES[shape], why });
  }
  return { form: 'onOff', reasons };
}

/** One sentence for the console: the form in use, and why it is no better one; undefined at the top of the ladder. */
export function steppedDownText(version: Version, channel: Channel): string | undefined {
  const { form, reasons } = standingOf(version, channel);
  const last = reasons.at(-1);
  if (last === undefined) return undefined;
  return `${SHAPE_NAMES[form]}, because of ${reasons.map((r) => `${r.step}: ${r.why}`).join('; ')}`.slice(0, 256);
}
