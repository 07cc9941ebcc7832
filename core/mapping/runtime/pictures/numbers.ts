import { round } from '../functions/numbers.ts';
import { fail } from '../state.ts';
import { isForbidden } from '../values.ts';
import { regularSteps } from './integers.ts';

/** `$formatNumber` (XPath fn:format-number). */

const DEFAULTS = {
  'decimal-separator': '.',
  'grouping-separator': ',',
  'exponent-separator': 'e',
  'minus-sign': '-',
  percent: '%',
  'per-mille': '\u2030',
  'zero-digit': '0',
  digit: '#',
  'pattern-separator': ';',
};

type Properties = Record<keyof typeof DEFAULTS, string>;

interface Symbols extends Properties {
  /** The ten digits. */
  readonly digits: readonly string[];
  readonly active: ReadonlySet<string>;
}

interface Parts {
  readonly prefix: string;
  readonly suffix: string;
  readonly active: string;
  readonly mantissa: string;
  readonly exponent: string | undefined;
  readonly integer: string;
  readonly fraction: string;
  readonly picture: string;
}

interface Layout {
  readonly prefix: string;
  readonly suffix: string;
  readonly picture: string;
  readonly integerGroups: readonly number[];
  readonly regular: number;
  readonly fractionGroups: readonly number[];
  readonly minInteger: number;
  readonly scale: number;
  readonly minFraction: number;
  readonly maxFraction: number;
  readonly minExponent: number;
}

export function formatNumber(value: number, picture: string, options: unknown): string {
  const sym = symbols(options);
  const pictures = picture.split(sym['pattern-separator']);
  if (pictures.length > 2) fail('D3080');
  const layouts = pictures.map((p) => {
    const parts = splitParts(p, sym);
    check(parts, sym);
    return parts;
  });
  const [positive, second] = layouts.map((parts) => layout(parts, sym));
  if (!positive) return fail('D3080');
  const negative = second ?? { ...positive, prefix: sym['minus-sign'] + positive.prefix };
  return render(value, value >= 0 ? positive : negative, sym);
}

function symbols(options: unknown): Symbols {
  const own = typeof options === 'object' && options !== null ? Object.entries(options) : [];
  const properties: Properties = { ...DEFAULTS, ...Object.fromEntries(own.filter(([k]) => !isForbidden(k))) };
  const zero = properties['zero-digit'].charCodeAt(0);
  const digits = Array.from({ length: 10 }, (_, i) => String.fromCharCode(zero + i));
  const marks = [
    'decimal-separator',
    'exponent-separator',
    'grouping-separator',
    'digit',
    'pattern-separator',
  ] as const;
  return { ...properties, digits, active: new Set([...digits, ...marks.map((m) => properties[m])]) };
}

function splitParts(picture: string, sym: Symbols): Parts {
  const isEdge = (c: string): boolean => sym.active.has(c) && c !== sym['exponent-separator'];
  const chars = picture.split('');
  const first = chars.findIndex(isEdge);
  const last = chars.findLastIndex(isEdge);
  const prefix = first < 0 ? '' : picture.slice(0, first);
  const suffix = last < 0 ? '' : picture.slice(last + 1);
  const active = picture.substring(prefix.length, picture.length - suffix.length);
  const at = picture.indexOf(sym['exponent-separator'], prefix.length);
  const hasExponent = at >= 0 && at <= picture.length - suffix.length;
  const mantissa = hasExponent ? active.substring(0, at) : active;
  const exponent = hasExponent ? active.substring(at + 1) : undefined;
  const point = mantissa.indexOf(sym['decimal-separator']);
  const integer = point < 0 ? mantissa : mantissa.slice(0, point);
  const fraction = point < 0 ? suffix : mantissa.slice(point + 1);
  return { prefix, suffix, active, mantissa, exponent, integer, fraction, picture };
}

const twice = (text: string, mark: string): boolean => text.indexOf(mark) !== text.lastIndexOf(mark);

/** The rules for pictures; the last one that is broken counts. */
function check(p: Parts, sym: Symbols): void {
  const { picture } = p;
  const isDigit = (c: string): boolean => sym.digits.includes(c);
  const group = sym['grouping-separator'];
  const point = picture.indexOf(sym['decimal-separator']);
  const percent = picture.includes(sym.percent);
  const perMille = picture.includes(sym['per-mille']);
  const optionalInteger = p.integer.indexOf(sym.digit);
  const optionalFraction = p.fraction.lastIndexOf(sym.digit);
  const rules: readonly (readonly [code: string, broken: boolean])[] = [
    ['D3081', twice(picture, sym['decimal-separator'])],
    ['D3082', twice(picture, sym.percent)],
    ['D3083', twice(picture, sym['per-mille'])],
    ['D3084', percent && perMille],
    ['D3085', !p.mantissa.split('').some((c) => isDigit(c) || c === sym.digit)],
    ['D3086', p.active.split('').some((c) => !sym.active.has(c))],
    ['D3087', point >= 0 && (picture.charAt(point - 1) === group || picture.charAt(point + 1) === group)],
    ['D3088', point < 0 && p.integer.slice(-1) === group],
    ['D3089', picture.includes(group + group)],
    ['D3090', optionalInteger >= 0 && p.integer.slice(0, optionalInteger).split('').some(isDigit)],
    ['D3091', optionalFraction >= 0 && p.fraction.slice(optionalFraction).split('').some(isDigit)],
    ['D3092', !!p.exponent && (percent || perMille)],
    ['D3093', p.exponent !== undefined && (p.exponent === '' || !p.exponent.split('').every(isDigit))],
  ];
  const broken = rules.findLast(([, b]) => b);
  if (broken) fail(broken[0]);
}

