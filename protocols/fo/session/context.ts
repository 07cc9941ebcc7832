import { randomInt } from 'node:crypto';
import { type Clock, iso } from '../../../core/clock.ts';
import { describeError } from '../../../core/errors.ts';
import { idSource } from '../../../core/ids.ts';
import type { Log } from '../../../core/log.ts';
import { FO_PROFILE, type FoRole, type FoSessionOptions } from '../types.ts';

export interface FrameParts {
  readonly messageId: string;
  readonly type: string;
  readonly body: unknown;
  readonly correlationId?: string | undefined;
  /** Epoch ms. */
  readonly expiresAt?: number | undefined;
  readonly eventSeq?: number | undefined;
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
  /** A finished frame with the present time as `sentAt`: repetitions of a message differ in nothing else. */
  frame(parts: FrameParts): string;
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
    frame: (p) =>
      JSON.stringify({
        profile: FO_PROFILE,
        messageId: p.messageId,
        type: p.type,
        from: o.self,
        to: o.peer,
        sentAt: iso(o.clock.now()),
        ...(p.correlationId === undefined ? {} : { correlationId: p.correlationId }),
        ...(p.expiresAt === undefined ? {} : { expiresAt: iso(p.expiresAt) }),
        ...(p.eventSeq === undefined ? {} : { eventSeq: p.eventSeq }),
        body: p.body,
      }),
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
