import { FO_CATALOGUE, type FoBodies, type FoType, isFoType } from '../catalogue.ts';
import { FO_ERRORS } from '../errors.ts';
import type { FoRole } from '../types.ts';
import type { TypedBody } from './rules.ts';

/** Throws `auth.forbidden` when the side `sender` does not send this type (fo 4.3). */
export function checkDirection(type: FoType, sender: FoRole): void {
  const { direction } = FO_CATALOGUE[type];
  if (direction === 'both' || direction === (sender === 'fo' ? 'down' : 'up')) return;
  throw FO_ERRORS.fail('auth.forbidden', `${type} is sent by the other side only.`);
}

/** Checks what the application wants to send. Throws `type.unknown`, `auth.forbidden`, `schema.*`. */
export function checkOutgoing<T extends FoType>(sender: FoRole, type: T, body: FoBodies[T]): TypedBody {
  if (!isFoType(type)) throw FO_ERRORS.fail('type.unknown', `${String(type)} is not a message of the catalogue.`);
  checkDirection(type, sender);
  FO_CATALOGUE[type].message.parse(body);
  // parse proves that the body is that of the type; the compiler cannot follow the pair through the table.
  return { type, body } as TypedBody;
}

/** Nobody waits for a Result: streams, and setpoints with `noReply` (fo 4.3 no. 16). */
export const isStream = (m: TypedBody): boolean =>
  FO_CATALOGUE[m.type].kind === 'stream' || (m.type === 'UpdateSetpoint' && m.body.noReply === true);
