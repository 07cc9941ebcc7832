import type { IClientPublishOptions } from 'mqtt';
import type { FoFrame } from '../types.ts';

/** The JSON encoding (fo 9.3). */
export const CONTENT_TYPE = 'application/vnd.v2gate.fo+json;v=1';

/** How long Results and telemetry are worth delivering, s (fo 9.1). */
const SHORT_S = 60;

/** What is sent beside a message (fo 9.1): QoS, expiry, where and how to answer. With MQTT 3.1.1 only the QoS remains. */
export function publishOptions(
  frame: Pick<FoFrame, 'type'> & Partial<FoFrame>,
  now: number,
  responseTopic: string,
): IClientPublishOptions {
  const { type, messageId, correlationId, expiresAt, body } = frame;
  const id = type === 'Result' ? correlationId : messageId;
  const expiryS = expiryOf(type, expiresAt, now);
  const answered = type !== 'Result' && type !== 'Telemetry' && type !== 'Heartbeat' && type !== 'res';
  return {
    qos: type === 'Telemetry' ? 0 : 1,
    properties: {
      payloadFormatIndicator: true,
      contentType: CONTENT_TYPE,
      userProperties: { type: type === 'res' ? 'PublishResources' : type },
      ...(id === undefined ? {} : { correlationData: Buffer.from(id.replaceAll('-', ''), 'hex') }),
      ...(expiryS === undefined ? {} : { messageExpiryInterval: expiryS }),
      ...(answered && !wantsNoReply(body) ? { responseTopic } : {}),
    },
  };
}

function expiryOf(type: string, expiresAt: number | undefined, now: number): number | undefined {
  if (type === 'Result' || type === 'Telemetry') return SHORT_S;
  return expiresAt === undefined ? undefined : Math.max(1, Math.ceil((expiresAt - now) / 1000));
}

const wantsNoReply = (body: unknown): boolean =>
  typeof body === 'object' && body !== null && Reflect.get(body, 'noReply') === true;
