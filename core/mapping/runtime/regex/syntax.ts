/** A parsed regular expression, as far as its matching must be understood; single characters stay native. */
export type Re =
  /** Consumes one character. `ascii`: it never matches beyond ASCII. */
  | { readonly kind: 'char'; readonly test: RegExp; readonly ascii: boolean }
  /** `^`, `$`, `\b`, `\B`. */
  | { readonly kind: 'place'; readonly test: RegExp; readonly start: boolean }
  | { readonly kind: 'seq'; readonly items: readonly Re[] }
  | { readonly kind: 'alt'; readonly options: readonly Re[] }
  | {
      readonly kind: 'loop';
      readonly body: Re;
      readonly min: number;
      readonly max: number;
      readonly lazy: boolean;
      /** Capture groups inside, from (inclusive) to (exclusive): every iteration starts without them. */
      readonly from: number;
      readonly to: number;
    }
  | { readonly kind: 'group'; readonly body: Re; readonly index: number }
  | { readonly kind: 'look'; readonly body: Re; readonly ahead: boolean; readonly negative: boolean }
  | { readonly kind: 'ref'; readonly groups: readonly number[]; readonly ignoreCase: boolean };

export interface Syntax {
  readonly root: Re;
  /** Capture groups, the whole match not counted. */
  readonly groups: number;
}

interface Flags {
  readonly i: boolean;
  readonly m: boolean;
  readonly s: boolean;
}

const HEX = '[0-9A-Fa-f]';
const ESCAPE = new RegExp(`^\\\\(?:x${HEX}{2}|u${HEX}{4}|c[A-Za-z]|[0-3][0-7]{0,2}|[4-7][0-7]?|[\\s\\S])`);
const QUANTIFIER = /^(?:[*+?]|\{(\d+)(,(\d*))?\})(\??)/;
const NAME = /^<([^>]+)>/;
const MODIFIERS = /^\?([ims]*)(?:-([ims]*))?:/;

/** Groups inside each other that are followed. */
const MAX_NESTING = 200;

/** Parses a pattern that `RegExp` accepts (without the flags u and v). Undefined for what is not understood. */
export function parseRegex(source: string, flags: string): Syntax | undefined {
  const parser = new Parser(source);
  const root = parser.alternatives({ i: flags.includes('i'), m: flags.includes('m'), s: flags.includes('s') });
  return parser.at === source.length && root ? { root, groups: parser.total } : undefined;
}

class Parser {
  at = 0;
  readonly total: number;
  private readonly source: string;
  private readonly names = new Map<string, number[]>();
  private groups = 0;
  private depth = 0;

  constructor(source: string) {
    this.source = source;
    this.total = this.countGroups();
  }

  /** Groups count before they are closed: references may point ahead. */
  private countGroups(): number {
    let count = 0;
    let inClass = false;
    for (let i = 0; i < this.source.length; i++) {
      const c = this.source.charAt(i);
      if (c === '\\') i++;
      else if (inClass) inClass = c !== ']';
      else if (c === '[') inClass = true;
      else if (c === '(') {
        const rest = this.source.slice(i + 1);
        const name = rest.startsWith('?') ? NAME.exec(rest.slice(1))?.[1] : undefined;
        if (name !== undefined && (name.startsWith('=') || name.startsWith('!'))) continue;
        if (rest.startsWith('?') && name === undefined) continue;
        count++;
        if (name !== undefined) this.names.set(name, [...(this.names.get(name) ?? []), count]);
      }
    }
    return count;
  }

  alternatives(flags: Flags): Re | undefined {
    const options: Re[] = [];
    do {
      const option = this.sequence(flags);
      if (!option) return undefined;
      options.push(option);
    } while (this.take('|'));
    const [first] = options;
    return options.length === 1 ? first : { kind: 'alt', options };
  }

  private sequence(flags: Flags): Re | undefined {
    const items: Re[] = [];
    while (this.at < this.source.length && !'|)'.includes(this.source.charAt(this.at))) {
      const from = this.groups + 1;
      const atom = this.atom(flags);
      if (!atom) return undefined;
      items.push(this.quantified(atom, from));
    }
    return { kind: 'seq', items };
  }

  private quantified(body: Re, from: number): Re {
    const m = QUANTIFIER.exec(this.source.slice(this.at, this.at + 40));
    if (!m) return body;
    this.at += m[0].length;
    const sign = m[0].charAt(0);
    const low = sign === '{' ? Number(m[1]) : sign === '+' ? 1 : 0;
    const high = sign === '?' ? 1 : sign !== '{' || m[3] === '' ? Number.POSITIVE_INFINITY : Number(m[3] ?? m[1]);
    return { kind: 'loop', body, min: low, max: high, lazy: m[4] === '?', from, to: this.groups + 1 };
  }

