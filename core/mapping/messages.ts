import { Fn } from './runtime/fn.ts';
import type { Failure } from './runtime/state.ts';

/** One sentence per code of the language; `%` stands for the value, `@` for the function or operator. */
const SENTENCES: Readonly<Record<string, string>> = {
  D1001: 'The number % is too large.',
  D1002: 'Only a number can be negated, not %.',
  T1003: 'The key of an object must be a text, not %.',
  D1004: 'The regular expression matches an empty text.',
  T1005: 'There is no function @ here; $@ may be meant.',
  T1006: '@ is not a function.',
  T1007: 'There is no function @ here; $@ may be meant.',
  T1008: '@ is not a function and cannot be given some of its arguments.',
  D1009: 'Two keys of the object constructor give the same key %.',
  T1010: 'The matcher given to @ does not return what a regular expression returns.',
  D1011: 'Functions call each other too deeply.',
  D1012: 'The run takes too many steps.',
  D1013: 'The key % is reserved.',
  T2001: 'The left side of @ must be a number, not %.',
  T2002: 'The right side of @ must be a number, not %.',
  T2003: 'A range must begin with a whole number, not %.',
  T2004: 'A range must end with a whole number, not %.',
  T2006: 'The right side of ~> must be a function.',
  T2007: 'The sort compares a text with a number.',
  T2008: 'A sort key must be a number or a text, not %.',
  T2009: 'Both sides of @ must be of the same type.',
  T2010: 'Only numbers and texts can be compared with @, not %.',
  T2011: 'The update of a transform must be an object, not %.',
  T2012: 'The deletions of a transform must be texts, not %.',
  T2013: '$clone has been replaced by something that is not a function.',
  D2014: 'The range would have % items.',
  D2015: 'An array would have more than % items.',
  D3001: 'A number that is not finite cannot become a text.',
  D3010: 'The pattern of $replace is empty.',
  D3011: 'The limit of $replace is negative.',
  D3012: 'The replacement function of $replace gave no text.',
  D3020: 'The limit of $split is negative.',
  D3030: '% cannot become a number.',
  D3040: 'The limit of $match is negative.',
  D3050: 'The function given to $reduce must take at least two arguments.',
  D3060: 'The square root of the negative number % does not exist.',
  D3061: 'The power of % is too large.',
  D3070: 'Without a comparison function $sort orders only numbers or only texts.',
  D3100: 'The base % is not between 2 and 36.',
  D3110: '% is not an ISO 8601 time.',
  D3120: 'The text given to $eval is no expression: %.',
  D3121: 'The text given to $eval failed.',
  D3138: '$single found more than one.',
  D3139: '$single found none.',
  D3140: '% is not a well-formed URL.',
  T0410: 'Argument # of $@ has the wrong type: %.',
  T0411: 'The context value cannot stand in for argument # of $@: %.',
  T0412: 'Argument # of $@ must be an array of one type: %.',
  X0007: 'The update of a transform puts an object into itself.',
  X0001: 'The field name % is not available.',
  X0006: 'A text would have more than % characters.',
  X0005: 'The regular expression % cannot be bounded.',
  X0004: 'The function $@ is not available in mappings.',
  X0003: 'The date is not complete, and mappings do not know the current time.',
};

/** What happened, in one sentence. */
export function sentenceOf(f: Failure): string {
  if (f.code === 'D3137' || f.code === 'D3141') return f.info.text ?? 'The mapping refused the message.';
  if (f.code === 'D3121' && f.info.cause) return `${SENTENCES.D3121} ${sentenceOf(f.info.cause)}`;
  const template = SENTENCES[f.code];
  if (template === undefined) return fallback(f);
  return template
    .replaceAll('@', f.token ?? f.info.token ?? 'it')
    .replaceAll('#', String(f.info.index ?? ''))
    .replaceAll('%', shown(f.info.value));
}

function fallback(f: Failure): string {
  if (/^D3(0[89]|1[03])\d$/.test(f.code)) return `The picture text is not valid (${f.code}).`;
  return f.info.text ? `The run failed: ${f.info.text}` : 'The run failed.';
}

/** A short form of a value; never more than a few words of it, because it may be anybody's data. */
function shown(v: unknown): string {
  if (v === undefined) return 'a missing value';
  if (Array.isArray(v)) return `an array of ${v.length}`;
  if (v instanceof Fn) return 'a function';
  if (typeof v === 'object' && v !== null) return 'an object';
  const text = typeof v === 'string' ? JSON.stringify(v) : String(v);
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}
