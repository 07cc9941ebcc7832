import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { GATEWAY } from './recovery-site.ts';

/** One envelope of fo 4.1. */
export interface RawEnvelope {
  readonly messageId: string;
  readonly type: string;
  readonly body: unknown;
}

/**
 * Says Hello as a party and then one envelope, whose id the caller chooses; answers the body of its Result, or undefined
 * when the connection ended before.
 */
export async function sayOnce(url: string, from: string, envelope: RawEnvelope): Promise<unknown> {
  const ws = new WebSocket(url, 'v2gate-fo.v1.json');
  const results = new Map<string, unknown>();
  ws.on('message', (data: Buffer) => {
    const m = JSON.parse(data.toString()) as { type: string; correlationId?: string; body: unknown };
    if (m.type === 'Result' && m.correlationId !== undefined) results.set(m.correlationId, m.body);
    ws.emit('heard');
  });
  ws.on('error', () => undefined);
  ws.on('close', () => ws.emit('heard'));
  const ask = async ({ messageId, type, body }: RawEnvelope): Promise<unknown> => {
    if (ws.readyState !== WebSocket.OPEN) return undefined;
    const sentAt = new Date().toISOString();
    ws.send(JSON.stringify({ profile: 'v2gate-fo/1', messageId, type, from, to: GATEWAY, sentAt, body }));
    while (!results.has(messageId) && ws.readyState === WebSocket.OPEN) await once(ws, 'heard');
    return results.get(messageId);
  };
  try {
    await Promise.race([once(ws, 'open'), once(ws, 'close')]);
    const body = { role: 'fo', profiles: ['v2gate-fo/1'], encodings: ['json'], heartbeatS: 30, lastEventSeq: 0 };
    await ask({ messageId: randomUUID(), type: 'Hello', body });
    return await ask(envelope);
  } finally {
    ws.terminate();
  }
}
