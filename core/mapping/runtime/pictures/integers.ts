import { fail } from '../state.ts';
import { fromLetters, fromRoman, fromWords, toLetters, toRoman, toWords, WORD_VALUES } from './words.ts';

interface Separator {
  /** Digits to its right. */
  readonly position: number;
  readonly character: string;
}

/** A parsed integer picture, e.g. `#,##0`, `Ww;o`, `I` (XPath fn:format-integer). */
export interface IntegerFormat {
  readonly primary: 'decimal' | 'letters' | 'roman' | 'words' | 'sequence';
  readonly letters: 'upper' | 'lower' | 'title';
  readonly ordinal: boolean;
  /** Code point of the digit zero. */
  readonly zero: number;
  mandatory: number;
  readonly optional: number;
  /** From right to left. */
  readonly separators: readonly Separator[];
  /** Distance of equal separators; 0: they are not regular. */
  readonly regular: number;
  /** Exact number of digits when parsing, where the next part follows directly. */
  parseWidth?: number;
  readonly token: string;
}

const ASCII_ZERO = 0x30;
const ZEROS = [
  0x30, 0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xde6, 0xe50, 0xed0, 0xf20,
  0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50, 0x1bb0, 0x1c40, 0x1c50, 0xa620, 0xa8d0,
  0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0xff10,
];

type Named = Pick<IntegerFormat, 'primary' | 'letters'>;
const NAMED: Readonly<Record<string, Named>> = {
  A: { primary: 'letters', letters: 'upper' },
  a: { primary: 'letters', letters: 'lower' },
  I: { primary: 'roman', letters: 'upper' },
  i: { primary: 'roman', letters: 'lower' },
  W: { primary: 'words', letters: 'upper' },
  Ww: { primary: 'words', letters: 'title' },
  w: { primary: 'words', letters: 'lower' },
};

export function parseIntegerPicture(picture: string): IntegerFormat {
  const mark = picture.lastIndexOf(';');
  const main = mark < 0 ? picture : picture.slice(0, mark);
  const ordinal = mark >= 0 && picture.charAt(mark + 1) === 'o';
  const blank = { ordinal, zero: ASCII_ZERO, mandatory: 0, optional: 0, separators: [], regular: 0, token: main };
  const named = Object.hasOwn(NAMED, main) ? NAMED[main] : undefined;
  if (named) return { ...blank, ...named };
  const digits = digitPattern(main);
  if (digits.mandatory === 0) return { ...blank, primary: 'sequence', letters: 'lower' };
  return { ...blank, ...digits, primary: 'decimal', letters: 'lower', regular: regularDistance(digits.separators) };
}

function digitPattern(main: string): Pick<IntegerFormat, 'zero' | 'mandatory' | 'optional' | 'separators'> {
  let zero: number | undefined;
  let mandatory = 0;
  let optional = 0;
  const separators: Separator[] = [];
  for (const character of [...main].reverse()) {
    const code = character.codePointAt(0) ?? 0;
    const group = ZEROS.find((z) => code >= z && code <= z + 9);
    if (group !== undefined) {
      if (zero !== undefined && zero !== group) fail('D3131');
      zero = group;
      mandatory++;
    } else if (character === '#') optional++;
    else separators.push({ position: mandatory + optional, character });
  }
  return { zero: zero ?? ASCII_ZERO, mandatory, optional, separators };
}

/** The distance of separators that are all alike and equally spaced, else 0. */
function regularDistance(separators: readonly Separator[]): number {
  const [first] = separators;
  if (!first || separators.some((s) => s.character !== first.character)) return 0;
  return regularSteps(separators.map((s) => s.position));
}

/** The common distance when the positions are exactly its multiples, else 0. */
export function regularSteps(positions: readonly number[]): number {
  const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));
  if (positions.length === 0) return 0;
  const step = positions.reduce(gcd);
  return positions.every((_, i) => positions.includes((i + 1) * step)) ? step : 0;
}

export function formatIntegerAs(n: number, f: IntegerFormat): string {
  const text = unsigned(Math.abs(n), f);
  return n < 0 ? `-${text}` : text;
}

