import type { Re, Syntax } from './syntax.ts';

/*
 * How long a backtracking engine may take for a pattern. A choice is clear when the next character decides it: what a
 * loop may begin with and what may follow it have no character in common, nor have the options of an alternative. With
 * clear choices only, an attempt at one place is linear. Each unclear loop multiplies by the length of the text; an
 * unclear choice inside a loop may be exponential.
 */

/** Characters as bits: 128 of ASCII and one for all others. */
type Chars = bigint;
const OTHERS: Chars = 1n << 128n;
const ALL: Chars = (1n << 129n) - 1n;

export interface Bound {
  /** Steps at most: `factor` × (length + 1) ^ `degree`; infinite for what may be exponential. */
  readonly degree: number;
  readonly factor: number;
}

export function boundOf(syntax: Syntax): Bound {
  const a = new Analysis();
  a.visit(syntax.root, { follow: 0n, repeats: 1 });
  const anchored = a.startsAtStart(syntax.root);
  return { degree: a.degree + (anchored ? 1 : 2), factor: a.factor * (a.size + 1) };
}

/** The most steps for a text of that length. */
export const worstCase = (b: Bound, length: number): number => b.factor * (length + 1) ** b.degree;

interface Place {
  /** What may come next after the node. */
  readonly follow: Chars;
  /** How often the loops around run it at most. */
  readonly repeats: number;
}

class Analysis {
  size = 0;
  degree = 0;
  factor = 1;

  startsAtStart(re: Re): boolean {
    if (re.kind === 'seq') return re.items[0] !== undefined && this.startsAtStart(re.items[0]);
    if (re.kind === 'group') return this.startsAtStart(re.body);
    return re.kind === 'place' && re.start;
  }

  visit(re: Re, at: Place): void {
    this.size++;
    switch (re.kind) {
      case 'seq':
        re.items.forEach((item, i) => {
          this.visit(item, { ...at, follow: this.first(re.items.slice(i + 1), at.follow) });
        });
        return;
      case 'alt':
        this.visitOptions(re.options, at);
        return;
      case 'loop':
        this.visitLoop(re, at);
        return;
      case 'group':
        this.visit(re.body, at);
        return;
      case 'look':
        // It is tried anew wherever the pattern gets to; nothing behind it goes back into it.
        if (this.hasLoop(re.body)) this.unclear(Number.POSITIVE_INFINITY, { ...at, repeats: 1 });
        this.visit(re.body, { ...at, follow: re.ahead ? 0n : ALL });
        return;
      case 'ref':
        this.unclear(Number.POSITIVE_INFINITY, at);
        return;
      default:
    }
  }

  private visitOptions(options: readonly Re[], at: Place): void {
    let seen: Chars = 0n;
    let clear = true;
    for (const option of options) {
      const first = this.first([option], at.follow);
      if ((seen & first) !== 0n) clear = false;
      seen |= first;
      this.visit(option, at);
    }
    if (!clear) this.unclear(options.length, at);
  }

  private visitLoop(re: Extract<Re, { kind: 'loop' }>, at: Place): void {
    const first = this.first([re.body], 0n);
    const again = re.max > 1 ? first : 0n;
    const choices = re.max - re.min + 1;
    if (choices > 1 && ((first & at.follow) !== 0n || this.nullable(re.body))) this.unclear(choices, at);
    this.size += Number.isFinite(re.max) ? Math.min(re.max, 100) : 1;
    this.visit(re.body, { follow: at.follow | again, repeats: at.repeats * Math.max(1, re.max) });
  }

  /** A choice among `ways` that the next character does not decide. */
  private unclear(ways: number, at: Place): void {
    if (at.repeats > 1) this.factor *= at.repeats > 64 ? Number.POSITIVE_INFINITY : ways ** at.repeats;
    else if (ways > 16) this.degree++;
    else this.factor *= ways;
  }

  private hasLoop(re: Re): boolean {
    if (re.kind === 'loop') return true;
    return partsOf(re).some((part) => this.hasLoop(part));
  }

  /** What a sequence may begin with; `follow` where it may be empty. */
  private first(items: readonly Re[], follow: Chars): Chars {
    let out: Chars = 0n;
    for (const item of items) {
      out |= this.firstOf(item);
      if (!this.nullable(item)) return out;
    }
    return out | follow;
  }

  private firstOf(re: Re): Chars {
    switch (re.kind) {
      case 'char':
        return charsOf(re.test, re.ascii);
      case 'seq':
        return this.first(re.items, 0n);
      case 'alt':
        return re.options.reduce((out, o) => out | this.firstOf(o), 0n);
      case 'loop':
      case 'group':
        return this.firstOf(re.body);
      case 'ref':
        return ALL;
      default:
        return 0n;
    }
  }

  private nullable(re: Re): boolean {
    switch (re.kind) {
      case 'char':
        return false;
      case 'seq':
        return re.items.every((item) => this.nullable(item));
      case 'alt':
        return re.options.some((o) => this.nullable(o));
      case 'loop':
        return re.min === 0 || this.nullable(re.body);
      case 'group':
        return this.nullable(re.body);
      default:
        return true;
    }
  }
}

function partsOf(re: Re): readonly Re[] {
  if (re.kind === 'seq') return re.items;
  if (re.kind === 'alt') return re.options;
  return re.kind === 'group' || re.kind === 'look' ? [re.body] : [];
}

function charsOf(test: RegExp, ascii: boolean): Chars {
  let out: Chars = ascii ? 0n : OTHERS;
  for (let code = 0; code < 128; code++) {
    test.lastIndex = 0;
    if (test.test(String.fromCharCode(code))) out |= 1n << BigInt(code);
  }
  return out;
}
