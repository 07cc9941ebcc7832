import { callError, ocppTime } from '../../protocols/ocpp/index.ts';

/** Epoch ms of a time in an OCPP message. Throws the CALLERROR PropertyConstraintViolation. */
export function timeMs(text: string): number {
  const time = ocppTime(text);
  if (!time) throw callError('PropertyConstraintViolation', `${text.slice(0, 40)} is not a time.`);
  return time.at;
}
