import type { Envelope } from '../envelope.ts';
import { FO_ERRORS } from '../errors.ts';
import type { FoVia } from '../types.ts';

/**
 * Holds a message to the channel on which it came (fo 9.1): Results alone on `rsp`, setpoints alone on `fast`, telemetry
 * alone on `tel`; on `ctl` everything but Results and telemetry. Throws `schema.semantic`.
 */
export function checkVia(envelope: Envelope, { channel, correlation }: FoVia): void {
  const { type } = envelope;
  if (!belongs(type, channel)) throw FO_ERRORS.fail('schema.semantic', `${type} does not travel on ${channel}.`);
  if (correlation === undefined) return;
  const id = type === 'Result' ? envelope.correlationId : envelope.messageId;
  if (id === undefined || !Buffer.from(id.replaceAll('-', ''), 'hex').equals(correlation)) {
    throw FO_ERRORS.fail('schema.semantic', 'The correlation data are not the 16 bytes of the message id.');
  }
}

function belongs(type: string, channel: FoVia['channel']): boolean {
  switch (channel) {
    case 'fast':
      return type === 'UpdateSetpoint';
    case 'tel':
      return type === 'Telemetry';
    case 'rsp':
      return type === 'Result';
    case 'ctl':
      return type !== 'Result' && type !== 'Telemetry';
  }
}