function unsigned(n: number, f: IntegerFormat): string {
  switch (f.primary) {
    case 'letters':
      return toLetters(n, f.letters === 'upper' ? 'A' : 'a');
    case 'roman': {
      if (n > 1e8) fail('D2015', -1, { value: 1e8 });
      const roman = toRoman(n);
      return f.letters === 'upper' ? roman.toUpperCase() : roman;
    }
    case 'words': {
      const text = toWords(n, f.ordinal);
      if (f.letters === 'title') return text;
      return f.letters === 'upper' ? text.toUpperCase() : text.toLowerCase();
    }
    case 'decimal':
      return decimal(n, f);
    default:
      return fail('D3130', -1, { value: f.token });
  }
}

function decimal(n: number, f: IntegerFormat): string {
  const plain = String(n).padStart(f.mandatory, '0');
  const shifted = f.zero === ASCII_ZERO ? plain : shiftDigits(plain, f.zero - ASCII_ZERO);
  const text = f.regular > 0 ? groupRegular(shifted, f) : groupAt(shifted, f.separators);
  return f.ordinal ? text + ordinalSuffix(text) : text;
}

const shiftDigits = (text: string, by: number): string =>
  [...text].map((c) => String.fromCodePoint((c.codePointAt(0) ?? 0) + by)).join('');

const inserted = (text: string, fromRight: number, mark: string): string => {
  const at = text.length - fromRight;
  // As substr does, a negative place counts from the end.
  return text.substr(0, at) + mark + text.substr(at);
};

function groupRegular(text: string, f: IntegerFormat): string {
  const mark = f.separators[0]?.character ?? '';
  let out = text;
  for (let i = Math.floor((text.length - 1) / f.regular); i > 0; i--) out = inserted(out, i * f.regular, mark);
  return out;
}

function groupAt(text: string, separators: readonly Separator[]): string {
  return separators.toReversed().reduce((out, s) => inserted(out, s.position, s.character), text);
}

function ordinalSuffix(text: string): string {
  const teen = text.length > 1 && text.at(-2) === '1';
  const suffix = { '1': 'st', '2': 'nd', '3': 'rd' }[text.at(-1) ?? ''];
  return suffix === undefined || teen ? 'th' : suffix;
}

/** A regular expression for texts in a format, and how to read them. */
export interface Reader {
  readonly regex: string;
  readonly read: (text: string) => number | undefined;
}

export function integerReader(f: IntegerFormat): Reader {
  const upper = f.letters === 'upper';
  switch (f.primary) {
    case 'letters':
      return { regex: upper ? '[A-Z]+' : '[a-z]+', read: (t) => fromLetters(t, upper ? 'A' : 'a') };
    case 'roman':
      return { regex: upper ? '[MDCLXVI]+' : '[mdclxvi]+', read: (t) => fromRoman(upper ? t : t.toUpperCase()) };
    case 'words':
      return {
        regex: `(?:${[...WORD_VALUES.keys(), 'and', '[\\-, ]'].join('|')})+`,
        read: (t) => fromWords(t.toLowerCase()),
      };
    case 'decimal': {
      const count = f.parseWidth ? `{${f.parseWidth}}` : '+';
      return { regex: `[0-9]${count}${f.ordinal ? '(?:th|st|nd|rd)' : ''}`, read: (t) => readDecimal(t, f) };
    }
    default:
      return fail('D3130', -1, { value: f.token });
  }
}

function readDecimal(text: string, f: IntegerFormat): number {
  let digits = f.ordinal ? text.slice(0, -2) : text;
  if (f.ordinal && text.length < 2) digits = text.substring(0, text.length - 2);
  // Regular separators are taken for commas, whatever the picture says.
  const marks = f.regular > 0 ? [','] : f.separators.map((s) => s.character);
  for (const mark of marks) digits = digits.replaceAll(mark, '');
  if (f.zero !== ASCII_ZERO) digits = shiftDigits(digits, ASCII_ZERO - f.zero);
  // The interpreter names no base: 0x10 is 16.
  return Number.parseInt(digits, /^\s*[-+]?0x/i.test(digits) ? 16 : 10);
}
