import { checkedKey, type Gathered, gather, sortBy, type TermCode } from './collections.ts';
import { hits, type Step } from './path.ts';
import { charge, checkRoom, fail, type Marked, type RunState } from './state.ts';
import { isArray, kept, newSequence, put } from './values.ts';

/** One row of a tuple stream: the current item under `@` and the variables bound on the way (`#$i`, `@$v`, parents). */
export type Tuple = Record<string, unknown>;
export type TupleStep = (item: unknown, t: Tuple) => unknown;
/** `plain` is the predicate as it applies to rows that a sort has taken out of their stream (see {@link sortTuples}). */
export type TupleStage =
  | { readonly index: string }
  | { readonly at: number }
  | { readonly test: TupleStep; readonly plain: Step };

interface StepOptions {
  readonly focus?: string;
  readonly index?: string;
  readonly ancestor?: string;
  readonly stages: readonly TupleStage[];
}

/** Nothing is inherited. Objects without any prototype are several times slower. */
const NOTHING: object = Object.freeze(Object.create(null));

function newTuple(from?: object): Tuple {
  const t: Tuple = Object.create(NOTHING);
  return from ? Object.assign(t, from) : t;
}

function newStream(): Marked {
  const out = newSequence();
  out.tupleStream = true;
  return out;
}

/** Items as the start of a tuple stream. */
export function tuplesOf(items: unknown): Marked {
  const out = newStream();
  const list: readonly unknown[] = isArray(items) ? items : items === undefined ? [] : [items];
  for (const item of list) {
    const t = newTuple();
    t['@'] = item;
    out.push(t);
  }
  return out;
}

/** One step over a tuple stream. */
export function tupleStep(s: RunState, stream: Marked, f: TupleStep, o: StepOptions): Marked {
  charge(s, stream.length);
  const out = newStream();
  for (const row of stream as Tuple[]) {
    const r = f(row['@'], row);
    if (r === undefined) continue;
    const results: Marked = isArray(r) ? r : [r];
    charge(s, results.length);
    checkRoom(s, out.length, results.length);
    for (let i = 0; i < results.length; i++) out.push(extended(row, results[i], i, results.tupleStream === true, o));
  }
  return tupleStages(s, out, o.stages);
}

function extended(row: Tuple, item: unknown, index: number, isTuple: boolean, o: StepOptions): Tuple {
  const t = newTuple(row);
  if (isTuple) return Object.assign(t, item);
  if (o.focus === undefined) t['@'] = item;
  else t[o.focus] = item;
  if (o.index !== undefined) t[o.index] = index;
  if (o.ancestor !== undefined) t[o.ancestor] = row['@'];
  return t;
}

/** Predicates and positional bindings behind a step of a tuple stream. */
export function tupleStages(s: RunState, stream: Marked, stages: readonly TupleStage[]): Marked {
  let rows = stream;
  for (const stage of stages) {
    if ('index' in stage) {
      for (let i = 0; i < rows.length; i++) (rows[i] as Tuple)[stage.index] = i;
    } else {
      charge(s, rows.length);
      rows = 'at' in stage ? pick(rows, stage.at) : select(s, rows, stage);
    }
  }
  return rows;
}

const sameKind = (rows: Marked): Marked => (rows.tupleStream ? newStream() : newSequence());

function pick(rows: Marked, at: number): Marked {
  const out = sameKind(rows);
  const row: unknown = rows[at < 0 ? rows.length + at : at];
  if (row !== undefined) out.push(row);
  return out;
}

function select(s: RunState, rows: Marked, stage: { readonly test: TupleStep; readonly plain: Step }): Marked {
  const out = sameKind(rows);
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] as Tuple;
    const r = rows.tupleStream ? stage.test(row['@'], row) : stage.plain(row);
    for (let n = hits(s, r, i, rows.length); n > 0; n--) out.push(row);
  }
  return out;
}

/** Sorted items become a tuple stream that knows their places. */
export function tuplesFromSorted(items: unknown, index: string | undefined): Marked {
  const out = tuplesOf(items);
  if (index !== undefined) for (let i = 0; i < out.length; i++) (out[i] as Tuple)[index] = i;
  return out;
}

/**
 * Sorts rows. As in the interpreter, two or more sorted rows are a stream no longer: predicates and grouping right
 * behind the sort see the rows themselves as context.
 */
export function sortTuples(
  s: RunState,
  rows: Marked,
  terms: readonly (readonly [key: TupleStep, descending: boolean])[],
  position: number,
): Marked {
  const code = terms.map(([f, down]): TermCode => [(row) => f((row as Tuple)['@'], row as Tuple), down]);
  return rows.length <= 1 ? rows : (sortBy(s, rows, code, position) as Marked);
}

/** The items of a stream at the end of a path. */
export function itemsOf(stream: Marked): Marked {
  const out = newSequence();
  for (const row of stream as Tuple[]) out.push(row['@']);
  return out;
}

export type TuplePair = readonly [key: string | TupleStep, value: TupleStep];

/** Group-by over a tuple stream: the variables of a group are appended like its items. */
export function groupTuples(s: RunState, stream: Marked, pairs: readonly TuplePair[], position: number): unknown {
  charge(s, stream.length * pairs.length);
  const groups: Record<string, { rows: Tuple[]; pair: number }> = Object.create(null);
  for (const row of stream as Tuple[]) {
    for (let p = 0; p < pairs.length; p++) {
      const code = pairs[p]?.[0];
      const key = checkedKey(typeof code === 'function' ? code(row['@'], row) : code, position);
      if (key === undefined) continue;
      const entry = groups[key];
      if (!entry) groups[key] = { rows: [row], pair: p };
      else if (entry.pair !== p) fail('D1009', position, { value: key });
      else entry.rows.push(row);
    }
  }
  const out = {};
  for (const key of Object.keys(groups)) {
    const entry = groups[key];
    if (!entry) continue;
    const merged = reduceRows(s, entry.rows);
    const value = pairs[entry.pair]?.[1](merged['@'], merged);
    if (value !== undefined) put(out, key, kept(s, value));
  }
  return out;
}

function reduceRows(s: RunState, rows: readonly Tuple[]): Tuple {
  const values: Record<string, Gathered> = Object.create(null);
  for (const row of rows) {
    for (const name of Object.keys(row)) {
      values[name] ??= { data: undefined };
      gather(s, values[name], row[name]);
    }
  }
  const merged = newTuple();
  for (const name of Object.keys(values)) merged[name] = values[name]?.data;
  return merged;
}
