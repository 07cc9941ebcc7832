import { errorTable, INTERNAL_ERRORS } from './errors.ts';

export interface TimerHandle {
  /** Disarms the timer. Calling it twice, or after it fired, does nothing. */
  cancel(): void;
}

/** The only source of time and timers. */
export interface Clock {
  /** Epoch milliseconds. */
  now(): number;
  /** Calls `fn` once, `delayMs` (≥ 0, else at once; whole milliseconds, rounded up) from now; never synchronously. */
  after(delayMs: number, fn: () => void): TimerHandle;
  /** Number of armed timers. */
  readonly pending: number;
}

export const TIME_ERRORS = errorTable('time', {
  'time.invalid': {
    what: 'This is not a valid time.',
    remedy: 'Write it as ISO 8601 with Z or an offset, e.g. 2026-03-02T16:40:00.000Z.',
    retry: 'afterFix',
    protocol: 'schema.invalid',
  },
});

/** Longest delay `setTimeout` takes; longer ones would fire at once. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

export interface RealClockOptions {
  /** Takes what a timer callback threw; without it the process sees an uncaught exception. */
  readonly onError?: (e: unknown) => void;
}

/** The machine's clock. Armed timers keep the process alive until cancelled. */
export function realClock(o: RealClockOptions = {}): Clock {
  let pending = 0;
  const run = (fn: () => void): void => {
    try {
      fn();
    } catch (e) {
      if (!o.onError) throw e;
      o.onError(e);
    }
  };
  return {
    now: () => Date.now(),
    after(delayMs, fn) {
      let left = Math.ceil(Math.max(0, delayMs)) || 0;
      let armed = true;
      pending++;
      const fire = (): void => {
        if (left > 0) {
          timer = arm();
          return;
        }
        armed = false;
        pending--;
        run(fn);
      };
      const arm = (): NodeJS.Timeout => {
        const step = Math.min(left, MAX_TIMEOUT_MS);
        left -= step;
        return setTimeout(fire, step);
      };
      let timer = arm();
      return {
        cancel() {
          if (!armed) return;
          armed = false;
          pending--;
          clearTimeout(timer);
        },
      };
    },
    get pending() {
      return pending;
    },
  };
}

/** A clock that stands still until a test moves it. */
export interface ManualClock extends Clock {
  /**
   * Moves time on by `ms` and fires the timers that fall due, in due order, ties in the order of arming; timers armed
   * meanwhile count too. Promises settle before the first, between two and after the last timer. Overlapping calls
   * run one after the other (so a timer callback must not await one). Rejects with what a callback throws.
   */
  advance(ms: number): Promise<void>;
  /** Steps the wall clock (as NTP may do) without firing anything: armed timers keep their remaining delay. */
  set(at: number): void;
}

interface ManualTimer {
  readonly due: number;
  readonly order: number;
  readonly fn: () => void;
  live: boolean;
}

/** A clock for tests and simulations; starts at 2026-01-01T00:00:00Z. */
export function manualClock(startMs: number = Date.UTC(2026, 0, 1)): ManualClock {
  let elapsed = 0;
  let base = startMs;
  let order = 0;
  let pending = 0;
  let last: Promise<void> = Promise.resolve();
  const heap: ManualTimer[] = [];

  const drop = (t: ManualTimer): void => {
    if (!t.live) return;
    t.live = false;
    pending--;
    // Cancelled timers stay in the heap until they surface; rebuild it before they outweigh the live ones.
    if (heap.length > 64 && heap.length > 4 * pending) {
      const live = heap.filter((x) => x.live).sort((a, b) => (before(a, b) ? -1 : 1));
      heap.splice(0, heap.length, ...live);
    }
  };

  const run = async (ms: number): Promise<void> => {
    const end = elapsed + Math.max(0, ms);
    await settle();
    for (let t = heap[0]; t !== undefined && t.due <= end; t = heap[0]) {
      heapPop(heap);
      if (!t.live) continue;
      t.live = false;
      pending--;
      elapsed = Math.max(elapsed, t.due);
      t.fn();
      await settle();
    }
    elapsed = end;
  };

  return {
    now: () => base + elapsed,
    after(delayMs, fn) {
      const timer: ManualTimer = {
        due: elapsed + (Math.ceil(Math.max(0, delayMs)) || 0),
        order: order++,
        fn,
        live: true,
      };
      pending++;
      heapPush(heap, timer);
      return { cancel: () => drop(timer) };
    },
    get pending() {
      return pending;
    },
    advance(ms) {
      const mine = last.then(() => run(ms));
      last = mine.catch(() => undefined);
      return mine;
    },
    set(at) {
      base = at - elapsed;
    },
  };
}

