import type { NodeMessage } from 'node-red';
import type { Clock } from '../../core/clock.ts';
import { iso } from '../../core/clock.ts';
import { uuidv7 } from '../../core/ids.ts';
import { type MessageMeta, Signature, type WireMessage } from '../../model/index.ts';
import { NODE_ERRORS } from './errors.ts';

/** The `link` of messages that a flow made itself. */
const FLOW = 'flow';

/**
 * What a node got on its wire, as the hub wants it. `msg.v2gate` may be missing or incomplete where a flow made the
 * message; id, time and origin are then filled in. Throws `nodes.message` without a topic like `hub/CommandBatch`.
 */
export function toWire(message: NodeMessage, clock: Clock): WireMessage {
  const { topic } = message;
  if (typeof topic !== 'string' || !/^[a-z0-9.]+\/[A-Za-z0-9]+$/.test(topic)) {
    const shown = typeof topic === 'string' ? `“${topic.slice(0, 60)}”` : `of type ${typeof topic}`;
    throw NODE_ERRORS.fail('nodes.message', `msg.topic must name a message like hub/CommandBatch; it is ${shown}.`);
  }
  return { topic, payload: message.payload, v2gate: metaOf(message, clock) };
}

/** The message data of a message, completed. */
export function metaOf(message: NodeMessage, clock: Clock): MessageMeta {
  const given = readMeta(message.v2gate);
  return { ...given, id: given.id ?? uuidv7(clock), at: given.at ?? iso(clock.now()), link: given.link ?? FLOW };
}

function readMeta(meta: unknown): Partial<MessageMeta> {
  const read: Record<string, string> = {};
  if (typeof meta !== 'object' || meta === null) return read;
  for (const key of ['id', 'cause', 'at', 'link', 'peer', 'replyTo'] satisfies (keyof MessageMeta)[]) {
    const value: unknown = Reflect.get(meta, key);
    if (typeof value === 'string') read[key] = value;
  }
  const signature: unknown = Reflect.get(meta, 'signature');
  return Signature.check(signature).length === 0 ? { ...read, signature: Signature.parse(signature) } : read;
}

/** A message of the hub as Node-RED sends it. `carrier` keeps what else was on the message that led to it. */
export function fromWire(wire: WireMessage, carrier: NodeMessage = {}): NodeMessage {
  return { ...carrier, topic: wire.topic, payload: wire.payload, v2gate: wire.v2gate };
}

/** The message data of something that follows from `cause`. */
export function following(cause: MessageMeta | undefined, clock: Clock, link: string = FLOW): MessageMeta {
  const meta = { id: uuidv7(clock), at: iso(clock.now()), link };
  return cause === undefined ? meta : { ...meta, cause: cause.id };
}
