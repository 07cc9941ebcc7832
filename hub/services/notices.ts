import { type Clock, iso } from '../../core/clock.ts';
import { uuidv7 } from '../../core/ids.ts';
import { round3 } from '../../core/quantities.ts';
import type { CancelService, ExecutionNotice, OptChoice, ServiceDecision, ServicePhase } from '../../model/index.ts';
import type { Notice, Service } from './service.ts';

/** More notices than this do not wait for a party; the oldest that tell no state are left out first. */
const MAX_OUTGOING = 200;
/** What nobody has taken for a day is given up (fo 4.2 keeps answers as long). */
export const NOTICE_LIFE_MS = 86_400_000;

const MAX_DEVIATIONS = 1_000;
const STATES: readonly ServicePhase[] = ['scheduled', 'active', 'completed', 'aborted', 'failed'];

export type NoticeExtra = Partial<Omit<ExecutionNotice, 'fsrId' | 'phase' | 'at'>>;

/** A service with one more `ExecutionNotice` to tell (fo 4.3 no. 18). */
export function withNotice(service: Service, clock: Clock, phase: ServicePhase, extra: NoticeExtra = {}): Service {
  const { powerW, shortfallW, ...rest } = extra;
  const body: ExecutionNotice = {
    fsrId: service.fsr.fsrId,
    phase,
    at: iso(clock.now()),
    ...rest,
    ...(powerW === undefined ? {} : { powerW: round3(powerW) }),
    ...(shortfallW === undefined ? {} : { shortfallW: round3(shortfallW) }),
  };
  return queued(service, note(clock, 'hub/ExecutionNotice', body));
}

/** A service with its decision to tell (fo 4.3 no. 12). */
export function withDecision(service: Service, clock: Clock, decision: ServiceDecision): Service {
  return queued({ ...service, decision }, note(clock, 'hub/ServiceDecision', decision));
}

/** A service with an `Opt` to tell: the form that informs (fo 4.3 no. 13). */
export function withOpt(service: Service, clock: Clock, choice: OptChoice): Service {
  return queued(service, note(clock, 'hub/OptChoice', choice));
}

/** Why the gateway may take a service back (fo 4.3 no. 17). */
export const WITHDRAW_REASONS = ['safety', 'fault', 'mandate'] as const;
export type WithdrawReason = (typeof WITHDRAW_REASONS)[number];

/** A service that the gateway takes back (fo 4.3 no. 17). */
export function withCancel(service: Service, clock: Clock, reason: WithdrawReason): Service {
  const body: CancelService = { fsrId: service.fsr.fsrId, reason, at: iso(clock.now()) };
  return queued(service, note(clock, 'hub/CancelService', body));
}

/** A deviation, told and kept for the record. */
export function withDeviation(
  service: Service,
  clock: Clock,
  extra: NoticeExtra & { readonly shortfallW: number },
): Service {
  const { shortfallW, cause } = extra;
  const kept = { at: clock.now(), shortfallW: round3(shortfallW), ...(cause === undefined ? {} : { cause }) };
  const deviations = [...(service.deviations ?? []), kept].slice(-MAX_DEVIATIONS);
  return withNotice({ ...service, deviations }, clock, 'deviation', extra);
}

/** A service without the notice, and without those that are too old. */
export function withoutNotices(service: Service, gone: (n: Notice) => boolean): Service {
  return { ...service, outgoing: service.outgoing.filter((n) => !gone(n)) };
}

function note(clock: Clock, topic: Notice['topic'], payload: unknown): Notice {
  return { id: uuidv7(clock), topic, payload, at: clock.now() };
}

function queued(service: Service, notice: Notice): Service {
  const outgoing = [...service.outgoing, notice];
  if (outgoing.length > MAX_OUTGOING) {
    const least = outgoing.findIndex((n) => !tellsState(n));
    outgoing.splice(Math.max(0, least), 1);
  }
  return { ...service, outgoing };
}

function tellsState(n: Notice): boolean {
  return n.topic !== 'hub/ExecutionNotice' || STATES.includes((n.payload as ExecutionNotice).phase);
}
