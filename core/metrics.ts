import type { BoundStats } from './bounded.ts';
import { INTERNAL_ERRORS } from './errors.ts';

export type Labels = Readonly<Record<string, string>>;

export interface Counter {
  /** Adds `n` (≥ 0, default 1); other values are ignored, for a counter must not fall. */
  add(n?: number, labels?: Labels): void;
}

export interface Gauge {
  set(n: number, labels?: Labels): void;
}

export interface Histogram {
  observe(n: number, labels?: Labels): void;
}

/** Metrics of one gateway. Declaring a metric again with the same kind and labels gives the same one. */
export interface Metrics {
  counter(name: string, help: string, labels?: readonly string[]): Counter;
  gauge(name: string, help: string, labels?: readonly string[]): Gauge;
  /** `bucketsS`: upper bounds in ascending order, usually seconds; `+Inf` is added. */
  histogram(name: string, help: string, bucketsS: readonly number[], labels?: readonly string[]): Histogram;
  /**
   * Reads the bounds of queues, maps and caches at render time into `<name>_size`, `_max` and `_dropped_total` with the
   * label `name`; equal names add up. The result unregisters.
   */
  collect(name: string, read: () => readonly BoundStats[]): () => void;
  /** What {@link collect} reads now, equal names added up. */
  bounds(): readonly BoundStats[];
  /** Prometheus text format 0.0.4. */
  render(): string;
}

/** Most label combinations per metric; further ones count under the label value `other`. */
export const MAX_LABEL_SETS = 64;
const OTHER = 'other';
const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const LABEL = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

type Kind = 'counter' | 'gauge' | 'histogram';

interface Family<S> {
  readonly kind: Kind;
  readonly help: string;
  readonly labels: readonly string[];
  /** Label values joined by a character that cannot collide → state. */
  readonly sets: Map<string, { readonly values: readonly string[]; readonly state: S }>; // bounded by: MAX_LABEL_SETS + 1
  readonly fresh: () => S;
  readonly write: (name: string, labels: string, state: S) => string[];
}

interface Known {
  readonly kind: Kind;
  readonly labels: readonly string[];
  readonly handle: Counter | Gauge | Histogram;
  readonly lines: () => string[];
}

/** An empty set of metrics. */
export function createMetrics(): Metrics {
  const known = new Map<string, Known>(); // bounded by: metrics declared in code
  const readers = new Set<{ readonly name: string; readonly read: () => readonly BoundStats[] }>(); // bounded by: open links

  function declare<H extends Counter | Gauge | Histogram, S>(
    name: string,
    family: Omit<Family<S>, 'sets'>,
    makeHandle: (of: (labels: Labels | undefined) => S) => H,
    isHandle: (h: Counter | Gauge | Histogram) => h is H,
  ): H {
    const old = known.get(name);
    if (old) {
      const same = old.kind === family.kind && old.labels.join() === family.labels.join();
      if (same && isHandle(old.handle)) return old.handle;
      throw misuse(`The metric ${name} is declared twice with different kinds or labels.`);
    }
    checkNames(name, family.labels);
    const full: Family<S> = { ...family, sets: new Map() }; // bounded by: MAX_LABEL_SETS + 1
    const handle = makeHandle((labels) => stateOf(full, labels));
    known.set(name, { kind: family.kind, labels: family.labels, handle, lines: () => familyLines(name, full) });
    return handle;
  }

  return {
    counter(name, help, labels = []) {
      return declare<Counter, { n: number }>(
        name,
        { kind: 'counter', help, labels, fresh: () => ({ n: 0 }), write: writeNumber },
        (of) => ({
          add(n = 1, l) {
            if (n >= 0 && Number.isFinite(n)) of(l).n += n;
          },
        }),
        (h): h is Counter => 'add' in h,
      );
    },
    gauge(name, help, labels = []) {
      return declare<Gauge, { n: number }>(
        name,
        { kind: 'gauge', help, labels, fresh: () => ({ n: 0 }), write: writeNumber },
        (of) => ({
          set(n, l) {
            of(l).n = n;
          },
        }),
        (h): h is Gauge => 'set' in h,
      );
    },
    histogram(name, help, bucketsS, labels = []) {
      if (bucketsS.some((b, i) => !Number.isFinite(b) || b <= (bucketsS[i - 1] ?? -Infinity))) {
        throw misuse(`The buckets of ${name} must be finite and ascend.`);
      }
      return declare<Histogram, HistogramState>(
        name,
        {
          kind: 'histogram',
          help,
          labels,
          fresh: () => ({ counts: new Array<number>(bucketsS.length + 1).fill(0), sum: 0 }),
          write: (n, l, s) => writeHistogram(n, l, s, bucketsS),
        },
        (of) => ({
          observe(n, l) {
            if (!Number.isFinite(n)) return;
            const s = of(l);
            const i = bucketsS.findIndex((b) => n <= b);
            const slot = i === -1 ? bucketsS.length : i;
            s.counts[slot] = (s.counts[slot] ?? 0) + 1;
            s.sum += n;
          },
        }),
        (h): h is Histogram => 'observe' in h,
      );
    },
    collect(name, read) {
      checkNames(name, []);
      const reader = { name, read };
      readers.add(reader);
      return () => {
        readers.delete(reader);
      };
    },
    bounds: () => sumByName([...readers].flatMap(readSafely)),
    render() {
      const lines = [...known.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([, k]) => k.lines());
      return `${[...lines, ...boundLines([...readers])].join('\n')}\n`;
    },
  };
}