  private atom(flags: Flags): Re | undefined {
    const c = this.source.charAt(this.at);
    if (c === '(') return this.group(flags);
    if (c === '\\') return this.escape(flags);
    if (c === '^' || c === '$') return this.place(c, flags);
    if (c === '[') return this.charClass(flags);
    this.at++;
    if (c === '.') return char('.', flags, false);
    return char(`\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`, flags, c < '\u0080');
  }

  private place(source: string, flags: Flags): Re {
    this.at += source.length;
    return { kind: 'place', test: native(source, flags), start: source === '^' && !flags.m };
  }

  private charClass(flags: Flags): Re | undefined {
    let end = this.at + 1;
    while (end < this.source.length && this.source.charAt(end) !== ']') end += this.source.charAt(end) === '\\' ? 2 : 1;
    const text = this.source.slice(this.at, end + 1);
    this.at = end + 1;
    const ascii =
      !text.startsWith('[^') && !/\\[^\w]|\\[sSDWuxc0-9]|[^\0-\x7f]/.test(text.replace(/\\[\]\-.\\/[^$]/g, ''));
    return char(text, flags, ascii);
  }

  private escape(flags: Flags): Re | undefined {
    const rest = this.source.slice(this.at, this.at + 80);
    if (/^\\[bB]/.test(rest)) return this.place(rest.slice(0, 2), flags);
    const number = /^\\([1-9]\d*)/.exec(rest);
    if (number && Number(number[1]) <= this.total) {
      this.at += number[0].length;
      return { kind: 'ref', groups: [Number(number[1])], ignoreCase: flags.i };
    }
    const name = this.names.size > 0 && rest.startsWith('\\k') ? NAME.exec(rest.slice(2)) : null;
    if (name) {
      this.at += 2 + name[0].length;
      return { kind: 'ref', groups: this.names.get(name[1] ?? '') ?? [], ignoreCase: flags.i };
    }
    const text = ESCAPE.exec(rest)?.[0];
    // A lone \c is a backslash; the next character stands for itself.
    const own = text === undefined || text === '\\c' ? '\\' : text;
    this.at += own.length;
    return char(own === '\\' ? '\\\\' : own, flags, /^\\[dwtnrfv$^.*+?()[\]{}|/\\-]/.test(own));
  }

  private group(flags: Flags): Re | undefined {
    this.at++;
    for (const [mark, ahead, negative] of LOOKS) if (this.take(mark)) return this.look(flags, ahead, negative);
    const modifiers = MODIFIERS.exec(this.source.slice(this.at, this.at + 16));
    if (modifiers) {
      this.at += modifiers[0].length;
      return this.inside(changed(flags, modifiers[1] ?? '', modifiers[2] ?? ''));
    }
    const index = ++this.groups;
    if (this.take('?')) this.at += NAME.exec(this.source.slice(this.at))?.[0].length ?? 0;
    const body = this.inside(flags);
    return body && { kind: 'group', body, index };
  }

  private look(flags: Flags, ahead: boolean, negative: boolean): Re | undefined {
    const body = this.inside(flags);
    return body && { kind: 'look', body, ahead, negative };
  }

  /** The inside of a group up to its bracket. */
  private inside(flags: Flags): Re | undefined {
    if (++this.depth > MAX_NESTING) return undefined;
    const body = this.alternatives(flags);
    this.depth--;
    return this.take(')') ? body : undefined;
  }

  private take(text: string): boolean {
    if (!this.source.startsWith(text, this.at)) return false;
    this.at += text.length;
    return true;
  }
}

const LOOKS = [
  ['?=', true, false],
  ['?!', true, true],
  ['?<=', false, false],
  ['?<!', false, true],
] as const;

const changed = (f: Flags, on: string, off: string): Flags => ({
  i: on.includes('i') || (f.i && !off.includes('i')),
  m: on.includes('m') || (f.m && !off.includes('m')),
  s: on.includes('s') || (f.s && !off.includes('s')),
});

const native = (source: string, f: Flags): RegExp =>
  new RegExp(source, `y${f.i ? 'i' : ''}${f.m ? 'm' : ''}${f.s ? 's' : ''}`);

const char = (source: string, flags: Flags, ascii: boolean): Re => ({
  kind: 'char',
  test: native(source, flags),
  ascii,
});
