import { FO_CATALOGUE, type FoBodies, type FoType, isFoType } from '../catalogue.ts';
import { FO_LIMITS } from '../envelope.ts';
import { FO_ERRORS } from '../errors.ts';
import type { FoRole, FoStamp } from '../types.ts';
import type { TypedBody } from './rules.ts';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

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

/** Room for everything in an envelope that is not its body, bytes. */
const AROUND_BODY = 2_048;

/** Throws `schema.tooLarge` for a body with which the peer would refuse the frame for ever (fo 4.2). */
export function checkSize(type: FoType, body: unknown): void {
  const bytes = Buffer.byteLength(JSON.stringify(body));
  if (bytes <= FO_LIMITS.maxBytes - AROUND_BODY) return;
  throw FO_ERRORS.fail(
    'schema.tooLarge',
    `The ${type} has ${bytes} bytes; a message has at most ${FO_LIMITS.maxBytes}.`,
  );
}

/** Throws `auth.signature` where a document must be signed and is not, `schema.invalid` for an id that is no UUID. */
export function checkStamp(type: FoType, stamp: FoStamp | undefined): void {
  if (FO_CATALOGUE[type].signed && (stamp?.signature === undefined || stamp.sentAt === undefined))
    throw FO_ERRORS.fail('auth.signature', `${type} is sent signed only.`);
  if (stamp === undefined || UUID.test(stamp.messageId)) return;
  throw FO_ERRORS.fail('schema.invalid', 'The messageId of a message is a UUID.', { path: '/messageId' });
}

/** Nobody waits for a Result: streams, and setpoints with `noReply` (fo 4.3 no. 16). */
export const isStream = (m: TypedBody): boolean =>
  FO_CATALOGUE[m.type].kind === 'stream' || (m.type === 'UpdateSetpoint' && m.body.noReply === true);
