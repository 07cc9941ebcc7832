import { describe } from './analysis/describe.ts';
import type { Schemas } from './analysis/description.ts';
import { type Form, hasList, itemOf, KIND, listed, simpleKinds, wordsOf } from './analysis/form.ts';
import { toForm } from './analysis/schema.ts';
import { objectsOf } from './analysis/targets.ts';
import { MAPPING_ERRORS } from './errors.ts';
import { compile } from './index.ts';
import { sampleOf } from './sample.ts';

export interface SkeletonOptions {
  /** Source topic, e.g. `hub/PowerCommand`. */
  readonly from: string;
  /** Target topics; with several the mapping makes `{messages: […]}`. */
  readonly to: readonly string[];
  readonly variant?: string;
  readonly schemas: Schemas;
}

/** A mapping to begin with. */
export interface Skeleton {
  /** Where the file belongs, relative to a mapping folder. */
  readonly path: string;
  readonly text: string;
  /** Content of the `.examples.json` beside it. */
  readonly examples: string;
}

/** A field of source or context that may feed a target. */
interface Candidate {
  readonly path: string;
  readonly name: string;
  readonly form: Form;
}

/**
 * A mapping that compiles and writes every required field of its targets: from a field of the same name where source or
 * context has one, else a constant of the right type with a comment. Throws `mapping.header` for topics that are not known.
 */
export function skeleton(o: SkeletonOptions): Skeleton {
  const source = formOf(o.schemas, o.from, '');
  const context = toForm(o.schemas.context, '$ctx');
  const candidates = [...leaves(source, ''), ...(context ? leaves(context, '$ctx') : [])];
  const bodies = o.to.map(
    (topic) => [topic, objectText(formOf(o.schemas, topic), candidates, o.to.length > 1 ? 3 : 0)] as const,
  );
  const [only] = bodies;
  const body = only && bodies.length === 1 ? only[1] : envelope(bodies);
  const head = (lost: readonly string[]): string =>
    `/* from: ${o.from}   to: ${o.to.length > 1 ? `[${o.to.join(', ')}]` : o.to.join('')}${o.variant === undefined ? '' : `   variant: ${o.variant}`}${lostText(lost)} */\n`;
  const { lost } = describe({ source: `${head([])}${body}` }, o.schemas);
  const text = `${head(lost.unread)}${body}\n`;
  return { path: pathOf(o), text, examples: examplesText(text, o) };
}

function formOf(schemas: Schemas, topic: string, path?: string): Form {
  const form = toForm(schemas.message(topic), path);
  if (!form) {
    throw MAPPING_ERRORS.fail('mapping.header', `There is no message ${topic}.`, {
      remedy: 'Name a message as <language>/<Message>, e.g. hub/PowerCommand or ocpp2.1/SetChargingProfileRequest.',
    });
  }
  return form;
}

function lostText(lost: readonly string[]): string {
  if (lost.length === 0) return '';
  const lines = [''];
  for (const [i, name] of lost.entries()) {
    const piece = i < lost.length - 1 ? `${name}, ` : name;
    if ((lines.at(-1) ?? '').length + piece.length > 100) lines.push('');
    lines.push(`${lines.pop() ?? ''}${piece}`);
  }
  return `\n   lost: [${lines.map((l) => l.trimEnd()).join('\n          ')}]`;
}

const MAX_DEPTH = 8;

/** Fields outside of lists that have a simple value, and lists as such. */
function leaves(form: Form, prefix: string, depth = 0): Candidate[] {
  return objectsOf(form).flatMap((o) =>
    o.names.flatMap((name): Candidate[] => {
      const field = o.field(name);
      if (!field || depth > MAX_DEPTH) return [];
      const path = prefix === '' ? name : `${prefix}.${name}`;
      const inside = hasList(field) ? [] : leaves(field, path, depth + 1);
      return inside.length > 0 ? inside : [{ path, name, form: field }];
    }),
  );
}

