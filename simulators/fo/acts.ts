import { iso } from '../../core/clock.ts';
import type { FoBodies } from '../../protocols/fo/index.ts';
import { amendBody } from './bodies.ts';
import { DEFAULTS, type ScenarioService, targetAt } from './scenario-file.ts';
import type { Action, Asked, OperatorState, PlannedAct, Running } from './types.ts';

/** How long a lapsed setpoint is repeated until the gateway has said no, ms. */
const LATE_RETRY_MS = 5000;

/** What an act does, and what it changes of the state. */
export interface ActOutcome {
  readonly actions: readonly Action[];
  readonly change?: Partial<Pick<OperatorState, 'pausedUntil' | 'mutedUntil' | 'held'>>;
  readonly run?: Partial<Running>;
}

const NOTHING: ActOutcome = { actions: [] };

/** A request with its body; the pair is right by T, which the compiler cannot see through the mapped type. */
export const requestOf = <T extends Asked>(type: T, fsrId: string, body: FoBodies[T], expiresAt?: number): Action =>
  ({ do: 'request', type, fsrId, body, ...(expiresAt === undefined ? {} : { expiresAt }) }) as Action;

/** Carries out a planned act. Pure. `running` is the service if it is the one that runs. Cancelling is left to the caller. */
export function carryOut(
  { act, fsrId, startAt }: PlannedAct,
  service: ScenarioService,
  running: Running | undefined,
  now: number,
): ActOutcome {
  const forMs = (act.forS ?? DEFAULTS.forS) * 1000;
  switch (act.do) {
    case 'amend':
      return running ? amended(running, service, act.durationS, act) : NOTHING;
    case 'optOut':
    case 'optIn':
      return { actions: [requestOf('Opt', fsrId, optBody(act, fsrId, now))] };
    case 'activate': {
      const target = act.targetW === undefined ? {} : { targetW: act.targetW };
      const body = { fsrId, action: act.action ?? 'activate', at: iso(now), ...target } as const;
      return { actions: [requestOf('ActivateService', fsrId, body)] };
    }
    case 'queryEvents':
      return { actions: [requestOf('QueryEvents', fsrId, { window: { start: iso(startAt), end: iso(now + 1) } })] };
    case 'queryRecords':
      return { actions: [requestOf('QueryRecords', fsrId, { ids: [fsrId] })] };
    case 'queryResources':
      return { actions: [requestOf('QueryResources', fsrId, {})] };
    case 'setpoint':
      return {
        actions: [],
        change: { held: { targetW: act.targetW ?? 0, until: now + forMs } },
        run: { nextUpdateAt: now },
      };
    case 'staleSetpoint':
      return running ? { actions: [badSetpoint(running, now, { seq: Math.max(0, running.seq - 1) })] } : NOTHING;
    case 'lateSetpoint': {
      if (!running) return NOTHING;
      const seq = running.seq + 1;
      const late = { seq, validUntil: now - (act.byS ?? DEFAULTS.byS) * 1000, targetW: act.targetW };
      return { actions: [badSetpoint(running, now, late)], run: { seq } };
    }
    case 'pause':
      return { actions: [], change: { pausedUntil: now + forMs } };
    case 'mute':
      return { actions: [{ do: 'mute', on: true }], change: { mutedUntil: now + forMs, pausedUntil: now + forMs } };
    case 'drop':
      return { actions: [{ do: 'drop', forMs }] };
    case 'cancel':
      return NOTHING;
  }
}

/** The target of now and when it ends: what is held by hand, else the step of the scenario. */
export function targetNow(
  { held }: Pick<OperatorState, 'held'>,
  service: ScenarioService,
  startAt: number,
  now: number,
): { readonly targetW: number | undefined; readonly until: number } {
  if (held && now < held.until) return { targetW: held.targetW, until: held.until };
  const offsetS = (now - startAt) / 1000;
  const next = service.steps?.find((x) => x.atS > offsetS);
  return { targetW: targetAt(service, offsetS), until: next ? startAt + next.atS * 1000 : Number.POSITIVE_INFINITY };
}

function amended(
  running: Running,
  service: ScenarioService,
  durationS: number | undefined,
  changes: Parameters<typeof amendBody>[3],
): ActOutcome {
  const revision = running.revision + 1;
  const endAt = durationS === undefined ? running.endAt : running.startAt + durationS * 1000;
  const body = amendBody(service, { ...running, endAt }, revision, changes);
  return { actions: [requestOf('AmendService', running.fsrId, body)], run: { amending: { revision, endAt } } };
}

/** Confirms a partial decision with the same numbers (fo 4.2). */
export const confirmed = (running: Running, service: ScenarioService): ActOutcome =>
  amended(running, service, undefined, {});

function optBody({ do: what, actor, resources }: PlannedAct['act'], fsrId: string, now: number): FoBodies['Opt'] {
  return {
    choice: what === 'optOut' ? 'out' : 'in',
    actor: actor ?? 'fleet',
    scope: { fsrId, resources: resources ?? [] },
    effectiveAt: iso(now),
  };
}

function badSetpoint(
  { fsrId, seq, lastTargetW }: Running,
  now: number,
  wrong: { readonly seq?: number; readonly validUntil?: number; readonly targetW?: number | undefined },
): Action {
  const setpoint = {
    fsrId,
    seq: wrong.seq ?? seq,
    targetW: wrong.targetW ?? lastTargetW ?? 0,
    validUntil: iso(wrong.validUntil ?? now + DEFAULTS.validityS * 1000),
  };
  return requestOf('UpdateSetpoint', fsrId, { setpoint }, now + LATE_RETRY_MS);
}
