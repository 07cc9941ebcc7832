import { type Clock, iso, type TimerHandle } from '../../core/clock.ts';
import { codeOf } from '../../core/errors.ts';
import type { FoClient, FoHandlers } from '../../protocols/fo/index.ts';
import { type Action, type Input, initialState, type OperatorEvent, type ScenarioOptions, step } from './scenario.ts';

/** What the operator needs of its link. */
export type OperatorLink = Pick<FoClient, 'request' | 'answer' | 'close'>;

export interface OperatorOptions extends ScenarioOptions {
  readonly clock: Clock;
  /** Opens the link; the handlers may be called from then on. */
  connect(handlers: FoHandlers): OperatorLink;
  onEvent(event: OperatorEvent & { readonly at: string }): void;
}

export interface RunningOperator {
  stop(): Promise<void>;
}

/** Plays a scenario over a link. */
export function runOperator(o: OperatorOptions): RunningOperator {
  let state = initialState(o.clock.now());
  let timer: TimerHandle | undefined;
  let stopped = false;

  const tell = (event: OperatorEvent): void => o.onEvent({ at: iso(o.clock.now()), ...event });

  const take = (input: Input): void => {
    if (stopped) return;
    const next = step(o, state, o.clock.now(), input);
    state = next.state;
    timer?.cancel();
    timer =
      next.wakeAt === undefined
        ? undefined
        : o.clock.after(Math.max(0, next.wakeAt - o.clock.now()), () => take({ kind: 'tick' }));
    for (const action of next.actions) carryOut(action);
  };

  const carryOut = (action: Action): void => {
    switch (action.do) {
      case 'tell': {
        const { do: _, ...event } = action;
        tell(event);
        break;
      }
      case 'answer':
        link.answer(action.replyTo, action.result);
        break;
      case 'request': {
        const { type: of, fsrId } = action;
        link.request(of, action.body).then(
          (result) => take({ kind: 'result', of, fsrId, result }),
          (e: unknown) => onFailure(of, fsrId, e),
        );
        break;
      }
    }
  };

  const onFailure = (of: Extract<Action, { do: 'request' }>['type'], fsrId: string, e: unknown): void => {
    const code = codeOf(e) ?? 'internal.permanent';
    // A newer setpoint took its place: nothing went wrong.
    if (of === 'UpdateSetpoint' && code === 'seq.stale') return;
    take({ kind: 'failed', of, fsrId, code });
  };

  const link = o.connect({
    onMessage: (message) => take({ kind: 'message', message }),
    onUp({ heartbeatS, missedEvents, software }) {
      tell({ event: 'up', heartbeatS, missedEvents, software });
      take({ kind: 'up' });
    },
    onDown(_, reason) {
      tell({ event: 'down', reason });
      take({ kind: 'down' });
    },
    onGap: (_, gap) => tell({ event: 'eventsMissing', from: gap.from, to: gap.to }),
  });

  return {
    async stop() {
      stopped = true;
      timer?.cancel();
      await link.close();
    },
  };
}
