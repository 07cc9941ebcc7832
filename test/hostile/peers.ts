import { randomUUID } from 'node:crypto';
import { onTestFinished } from 'vitest';
import { type ClientOptions, WebSocket } from 'ws';
import { iso } from '../../core/clock.ts';

const PATIENCE_MS = 8_000;

/** Rejects with a sentence when what is wanted does not come. */
export function patiently<T>(what: () => string, wanted: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(what())), PATIENCE_MS);
  });
  return Promise.race([wanted, late]).finally(() => clearTimeout(timer));
}

/** A WebSocket without manners: it says what it is told to and remembers what it hears. */
export interface Raw {
  readonly ws: WebSocket;
  readonly got: readonly string[];
  /** How it ended, once it has. */
  readonly end: () => { readonly code: number; readonly reason: string } | undefined;
  /** The close code. */
  closed(): Promise<number>;
  /** Sends a text frame, whatever it contains. */
  send(data: string | Buffer): void;
  /** The first frame that fits, of those heard or of those to come; it is taken away. */
  take(what: string, fits: (text: string) => boolean): Promise<string>;
  /** Resolves once everything sent so far has been read, or the connection has ended. */
  read(): Promise<void>;
  drop(): void;
}

/** Opens a connection, and ends it with the test unless `keep` is set. */
export async function openRaw(url: string, protocols: string[], o: ClientOptions = {}, keep = false): Promise<Raw> {
  const ws = new WebSocket(url, protocols, { perMessageDeflate: false, ...o });
  if (!keep) onTestFinished(() => ws.terminate());
  const got: string[] = [];
  const waiting = new Set<() => void>();
  let end: { code: number; reason: string } | undefined;
  const wake = (): void => {
    for (const look of [...waiting]) look();
  };
  ws.on('close', (code, reason) => {
    end = { code, reason: reason.toString() };
    wake();
  });
  ws.on('message', (data: Buffer) => {
    got.push(data.toString());
    wake();
  });
  /** Resolves once `look` finds something. */
  const until = <T>(what: () => string, look: () => T | undefined): Promise<T> =>
    patiently(
      what,
      new Promise<T>((done, failed) => {
        const again = (): void => {
          try {
            const found = look();
            if (found === undefined) return;
            waiting.delete(again);
            done(found);
          } catch (e) {
            waiting.delete(again);
            failed(e);
          }
        };
        waiting.add(again);
        again();
      }),
    );
  await new Promise<void>((done, failed) => {
    ws.once('open', done);
    ws.once('error', failed);
  });
  ws.on('error', () => undefined);
  return {
    ws,
    got,
    end: () => end,
    closed: () =>
      until(
        () => `the connection is still open; heard ${got.slice(-3).join(' ')}`,
        () => end?.code,
      ),
    send: (data) => ws.send(data, { binary: false }),
    take: (what, fits) =>
      until(
        () => `no ${what}; heard ${got.slice(-3).join(' ')}`,
        () => {
          const at = got.findIndex(fits);
          if (at >= 0) return got.splice(at, 1)[0];
          if (end !== undefined) throw new Error(`no ${what}: closed with ${end.code} ${end.reason}`);
          return undefined;
        },
      ),
    read: () =>
      patiently(
        () => 'no pong',
        new Promise<void>((done) => {
          if (end !== undefined) return done();
          const heard = (): void => {
            ws.off('pong', heard);
            ws.off('close', heard);
            done();
          };
          ws.on('pong', heard);
          ws.on('close', heard);
          ws.ping();
        }),
      ),
    drop: () => ws.terminate(),
  };
}

export type OcppVersion = 'ocpp1.6' | 'ocpp2.0.1' | 'ocpp2.1';

/** What a CALLERROR says. */
export interface CallError {
  readonly code: string;
  readonly description: string;
}

export interface StationPeer extends Raw {
  readonly identity: string;
  /** Sends a CALL; resolves to the payload of the answer, or rejects with what the CALLERROR says. */
  call(action: string, payload: unknown, id?: string): Promise<Record<string, unknown>>;
  /** Resolves to the CALLERROR that answers this id. */
  error(id: string): Promise<CallError>;
  /** CALLs of the gateway, oldest first. */
  readonly calls: readonly {
    readonly id: string;
    readonly action: string;
    readonly payload: Record<string, unknown>;
  }[];
  /** The next CALL of the gateway to this action, of those to come. */
  nextCall(action: string): Promise<{ readonly id: string; readonly payload: Record<string, unknown> }>;
  /** Whether CALLs of the gateway are answered with `Accepted`; on at first. */
  obedient: boolean;
}

const BOOT: Readonly<Record<OcppVersion, object>> = {
  'ocpp1.6': { chargePointVendor: 'v2gate', chargePointModel: 'test' },
  'ocpp2.0.1': { reason: 'PowerUp', chargingStation: { vendorName: 'v2gate', model: 'test' } },
  'ocpp2.1': { reason: 'PowerUp', chargingStation: { vendorName: 'v2gate', model: 'test' } },
};