function layout(p: Parts, sym: Symbols): Layout {
  const isDigit = (c: string): boolean => sym.digits.includes(c);
  const isPlace = (c: string): boolean => isDigit(c) || c === sym.digit;
  const count = (text: string, test: (c: string) => boolean): number => text.split('').filter(test).length;
  const groups = (part: string, toLeft: boolean): number[] => {
    const positions: number[] = [];
    let at = part.indexOf(sym['grouping-separator']);
    while (at >= 0) {
      positions.push(count(toLeft ? part.slice(0, at) : part.slice(at), isPlace));
      // The search goes on in the integer part also for groups of the fraction, as in the interpreter.
      at = p.integer.indexOf(sym['grouping-separator'], at + 1);
    }
    return positions;
  };
  const integerGroups = groups(p.integer, false);
  const scale = count(p.integer, isDigit);
  const hasExponent = p.exponent !== undefined;
  let minInteger = scale;
  let minFraction = count(p.fraction, isDigit);
  let maxFraction = count(p.fraction, isPlace);
  if (minInteger === 0 && maxFraction === 0) {
    if (hasExponent) minFraction = maxFraction = 1;
    else minInteger = 1;
  }
  if (hasExponent && minInteger === 0 && p.integer.includes(sym.digit)) minInteger = 1;
  if (minInteger === 0 && minFraction === 0) minFraction = 1;
  return {
    prefix: p.prefix,
    suffix: p.suffix,
    picture: p.picture,
    integerGroups,
    regular: regularSteps(integerGroups),
    fractionGroups: groups(p.fraction, true),
    minInteger,
    scale,
    minFraction,
    maxFraction,
    minExponent: count(p.exponent ?? '', isDigit),
  };
}

function render(value: number, l: Layout, sym: Symbols): string {
  const factor = l.picture.includes(sym.percent) ? 100 : l.picture.includes(sym['per-mille']) ? 1000 : 1;
  const { mantissa, exponent } = scaled(factor === 1 ? value : value * factor, l);
  let text = digitText(round(mantissa, l.maxFraction), l.maxFraction, sym);
  const decimal = sym['decimal-separator'];
  text = text.includes('.') ? text.replace('.', () => decimal) : text + decimal;
  text = stripZeros(text, sym['zero-digit']);
  const point = text.indexOf(decimal);
  const zeros = (n: number): string => (n > 0 ? sym['zero-digit'].repeat(n) : '');
  text = zeros(l.minInteger - point) + text + zeros(l.minFraction - (text.length - point - 1));
  text = groupFraction(groupInteger(text, l, sym), l, sym);
  const end = text.indexOf(decimal);
  if (!l.picture.includes(decimal) || end === text.length - 1) text = text.slice(0, -1);
  if (exponent !== undefined) {
    const digits = digitText(exponent, 0, sym);
    text +=
      sym['exponent-separator'] +
      (exponent < 0 ? sym['minus-sign'] : '') +
      zeros(l.minExponent - digits.length) +
      digits;
  }
  return l.prefix + text + l.suffix;
}

function scaled(value: number, l: Layout): { mantissa: number; exponent: number | undefined } {
  if (l.minExponent === 0) return { mantissa: value, exponent: undefined };
  const max = 10 ** l.scale;
  const min = 10 ** (l.scale - 1);
  let mantissa = value;
  let exponent = 0;
  if (mantissa === 0 || !Number.isFinite(mantissa)) return { mantissa, exponent };
  while (Math.abs(mantissa) < min) {
    mantissa *= 10;
    exponent--;
  }
  while (Math.abs(mantissa) > max) {
    mantissa /= 10;
    exponent++;
  }
  return { mantissa, exponent };
}

function digitText(n: number, places: number, sym: Symbols): string {
  const text = Math.abs(n).toFixed(places);
  if (sym['zero-digit'] === '0') return text;
  return text.replace(/[0-9]/g, (d) => sym.digits[Number(d)] ?? d);
}

function stripZeros(text: string, zero: string): string {
  let from = 0;
  let to = text.length;
  while (text.charAt(from) === zero) from++;
  while (to > from && text.charAt(to - 1) === zero) to--;
  return text.slice(from, to);
}

function groupInteger(given: string, l: Layout, sym: Symbols): string {
  let text = given;
  const mark = sym['grouping-separator'];
  let point = text.indexOf(sym['decimal-separator']);
  if (l.regular > 0) {
    for (let g = 1; g <= Math.floor((point - 1) / l.regular); g++) {
      text = text.slice(0, point - g * l.regular) + mark + text.slice(point - g * l.regular);
    }
    return text;
  }
  for (const position of l.integerGroups) {
    text = text.slice(0, point - position) + mark + text.slice(point - position);
    point++;
  }
  return text;
}

function groupFraction(given: string, l: Layout, sym: Symbols): string {
  const point = given.indexOf(sym['decimal-separator']);
  return l.fractionGroups.reduce((text, p) => {
    const at = p + point + 1;
    return text.slice(0, at) + sym['grouping-separator'] + text.slice(at);
  }, given);
}