function envelope(bodies: readonly (readonly [string, string])[]): string {
  const items = bodies.map(
    ([topic, body]) => `    {\n      "topic": '${topic}',\n      "payload": ${body.trimStart()}\n    }`,
  );
  return `{\n  "messages": [\n${items.join(',\n')}\n  ]\n}`;
}

function objectText(form: Form, candidates: readonly Candidate[], indent: number): string {
  const pad = '  '.repeat(indent);
  const [object] = objectsOf(itemOf(form));
  if (!object) return '{}';
  const lines = object.names.flatMap((name): { readonly code: string; readonly note: string }[] => {
    const field = object.field(name);
    if (!field) return [];
    const required = object.required.includes(name);
    const value = valueText(name, field, required, candidates, indent + 1);
    return value === undefined ? [] : [{ code: `${pad}  "${name}": ${value.code}`, note: value.note }];
  });
  if (lines.length === 0) return '{}';
  const text = lines.map(
    ({ code, note }, i) => `${code}${i < lines.length - 1 ? ',' : ''}${note === '' ? '' : ` /* ${note} */`}`,
  );
  return `{\n${text.join('\n')}\n${pad}}`;
}

/** What feeds a field; undefined: an optional field that nothing feeds. */
function valueText(
  name: string,
  to: Form,
  required: boolean,
  candidates: readonly Candidate[],
  indent: number,
): { readonly code: string; readonly note: string } | undefined {
  const same = candidates.find((c) => c.name === name && fits(c.form, to));
  if (same && !(required && same.form.maybe)) return { code: same.path, note: '' };
  if (!required) return same && { code: same.path, note: '' };
  const { code, note } = constantText(to, candidates, indent);
  return same ? { code: `$exists(${same.path}) ? ${same.path} : ${code}`, note } : { code, note };
}

/** Both are simple values of one kind, and no word comes that the target does not know. */
function fits(from: Form, to: Form): boolean {
  const [a, b] = [simpleKinds(from), simpleKinds(to)];
  if (a === undefined || b === undefined || (a & b) === 0) return false;
  const [words, allowed] = [wordsOf(from), wordsOf(to)];
  return allowed === undefined || words?.every((w) => allowed.includes(w)) === true;
}

function constantText(to: Form, candidates: readonly Candidate[], indent: number): { code: string; note: string } {
  if (hasList(to)) {
    const { code, note } = constantText(itemOf(to), candidates, indent);
    return { code: `[${code}]`, note };
  }
  if (objectsOf(to).length > 0) return { code: objectText(to, candidates, indent), note: '' };
  const words = wordsOf(to);
  const [word] = words ?? [];
  if (words && word !== undefined) {
    const code = typeof word === 'string' ? `'${word}'` : JSON.stringify(word);
    return { code, note: words.length > 1 ? `one of ${listed(words)}` : '' };
  }
  const kinds = simpleKinds(to) ?? 0;
  if (kinds & KIND.number) return { code: '0', note: 'a number' };
  if (kinds & KIND.text) return { code: `'?'`, note: 'a text' };
  return kinds & KIND.boolean ? { code: 'false', note: 'a boolean' } : { code: 'null', note: 'anything' };
}

function pathOf({ from, to, variant }: SkeletonOptions): string {
  const [language = '', message = ''] = from.split('/');
  const [target = ''] = (to[0] ?? '').split('/');
  const folder = language === 'hub' ? `${target}/from-hub` : `${language}/to-hub`;
  return `${folder}/${message}${variant === undefined ? '' : `.${variant}`}.jsonata`;
}

/** One example: a sample of the source and what the mapping makes of it now. */
function examplesText(text: string, o: SkeletonOptions): string {
  const input = sampleOf(o.schemas.message(o.from));
  const ctx = sampleOf(o.schemas.context);
  const { mapping } = compile(text);
  const example = {
    name: 'a sample to be replaced by a real message',
    ctx: ctx ?? {},
    input,
    output: mapping?.run(input, ctx),
  };
  return `${JSON.stringify({ examples: [example] }, null, 2)}\n`;
}
