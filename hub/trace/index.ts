import type { BoundStats } from '../../core/bounded.ts';
import type { Clock } from '../../core/clock.ts';
import { follow } from './follow.ts';
import { redacted } from './redact.ts';
import { type Kept, Ring, sizeOf } from './ring.ts';
import { Sampler } from './sampler.ts';
import { summaryOf } from './summary.ts';
import type { TraceEntry, TraceFilter, TraceNote, TracePage, TracePort, TraceStage } from './types.ts';

export * from './types.ts';

/** What happens seldom and begins the stories, apart from what stations say all the time, so that both are kept long. */
const SELDOM: readonly TraceStage[] = ['fo', 'service', 'allocate', 'limit', 'record'];
const MB = 1024 * 1024;
const BOUNDS = {
  seldom: { name: 'trace.requests', max: 2_500, maxBytes: 6 * MB },
  busy: { name: 'trace.stations', max: 7_500, maxBytes: 10 * MB },
} as const;
/** An entry by itself takes about this, bytes. */
const ENTRY_BYTES = 200;
/** What is larger is kept by its beginning only. */
const MAX_ENTRY_BYTES = 1 * MB;
/** Payloads that are longer are shown by their beginning, characters. */
const MAX_SHOWN = 32_768;

/**
 * The wire timeline: the newest 10 000 messages in at most 16 MB, decoded only when somebody looks. Noting one costs
 * about a microsecond.
 */
