import type { Report } from '../diagnostic.ts';
import { type Form, itemOf, kindNames, type Literal, listed, type ObjectForm, type Part, unionOf } from './form.ts';
import { fieldHint, nearest, unitOfName } from './text.ts';

/** What becomes of one field of a target. */
export interface Written {
  readonly set: 'always' | 'sometimes';
  readonly from: readonly string[];
  /** What is written, for the fields inside. */
  readonly form: Form;
}

/** A target with its form. */
export interface Target {
  readonly topic: string;
  readonly form: Form;
}

interface Place {
  /** Dotted path of the field; `''`: the message itself. */
  readonly path: string;
  /** Its last name, or that of the message, for sentences. */
  readonly name: string;
  readonly at: number;
}

/** Holds what the mapping makes against the forms of its targets. */
export function checkTargets(result: Form, targets: readonly Target[], at: number): Report[] {
  const reports: Report[] = [];
  const envelope = envelopeOf(result, targets);
  const [only] = targets;
  if (envelope) {
    for (const { topic, payload, topicAt } of envelope) {
      if (topic === undefined) continue;
      const target = targets.find((t) => t.topic === topic);
      if (target) compare(payload, target.form, { path: '', name: nameOf(target), at: payload.at ?? at }, reports);
      else if (targets.some((t) => t.topic !== '')) reports.push(undeclared(topic, topicAt ?? at, targets));
    }
  } else if (only && targets.length === 1) compare(result, only.form, { path: '', name: nameOf(only), at }, reports);
  return reports;
}

interface Made {
  readonly topic: string | undefined;
  readonly topicAt: number | undefined;
  readonly payload: Form;
}

/** `{messages: [{topic, payload}]}`, taken apart; undefined when the result is the payload itself. */
export function envelopeOf(result: Form, targets: readonly Target[]): readonly Made[] | undefined {
  const objects = objectsOf(result).filter((o) => o.names.includes('messages') && o.path === undefined);
  if (objects.length === 0) return undefined;
  if (targets.some((t) => objectsOf(t.form).some((o) => o.names.includes('messages')))) return undefined;
  const messages = objects.map((o) => itemOf(o.field('messages') ?? EMPTY));
  return objectsOf(unionOf(messages)).flatMap((m): Made[] => {
    const topic = m.field('topic');
    const payload = m.field('payload');
    if (!payload) return [];
    const words = topic?.parts.flatMap((p) =>
      p.is === 'simple' && p.words ? p.words.map((w) => [w, p.at] as const) : [],
    );
    if (!words || words.length === 0) return [{ topic: undefined, topicAt: undefined, payload }];
    return words.map(([word, topicAt]) => ({ topic: String(word), topicAt, payload }));
  });
}

const EMPTY: Form = { parts: [], maybe: true, from: [], handed: [] };

export const objectsOf = (f: Form): ObjectForm[] => f.parts.flatMap((p) => (p.is === 'object' ? [p.object] : []));

