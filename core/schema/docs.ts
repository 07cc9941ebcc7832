import type { Message } from '../schema.ts';
import type { Field, Spec, Unit } from './spec.ts';

/** One documented field. Parts of inline objects follow their owner as `owner.part` or `owner[].part`. */
export interface FieldDoc {
  readonly name: string;
  readonly type: string;
  /** `1` required, `?` optional, `*` zero or more, `+` one or more (fo 3). */
  readonly card: '1' | '?' | '*' | '+';
  readonly unit?: string;
  readonly range?: string;
  readonly doc?: string;
}

/** How the name of a field in this unit ends (fo 2.1). */
export const UNIT_SUFFIX: Readonly<Record<Unit, string>> = {
  W: 'W',
  Wh: 'Wh',
  s: 'S',
  '%': 'Pct',
  V: 'V',
  A: 'A',
  Hz: 'Hz',
  var: 'Var',
  VA: 'Va',
  'W/s': 'WPerS',
  'Hz/s': 'HzPerS',
  'Wh/d': 'WhPerDay',
  '1/kWh': 'PerKWh',
};

/** The rows of a message or union. */
export function fieldDocs(spec: Spec): FieldDoc[] {
  if (spec.kind === 'object') return Object.entries(spec.fields).flatMap(([name, f]) => rows(name, f));
  if (spec.kind === 'union') {
    const names = Object.entries(spec.branches).map(([value, b]) => `${value} → ${b.name}`);
    return [{ name: spec.discriminator, type: names.join(' · '), card: '1', doc: 'Chooses the form.' }];
  }
  return [];
}

function rows(name: string, f: Field): FieldDoc[] {
  const { spec } = f;
  const inner = spec.kind === 'list' ? spec.item.spec : spec.kind === 'record' ? spec.value.spec : spec;
  const unit = unitOf(inner);
  const range = rangeOf(spec);
  const own: FieldDoc = {
    name,
    type: typeOf(spec),
    card: cardOf(f),
    ...(unit === undefined ? {} : { unit }),
    ...(range === undefined ? {} : { range }),
    ...(f.doc === undefined ? {} : { doc: f.doc }),
  };
  if (inner.kind !== 'object' || inner.name !== undefined) return [own];
  const step = spec.kind === 'list' ? '[].' : spec.kind === 'record' ? '{}.' : '.';
  return [own, ...Object.entries(inner.fields).flatMap(([k, part]) => rows(`${name}${step}${k}`, part))];
}

function cardOf(f: Field): FieldDoc['card'] {
  if (f.spec.kind === 'list') return !f.optional && f.spec.min > 0 ? '+' : '*';
  return f.optional ? '?' : '1';
}

const unitOf = (spec: Spec): Unit | undefined =>
  spec.kind === 'number' || spec.kind === 'string' ? spec.unit : undefined;

function typeOf(spec: Spec): string {
  switch (spec.kind) {
    case 'string':
      return spec.what.replace(/^an? /, '').replace(/ (?:\(|such as |that matches ).*$/, '');
    case 'number':
      return spec.integer ? 'integer' : 'number';
    case 'oneOf':
      return spec.values.map(String).join(' · ');
    case 'list':
      return `list of ${typeOf(spec.item.spec)}`;
    case 'record':
      return `map of ${typeOf(spec.value.spec)}`;
    case 'object':
      return spec.name ?? 'object';
    case 'union':
      return spec.name;
    case 'sibling':
      return `${[...new Set(Object.values(spec.branches).map((b) => b.name))].join(' · ')} (by ${spec.sibling})`;
    case 'json':
      return spec.object ? 'JSON object' : 'JSON';
    case 'boolean':
      return 'boolean';
  }
}

function rangeOf(spec: Spec): string | undefined {
  switch (spec.kind) {
    case 'number': {
      const low = spec.above === undefined ? (spec.min <= -1e15 ? undefined : `≥ ${big(spec.min)}`) : `> ${spec.above}`;
      const high = spec.max >= 1e15 ? undefined : `≤ ${big(spec.max)}`;
      const both = [low, high].filter((x) => x !== undefined);
      return both.length > 0 ? both.join(', ') : undefined;
    }
    case 'string':
      return spec.pattern === undefined ? `${spec.min}–${spec.max} characters` : undefined;
    case 'list':
      return `${spec.min}–${spec.max} items`;
    case 'record':
      return `≤ ${spec.max} entries`;
    case 'json':
      return `≤ ${spec.maxDepth} levels`;
    default:
      return undefined;
  }
}

/** 1000000000 → 1e9. */
const big = (n: number): string => (Math.abs(n) >= 1e6 ? n.toExponential().replace('+', '') : String(n));

/** The Markdown section of a message: what it is, its fields, its example. */
export function docTable(m: Message<unknown>): string {
  const cell = (s: string | undefined): string => (s ?? '').replaceAll('|', '\\|').replaceAll('\n', ' ');
  const lines = m.fields.map(
    (f) => `| \`${f.name}\` | ${cell(f.type)} | ${f.card} | ${cell(f.unit)} | ${cell(f.range)} | ${cell(f.doc)} |`,
  );
  return [
    `### ${m.name}`,
    '',
    `${m.doc} (${m.clause})`,
    '',
    '| Field | Type | Card. | Unit | Range | Notes |',
    '|---|---|---|---|---|---|',
    ...lines,
    '',
    '```json',
    JSON.stringify(m.example, undefined, 1),
    '```',
    '',
  ].join('\n');
}

/** Longest suffix first, so that `Wh` is not taken for … `h`, nor `WPerS` for `S`. */
const SUFFIXES: readonly (readonly [Unit, string])[] = (Object.entries(UNIT_SUFFIX) as [Unit, string][]).sort(
  (a, b) => b[1].length - a[1].length,
);

/** The unit that a field name promises, if any: `powerW` → W. */
export function unitOfName(name: string): Unit | undefined {
  const hit = SUFFIXES.find(
    ([, s]) => name.length > s.length && name.endsWith(s) && /[a-z0-9]/.test(name.at(-s.length - 1) ?? ''),
  );
  return hit?.[0];
}

/** Names that lack the suffix of their unit, or carry that of another (fo 2.1). Own and inline fields; refs check themselves. */
export function suffixIssues(m: Message<unknown>): string[] {
  return m.spec.kind === 'object'
    ? Object.entries(m.spec.fields).flatMap(([k, f]) => suffixesOf(`${m.name}.${k}`, k, f.spec))
    : [];
}

function suffixesOf(path: string, name: string, spec: Spec): string[] {
  switch (spec.kind) {
    case 'list':
      return suffixesOf(path, name, spec.item.spec);
    case 'record':
      return suffixesOf(path, name, spec.value.spec);
    case 'object':
      return spec.name === undefined
        ? Object.entries(spec.fields).flatMap(([k, f]) => suffixesOf(`${path}.${k}`, k, f.spec))
        : [];
    case 'number':
    case 'string': {
      const promised = unitOfName(name);
      if (spec.unit !== undefined && promised !== spec.unit) {
        return [`${path} is in ${spec.unit}: its name must end in ${UNIT_SUFFIX[spec.unit]}.`];
      }
      if (spec.kind === 'number' && spec.unit === undefined && promised !== undefined) {
        return [`${path} ends in ${UNIT_SUFFIX[promised]}: build it with the builder of ${promised}.`];
      }
      return [];
    }
    default:
      return [];
  }
}
