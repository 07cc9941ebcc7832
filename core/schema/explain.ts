import type { Issue } from '../errors.ts';
import { ID_PATTERN } from '../ids.ts';
import { isSecretKey } from '../redact.ts';
import type { Branch, Field, Fields, ObjectSpec, Spec } from './spec.ts';

const MAX_ISSUES = 50;
/** More than a message of 256 KiB can hold (fo 4.2); its size is what bounds a value. */
const MAX_JSON_PARTS = 150_000;
const ID = new RegExp(ID_PATTERN);

/** Appends one JSON pointer step (RFC 6901). */
export const at = (path: string, key: string | number): string =>
  `${path}/${String(key).slice(0, 64).replaceAll('~', '~0').replaceAll('/', '~1')}`;

const invalid = (path: string, message: string): Issue => ({ path, code: 'schema.invalid', message });

/** What is wrong with the form of `value`, at most 50 findings, empty when nothing is. */
export function explain(spec: Spec, value: unknown, path = '', name = 'the message'): Issue[] {
  const out: Issue[] = [];
  walk({ out, path, name, value, parent: undefined }, spec);
  return out.slice(0, MAX_ISSUES);
}

interface Place {
  readonly out: Issue[];
  readonly path: string;
  /** How the field is called in sentences. */
  readonly name: string;
  readonly value: unknown;
  readonly parent: unknown;
}

function walk(p: Place, spec: Spec): void {
  if (p.out.length >= MAX_ISSUES) return;
  const problem = problemOf(p, spec);
  if (problem === undefined) return;
  // Findings go to peers and logs: they must not quote a secret.
  const secret = typeof p.value === 'string' && isSecretKey(p.name);
  p.out.push(
    invalid(p.path, `${p.name} ${secret ? 'does not have the declared form (its value is not shown).' : problem}`),
  );
}

/** What is wrong at this place; findings inside it are pushed. */
function problemOf(p: Place, spec: Spec): string | undefined {
  const { value } = p;
  switch (spec.kind) {
    case 'string':
      return stringProblem(spec, value);
    case 'number':
      return numberProblem(spec, value);
    case 'boolean':
      return typeof value === 'boolean' ? undefined : `must be true or false, got ${kindOf(value)}.`;
    case 'oneOf':
      return spec.values.some((v) => v === value) ? undefined : `must be ${words(spec.values)}, got ${brief(value)}.`;
    case 'list':
      return explainList(p, spec);
    case 'object':
      if (!isObject(value)) return noObject(value);
      explainObject(p, spec, value);
      return undefined;
    case 'record':
      return explainRecord(p, spec);
    case 'union':
      if (!isObject(value)) return noObject(value);
      explainBranch(p, spec.branches, spec.discriminator, value[spec.discriminator]);
      return undefined;
    case 'sibling': {
      if (!isObject(value)) return noObject(value);
      const chosen = isObject(p.parent) ? p.parent[spec.sibling] : undefined;
      // A wrong or missing choice is reported at the sibling.
      const known = typeof chosen === 'string' && Object.hasOwn(spec.branches, chosen);
      if (known) explainBranch(p, spec.branches, spec.sibling, chosen);
      return undefined;
    }
    case 'json':
      if (spec.object && !isObject(value)) return noObject(value);
      return jsonProblem(value, spec.maxDepth, { parts: 0 });
  }
}

function stringProblem(spec: Spec & { kind: 'string' }, value: unknown): string | undefined {
  if (typeof value !== 'string') return `must be ${spec.what}, got ${kindOf(value)}.`;
  // Counted in code points, as JSON Schema does, but never over more than could still fit.
  const head = value.slice(0, 2 * spec.max + 2);
  const length = [...head].length;
  if (spec.pattern !== undefined && !new RegExp(spec.pattern, 'u').test(head))
    return `must be ${spec.what}, got ${brief(value)}.`;
  if (length > spec.max) return `must be ${spec.what}: it has more than ${spec.max} characters.`;
  if (length < spec.min) return `must be ${spec.what}: it has ${length} of at least ${spec.min} characters.`;
  return undefined;
}

function numberProblem(spec: Spec & { kind: 'number' }, value: unknown): string | undefined {
  if (typeof value !== 'number' || !Number.isFinite(value)) return `must be ${numberName(spec)}, got ${kindOf(value)}.`;
  if (spec.integer && !Number.isInteger(value)) return `must be ${numberName(spec)}, got ${value}.`;
  if (spec.above !== undefined && value <= spec.above) return `must be above ${spec.above}, got ${value}.`;
  if (value < spec.min) return `must be at least ${spec.min}, got ${value}.`;
  if (value > spec.max) return `must be at most ${spec.max}, got ${value}.`;
  return undefined;
}

const numberName = (spec: Spec & { kind: 'number' }): string =>
  `a ${spec.integer ? 'whole ' : ''}number${spec.unit === undefined ? '' : ` (${spec.unit})`}`;

const noObject = (value: unknown): string => `must be an object, got ${kindOf(value)}.`;

function explainList(p: Place, spec: Spec & { kind: 'list' }): string | undefined {
  if (!Array.isArray(p.value)) return `must be a list, got ${kindOf(p.value)}.`;
  if (p.value.length < spec.min) return `needs at least ${spec.min} item(s), got ${p.value.length}.`;
  if (p.value.length > spec.max) return `may have at most ${spec.max} items, got ${p.value.length}.`;
  for (let i = 0; i < p.value.length && p.out.length < MAX_ISSUES; i++) {
    const value: unknown = p.value[i];
    walk({ out: p.out, path: at(p.path, i), name: `${p.name}[${i}]`, value, parent: p.value }, spec.item.spec);
  }
  return undefined;
}

