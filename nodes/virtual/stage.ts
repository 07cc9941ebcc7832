import { BoundedSet } from '../../core/bounded.ts';
import { describeError } from '../../core/errors.ts';
import type { ProgramPort, RunningProgram, SimulatorProgram } from '../../hub/ports.ts';
import type { Mood } from '../base/status.ts';

export type SimulatorEvent = Readonly<Record<string, unknown>>;

/** Sums up what a simulator says in a few words. */
export interface Tally {
  hear(event: SimulatorEvent): void;
  /** For the status of the node, for example `8 stations · 3 charging`. */
  words(): string;
  reset(): void;
}

export interface StageOptions {
  readonly programs: ProgramPort;
  /** Read at each start, because secrets may have changed. */
  readonly program: () => SimulatorProgram;
  readonly tally: Tally;
}

/** How a stage is, for people and buttons. */
export interface StageState {
  readonly running: boolean;
  readonly mood: Mood;
  readonly words: string;
}

export interface StageListener {
  changed(): void;
  event(event: SimulatorEvent): void;
}

/** One simulator, running or not. It outlives deploys that do not change its node, as links do (design 2). */
export class Stage {
  readonly #o: StageOptions;
  readonly #listeners = new BoundedSet<StageListener>({ name: 'nodes.stage', max: 4, overflow: 'dropOldest' });
  #program: RunningProgram | undefined;
  #trouble: { readonly mood: Mood; readonly words: string } | undefined;
  #closing: Promise<void> = Promise.resolve();

  constructor(o: StageOptions) {
    this.#o = o;
  }

  state(): StageState {
    const running = this.#program !== undefined;
    if (this.#trouble) return { running, ...this.#trouble };
    if (running) return { running, mood: 'good', words: this.#o.tally.words() };
    return { running, mood: 'waiting', words: 'stopped' };
  }

  listen(listener: StageListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Throws what is wrong with the program's settings. */
  start(): void {
    if (this.#program) return;
    this.#o.tally.reset();
    this.#trouble = undefined;
    try {
      this.#program = this.#o.programs.start(this.#o.program(), {
        line: (event) => this.#hear(event),
        state: (state, text) => this.#turn(state, text),
      });
    } catch (e) {
      this.#trouble = { mood: 'bad', words: describeError(e).what };
      throw e;
    } finally {
      this.#changed();
    }
  }

  async stop(): Promise<void> {
    const program = this.#program;
    this.#program = undefined;
    this.#trouble = undefined;
    this.#changed();
    if (program) this.#closing = program.stop();
    await this.#closing;
  }

  /** False while nothing runs that could obey. */
  tell(order: object): boolean {
    this.#program?.tell(order);
    return this.#program !== undefined;
  }

  close(): Promise<void> {
    return this.stop();
  }

  #hear(event: SimulatorEvent): void {
    this.#o.tally.hear(event);
    for (const listener of [...this.#listeners]) listener.event(event);
    this.#changed();
  }

  #turn(state: 'running' | 'waiting' | 'failed' | 'ended', text: string): void {
    if (state === 'failed' || state === 'ended') {
      const program = this.#program;
      this.#program = undefined;
      // It has ended by itself; this only forgets it.
      if (program) this.#closing = program.stop();
    }
    this.#trouble =
      state === 'running'
        ? undefined
        : { mood: state === 'failed' ? 'bad' : state === 'waiting' ? 'attention' : 'waiting', words: text };
    this.#changed();
  }

  #changed(): void {
    for (const listener of [...this.#listeners]) listener.changed();
  }
}
