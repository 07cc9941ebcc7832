import type { ArrayNode, Node, Pair } from '../ast.ts';
import { isForbidden } from '../runtime/values.ts';
import { genNode, stepFn } from './node.ts';
import { type Emit, emit, literal, T } from './program.ts';
import { noteGroupBinds, noteRaces } from './races.ts';
import type { Cx } from './scope.ts';

export function genArray(node: ArrayNode, cx: Cx): Emit {
  noteRaces(node.expressions, cx);
  const items = node.expressions.map((e) => ({
    e: genNode(e, cx),
    nested: e.type === 'unary' && e.value === '[' && !e.predicate && !e.group,
  }));
  const single = items.every(({ e, nested }) => nested || (e.t & (T.arr | T.undef)) === 0);
  const code = single ? `[${items.map(({ e }) => e.code).join(',')}]` : pushing(items, cx);
  return node.consarray ? emit(`${cx.p.r('cons')}(S,${code})`, T.arr, true) : emit(code, T.arr, true);
}

function pushing(items: readonly { readonly e: Emit; readonly nested: boolean }[], cx: Cx): string {
  const out = cx.p.id('t');
  cx.fn.lets.push(out);
  const parts = items.map(({ e, nested }) =>
    nested ? `${out}.push(${e.code})` : `${cx.p.r('addItem')}(S,${out},${e.code})`,
  );
  return `(${[`${out}=[]`, ...parts, out].join(',')})`;
}

/** Object constructor in the context of `cx`. */
export function genObject(pairs: readonly Pair[], cx: Cx, position: number): Emit {
  noteRaces(
    pairs.map(([, value]) => value),
    cx,
  );
  const keys = constantKeys(pairs);
  if (!cx.plain || !keys) return emit(`${cx.p.r('group')}(S,${cx.x},${pairList(pairs, cx)},${position})`, T.obj);
  // As everywhere in JavaScript, keys that look like an array index come first and in their order.
  const rows = pairs.map(([, value], i) => ({ key: keys[i] ?? '', value }));
  const ordered = [
    ...rows.filter((r) => isIndex(r.key)).sort((a, b) => Number(a.key) - Number(b.key)),
    ...rows.filter((r) => !isIndex(r.key)),
  ].map((r) => ({ key: literal(r.key), e: genNode(r.value, cx) }));
  return emit(objectCode(ordered, cx), T.obj);
}

function objectCode(rows: readonly { readonly key: string; readonly e: Emit }[], cx: Cx): string {
  const sure = rows.findIndex(({ e }) => e.t & T.undef);
  const head = (sure < 0 ? rows : rows.slice(0, sure)).map(({ key, e }) => `${key}:${keptCode(e, cx)}`);
  if (sure < 0) return `{${head.join(',')}}`.replace(/^(.*)$/s, '($1)');
  const o = cx.p.id('t');
  const t = cx.p.id('t');
  cx.fn.lets.push(o, t);
  const rest = rows.slice(sure).map(({ key, e }) => {
    if (!(e.t & T.undef)) return `${o}[${key}]=${keptCode(e, cx)}`;
    const value = e.t & T.arr ? `${cx.p.r('kept')}(S,${t})` : t;
    return `(${t}=${e.code})!==undefined&&(${o}[${key}]=${value})`;
  });
  return `(${o}={${head.join(',')}},${rest.join(',')},${o})`;
}

const keptCode = (e: Emit, cx: Cx): string => (e.t & T.arr ? `${cx.p.r('kept')}(S,${e.code})` : e.code);

const isIndex = (key: string): boolean => /^(0|[1-9]\d{0,9})$/.test(key) && Number(key) < 2 ** 32 - 1;

/** The keys of a constructor when all are plain, different and allowed texts. */
function constantKeys(pairs: readonly Pair[]): string[] | undefined {
  const keys = new Set<string>();
  for (const [key] of pairs) {
    if (key.type !== 'string' || typeof key.value !== 'string' || key.predicate || key.group) return undefined;
    if (isForbidden(key.value) || key.value.startsWith('_jsonata_') || keys.has(key.value)) return undefined;
    keys.add(key.value);
  }
  return [...keys];
}

/** The pairs of a constructor or group-by as functions of the grouped items. */
export function pairList(pairs: readonly Pair[], cx: Cx): string {
  if (!constantKeys(pairs)) noteGroupBinds(pairs, cx);
  noteRaces(
    pairs.map(([, value]) => value),
    cx,
  );
  return `[${pairs.map(([key, value]) => `[${keyCode(key, cx)},${stepFn(value, cx)}]`).join(',')}]`;
}

export function keyCode(key: Node, cx: Cx): string {
  const constant = key.type === 'string' && typeof key.value === 'string' && !key.predicate && !key.group;
  return constant ? literal(String(key.value)) : stepFn(key, cx);
}
