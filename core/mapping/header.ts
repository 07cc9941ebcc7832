import { nearest } from './analysis/text.ts';
import type { Report } from './diagnostic.ts';
import { MAPPING_ERRORS } from './errors.ts';

/** What the comment at the head of a mapping file says (design 3). */
export interface Header {
  /** Topic of the source, e.g. `hub/PowerCommand`. */
  readonly from: string;
  /** Topics of what the mapping makes, at least one. */
  readonly to: readonly string[];
  readonly variant?: string;
  /** Condition as JSONata over the source payload (`$`) and `$ctx`. */
  readonly when?: string;
  /** Fields of the source that the target cannot carry. `*.name` stands for every field of that name. */
  readonly lost: readonly string[];
  /** Fields of the source that the bridge takes across by other means, e.g. by addressing or in `$ctx`. */
  readonly carried: readonly string[];
  readonly ref?: string;
}

export const HEADER_KEYS = ['from', 'to', 'variant', 'when', 'lost', 'carried', 'ref'] as const;
export type HeaderKey = (typeof HEADER_KEYS)[number];
const TOPIC = /^[a-z][a-z0-9.]*\/[A-Za-z][A-Za-z0-9]*$/;

/** One entry of the header as it stands in the text. */
export interface HeaderField {
  /** As written, with its line breaks. */
  readonly text: string;
  /** Offset of the text. */
  readonly at: number;
}

/** A header with places; incomplete when there are problems. */
export interface HeaderReading {
  readonly header: Omit<Header, 'from'> & { readonly from?: string };
  readonly fields: ReadonlyMap<HeaderKey, HeaderField>;
  readonly when?: HeaderField;
  readonly problems: readonly Report[];
}

/** Reads the header comment as far as it goes. Never throws. */
export function readHeader(text: string): HeaderReading {
  const comment = /^\s*\/\*([\s\S]*?)\*\//.exec(text);
  if (!comment) {
    const none: Report = { code: 'mapping.header', message: 'The file has no header comment.', at: 0 };
    return { header: { to: [], lost: [], carried: [] }, fields: new Map(), problems: [none] };
  }
  const start = comment[0].indexOf('/*') + 2;
  const { fields, problems } = entriesOf(comment[1] ?? '', start);
  const value = (key: HeaderKey): string | undefined => fields.get(key)?.text.replace(/\s+/g, ' ');
  const from = value('from');
  const to = names(value('to') ?? '');
  if (from === undefined || !TOPIC.test(from)) problems.push(missing('from', fields, start));
  if (to.length === 0 || !to.every((t) => TOPIC.test(t))) problems.push(missing('to', fields, start));
  const variant = value('variant');
  const when = value('when');
  const ref = value('ref');
  const condition = fields.get('when');
  return {
    header: {
      ...(from === undefined ? {} : { from }),
      to,
      lost: names(value('lost') ?? ''),
      carried: names(value('carried') ?? ''),
      ...(variant === undefined ? {} : { variant }),
      ...(when === undefined ? {} : { when }),
      ...(ref === undefined ? {} : { ref }),
    },
    fields,
    ...(condition ? { when: condition } : {}),
    problems: problems.sort((a, b) => a.at - b.at),
  };
}

const missing = (key: 'from' | 'to', fields: ReadonlyMap<HeaderKey, HeaderField>, start: number): Report => ({
  code: 'mapping.header',
  message: `The header does not say \`${key}: <language>/<Message>\`.`,
  at: fields.get(key)?.at ?? start,
});

/** Words with a colon begin an entry: known ones anywhere, others at the begin of a line or behind a gap. */
const MARK = new RegExp(
  `(?<![\\w$"'.])(${HEADER_KEYS.join('|')}):|(?<=^\\s*|\\n\\s*|\\s{2,})([A-Za-z]{2,20}):(?=\\s)`,
  'g',
);

function entriesOf(comment: string, start: number): { fields: Map<HeaderKey, HeaderField>; problems: Report[] } {
  const marks = [...comment.matchAll(MARK)];
  // bounded by: the keys of a header
  const fields = new Map<HeaderKey, HeaderField>();
  const problems: Report[] = [];
  marks.forEach((mark, i) => {
    const word = mark[1] ?? mark[2] ?? '';
    const key = HEADER_KEYS.find((k) => k === word);
    const behind = mark.index + mark[0].length;
    const raw = comment.slice(behind, marks[i + 1]?.index ?? comment.length);
    const at = start + behind + (raw.length - raw.trimStart().length);
    if (!key) problems.push(unknownKey(word, start + mark.index));
    else if (fields.has(key)) {
      problems.push({ code: 'mapping.header', message: `The header says \`${key}:\` twice.`, at: start + mark.index });
    } else fields.set(key, { text: raw.trim(), at });
  });
  return { fields, problems };
}

