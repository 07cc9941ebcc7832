import { BoundedQueue } from '../../core/bounded.ts';

/** Commands that move power; what a bench measures the way to. */
const POWER_ACTIONS: readonly string[] = [
  'SetChargingProfile',
  'UpdateDynamicSchedule',
  'ClearChargingProfile',
  'RemoteStartTransaction',
  'RemoteStopTransaction',
  'RequestStartTransaction',
  'RequestStopTransaction',
];

/** Commands remembered per station. */
const MAX_RECEIPTS = 64;

export interface Receipt {
  readonly action: string;
  /** Epoch ms, with fractions where the clock of the program has them. */
  readonly atMs: number;
}

/** When power commands arrived at one station: the newest of them since the last mark. */
export class Receipts {
  readonly #stamp: () => number;
  readonly #queue = new BoundedQueue<Receipt>({
    name: 'simulator.receipts',
    max: MAX_RECEIPTS,
    overflow: 'dropOldest',
  });

  constructor(stamp: () => number) {
    this.#stamp = stamp;
  }

  note(action: string): void {
    if (POWER_ACTIONS.includes(action)) this.#queue.push({ action, atMs: this.#stamp() });
  }

  /** In order of arrival. */
  get list(): readonly Receipt[] {
    return [...this.#queue];
  }

  /** Forgets what came so far. */
  mark(): void {
    this.#queue.clear();
  }
}