export class Trace implements TracePort {
  readonly #clock: Clock;
  readonly #seldom = new Ring(BOUNDS.seldom);
  readonly #busy = new Ring(BOUNDS.busy);
  readonly #sampler = new Sampler();
  #seq = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  note(note: TraceNote): void {
    const now = this.#clock.now();
    const { series, resourceIds: of, stage } = note;
    const resourceIds = typeof of === 'function' ? of() : (of ?? []);
    if (series !== undefined && !this.#sampler.take(series, now, subjectsOf(note, resourceIds))) return;
    if (note.awaits === true) for (const subject of awaitedBy(note, resourceIds)) this.#sampler.expect(subject);
    const seq = ++this.#seq;
    const seldom = SELDOM.includes(stage);
    // What goes on to a flow may be changed there.
    let text = seldom || note.passedOn === true ? textOf(note.payload) : undefined;
    let bytes = ENTRY_BYTES + (text === undefined ? sizeOf(note.payload) : text.length);
    if (bytes > MAX_ENTRY_BYTES) {
      // What is cut off is no JSON any more, in which secrets could be found.
      const beginning = text === undefined ? '' : textOf(redacted(note.payload)).slice(0, MAX_SHOWN);
      text = textOf({ truncated: true, characters: bytes, beginning });
      bytes = ENTRY_BYTES + text.length;
    }
    const kept: Kept = {
      seq,
      at: now,
      note: text === undefined ? note : { ...note, payload: undefined },
      id: note.id ?? `t:${seq}`,
      resourceIds,
      text,
      bytes,
    };
    (seldom ? this.#seldom : this.#busy).push(kept);
  }

  leavesOut(series: string, subject: string): boolean {
    return this.#sampler.leavesOut(series, this.#clock.now(), subject);
  }

  leavesOutAny(): boolean {
    return this.#sampler.leavesOutAny(this.#clock.now());
  }

  get newestSeq(): number {
    return this.#seq;
  }

  /** Entries after `after`, the oldest first; without it the newest. `limit` ≥ 1. */
  page(filter: TraceFilter, o: { readonly after?: number | undefined; readonly limit: number }): TracePage {
    const page = this.slowPage(filter, o);
    return { ...page, entries: [...page.entries] };
  }

  /** The same page, its entries made while they are taken: a large one would hold up everything else. */
  slowPage(
    filter: TraceFilter,
    { after, limit }: { readonly after?: number | undefined; readonly limit: number },
  ): Omit<TracePage, 'entries'> & { readonly entries: Iterable<TraceEntry> } {
    const found = this.#select(filter, after ?? 0);
    const some = after === undefined ? found.slice(-limit) : found.slice(0, limit);
    const oldest = [this.#seldom.oldest?.seq, this.#busy.oldest?.seq].filter((s) => s !== undefined);
    return {
      entries: entriesOf(some),
      oldestSeq: oldest.length === 0 ? 0 : Math.min(...oldest),
      newestSeq: this.#seq,
      dropped: this.#seldom.stats().dropped + this.#busy.stats().dropped,
      sampled: this.#sampler.left,
    };
  }

  /** All entries that fit, one by one. */
  *export(filter: TraceFilter, after = 0): Generator<TraceEntry, void, undefined> {
    yield* entriesOf(this.#select(filter, after));
  }

  /** How many entries after this number have left the ring already; their numbers, at most. */
  gapAfter(seq: number): number {
    const gaps = [this.#seldom, this.#busy].map((ring) =>
      ring.stats().dropped === 0 ? 0 : (ring.oldest?.seq ?? this.#seq + 1) - seq - 1,
    );
    return Math.max(0, ...gaps);
  }

  stats(): readonly BoundStats[] {
    const { seldom, busy } = BOUNDS;
    const bytes = { name: 'trace.bytes', size: this.bytes, max: seldom.maxBytes + busy.maxBytes, dropped: 0 };
    return [this.#seldom.stats(), this.#busy.stats(), bytes, ...this.#sampler.stats()];
  }

  /** Memory that the entries take about, bytes. */
  get bytes(): number {
    return this.#seldom.bytes + this.#busy.bytes;
  }

  #select(filter: TraceFilter, after: number): readonly Kept[] {
    const { follow: key, stages, peer, resource } = filter;
    const topic = filter.topic?.toLowerCase();
    // A story is told from its beginning, also where only its end is asked for.
    const all = [
      ...merged(
        this.#seldom.from(key === undefined ? after + 1 : 0),
        this.#busy.from(key === undefined ? after + 1 : 0),
      ),
    ];
    return (key === undefined ? all : follow(all, key)).filter(
      (k) =>
        k.seq > after &&
        (stages === undefined || stages.includes(k.note.stage)) &&
        (peer === undefined || k.note.peer === peer) &&
        (resource === undefined || k.resourceIds.includes(resource)) &&
        (topic === undefined || k.note.topic.toLowerCase().includes(topic)),
    );
  }
}

/** Whose samples are waited for: the messages of a station, and the values of its resources. */
const awaitedBy = ({ peer }: TraceNote, resourceIds: readonly string[]): readonly string[] => [
  ...resourceIds.map((id) => `meter ${id}`),
  ...(peer === undefined ? [] : [`ocpp ${peer}`]),
];

/** What a sample answers to; a message that says nothing about a resource is not what is waited for. */
function subjectsOf({ stage, peer }: TraceNote, resourceIds: readonly string[]): readonly string[] {
  if (stage === 'meter') return resourceIds.map((id) => `meter ${id}`);
  return stage === 'ocpp' && peer !== undefined && resourceIds.length > 0 ? [`ocpp ${peer}`] : [];
}

function* merged(a: Generator<Kept, void>, b: Generator<Kept, void>): Generator<Kept, void, undefined> {
  let [x, y] = [a.next(), b.next()];
  while (!x.done || !y.done) {
    if (!x.done && (y.done || x.value.seq < y.value.seq)) {
      yield x.value;
      x = a.next();
    } else if (!y.done) {
      yield y.value;
      y = b.next();
    }
  }
}

function* entriesOf(kept: readonly Kept[]): Generator<TraceEntry, void, undefined> {
  for (const one of kept) yield entryOf(one);
}

function entryOf({ seq, at, note, id, resourceIds, text }: Kept): TraceEntry {
  const payload = redacted(text === undefined ? note.payload : parsed(text));
  const { stage, direction, link, peer, topic, cause, fsrIds = [] } = note;
  const [fsrId] = fsrIds;
  return {
    seq,
    at,
    stage,
    direction,
    ...(link === undefined ? {} : { link }),
    ...(peer === undefined ? {} : { peer }),
    topic,
    id,
    ...(cause === undefined ? {} : { cause }),
    ...(fsrId === undefined ? {} : { fsrId }),
    ...(fsrIds.length > 1 ? { fsrIds } : {}),
    ...(resourceIds.length === 0 ? {} : { resourceIds }),
    summary: summaryOf(topic, payload, note),
    payload: shown(payload),
  };
}

/** Values that JSON has no word for become an empty text. */
function textOf(payload: unknown): string {
  try {
    return JSON.stringify(payload) ?? 'null';
  } catch {
    return 'null';
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function shown(payload: unknown): unknown {
  const text = textOf(payload);
  if (text.length <= MAX_SHOWN) return payload;
  return { truncated: true, characters: text.length, beginning: text.slice(0, MAX_SHOWN) };
}