/** Two turns of the event loop: every microtask chain runs to its end, and so does one round of loopback I/O callbacks. */
async function settle(): Promise<void> {
  for (let i = 0; i < 2; i++) await new Promise<void>((resolve) => setImmediate(resolve));
}

function before(a: ManualTimer, b: ManualTimer): boolean {
  return a.due < b.due || (a.due === b.due && a.order < b.order);
}

function heapPush(heap: ManualTimer[], timer: ManualTimer): void {
  let i = heap.push(timer) - 1;
  while (i > 0) {
    const up = (i - 1) >> 1;
    const parent = heap[up];
    if (parent === undefined || !before(timer, parent)) break;
    heap[i] = parent;
    i = up;
  }
  heap[i] = timer;
}

function heapPop(heap: ManualTimer[]): void {
  const tail = heap.pop();
  if (tail === undefined || heap.length === 0) return;
  let i = 0;
  for (;;) {
    let child = 2 * i + 1;
    let least = heap[child];
    const right = heap[child + 1];
    if (least !== undefined && right !== undefined && before(right, least)) {
      least = right;
      child++;
    }
    if (least === undefined || !before(least, tail)) break;
    heap[i] = least;
    i = child;
  }
  heap[i] = tail;
}

/**
 * Calls `fn` every `periodMs` (> 0) until cancelled, the first time after one period. Drift-free: ticks stay on the
 * grid of the start; ticks missed by a blocked loop are skipped, and setting the wall clock back starts a new grid.
 * What `fn` throws goes to `onError` and never further.
 */
export function every(clock: Clock, periodMs: number, fn: () => void, onError?: (e: unknown) => void): TimerHandle {
  if (!(periodMs > 0))
    throw INTERNAL_ERRORS.fail('internal.permanent', `A period must be above 0 ms, got ${periodMs}.`);
  let due = clock.now() + periodMs;
  let cancelled = false;
  let timer = clock.after(periodMs, tick);
  function tick(): void {
    const now = clock.now();
    const late = now - due;
    // A timer may fire a little early; only a whole period tells that the wall clock was set back.
    due = late < -periodMs ? now + periodMs : due + periodMs * (1 + Math.max(0, Math.floor(late / periodMs)));
    timer = clock.after(due - now, tick);
    try {
      fn();
    } catch (e) {
      report(onError, e);
    }
    if (cancelled) timer.cancel();
  }
  return {
    cancel() {
      cancelled = true;
      timer.cancel();
    },
  };
}

function report(onError: ((e: unknown) => void) | undefined, e: unknown): void {
  try {
    onError?.(e);
  } catch {
    // A failing error handler must not stop the ticks.
  }
}

/** 0000-01-01T00:00:00.000Z; Date.UTC would read the year 0 as 1900. */
const MIN_TIME = -62_167_219_200_000;
const MAX_TIME = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** `YYYY-MM-DDThh:mm:ss.sssZ` of epoch milliseconds (years 0000–9999). Throws `time.invalid`. */
export const iso = (ms: number): string => {
  if (!(ms >= MIN_TIME && ms <= MAX_TIME)) throw TIME_ERRORS.fail('time.invalid', `${ms} is not a time in ms.`);
  return new Date(ms).toISOString();
};

