/** Branded quantities, unit conversion and sign frames: the only place where units and signs change. */
export { QUANTITY_ERRORS } from './quantities/errors.ts';
export * from './quantities/sign-frames.ts';
export * from './quantities/units.ts';
