import { QUANTITY_ERRORS } from './errors.ts';

/**
 * How a protocol counts a quantity, seen from ours (load convention: positive = import = charging, fo 2.2):
 * `1` as we do, `-1` the other way round, `magnitude` unsigned with the direction in the name of the field.
 */
export type SignFrame = 1 | -1 | 'magnitude';

/** Producer view: injection positive. */
const PRODUCER = { power: -1, reactive: -1, importLimit: 'magnitude', exportLimit: 'magnitude' } as const;
const CONSUMER = { power: 1, reactive: 1, importLimit: 'magnitude', exportLimit: 'magnitude' } as const;

/** Separate registers; `P = Import − Export`, Net as it is. */
const METER = {
  'meter.import': 1,
  'meter.export': -1,
  'meter.net': 1,
  'meter.reactiveImport': 1,
  'meter.reactiveExport': -1,
  'meter.reactiveNet': 1,
} as const;

/** The table of fo 2.2. `power` is the signed setpoint or measurement of the protocol, where it has one. */
export const SIGN_FRAMES = {
  hub: CONSUMER,
  fo1: CONSUMER,
  'ocpp1.6': { importLimit: 'magnitude', ...METER },
  'ocpp2.0.1': { importLimit: 'magnitude', ...METER },
  'ocpp2.1': {
    power: 1,
    reactive: 1,
    importLimit: 'magnitude',
    // dischargeLimit is written ≤ 0.
    exportLimit: -1,
    curvePower: 1,
    ...METER,
  },
  // Per control type (ocpp 3.4): generator view, but a power factor is positive while absorbing.
  'ocpp2.1-der': {
    power: -1,
    reactive: -1,
    'FixedVar.setpoint': -1,
    'FreqWatt.y': -1,
    'VoltWatt.y': -1,
    'VoltVar.y': -1,
    'WattVar.x': -1,
    'WattVar.y': -1,
    'WattPF.x': -1,
    'WattPF.y': 1,
    exportLimit: 'magnitude',
  },
  eebus: CONSUMER,
  'openadr2.0b': { power: 1, importLimit: 'magnitude' },
  'openadr3.0': { power: 1, importLimit: 'magnitude', exportLimit: 'magnitude' },
  'openadr3.1': { power: 1, importLimit: 'magnitude', exportLimit: 'magnitude' },
  iec61850: PRODUCER,
  'ieee2030.5': PRODUCER,
  sunspec: PRODUCER,
  s2: CONSUMER,
  shapeshifter: CONSUMER,
  oscp: { importLimit: 'magnitude', exportLimit: 'magnitude' },
  ocpi: { importLimit: 'magnitude' },
} as const satisfies Readonly<Record<string, Readonly<Record<string, SignFrame>>>>;

export type FramedProtocol = keyof typeof SIGN_FRAMES;
export type FramedQuantity<P extends FramedProtocol> = keyof (typeof SIGN_FRAMES)[P] & string;

/** How the protocol counts, or undefined when it cannot express the quantity at all. */
export function signFrame(protocol: string, quantity: string): SignFrame | undefined {
  const all: Readonly<Record<string, Readonly<Record<string, SignFrame>>>> = SIGN_FRAMES;
  const frames = Object.hasOwn(all, protocol) ? all[protocol] : undefined;
  return frames && Object.hasOwn(frames, quantity) ? frames[quantity] : undefined;
}

/**
 * A value of the wire in our frame, in the same unit. Of a `magnitude` the absolute value is taken, as some peers sign
 * limits by direction. Throws `quantity.direction` for what the protocol does not have, `quantity.invalid`.
 */
export function toLoadFrame<P extends FramedProtocol>(protocol: P, quantity: FramedQuantity<P>, v: number): number {
  const frame = frameOf(protocol, quantity, v);
  return frame === 'magnitude' ? Math.abs(v) : turn(frame, v);
}

/**
 * Our value as the protocol counts it, in the same unit. Throws `quantity.direction` when a magnitude would be negative
 * (then the field of the other direction is meant) or the protocol does not have the quantity, `quantity.invalid`.
 */
export function fromLoadFrame<P extends FramedProtocol>(protocol: P, quantity: FramedQuantity<P>, v: number): number {
  const frame = frameOf(protocol, quantity, v);
  if (frame !== 'magnitude') return turn(frame, v);
  if (v < 0)
    throw QUANTITY_ERRORS.fail('quantity.direction', `${quantity} of ${protocol} cannot be negative, got ${v}.`);
  return v + 0;
}

function frameOf(protocol: string, quantity: string, v: number): SignFrame {
  if (!Number.isFinite(v)) throw QUANTITY_ERRORS.fail('quantity.invalid', `${String(v)} is not a finite number.`);
  const frame = signFrame(protocol, quantity);
  if (frame === undefined) throw QUANTITY_ERRORS.fail('quantity.direction', `${protocol} has no ${quantity}.`);
  return frame;
}

/** Without −0. */
const turn = (frame: 1 | -1, v: number): number => (frame === 1 ? v + 0 : 0 - v);
