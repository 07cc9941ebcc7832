/** Numbers as English words, Roman numerals and letters, as the picture strings of the language use them. */

const UNITS =
  'Zero One Two Three Four Five Six Seven Eight Nine Ten Eleven Twelve Thirteen Fourteen Fifteen Sixteen Seventeen Eighteen Nineteen'.split(
    ' ',
  );
const ORDINALS =
  'Zeroth First Second Third Fourth Fifth Sixth Seventh Eighth Ninth Tenth Eleventh Twelfth Thirteenth Fourteenth Fifteenth Sixteenth Seventeenth Eighteenth Nineteenth'.split(
    ' ',
  );
const TENS = 'Twenty Thirty Forty Fifty Sixty Seventy Eighty Ninety Hundred'.split(' ');
const POWERS = ['Thousand', 'Million', 'Billion', 'Trillion'];

const ordinalTen = (word: string): string => `${word.slice(0, -1)}ieth`;

export function toWords(n: number, ordinal: boolean): string {
  return words(n, false, ordinal);
}

function words(n: number, continued: boolean, ordinal: boolean): string {
  if (n <= 19) return (continued ? ' and ' : '') + ((ordinal ? ORDINALS : UNITS)[n] ?? '');
  if (n < 100) {
    const ten = TENS[Math.floor(n / 10) - 2] ?? '';
    const head = continued ? ' and ' : '';
    if (n % 10 > 0) return `${head}${ten}-${words(n % 10, false, ordinal)}`;
    return head + (ordinal ? ordinalTen(ten) : ten);
  }
  const head = continued ? ', ' : '';
  if (n < 1000) return head + larger(`${UNITS[Math.floor(n / 100)]} Hundred`, n % 100, ordinal);
  const power = Math.min(Math.floor(Math.log10(n) / 3), POWERS.length);
  const factor = 10 ** (power * 3);
  const count = Math.floor(n / factor);
  return head + larger(`${words(count, false, false)} ${POWERS[power - 1]}`, n - count * factor, ordinal);
}

const larger = (head: string, rest: number, ordinal: boolean): string =>
  rest > 0 ? head + words(rest, true, ordinal) : head + (ordinal ? 'th' : '');

/** The value of each word, in the order in which a regular expression must try them. */
export const WORD_VALUES: ReadonlyMap<string, number> = new Map([
  ...UNITS.map((w, i): [string, number] => [w.toLowerCase(), i]),
  ...ORDINALS.map((w, i): [string, number] => [w.toLowerCase(), i]),
  ...TENS.flatMap((w, i): [string, number][] => [
    [w.toLowerCase(), (i + 2) * 10],
    [ordinalTen(w.toLowerCase()), (i + 2) * 10],
  ]),
  ['hundredth', 100] as [string, number],
  ...POWERS.flatMap((w, i): [string, number][] => [
    [w.toLowerCase(), 1000 ** (i + 1)],
    [`${w.toLowerCase()}th`, 1000 ** (i + 1)],
  ]),
]);

/** Words that are not known give NaN. */
export function fromWords(text: string): number {
  const segments = [0];
  for (const word of text.split(/,\s|\sand\s|[\s\\-]/)) {
    const value = WORD_VALUES.get(word) ?? Number.NaN;
    const top = segments.pop() ?? Number.NaN;
    if (!(value < 100)) segments.push(top * value);
    else if (top >= 1000) segments.push(top, value);
    else segments.push(top + value);
  }
  return segments.reduce((a, b) => a + b, 0);
}

const NUMERALS: readonly (readonly [number, string])[] = [
  [1000, 'm'],
  [900, 'cm'],
  [500, 'd'],
  [400, 'cd'],
  [100, 'c'],
  [90, 'xc'],
  [50, 'l'],
  [40, 'xl'],
  [10, 'x'],
  [9, 'ix'],
  [5, 'v'],
  [4, 'iv'],
  [1, 'i'],
];

/** Numerals beyond this many thousands are refused by the caller's length bound. */
export function toRoman(n: number): string {
  let rest = n;
  let out = '';
  for (const [value, sign] of NUMERALS) {
    if (rest < value) continue;
    const times = Math.floor(rest / value);
    out += sign.repeat(times);
    rest -= times * value;
  }
  return out;
}

const ROMAN: Readonly<Record<string, number>> = { M: 1000, D: 500, C: 100, L: 50, X: 10, V: 5, I: 1 };

export function fromRoman(text: string): number {
  let total = 0;
  let highest = 1;
  for (const sign of [...text].reverse()) {
    const value = ROMAN[sign] ?? Number.NaN;
    if (value < highest) total -= value;
    else {
      highest = value;
      total += value;
    }
  }
  return total;
}

/** Letters as in a spreadsheet: a … z, aa, ab … */
export function toLetters(n: number, first: string): string {
  const letters: string[] = [];
  for (let rest = n; rest > 0; rest = Math.floor((rest - 1) / 26)) {
    letters.unshift(String.fromCharCode(((rest - 1) % 26) + first.charCodeAt(0)));
  }
  return letters.join('');
}

export function fromLetters(text: string, first: string): number {
  // From the right, as the interpreter does: large numbers are rounded alike.
  let total = 0;
  for (let i = 0; i < text.length; i++) {
    total += (text.charCodeAt(text.length - i - 1) - first.charCodeAt(0) + 1) * 26 ** i;
  }
  return total;
}
