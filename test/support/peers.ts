import { randomUUID } from 'node:crypto';
import { WebSocket } from 'ws';

/** A peer on a raw WebSocket, which sees every interruption. */
export interface Peer {
  /** How often the connection ended. */
  readonly ends: () => number;
  /** Resolves when the connection has ended. */
  readonly ended: Promise<void>;
  close(): void;
}

export interface TestStation extends Peer {
  /** Sends a CALL and resolves to the payload of its answer. */
  call(action: string, payload: object): Promise<Record<string, unknown>>;
  /** CALLs of the gateway, as they come; each is answered with `Accepted`. */
  readonly calls: readonly { readonly action: string; readonly payload: Record<string, unknown> }[];
  /** Resolves to the next CALL of the gateway that fits. */
  nextCall(fits: (action: string, payload: Record<string, unknown>) => boolean): Promise<Record<string, unknown>>;
}

const PATIENCE_MS = 8_000;

/** Connects a station that speaks OCPP 1.6 and sends its BootNotification. */
export async function connectStation(url: string, identity: string): Promise<TestStation> {
  const pending = new Map<string, (payload: Record<string, unknown>) => void>();
  const calls: { action: string; payload: Record<string, unknown> }[] = [];
  const waiting = new Set<() => void>();
  let id = 0;
  const socket = await open(`${url}/${identity}`, ['ocpp1.6'], (data, ws) => {
    const [type, messageId, third, fourth] = JSON.parse(data) as [number, string, unknown, unknown];
    if (type === 3) pending.get(messageId)?.(third as Record<string, unknown>);
    if (type !== 2) return;
    calls.push({ action: String(third), payload: fourth as Record<string, unknown> });
    ws.send(JSON.stringify([3, messageId, { status: 'Accepted' }]));
    for (const look of [...waiting]) look();
  });
  const station: TestStation = {
    ...socket,
    calls,
    call(action, payload) {
      const messageId = String(++id);
      const answer = new Promise<Record<string, unknown>>((done) => pending.set(messageId, done));
      socket.ws.send(JSON.stringify([2, messageId, action, payload]));
      return patiently(`${identity} got no answer to ${action}`, answer);
    },
    nextCall(fits) {
      const from = calls.length;
      const found = new Promise<Record<string, unknown>>((done) => {
        const look = (): void => {
          const call = calls.slice(from).find((c) => fits(c.action, c.payload));
          if (!call) return;
          waiting.delete(look);
          done(call.payload);
        };
        waiting.add(look);
      });
      return patiently(`${identity} got no such call`, found);
    },
  };
  await station.call('BootNotification', { chargePointVendor: 'v2gate', chargePointModel: 'test' });
  return station;
}

export interface TestOperator extends Peer {
  /** Sends a request and resolves to the body of its Result. */
  request(type: string, body: object): Promise<Record<string, unknown>>;
  /** Resolves to the body of the next message of this type that fits; each is answered with `ok`. */
  next(type: string, fits?: (body: Record<string, unknown>) => boolean): Promise<Record<string, unknown>>;
}

interface Envelope {
  readonly type: string;
  readonly messageId: string;
  readonly correlationId?: string;
  readonly body: Record<string, unknown>;
}

/** Connects a flexibility operator of profile v2gate-fo/1 and says Hello. */
export async function connectOperator(url: string, from = 'fo:north', to = 'cso:harbour'): Promise<TestOperator> {
  const pending = new Map<string, (body: Record<string, unknown>) => void>();
  const waiting = new Set<(m: Envelope) => void>();
  const send = (ws: WebSocket, type: string, body: object, more: object = {}): string => {
    const messageId = randomUUID();
    const sentAt = new Date().toISOString();
    ws.send(JSON.stringify({ profile: 'v2gate-fo/1', messageId, type, from, to, sentAt, body, ...more }));
    return messageId;
  };
  const socket = await open(url, ['v2gate-fo.v1.json'], (text, ws) => {
    const message = JSON.parse(text) as Envelope;
    if (message.type === 'Result') pending.get(message.correlationId ?? '')?.(message.body);
    else if (message.type !== 'Heartbeat' && message.type !== 'Telemetry') {
      const data =
        message.type === 'Hello' ? { profile: 'v2gate-fo/1', encoding: 'json', heartbeatS: 10, lastEventSeq: 0 } : {};
      send(ws, 'Result', { status: 'ok', data }, { correlationId: message.messageId });
    }
    for (const hear of [...waiting]) hear(message);
  });
  const operator: TestOperator = {
    ...socket,
    request(type, body) {
      const id = send(socket.ws, type, body);
      return patiently(`no Result for ${type}`, new Promise((done) => pending.set(id, done)));
    },
    next(type, fits = () => true) {
      const found = new Promise<Record<string, unknown>>((done) => {
        const hear = (m: Envelope): void => {
          if (m.type !== type || !fits(m.body)) return;
          waiting.delete(hear);
          done(m.body);
        };
        waiting.add(hear);
      });
      return patiently(`no ${type} came`, found);
    },
  };
  const hello = { role: 'fo', profiles: ['v2gate-fo/1'], encodings: ['json'], heartbeatS: 10, lastEventSeq: 0 };
  const result = await operator.request('Hello', hello);
  if (result.status !== 'ok') throw new Error(`Hello was answered ${JSON.stringify(result)}`);
  return operator;
}

/** A request for the service `setpoint` over the group of the demo site, from now on for `minutes`. */
export function setpointRequest(fsrId: string, initialW: number, minutes = 3): object {
  const at = (ms: number): string => new Date(Date.now() + ms).toISOString();
  return {
    fsr: {
      fsrId,
      revision: 1,
      contractId: 'C-9',
      serviceType: 'setpoint',
      target: { groupId: 'g:depot', referencePoint: 'group' },
      window: { start: at(0), end: at(minutes * 60_000) },
      decisionBy: at(10_000),
      mandatory: false,
      priority: 5,
      parameters: {
        mode: 'absolute',
        initialW,
        minW: -30_000,
        maxW: 40_000,
        toleranceW: 500,
        updateIntervalS: 2,
        validityS: 60,
      },
      fallback: { onExpiry: 'zero', rampS: 0 },
    },
  };
}

/** Listens before it is open: what the gateway says first may come together with the handshake. */
async function open(
  url: string,
  protocols: string[],
  onText: (text: string, ws: WebSocket) => void,
): Promise<Peer & { readonly ws: WebSocket }> {
  const ws = new WebSocket(url, protocols);
  ws.on('message', (data: Buffer) => onText(data.toString(), ws));
  let ends = 0;
  const ended = new Promise<void>((done) => {
    ws.on('close', () => {
      ends++;
      done();
    });
  });
  await new Promise<void>((done, failed) => {
    ws.once('open', done);
    ws.once('error', failed);
  });
  ws.on('error', () => {});
  return { ws, ends: () => ends, ended, close: () => ws.terminate() };
}

function patiently<T>(what: string, wanted: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(what)), PATIENCE_MS);
  });
  return Promise.race([wanted, late]).finally(() => clearTimeout(timer));
}