/** Makes the text of now ({@link iso}); what is said within one millisecond shares it. */
export function stamps(clock: Pick<Clock, 'now'>): () => string {
  let [at, text] = [Number.NaN, ''];
  return () => {
    const now = clock.now();
    if (now !== at) {
      text = iso(now);
      at = now;
    }
    return text;
  };
}

const TIME = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?(?:[Zz]|([+-])(\d\d):?(\d\d))$/;

/**
 * Epoch milliseconds of an ISO 8601 date-time with seconds and `Z` or an offset; digits below 1 ms are cut off, and a
 * leap second counts as the first of the next minute. Throws `time.invalid`.
 */
export function parseTime(text: string): number {
  const usual = typeof text === 'string' && text.length === USUAL_LENGTH ? parseUsual(text) : Number.NaN;
  if (!Number.isNaN(usual)) return usual;
  const m = typeof text === 'string' && text.length <= 40 ? TIME.exec(text) : null;
  if (!m) throw badTime(text);
  const [year, month, day] = [Number(m[1]), Number(m[2]), Number(m[3])];
  const [hour, minute, second] = [Number(m[4]), Number(m[5]), Number(m[6])];
  const ms = m[7] === undefined ? 0 : Number(m[7].padEnd(3, '0').slice(0, 3));
  const [offHour, offMinute] = [Number(m[9] ?? 0), Number(m[10] ?? 0)];
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  const realDay = date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  if (!realDay || hour > 23 || minute > 59 || second > 60 || offHour > 23 || offMinute > 59) throw badTime(text);
  const local = date.getTime() + ((hour * 60 + minute) * 60 + second) * 1000 + (second === 60 ? 0 : ms);
  const offset = (offHour * 60 + offMinute) * 60_000;
  return m[8] === '-' ? local + offset : local - offset;
}

/** `2026-01-31T12:34:56.789Z`, the form that {@link iso} writes and most peers use. */
const USUAL_LENGTH = 24;
const [DASH, COLON, DOT, BIG_T, BIG_Z] = [45, 58, 46, 84, 90];

/** Most times of the usual form, many times faster; NaN: it has to be looked at more closely. */
function parseUsual(text: string): number {
  const isForm =
    text.charCodeAt(4) === DASH &&
    text.charCodeAt(7) === DASH &&
    text.charCodeAt(10) === BIG_T &&
    text.charCodeAt(13) === COLON &&
    text.charCodeAt(16) === COLON &&
    text.charCodeAt(19) === DOT &&
    text.charCodeAt(23) === BIG_Z;
  const year = 100 * twoDigits(text, 0) + twoDigits(text, 2);
  const [month, day] = [twoDigits(text, 5), twoDigits(text, 8)];
  const [hour, minute, second] = [twoDigits(text, 11), twoDigits(text, 14), twoDigits(text, 17)];
  const ms = 10 * twoDigits(text, 20) + (twoDigits(text, 21) % 10);
  // Every month has 28 days.
  const isTime = year >= 1000 && month >= 1 && month <= 12 && day >= 1 && day <= 28;
  return isForm && isTime && hour <= 23 && minute <= 59 && second <= 59
    ? Date.UTC(year, month - 1, day, hour, minute, second, ms)
    : Number.NaN;
}

/** The number of two digits; NaN where one is none. */
function twoDigits(text: string, at: number): number {
  const [tens, ones] = [text.charCodeAt(at) - 48, text.charCodeAt(at + 1) - 48];
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? 10 * tens + ones : Number.NaN;
}

function badTime(text: unknown): Error {
  const shown = typeof text === 'string' ? JSON.stringify(text.slice(0, 40)) : typeof text;
  return TIME_ERRORS.fail('time.invalid', `${shown} is not a valid time.`);
}
