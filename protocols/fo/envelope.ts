import {
  anyObject,
  duration,
  id,
  int,
  list,
  literal,
  message,
  num,
  type Of,
  obj,
  oneOf,
  opt,
  text,
  time,
  uuid,
} from '../../core/schema.ts';
import { FO_PROFILE } from './types.ts';

/** Bounds of fo 4.2. */
export const FO_LIMITS = { maxBytes: 256 * 1024, maxDepth: 32, inFlight: 16 } as const;

const sequence = (doc: string) => int({ min: 0, max: Number.MAX_SAFE_INTEGER, doc });

const FIRST_EVENT = int({
  min: 1,
  max: Number.MAX_SAFE_INTEGER,
  doc: 'fcsbe: the next event that can still be delivered; what lies before it is gone.',
});

export const Envelope = message(
  'Envelope',
  {
    profile: literal(FO_PROFILE),
    messageId: uuid({ doc: 'Idempotency key, kept over all repetitions.' }),
    type: text({ min: 1, max: 64 }),
    from: id(),
    to: id(),
    sentAt: time({ doc: 'Time of this transmission; more than 120 s off is refused.' }),
    correlationId: opt(uuid({ doc: 'In Result: the messageId answered; absent where none could be read.' })),
    expiresAt: opt(time({ doc: 'Not applied after it.' })),
    eventSeq: opt(int({ min: 1, max: Number.MAX_SAFE_INTEGER, doc: 'G→F: delivery number per FO, no gaps.' })),
    body: anyObject({ maxDepth: FO_LIMITS.maxDepth - 1 }),
    signature: opt(obj({ alg: text({ max: 16 }), keyId: text({ max: 128 }), value: text({ max: 1024 }) })),
  },
  {
    clause: 'fo 4.1',
    doc: 'Around every message. Unknown fields are ignored and kept (fo 9.5).',
    open: true,
    example: {
      profile: FO_PROFILE,
      messageId: '0197f2d2-8f00-7d11-b0c2-55a1c6f1e777',
      type: 'UpdateSetpoint',
      from: 'fo:north',
      to: 'cso:harbour',
      sentAt: '2026-03-02T17:10:00.000Z',
      body: { setpoint: { fsrId: 'N-4711', seq: 61, targetW: -8000, validUntil: '2026-03-02T17:11:00Z' } },
    },
  },
);
export type Envelope = Of<typeof Envelope>;

export const Hello = message(
  'Hello',
  {
    role: oneOf('fcsbe', 'fo', 'relay', 'monitor'),
    profiles: list(text({ max: 64 }), { min: 1, max: 16 }),
    encodings: list(text({ max: 16 }), { min: 1, max: 16 }),
    heartbeatS: duration({ min: 1, max: 3600, doc: 'Wished interval; the smaller wish of both sides counts.' }),
    lastEventSeq: sequence('fo: last event handled without gap. fcsbe: last event numbered.'),
    firstEventSeq: opt(FIRST_EVENT),
    software: opt(text({ max: 128 })),
    clock: opt(obj({ source: text({ max: 64 }), maxErrorMs: opt(num({ min: 0, max: 1e9 })) })),
  },
  {
    clause: 'fo 4.3 no. 1',
    doc: 'First message on a link, from the side that opened it; replay of missed events follows.',
    open: true,
    example: { role: 'fo', profiles: [FO_PROFILE], encodings: ['json'], heartbeatS: 30, lastEventSeq: 0 },
  },
);
export type Hello = Of<typeof Hello>;

export const HelloResult = message(
  'HelloResult',
  {
    profile: literal(FO_PROFILE),
    encoding: literal('json'),
    heartbeatS: duration({ min: 1, max: 3600 }),
    lastEventSeq: sequence('As in Hello, of the answering side.'),
    firstEventSeq: opt(FIRST_EVENT),
    software: opt(text({ max: 128 })),
  },
  {
    clause: 'fo 4.3 no. 1',
    doc: '`Result.data` of Hello.',
    open: true,
    example: { profile: FO_PROFILE, encoding: 'json', heartbeatS: 30, lastEventSeq: 56 },
  },
);
export type HelloResult = Of<typeof HelloResult>;

export const Heartbeat = message(
  'Heartbeat',
  {
    at: time(),
    seq: sequence('Counts the heartbeats of this connection from 1.'),
    ackEventSeq: sequence('All events up to this one were handled; 0 from the gateway.'),
    load: opt(num({ min: 0, max: 1, doc: '1 = fully loaded.' })),
  },
  {
    clause: 'fo 4.3 no. 2',
    doc: 'Sign of life; the link is lost after three intervals without any message.',
    open: true,
    example: { at: '2026-03-02T17:10:00.000Z', seq: 7, ackEventSeq: 56 },
  },
);
export type Heartbeat = Of<typeof Heartbeat>;