interface HistogramState {
  readonly counts: number[];
  sum: number;
}

function stateOf<S>(family: Family<S>, labels: Labels | undefined): S {
  // Several per message: the key is put together without lists.
  let wanted = '';
  for (const l of family.labels) wanted += `${labels?.[l] ?? ''}\u0000`;
  const found = family.sets.get(wanted);
  if (found) return found.state;
  const isFull = family.sets.size >= MAX_LABEL_SETS && family.labels.length > 0;
  const values = family.labels.map((l) => (isFull ? OTHER : (labels?.[l] ?? '')));
  const key = values.map((value) => `${value}\u0000`).join('');
  const state = family.sets.get(key)?.state ?? family.fresh();
  family.sets.set(key, { values, state });
  return state;
}

function familyLines<S>(name: string, family: Family<S>): string[] {
  const head = header(name, family.kind, family.help);
  const samples = [...family.sets.values()].flatMap(({ values, state }) => {
    const labels = family.labels.map((l, i) => `${l}="${escapeLabel(values[i] ?? '')}"`).join(',');
    return family.write(name, labels, state);
  });
  // A metric without labels is there from the start, so that a rate can be computed from its first event.
  if (samples.length === 0 && family.labels.length === 0) samples.push(...family.write(name, '', family.fresh()));
  return [...head, ...samples];
}

function writeNumber(name: string, labels: string, state: { readonly n: number }): string[] {
  return [`${name}${braces(labels)} ${shown(state.n)}`];
}

function writeHistogram(name: string, labels: string, state: HistogramState, buckets: readonly number[]): string[] {
  const more = labels === '' ? '' : `${labels},`;
  let total = 0;
  const lines = state.counts.map((count, i) => {
    total += count;
    return `${name}_bucket{${more}le="${shown(buckets[i] ?? Infinity)}"} ${total}`;
  });
  return [...lines, `${name}_sum${braces(labels)} ${shown(state.sum)}`, `${name}_count${braces(labels)} ${total}`];
}

type Reader = { readonly name: string; readonly read: () => readonly BoundStats[] };

function boundLines(readers: readonly Reader[]): string[] {
  const names = [...new Set(readers.map((r) => r.name))].sort();
  return names.flatMap((name) => {
    const sums = sumByName(readers.filter((r) => r.name === name).flatMap(readSafely));
    const part = (suffix: string, kind: Kind, help: string, pick: (s: BoundStats) => number): string[] => [
      ...header(`${name}_${suffix}`, kind, help),
      ...sums.map((s) => `${name}_${suffix}{name="${escapeLabel(s.name)}"} ${shown(pick(s))}`),
    ];
    return [
      ...part('size', 'gauge', 'Items held now.', (s) => s.size),
      ...part('max', 'gauge', 'Most items that can be held.', (s) => s.max),
      ...part('dropped_total', 'counter', 'Items dropped or refused because the bound was reached.', (s) => s.dropped),
    ];
  });
}

function readSafely(r: Reader): readonly BoundStats[] {
  try {
    return r.read();
  } catch {
    // One broken reader must not hide all other metrics.
    return [];
  }
}

function sumByName(all: readonly BoundStats[]): BoundStats[] {
  const sums = new Map<string, BoundStats>();
  for (const s of all) {
    const name = sums.has(s.name) || sums.size < MAX_LABEL_SETS ? s.name : OTHER;
    const old = sums.get(name) ?? { name, size: 0, max: 0, dropped: 0 };
    sums.set(name, { name, size: old.size + s.size, max: old.max + s.max, dropped: old.dropped + s.dropped });
  }
  return [...sums.values()];
}

function header(name: string, kind: Kind, help: string): string[] {
  return [`# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}`, `# TYPE ${name} ${kind}`];
}

const braces = (labels: string): string => (labels === '' ? '' : `{${labels}}`);

function escapeLabel(value: string): string {
  const cut = value.length > 120 ? value.slice(0, 120) : value;
  return cut.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

function shown(n: number): string {
  if (Number.isNaN(n)) return 'NaN';
  if (n === Infinity) return '+Inf';
  return n === -Infinity ? '-Inf' : String(n);
}

function checkNames(name: string, labels: readonly string[]): void {
  if (!NAME.test(name)) throw misuse(`${JSON.stringify(name)} is not a metric name.`);
  const bad = labels.find((l) => !LABEL.test(l) || l === 'le');
  if (bad !== undefined) throw misuse(`${JSON.stringify(bad)} is not a label name for ${name}.`);
}

function misuse(what: string): Error {
  return INTERNAL_ERRORS.fail('internal.permanent', what, { remedy: 'Correct the declaration in the code.' });
}