function unknownKey(word: string, at: number): Report {
  const meant = nearest(word, HEADER_KEYS);
  return {
    code: 'mapping.headerKey',
    message: `The header has no entry \`${word}:\`.`,
    at,
    ...(meant === undefined ? {} : { hint: `Is \`${meant}:\` meant?` }),
  };
}

/** Parses the header comment. Throws `mapping.header`. */
export function parseHeader(text: string, path: string): Header {
  const { header, problems } = readHeader(text);
  const worst = problems.find((p) => p.code === 'mapping.header');
  const { from, ...rest } = header;
  if (worst || from === undefined) throw headerError(path, worst?.message ?? 'The header does not say `from:`.');
  return { from, ...rest };
}

/** `a`, `a, b` or `[a, b]`. */
const names = (list: string): string[] =>
  list
    .replace(/^\[|\]$/g, '')
    .split(',')
    .map((n) => n.trim())
    .filter((n) => n !== '');

const headerError = (path: string, what: string): Error => MAPPING_ERRORS.fail('mapping.header', `${path}: ${what}`);

export type Direction = 'from-hub' | 'to-hub';

/** What the path of a mapping file says. */
export interface MappingPath {
  readonly language: string;
  readonly direction: Direction;
  /** Name of the source message. */
  readonly message: string;
  readonly variant?: string;
  /** Only for one station (its identity), or for a vendor, or for a vendor's model. */
  readonly only?: { readonly station: string } | { readonly model: string };
}

const PATH =
  /^(?<language>[a-z][a-z0-9.]*)\/(?<direction>from-hub|to-hub)\/(?<message>[A-Za-z][A-Za-z0-9]*)(?:\.(?<variant>[A-Za-z0-9_-]+))?(?:@(?<only>[^/]+))?\.jsonata$/;

/**
 * Parses `<language>/<direction>/<Message>[.<variant>][@<vendor>[-<model>]|@station=<identity>].jsonata`.
 * Throws `mapping.path`.
 */
export function parsePath(path: string): MappingPath {
  const groups = PATH.exec(path)?.groups;
  if (!groups) throw MAPPING_ERRORS.fail('mapping.path', `${path} is not a place for a mapping file.`);
  const { language = '', direction, message = '', variant, only } = groups;
  return {
    language,
    direction: direction === 'from-hub' ? 'from-hub' : 'to-hub',
    message,
    ...(variant === undefined ? {} : { variant }),
    ...(only === undefined
      ? {}
      : { only: only.startsWith('station=') ? { station: only.slice(8) } : { model: slug(only) } }),
  };
}

/** Vendor and model names as they appear in file names: lower case, anything but letters and digits is one `-`. */
export const slug = (name: string): string =>
  name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');

/** What a header says that its file name does not. */
export function pathProblems(at: MappingPath, { header, fields }: HeaderReading): Report[] {
  const source = at.direction === 'from-hub' ? 'hub' : at.language;
  const target = at.direction === 'from-hub' ? at.language : 'hub';
  const problems: Report[] = [];
  const add = (key: HeaderKey, message: string): void => {
    problems.push({ code: 'mapping.headerPath', message, at: fields.get(key)?.at ?? 0 });
  };
  if (header.from !== undefined && header.from !== `${source}/${at.message}`) {
    add('from', `The file must say \`from: ${source}/${at.message}\`, by its place.`);
  }
  const foreign = header.to.find((t) => !t.startsWith(`${target}/`));
  if (foreign !== undefined) add('to', `The file must map to ${target}/…, by its place, not to ${foreign}.`);
  if (header.variant !== at.variant) {
    add(
      'variant',
      at.variant === undefined
        ? `The header names the variant ${header.variant}, which the file name lacks.`
        : `The file must say \`variant: ${at.variant}\`, by its name.`,
    );
  }
  return problems;
}

/** Holds path and header against each other. Throws `mapping.header`. */
export function checkHeader(at: MappingPath, text: string, path: string): void {
  const [first] = pathProblems(at, readHeader(text));
  if (first) throw headerError(path, first.message);
}
