/** States of a flexibility service (fo 6.2). */
export const SERVICE_STATES = [
  'received',
  'validated',
  'credentialChecked',
  'accepted',
  'scheduled',
  'active',
  'completed',
  'aborted',
  'failed',
  'rejected',
  'optedOut',
  'settled',
] as const;
export type ServiceState = (typeof SERVICE_STATES)[number];

export type ServiceEvent =
  | 'formOk'
  | 'formBad'
  | 'credentialsOk'
  | 'credentialsBad'
  | 'feasible'
  | 'infeasible'
  | 'optOut'
  | 'decisionLapsed'
  | 'planned'
  | 'begin'
  | 'end'
  | 'cancel'
  | 'lost'
  | 'settle';

/** The moves of fo 6.2, row by row. What is not listed is not allowed (`state.invalid`). */
export const SERVICE_MOVES: Readonly<Record<ServiceState, Readonly<Partial<Record<ServiceEvent, ServiceState>>>>> = {
  received: { formOk: 'validated', formBad: 'rejected', decisionLapsed: 'rejected' },
  validated: { credentialsOk: 'credentialChecked', credentialsBad: 'rejected', decisionLapsed: 'rejected' },
  credentialChecked: { feasible: 'accepted', infeasible: 'rejected', optOut: 'optedOut', decisionLapsed: 'rejected' },
  accepted: {
    planned: 'scheduled',
    begin: 'active',
    end: 'completed',
    cancel: 'aborted',
    optOut: 'aborted',
    lost: 'failed',
  },
  scheduled: { begin: 'active', end: 'completed', cancel: 'aborted', optOut: 'aborted', lost: 'failed' },
  active: { end: 'completed', cancel: 'aborted', optOut: 'aborted', lost: 'failed' },
  completed: { settle: 'settled' },
  aborted: { settle: 'settled' },
  failed: { settle: 'settled' },
  rejected: {},
  optedOut: {},
  settled: {},
};

/** The next state, or undefined where fo 6.2 knows no such move. */
export function nextState(state: ServiceState, event: ServiceEvent): ServiceState | undefined {
  return SERVICE_MOVES[state][event];
}

/** True while the service may still act on stations. */
export const isRunning = (state: ServiceState): boolean =>
  state === 'accepted' || state === 'scheduled' || state === 'active';
