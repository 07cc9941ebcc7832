import { generateKeyPairSync } from 'node:crypto';
import { type Clock, iso, realClock } from '../../core/clock.ts';
import { uuidv7 } from '../../core/ids.ts';
import { silentLog } from '../../core/log.ts';
import { detached, jwkOfKey, type PublicJwk, signBytes } from '../../core/signing.ts';
import { Proof, ServiceRecord } from '../../model/index.ts';
import {
  createFoBroker,
  createFoMqttGateway,
  createFoServer,
  type FoInbound,
  type FoServer,
} from '../../protocols/fo/index.ts';

const GATEWAY = 'cso:harbour';

export interface Obliging {
  readonly server: FoServer;
  /** What the operators sent, in order. */
  readonly messages: FoInbound[];
  /** Parties whose link went down, and why. */
  readonly downs: string[];
  /** The public key that records and proofs are signed with. */
  readonly jwk: PublicJwk;
  close(): Promise<void>;
}

/** A gateway that accepts everything, measures what was asked, and proves it after the end. */
export async function obligingGateway(port = 0, clock: Clock = realClock()): Promise<Obliging> {
  const part = obliging(clock, () => server);
  const { handlers } = part;
  const options = { host: '127.0.0.1', port, self: GATEWAY, clock, log: silentLog, handlers, heartbeatS: 2 };
  const server: FoServer = await createFoServer(options);
  return { ...part, server, close: () => server.close() };
}

/** The same behind a broker in this process. */
export async function obligingMqttGateway(parties: readonly string[]): Promise<Obliging & { readonly url: string }> {
  const clock = realClock();
  const broker = await createFoBroker({
    host: '127.0.0.1',
    port: 0,
    log: silentLog,
    authenticate: ({ user }) => (user === GATEWAY ? { side: 'up', gwId: user } : { side: 'dn', foId: user }),
  });
  const part = obliging(clock, () => server);
  const { handlers } = part;
  const options = { url: broker.url, user: GATEWAY, self: GATEWAY, parties, clock, log: silentLog, handlers };
  const server: FoServer = createFoMqttGateway(options);
  const close = async (): Promise<void> => {
    await server.close();
    await broker.close();
  };
  return { ...part, url: broker.url, server, close };
}

function obliging(clock: Clock, serverOf: () => FoServer) {
  const messages: FoInbound[] = [];
  const downs: string[] = [];
  const { privateKey } = generateKeyPairSync('ed25519');
  const jwk = jwkOfKey(privateKey);
  const signer = { alg: jwk.alg, keyId: jwk.kid, sign: (bytes: Uint8Array) => signBytes(privateKey, jwk.alg, bytes) };

  const sign = <T extends 'ServiceRecord' | 'Proof'>(type: T, body: unknown) => {
    const messageId = uuidv7(clock);
    return { messageId, sentAt: iso(clock.now()), signature: detached(signer, type, messageId, body) };
  };

  /** Record and proof of a service, with right sums. */
  const prove = async (peer: string, fsrId: string): Promise<void> => {
    const session = serverOf().session(peer);
    const recordId = `rec:${fsrId}`;
    const requested = JSON.stringify({ fsrId });
    const record = { record: { ...ServiceRecord.example, recordId, fsrId, requested } };
    const interval = {
      start: iso(clock.now()),
      durationS: 60,
      requestedWh: 10,
      deliveredWh: 9,
      quality: 'good' as const,
    };
    const totals = { requestedWh: 10, deliveredWh: 9 };
    const proof = {
      proof: { ...Proof.example, proofId: `prf:${fsrId}`, fsrId, recordId, intervals: [interval], totals },
    };
    await session.publish('ServiceRecord', record, sign('ServiceRecord', record));
    await session.publish('Proof', proof, sign('Proof', proof));
  };

  const onMessage = (m: FoInbound): void => {
    messages.push(m);
    const server = serverOf();
    const session = server.session(m.peer);
    const data = m.type === 'UpdateSetpoint' ? { appliedW: m.body.setpoint.targetW } : {};
    if (m.replyTo) server.answer(m.replyTo, { status: 'ok', data });
    if (m.type === 'RequestService') {
      void session.publish('ServiceDecision', { fsrId: m.body.fsr.fsrId, revision: 1, decision: 'accepted' });
    } else if (m.type === 'UpdateSetpoint') {
      const powerW = m.body.setpoint.targetW;
      const sample = { groupId: 'g:depot', at: iso(clock.now()), powerW, quality: 'good' as const };
      session.stream('Telemetry', { samples: [sample] });
    } else if (m.type === 'CancelService') {
      const { fsrId } = m.body;
      const notice = session.publish('ExecutionNotice', { fsrId, phase: 'aborted', at: iso(clock.now()) });
      void notice.then(() => prove(m.peer, fsrId));
    }
  };
  return {
    messages,
    downs,
    jwk,
    handlers: { onMessage, onDown: (peer: string, why: string) => downs.push(`${peer} ${why}`) },
  };
}