function explainObject(p: Place, spec: ObjectSpec, value: Record<string, unknown>): void {
  for (const [key, field] of Object.entries(spec.fields)) {
    const has = Object.hasOwn(value, key) && value[key] !== undefined;
    if (has) walk({ out: p.out, path: at(p.path, key), name: key, value: value[key], parent: value }, field.spec);
    else if (!field.optional) p.out.push(invalid(at(p.path, key), `${key} is missing${expected(field)}.`));
  }
  if (spec.open) return;
  for (const key of Object.getOwnPropertyNames(value)) {
    if (p.out.length >= MAX_ISSUES) return;
    if (!Object.hasOwn(spec.fields, key))
      p.out.push(invalid(at(p.path, key), unknownField(key, p.name, spec.fields, value)));
  }
}

function unknownField(key: string, owner: string, fields: Fields, value: Record<string, unknown>): string {
  const near = nearest(
    key,
    Object.keys(fields).filter((k) => !Object.hasOwn(value, k)),
  );
  const hint = near === undefined ? 'Remove it' : `Did you mean ${near}`;
  return `${brief(key)} is not a field of ${owner}. ${hint}${near === undefined ? '.' : '?'}`;
}

function explainRecord(p: Place, spec: Spec & { kind: 'record' }): string | undefined {
  if (!isObject(p.value)) return `must be an object of named values, got ${kindOf(p.value)}.`;
  const keys = Object.getOwnPropertyNames(p.value);
  if (keys.length > spec.max) return `may have at most ${spec.max} entries, got ${keys.length}.`;
  for (const key of keys) {
    if (p.out.length >= MAX_ISSUES) break;
    const path = at(p.path, key);
    const name = `${p.name}.${key.slice(0, 64)}`;
    if (ID.test(key)) walk({ out: p.out, path, name, value: p.value[key], parent: p.value }, spec.value.spec);
    else p.out.push(invalid(path, `The name ${brief(key)} must be an id (1–64 of A–Z a–z 0–9 . _ : -).`));
  }
  return undefined;
}

/** Speaks about the branch that `choice` names only, or about the choice itself. */
function explainBranch(p: Place, branches: Readonly<Record<string, Branch>>, field: string, choice: unknown): void {
  const branch = typeof choice === 'string' && Object.hasOwn(branches, choice) ? branches[choice] : undefined;
  if (branch) {
    walk({ ...p, name: p.path === '' ? branch.name : p.name }, branch.spec);
    return;
  }
  const known = words(Object.keys(branches));
  const got = choice === undefined ? `is missing: it must be ${known}` : `must be ${known}, got ${brief(choice)}`;
  p.out.push(invalid(at(p.path, field), `${field} ${got}.`));
}

function jsonProblem(value: unknown, depthLeft: number, count: { parts: number }): string | undefined {
  if (++count.parts > MAX_JSON_PARTS) return `has more than ${MAX_JSON_PARTS} parts.`;
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return undefined;
  if (typeof value === 'number' && Number.isFinite(value)) return undefined;
  if (!Array.isArray(value) && !isObject(value)) return `must be JSON, but holds ${kindOf(value)}.`;
  if (depthLeft <= 0) return 'is nested too deep.';
  for (const x of Array.isArray(value) ? value : Object.values(value)) {
    const problem = jsonProblem(x, depthLeft - 1, count);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

const isObject = (x: unknown): x is Record<string, unknown> => typeof x === 'object' && x !== null && !Array.isArray(x);

function kindOf(x: unknown): string {
  if (x === null) return 'null (leave the field out instead)';
  if (Array.isArray(x)) return 'a list';
  if (typeof x === 'number') return Number.isFinite(x) ? `the number ${x}` : String(x);
  if (typeof x === 'string') return 'a text';
  return typeof x === 'object' ? 'an object' : String(typeof x);
}

function brief(x: unknown): string {
  if (typeof x !== 'string') return typeof x === 'number' || typeof x === 'boolean' ? String(x) : kindOf(x);
  return JSON.stringify(x.length > 40 ? `${x.slice(0, 40)}…` : x);
}

function words(values: readonly unknown[]): string {
  const all = values.map((v) => JSON.stringify(v));
  if (all.length <= 1) return all[0] ?? 'nothing';
  return `one of ${all.slice(0, 40).join(', ')}`;
}

function expected(field: Field): string {
  const { spec } = field;
  if (spec.kind === 'string') return `: it must be ${spec.what}`;
  if (spec.kind === 'number') return `: it must be ${numberName(spec)}`;
  if (spec.kind === 'oneOf') return `: it must be ${words(spec.values)}`;
  return '';
}

/** The known name that the writer most likely meant, if any. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const lower = name.slice(0, 64).toLowerCase();
  let best: string | undefined;
  let bestCost = Math.max(2, Math.floor(lower.length / 3)) + 1;
  for (const k of known) {
    const other = k.toLowerCase();
    const cost =
      other === lower
        ? 0
        : lower.length >= 3 && (other.startsWith(lower) || lower.startsWith(other))
          ? 1
          : distance(lower, other);
    if (cost < bestCost) {
      best = k;
      bestCost = cost;
    }
  }
  return best;
}

/** Levenshtein distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replace = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replace, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
