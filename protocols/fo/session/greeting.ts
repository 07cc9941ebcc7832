import { Hello, HelloResult } from '../envelope.ts';
import { FO_ERRORS } from '../errors.ts';
import { FO_PROFILE, type FoRole } from '../types.ts';

export const DEFAULT_HEARTBEAT_S = 30;

/** What Hello says about us. */
export interface Wishes {
  readonly role: FoRole;
  readonly heartbeatS: number;
  readonly software?: string | undefined;
}

/** What both sides agreed on. */
export interface Agreement {
  readonly heartbeatS: number;
  readonly peerLastEventSeq: number;
  /** The next event that the gateway still has. */
  readonly peerFirstEventSeq?: number;
  readonly software?: string;
}

/** Where the events of this side stand. */
export interface EventState {
  readonly last: number;
  readonly first?: number;
}

/** A wish inside what Hello may carry. */
export const clampHeartbeatS = (wish: number | undefined): number =>
  wish === undefined || !Number.isFinite(wish) ? DEFAULT_HEARTBEAT_S : Math.min(3600, Math.max(1, wish));

export const helloOf = (w: Wishes, events: EventState): Hello => ({
  role: w.role,
  profiles: [FO_PROFILE],
  encodings: ['json'],
  heartbeatS: w.heartbeatS,
  lastEventSeq: events.last,
  ...(events.first === undefined ? {} : { firstEventSeq: events.first }),
  ...(w.software === undefined ? {} : { software: w.software }),
});

/** Judges the Hello of the peer. Throws `schema.*`, `profile.unsupported`, `auth.forbidden` (both play the same role). */
export function acceptHello(w: Wishes, body: unknown): Agreement {
  const hello = Hello.accept(body);
  if (!hello.profiles.includes(FO_PROFILE)) {
    throw FO_ERRORS.fail('profile.unsupported', `None of the offered profiles is ${FO_PROFILE}.`);
  }
  if (!hello.encodings.includes('json')) {
    throw FO_ERRORS.fail('profile.unsupported', 'None of the offered encodings is json.');
  }
  const expected = w.role === 'fo' ? 'fcsbe' : 'fo';
  if (hello.role !== expected) {
    throw FO_ERRORS.fail(
      'auth.forbidden',
      `This side is ${w.role}, so the peer must be ${expected}, not ${hello.role}.`,
    );
  }
  return agree(w, hello);
}

/** `Result.data` for the Hello of the peer. */
export const helloAnswer = (w: Wishes, agreed: Agreement, events: EventState): HelloResult => ({
  profile: FO_PROFILE,
  encoding: 'json',
  heartbeatS: agreed.heartbeatS,
  lastEventSeq: events.last,
  ...(events.first === undefined ? {} : { firstEventSeq: events.first }),
  ...(w.software === undefined ? {} : { software: w.software }),
});

/** Reads the answer to our Hello. Throws `schema.*`. */
export const readHelloAnswer = (w: Wishes, data: unknown): Agreement => agree(w, HelloResult.accept(data));

function agree(w: Wishes, theirs: Hello | HelloResult): Agreement {
  const { heartbeatS, lastEventSeq, firstEventSeq, software } = theirs;
  return {
    heartbeatS: Math.min(w.heartbeatS, heartbeatS),
    peerLastEventSeq: lastEventSeq,
    ...(firstEventSeq === undefined ? {} : { peerFirstEventSeq: firstEventSeq }),
    ...(software === undefined ? {} : { software }),
  };
}
