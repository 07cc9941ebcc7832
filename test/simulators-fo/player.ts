import { FO_CATALOGUE, type FoInbound } from '../../protocols/fo/index.ts';
import { DEMO_SCENARIO } from '../../simulators/fo/demo-scenario.ts';
import { initialState, step } from '../../simulators/fo/scenario.ts';
import type { Scenario } from '../../simulators/fo/scenario-file.ts';
import type { Action, Input, OperatorState } from '../../simulators/fo/types.ts';

export const START = Date.UTC(2026, 2, 2, 17);

/** Plays a scenario in virtual time, from wake-up to wake-up. */
export function player(scenario: Scenario = DEMO_SCENARIO) {
  const o = { scenario, contractId: 'C-9', groupId: 'g:depot', prefix: 'sim' };
  const p = {
    now: START,
    state: initialState(START) as OperatorState,
    wakeAt: undefined as number | undefined,
    log: [] as { readonly atS: number; readonly action: Action }[],
    take(input: Input) {
      const next = step(o, p.state, p.now, input);
      p.state = next.state;
      p.wakeAt = next.wakeAt;
      for (const action of next.actions) p.log.push({ atS: (p.now - START) / 1000, action });
    },
    /** Lets time pass to `s` seconds after the start. */
    to(s: number) {
      const end = START + s * 1000;
      while (p.wakeAt !== undefined && p.wakeAt <= end) {
        p.now = Math.max(p.now, p.wakeAt);
        p.take({ kind: 'tick' });
      }
      p.now = end;
    },
    accept(decision: 'accepted' | 'partial' | 'rejected' | 'optedOut' = 'accepted') {
      const fsrId = p.state.running?.fsrId ?? '';
      p.take({ kind: 'result', of: 'RequestService', fsrId, result: { status: 'pending', state: 'received' } });
      p.take({ kind: 'message', message: message('ServiceDecision', { fsrId, revision: 1, decision }) });
    },
    requests: (type: string) =>
      p.log.flatMap(({ atS, action }) => (action.do === 'request' && action.type === type ? [{ atS, ...action }] : [])),
    setpoints: () =>
      p.log.flatMap(({ atS, action }) =>
        action.do === 'request' && action.type === 'UpdateSetpoint' ? [{ atS, ...action.body.setpoint }] : [],
      ),
    told: (event: string) =>
      p.log.flatMap(({ atS, action }) => (action.do === 'tell' && action.event === event ? [{ atS, ...action }] : [])),
  };
  return p;
}

export function message(type: FoInbound['type'], body: unknown): FoInbound {
  const meta = { peer: 'cso:harbour', messageId: 'm', sentAt: 0, receivedAt: 0, replyTo: `cso:harbour/${type}` };
  FO_CATALOGUE[type].message.parse(body);
  return { ...meta, type, body } as FoInbound;
}
