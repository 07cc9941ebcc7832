import { type Clock, iso, type TimerHandle } from '../../core/clock.ts';
import { codeOf } from '../../core/errors.ts';
import { parseJson } from '../../core/json.ts';
import type { FoClient, FoHandlers } from '../../protocols/fo/index.ts';
import { linkClock } from './link-clock.ts';
import { initialState, step } from './scenario.ts';
import { Act } from './scenario-file.ts';
import type { Action, Asked, Input, OperatorEvent, ScenarioOptions } from './types.ts';

/** What the operator needs of its link, whatever carries it. */
export type OperatorLink = Pick<FoClient, 'request' | 'answer' | 'close'>;

/** What a link is opened with. */
export interface LinkStart {
  readonly handlers: FoHandlers;
  /** To be used for the link, so that a scenario can silence it. */
  readonly clock: Clock;
  /** The last event that an earlier link of this run has handled. */
  readonly lastEventSeq: number;
}

export interface OperatorOptions extends ScenarioOptions {
  readonly clock: Clock;
  /** The clock of the link is this far ahead, ms. Default 0. */
  readonly clockShiftMs?: number;
  /** Opens the link; the handlers may be called from then on. */
  connect(start: LinkStart): OperatorLink;
  onEvent(event: OperatorEvent & { readonly at: string }): void;
}

export interface RunningOperator {
  /** Does something now that a scenario does at a time; throws `schema.…` for what is no such act. */
  order(input: unknown): void;
  stop(): Promise<void>;
}

/** Plays a scenario over a link. */
export function runOperator(o: OperatorOptions): RunningOperator {
  return new Operator(o);
}

const JSON_LIMITS = { maxBytes: 4096, maxDepth: 4, duplicateKeys: 'reject' } as const;

class Operator implements RunningOperator {
  readonly #o: OperatorOptions;
  #state;
  #timer: TimerHandle | undefined;
  #reopening: TimerHandle | undefined;
  #stopped = false;
  #lastEventSeq = 0;
  #mute: (on: boolean) => void = () => undefined;
  #link: OperatorLink | undefined;

  constructor(o: OperatorOptions) {
    this.#o = o;
    this.#state = initialState(o.clock.now());
    this.#open();
  }

  order(input: unknown): void {
    const given = typeof input === 'string' ? parseJson(input, JSON_LIMITS) : input;
    const fields = typeof given === 'object' && given !== null ? given : {};
    this.#take({ kind: 'order', act: Act.parse({ ...fields, atS: 0 }) });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#reopening?.cancel();
    await this.#link?.close();
  }

  #open(): void {
    const clock = linkClock(this.#o.clock, this.#o.clockShiftMs);
    this.#mute = (on) => clock.mute(on);
    let mine: OperatorLink | undefined;
    /** What a link says that was dropped concerns nobody. */
    const now = (): boolean => mine === undefined || mine === this.#link;
    mine = this.#o.connect({ clock, lastEventSeq: this.#lastEventSeq, handlers: this.#handlers(now) });
    this.#link = mine;
  }

  #handlers(now: () => boolean): FoHandlers {
    return {
      onMessage: (message) => {
        if (!now()) return;
        this.#lastEventSeq = Math.max(this.#lastEventSeq, message.eventSeq ?? 0);
        this.#take({ kind: 'message', message });
      },
      onUp: ({ heartbeatS, missedEvents, software }) => {
        this.#tell({ event: 'up', heartbeatS, missedEvents, software });
        this.#take({ kind: 'up' });
      },
      onDown: (_, reason) => {
        if (!now()) return;
        this.#tell({ event: 'down', reason });
        this.#take({ kind: 'down' });
      },
      onGap: (_, gap) => this.#tell({ event: 'eventsMissing', from: gap.from, to: gap.to }),
    };
  }

  #take(input: Input): void {
    if (this.#stopped) return;
    const { clock } = this.#o;
    const { state, actions, wakeAt } = step(this.#o, this.#state, clock.now(), input);
    this.#state = state;
    this.#timer?.cancel();
    this.#timer =
      wakeAt === undefined
        ? undefined
        : clock.after(Math.max(0, wakeAt - clock.now()), () => this.#take({ kind: 'tick' }));
    for (const action of actions) this.#carryOut(action);
  }

  #carryOut(action: Action): void {
    switch (action.do) {
      case 'tell': {
        const { do: _, ...event } = action;
        this.#tell(event);
        break;
      }
      case 'answer':
        this.#link?.answer(action.replyTo, action.result);
        break;
      case 'mute':
        this.#mute(action.on);
        break;
      case 'drop':
        this.#drop(action.forMs);
        break;
      case 'request':
        this.#request(action);
        break;
    }
  }

  #request(action: Extract<Action, { do: 'request' }>): void {
    const { type: of, fsrId, body, expiresAt } = action;
    const link = this.#link;
    if (!link) {
      this.#failed(of, fsrId, 'fo.closed');
      return;
    }
    const options = expiresAt === undefined ? undefined : { expiresAt };
    link.request(of, body, options).then(
      (result) => this.#take({ kind: 'result', of, fsrId, result }),
      (e: unknown) => this.#failed(of, fsrId, codeOf(e) ?? 'internal.permanent'),
    );
  }

  #failed(of: Asked, fsrId: string, code: string): void {
    // A newer setpoint took its place: nothing went wrong.
    if (of === 'UpdateSetpoint' && code === 'seq.stale') return;
    this.#take({ kind: 'failed', of, fsrId, code });
  }

  #drop(forMs: number): void {
    const link = this.#link;
    this.#link = undefined;
    void link?.close();
    this.#tell({ event: 'down', reason: 'dropped' });
    this.#take({ kind: 'down' });
    this.#reopening?.cancel();
    this.#reopening = this.#o.clock.after(forMs, () => this.#open());
  }

  #tell(event: OperatorEvent): void {
    this.#o.onEvent({ at: iso(this.#o.clock.now()), ...event });
  }
}
