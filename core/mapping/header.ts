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
  /** Fields of the source that the target cannot carry. */
  readonly lost: readonly string[];
  readonly ref?: string;
}

const KEYS = ['from', 'to', 'variant', 'when', 'lost', 'ref'] as const;
const TOPIC = /^[a-z][a-z0-9.]*\/[A-Za-z][A-Za-z0-9]*$/;

/** Parses the header comment. Throws `mapping.header`. */
export function parseHeader(text: string, path: string): Header {
  const comment = /^\s*\/\*([\s\S]*?)\*\//.exec(text)?.[1];
  if (comment === undefined) throw headerError(path, 'has no header comment');
  const fields = headerFields(comment, path);
  const from = fields.get('from') ?? '';
  const to = names(fields.get('to') ?? '');
  if (!TOPIC.test(from)) throw headerError(path, 'does not say `from: <language>/<Message>`');
  if (to.length === 0 || !to.every((t) => TOPIC.test(t)))
    throw headerError(path, 'does not say `to: <language>/<Message>`');
  const variant = fields.get('variant');
  const when = fields.get('when');
  const ref = fields.get('ref');
  return {
    from,
    to,
    lost: names(fields.get('lost') ?? ''),
    ...(variant === undefined ? {} : { variant }),
    ...(when === undefined ? {} : { when }),
    ...(ref === undefined ? {} : { ref }),
  };
}

function headerFields(comment: string, path: string): Map<string, string> {
  const marks = [...comment.matchAll(new RegExp(`(?<![\\w$"'.])(${KEYS.join('|')}):`, 'g'))];
  const fields = new Map<string, string>();
  marks.forEach((mark, i) => {
    const key = mark[1] ?? '';
    if (fields.has(key)) throw headerError(path, `says \`${key}:\` twice`);
    const end = marks[i + 1]?.index ?? comment.length;
    fields.set(
      key,
      comment
        .slice(mark.index + mark[0].length, end)
        .trim()
        .replace(/\s+/g, ' '),
    );
  });
  return fields;
}

/** `a`, `a, b` or `[a, b]`. */
const names = (list: string): string[] =>
  list
    .replace(/^\[|\]$/g, '')
    .split(',')
    .map((n) => n.trim())
    .filter((n) => n !== '');

const headerError = (path: string, what: string): Error =>
  MAPPING_ERRORS.fail('mapping.header', `The mapping ${path} ${what}.`);

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

/** Holds path and header against each other. Throws `mapping.header`. */
export function checkHeader(at: MappingPath, header: Header, path: string): void {
  const source = at.direction === 'from-hub' ? 'hub' : at.language;
  const target = at.direction === 'from-hub' ? at.language : 'hub';
  if (header.from !== `${source}/${at.message}`) throw headerError(path, `must say \`from: ${source}/${at.message}\``);
  const foreign = header.to.find((t) => !t.startsWith(`${target}/`));
  if (foreign !== undefined) throw headerError(path, `must map to ${target}/…, not to ${foreign}`);
  if (header.variant !== at.variant) {
    throw headerError(
      path,
      at.variant === undefined ? 'names a variant that its file name lacks' : `must say \`variant: ${at.variant}\``,
    );
  }
}
