import { createHash, randomBytes } from 'node:crypto';
import type { Clock } from '../../../core/clock.ts';
import { iso } from '../../../core/clock.ts';
import { idSource } from '../../../core/ids.ts';
import type { Log } from '../../../core/log.ts';
import { encode } from '../codec.ts';
import type { Envelope } from '../envelope.ts';
import { FO_PROFILE, type FoRole, type FoSessionOptions } from '../types.ts';

/** What every part of one session shares. */
export interface Context {
  readonly role: FoRole;
  readonly self: string;
  readonly peer: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly nextId: () => string;
  readonly random: () => number;
  /** A finished frame, sent now. */
  frame(parts: FrameParts): string;
  /** Runs code of the owner; what it throws is logged. */
  guard(event: string, fn: () => void): boolean;
}

export interface FrameParts {
  readonly messageId: string;
  readonly type: string;
  readonly body: unknown;
  readonly correlationId?: string | undefined;
  readonly expiresAt?: number | undefined;
  readonly eventSeq?: number | undefined;
}