/** Connects a station. */
export async function openStation(
  url: string,
  identity: string,
  version: OcppVersion,
  o: ClientOptions & { readonly keep?: boolean } = {},
): Promise<StationPeer> {
  const { keep = false, ...options } = o;
  const raw = await openRaw(`${url}/${encodeURIComponent(identity)}`, [version], options, keep);
  const calls: { id: string; action: string; payload: Record<string, unknown> }[] = [];
  const heard = new Set<() => void>();
  let n = 0;
  const station: StationPeer = {
    ...raw,
    identity,
    calls,
    obedient: true,
    async call(action, payload, id = `${identity}-${++n}`) {
      raw.send(JSON.stringify([2, id, action, payload]));
      const text = await raw.take(
        `answer to ${action}`,
        (t) => t.startsWith(`[3,"${id}"`) || t.startsWith(`[4,"${id}"`),
      );
      const [type, , code, description] = JSON.parse(text) as [number, string, unknown, unknown];
      if (type === 4) throw new Error(`${String(code)}: ${String(description)}`);
      return code as Record<string, unknown>;
    },
    async error(id) {
      const text = await raw.take(`CALLERROR to ${id}`, (t) => t.startsWith(`[4,"${id}"`));
      const [, , code, description] = JSON.parse(text) as [number, string, string, string];
      return { code, description };
    },
    nextCall(action) {
      const from = calls.length;
      return patiently(
        () => `${identity} got no ${action}`,
        new Promise((done) => {
          const look = (): void => {
            const call = calls.slice(from).find((c) => c.action === action);
            if (!call) return;
            heard.delete(look);
            done(call);
          };
          heard.add(look);
        }),
      );
    },
  };
  raw.ws.on('message', (data: Buffer) => {
    const text = data.toString();
    if (!text.startsWith('[2,')) return;
    const [, id, action, payload] = JSON.parse(text) as [number, string, string, Record<string, unknown>];
    calls.push({ id, action, payload });
    if (station.obedient) raw.send(JSON.stringify([3, id, { status: 'Accepted' }]));
    for (const look of [...heard]) look();
  });
  return station;
}

/** Connects a station and boots it. */
export async function bootStation(...args: Parameters<typeof openStation>): Promise<StationPeer> {
  const station = await openStation(...args);
  await station.call('BootNotification', BOOT[args[2]]);
  return station;
}

export interface FoResult {
  readonly status: string;
  readonly code?: string;
  readonly message?: string;
  readonly details?: readonly { readonly path: string; readonly code: string; readonly message: string }[];
  readonly data?: Record<string, unknown>;
}

interface Envelope {
  readonly type: string;
  readonly messageId: string;
  readonly correlationId?: string;
  readonly body: Record<string, unknown>;
}

export interface OperatorPeer extends Raw {
  readonly partyId: string;
  /** A whole envelope around a body, with present times. */
  envelope(type: string, body: unknown, more?: object): Record<string, unknown>;
  /** Sends any value as a frame. */
  say(value: unknown): void;
  /** The Result that answers this message. */
  result(messageId: unknown): Promise<FoResult>;
  request(type: string, body: unknown): Promise<FoResult>;
  /** The body of the next message of this type that fits, of those to come. */
  next(type: string, fits?: (body: Record<string, unknown>) => boolean): Promise<Record<string, unknown>>;
  hello(): Promise<FoResult>;
  heartbeat(): void;
}

const PROFILE = 'v2gate-fo/1';

/** Connects a flexibility operator without saying Hello. `now` is the clock of the gateway. */
export async function openOperator(
  url: string,
  partyId: string,
  now: () => number,
  o: ClientOptions & { readonly keep?: boolean } = {},
): Promise<OperatorPeer> {
  const { keep = false, ...options } = o;
  const raw = await openRaw(url, ['v2gate-fo.v1.json'], options, keep);
  const waiting = new Set<(m: Envelope) => void>();
  let beats = 0;
  const operator: OperatorPeer = {
    ...raw,
    partyId,
    envelope: (type, body, more = {}) => ({
      profile: PROFILE,
      messageId: randomUUID(),
      type,
      from: partyId,
      to: 'cso:harbour',
      sentAt: iso(now()),
      body,
      ...more,
    }),
    say: (value) => raw.send(JSON.stringify(value)),
    async result(messageId) {
      const text = await raw.take(
        `Result to ${String(messageId)}`,
        (t) => t.includes('"type":"Result"') && t.includes(`"correlationId":"${String(messageId)}"`),
      );
      return (JSON.parse(text) as { body: FoResult }).body;
    },
    request(type, body) {
      const envelope = operator.envelope(type, body);
      operator.say(envelope);
      return operator.result(envelope.messageId);
    },
    next: (type, fits = () => true) =>
      patiently(
        () => `${partyId} got no ${type} that fits`,
        new Promise((done) => {
          const hear = (m: Envelope): void => {
            if (m.type !== type || !fits(m.body)) return;
            waiting.delete(hear);
            done(m.body);
          };
          waiting.add(hear);
        }),
      ),
    hello: () =>
      operator.request('Hello', {
        role: 'fo',
        profiles: [PROFILE],
        encodings: ['json'],
        heartbeatS: 10,
        lastEventSeq: 0,
      }),
    heartbeat: () => operator.say(operator.envelope('Heartbeat', { at: iso(now()), seq: ++beats, ackEventSeq: 0 })),
  };
  raw.ws.on('message', (data: Buffer) => {
    const message = JSON.parse(data.toString()) as Envelope;
    if (!['Result', 'Heartbeat', 'Telemetry'].includes(message.type)) {
      const body = { status: 'ok', ...(message.type === 'Hello' ? { data: helloData } : {}) };
      operator.say(operator.envelope('Result', body, { correlationId: message.messageId }));
    }
    for (const hear of [...waiting]) hear(message);
  });
  return operator;
}

const helloData = { profile: PROFILE, encoding: 'json', heartbeatS: 10, lastEventSeq: 0 };

/** Connects a flexibility operator and greets. */
export async function greetOperator(...args: Parameters<typeof openOperator>): Promise<OperatorPeer> {
  const operator = await openOperator(...args);
  const { status, code, message } = await operator.hello();
  if (status !== 'ok') throw new Error(`Hello was answered with ${code}: ${message}`);
  return operator;
}