const nameOf = (t: Target): string => objectsOf(t.form)[0]?.name ?? t.topic.replace(/^.*\//, '');

function undeclared(topic: string, at: number, targets: readonly Target[]): Report {
  const known = targets.map((t) => t.topic);
  const meant = nearest(topic, known);
  return {
    code: 'mapping.undeclaredTopic',
    message: `The mapping makes ${topic}, which the header does not name.`,
    at,
    ...(meant === undefined ? {} : { hint: `Is ${meant} meant? Else add it to \`to:\`.` }),
  };
}

function compare(form: Form, to: Form, place: Place, reports: Report[]): void {
  for (const part of form.parts) comparePart(part, to, { ...place, at: partAt(part) ?? place.at }, reports);
}

const partAt = (p: Part): number | undefined =>
  p.is === 'simple' ? p.at : p.is === 'object' ? p.object.at : undefined;

function comparePart(part: Part, to: Form, place: Place, reports: Report[]): void {
  if (part.is === 'any' || to.parts.length === 0 || to.parts.some((p) => p.is === 'any')) return;
  if (part.is === 'list') compareList(part, to, place, reports);
  else if (part.is === 'object' && objectsOf(to).length > 0) compareObject(part.object, objectsOf(to), place, reports);
  else if (part.is === 'simple' && simpleOf(to, part.kinds) !== undefined) compareWords(part, to, place, reports);
  else reports.push(wrongType(part, to, place));
}

function compareList(part: Extract<Part, { is: 'list' }>, to: Form, place: Place, reports: Report[]): void {
  const list = to.parts.find((p) => p.is === 'list');
  if (part.guess) {
    compare(part.item(), list?.is === 'list' ? list.item() : to, place, reports);
    return;
  }
  if (list?.is === 'list') {
    if (part.loose) {
      reports.push({
        code: 'mapping.listCollapse',
        message: `${place.name} is a list, but with a single item this gives the item itself, and with none nothing.`,
        at: place.at,
      });
    }
    compare(part.item(), list.item(), place, reports);
    return;
  }
  // A sequence of one item is that item.
  reports.push({
    code: part.loose ? 'mapping.listAsValue' : 'mapping.targetType',
    message: part.loose
      ? `${place.name} is one value, but with several items this gives a list.`
      : `${place.name} must be ${expected(to)}, not a list.`,
    at: place.at,
  });
}

/** The words that a simple target allows for these kinds; undefined when it has none of the kinds, empty: any. */
function simpleOf(to: Form, kinds: number): readonly Literal[] | undefined {
  const fitting = to.parts.filter((p) => p.is === 'simple' && (p.kinds & kinds) !== 0);
  if (fitting.length === 0) return undefined;
  return fitting.some((p) => p.is === 'simple' && p.words === undefined)
    ? []
    : fitting.flatMap((p) => (p.is === 'simple' ? (p.words ?? []) : []));
}

function compareWords(part: Extract<Part, { is: 'simple' }>, to: Form, place: Place, reports: Report[]): void {
  const allowed = simpleOf(to, part.kinds) ?? [];
  if (allowed.length === 0) return;
  for (const word of part.words ?? []) {
    if (allowed.includes(word)) continue;
    const meant = typeof word === 'string' ? nearest(word, allowed.map(String)) : undefined;
    reports.push({
      code: 'mapping.targetValue',
      message: `${place.name} cannot be ${JSON.stringify(word)}.`,
      at: place.at,
      hint: meant === undefined ? `Use one of ${listed(allowed)}.` : `Is ${JSON.stringify(meant)} meant?`,
    });
  }
}

function wrongType(part: Part, to: Form, place: Place): Report {
  const got = part.is === 'simple' ? kindNames(part.kinds) : part.is === 'function' ? 'a function' : 'an object';
  const hint =
    part.is === 'function'
      ? 'Call it: write the arguments in parentheses behind it.'
      : to.parts.every((p) => p.is === 'list')
        ? 'Put it into [ … ].'
        : undefined;
  return {
    code: 'mapping.targetType',
    message: `${place.name} must be ${expected(to)}, not ${got}.`,
    at: place.at,
    ...(hint === undefined ? {} : { hint }),
  };
}

function expected(to: Form): string {
  const kinds = to.parts.reduce((bits, p) => (p.is === 'simple' ? bits | p.kinds : bits), 0);
  const others = [
    ...new Set(to.parts.flatMap((p) => (p.is === 'list' ? ['a list'] : p.is === 'object' ? ['an object'] : []))),
  ];
  return [...(kinds === 0 ? [] : [kindNames(kinds)]), ...others].join(' or ');
}

function compareObject(made: ObjectForm, targets: readonly ObjectForm[], place: Place, reports: Report[]): void {
  if (made.path !== undefined && foreign(made, targets, place, reports)) return;
  const owner = targets.find((t) => t.name !== undefined)?.name ?? (place.path === '' ? place.name : 'the target');
  for (const name of made.names) {
    const value = made.field(name);
    const keyAt = made.keys?.get(name) ?? place.at;
    const fields = targets.flatMap((t) => t.field(name) ?? []);
    if (fields.length === 0) {
      if (targets.every((t) => !t.open)) reports.push(unknownField(name, owner, keyAt, targets));
    } else if (value) {
      const path = place.path === '' ? name : `${place.path}.${name}`;
      compare(value, unionOf(fields), { path, name, at: value.at ?? keyAt }, reports);
      compareUnits(name, value, reports);
      const required = targets.every((t) => t.required.includes(name));
      if (required && value.maybe && !collapses(value)) reports.push(optional(name, value, owner, keyAt));
    }
  }
  if (made.open) return;
  const [first] = targets;
  for (const name of first?.required ?? []) {
    if (made.names.includes(name) || !targets.every((t) => t.required.includes(name))) continue;
    reports.push({
      code: 'mapping.targetMissing',
      message: `${owner} requires the field ${name}, which is not written here.`,
      at: place.at,
    });
  }
}

/** An object of the source that is handed on as it is, with fields that the target does not have: one finding. */
function foreign(made: ObjectForm, targets: readonly ObjectForm[], place: Place, reports: Report[]): boolean {
  if (targets.some((t) => t.open)) return false;
  const [first, ...more] = made.names.filter((n) => targets.every((t) => t.field(n) === undefined));
  if (first === undefined) return false;
  const rest = more.length === 0 ? '' : ` nor ${more.length} others`;
  reports.push({
    code: 'mapping.targetUnknown',
    message: `${place.name} has no field ${first}${rest} of what is handed on as a whole.`,
    at: place.at,
    hint: 'Write { … } with the fields that the target has.',
  });
  return true;
}

/** That it may be missing is told with the list. */
const collapses = (value: Form): boolean => value.parts.some((p) => p.is === 'list' && p.loose);

function unknownField(name: string, owner: string, at: number, targets: readonly ObjectForm[]): Report {
  const hint = fieldHint(
    name,
    targets.flatMap((t) => t.names),
  );
  return {
    code: 'mapping.targetUnknown',
    message: `${owner} has no field ${name}.`,
    at,
    ...(hint === undefined ? {} : { hint }),
  };
}

function optional(name: string, value: Form, owner: string, at: number): Report {
  const source = value.from.length === 0 ? '' : ` (${value.from.slice(0, 3).join(', ')})`;
  return {
    code: 'mapping.optionalSource',
    message: `${owner} requires the field ${name}, and what it is made of${source} may be missing.`,
    at: value.at ?? at,
  };
}

function compareUnits(name: string, value: Form, reports: Report[]): void {
  const unit = unitOfName(name);
  if (unit === undefined) return;
  for (const { name: source, at } of value.handed) {
    const other = unitOfName(source);
    if (other === undefined || other === unit) continue;
    reports.push({ code: 'mapping.unit', message: `${name} (${unit}) is fed from ${source} (${other}).`, at });
  }
}
