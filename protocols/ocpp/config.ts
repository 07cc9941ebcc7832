import type { Clock } from '../../core/clock.ts';
import type { FrameLimits } from './frames.ts';
import type { Priority } from './types.ts';
import type { Role, Validators } from './validators.ts';
import type { Version } from './versions.ts';
import { VERSIONS } from './versions.ts';

export interface SessionLimits {
  /** Longest frame, characters; longer ones are answered with an error and not parsed. Default 262 144. */
  readonly maxFrame: number;
  /** Deepest nesting of a frame. Default 32. */
  readonly maxDepth: number;
  /** Calls that wait for their turn. Default 64. */
  readonly maxQueue: number;
  /** Calls of the peer that are being worked on at once; the standard says 1. Default 16. */
  readonly maxOpenInbound: number;
  /** Last answers kept for repeated calls, except of metering and the like (see session.ts). Default 8. */
  readonly answersKept: number;
  /** Unreadable frames in a row after which the connection is closed. Default 20. */
  readonly maxUnreadable: number;
  /** Time to wait for the answer to a call, ms. Default 10 000. */
  readonly timeoutMs: number;
  /** The same per urgency, where it differs. */
  readonly timeouts: Readonly<Partial<Record<Priority, number>>>;
  /** Time a handler has for its answer, ms; then the peer gets InternalError. Default 10 000. */
  readonly handlerMs: number;
}

export const DEFAULT_LIMITS: SessionLimits = {
  maxFrame: 262_144,
  maxDepth: 32,
  maxQueue: 64,
  maxOpenInbound: 16,
  answersKept: 8,
  maxUnreadable: 20,
  timeoutMs: 10_000,
  timeouts: {},
  handlerMs: 10_000,
};

export interface SessionOptions {
  readonly version: Version;
  readonly role: Role;
  readonly clock: Clock;
  /** Fresh message ids: unique over all connections of an identity (ocpp 1.2), ≤ 36 characters. */
  readonly ids: () => string;
  readonly validators: Validators;
  readonly limits?: Partial<SessionLimits>;
}

/** What all sessions of one server and version share: kept once, as a fleet has thousands of them. */
export interface SessionConfig extends SessionOptions {
  readonly limits: SessionLimits;
  readonly frameLimits: FrameLimits;
  readonly newFrames: boolean;
  readonly peerRole: Role;
}

export function sessionConfig(o: SessionOptions): SessionConfig {
  const limits = { ...DEFAULT_LIMITS, ...o.limits };
  const { newFrames, openMark } = VERSIONS[o.version];
  return {
    ...o,
    limits,
    frameLimits: { maxChars: limits.maxFrame, maxDepth: limits.maxDepth, openMark },
    newFrames,
    peerRole: o.role === 'csms' ? 'cs' : 'csms',
  };
}
