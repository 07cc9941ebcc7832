import { randomInt } from 'node:crypto';
import { type Clock, iso } from '../../../core/clock.ts';
import { describeError } from '../../../core/errors.ts';
import { idSource } from '../../../core/ids.ts';
import type { Log } from '../../../core/log.ts';
import { type DetachedSignature, detached } from '../../../core/signing.ts';
import { FO_PROFILE, type FoFrame, type FoRole, type FoSessionOptions } from '../types.ts';

export interface FrameParts {
  readonly messageId: string;
  readonly type: string;
  readonly body: unknown;
  readonly correlationId?: string | undefined;
  /** Epoch ms. */
  readonly expiresAt?: number | undefined;
  readonly eventSeq?: number | undefined;
  /** ISO 8601; default the present time. */
  readonly sentAt?: string | undefined;
  readonly signature?: DetachedSignature | undefined;
}

/** What every part of one session shares. */
export interface Context {
  readonly role: FoRole;
  readonly self: string;
  readonly peer: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly nextId: () => string;
  /** 0 ≤ x < 1. */
  readonly random: () => number;
  /** A finished frame, unless told otherwise with the present time as `sentAt`: repetitions differ in nothing else. */
  frame(parts: FrameParts): FoFrame;
  /** Runs code of the owner. What it throws is logged and handed back. */
  guard(event: string, fn: () => void): { readonly thrown?: unknown };
}

const RANDOM_STEPS = 2 ** 32;

export function createContext(o: FoSessionOptions): Context {
  const log = o.log.child({ peer: o.peer });
  return {
    role: o.role,
    self: o.self,
    peer: o.peer,
    clock: o.clock,
    log,
    nextId: o.randomBytes ? idSource(o.clock, o.randomBytes) : idSource(o.clock),
    random: o.random ?? (() => randomInt(RANDOM_STEPS) / RANDOM_STEPS),
    frame: (p) => ({ ...p, text: JSON.stringify(envelopeOf(o, p)) }),
    guard(event, fn) {
      try {
        fn();
        return {};
      } catch (thrown) {
        const { code, what } = describeError(thrown);
        log.error('fo.handlerFailed', { handler: event, code, what });
        return { thrown };
      }
    },
  };
}

function envelopeOf({ self, peer, clock, signatures }: FoSessionOptions, p: FrameParts) {
  const signer = signatures?.signer;
  const signature = p.signature ?? (signer && detached(signer, p.type, p.messageId, p.body));
  return {
    profile: FO_PROFILE,
    messageId: p.messageId,
    type: p.type,
    from: self,
    to: peer,
    sentAt: p.sentAt ?? iso(clock.now()),
    ...(p.correlationId === undefined ? {} : { correlationId: p.correlationId }),
    ...(p.expiresAt === undefined ? {} : { expiresAt: iso(p.expiresAt) }),
    ...(p.eventSeq === undefined ? {} : { eventSeq: p.eventSeq }),
    body: p.body,
    ...(signature === undefined ? {} : { signature }),
  };
}
