import { UUID_PATTERN } from '../../core/ids.ts';
import type { WireMessage } from '../../model/index.ts';
import {
  FO_CATALOGUE,
  FO_ERRORS,
  type FoBodies,
  type FoSession,
  type FoStamp,
  type FoType,
} from '../../protocols/fo/index.ts';

const UUID = new RegExp(UUID_PATTERN);

/** Hub messages that go to operators, where the name differs from that of fo 4.3. */
const NAMES: Readonly<Record<string, FoType>> = {
  OptChoice: 'Opt',
  ServiceRecordEvent: 'ServiceRecord',
  ProofEvent: 'Proof',
};

const NOTICES: readonly string[] = [
  'PublishResources',
  'AvailabilityReport',
  'ServiceDecision',
  'Opt',
  'CancelService',
  'ExecutionNotice',
  'ServiceRecord',
  'Proof',
] satisfies FoType[];

/** The type under which a message of the wires reaches operators, `Telemetry` included. Throws `type.unknown`. */
export function outgoingType({ topic }: WireMessage): FoType {
  const name = topic.replace(/^(hub|fo1)\//, '');
  const type = Object.hasOwn(NAMES, name) ? NAMES[name] : name;
  if (type !== undefined && isOutgoing(type)) return type;
  throw FO_ERRORS.fail('type.unknown', `${topic} is not sent to flexibility operators.`);
}

const isOutgoing = (type: string): type is FoType => type === 'Telemetry' || NOTICES.includes(type);

/** The name on the wires of what an operator sent. */
export const hubName = (type: FoType): string => Object.entries(NAMES).find(([, t]) => t === type)?.[0] ?? type;

/**
 * Puts a notice into the outbox of its party, once for each id. A signed document keeps id, time and signature, so that
 * the operator gets what was signed and stored. Rejects as {@link FoSession.publish}.
 */
export async function publishTo<T extends FoType>(session: FoSession, type: T, message: WireMessage): Promise<void> {
  const { id, at, signature } = message.v2gate;
  const unsigned: FoStamp | undefined = UUID.test(id) ? { messageId: id } : undefined;
  const stamp = signature ? { messageId: id, sentAt: at, signature } : unsigned;
  await session.publish(type, bodyOf(type, message.payload), stamp);
}

/** False while the party is not connected. */
export const streamTo = (session: FoSession, { payload }: WireMessage): boolean =>
  session.stream('Telemetry', bodyOf('Telemetry', payload));

function bodyOf<T extends FoType>(type: T, payload: unknown): FoBodies[T] {
  const body: unknown = FO_CATALOGUE[type].message.parse(payload);
  // parse proves that it is the body of this type; the compiler cannot follow the pair through the table.
  return body as FoBodies[T];
}
