import { roomOf } from './imports.ts';
import { commented, depths, type Source, type Violation, violation } from './source.ts';

const ROOMS = ['hub', 'protocols', 'bridges', 'nodes', 'gateway'];
const REASON = /bounded by:\s*\S/;

/**
 * Maps, sets and queues that outlive a call without a declared bound: class fields, and variables that a returned method
 * or an event handler goes on filling. They are a BoundedMap, BoundedSet or BoundedQueue, or say `bounded by: <why>` in a
 * comment on the same line or the line before.
 */
export function boundViolations(sources: readonly Source[]): Violation[] {
  return sources
    .filter((s) => ROOMS.includes(roomOf(s.path).replace(/\/.*/, '')))
    .flatMap((s) =>
      [...fields(s), ...captured(s)].filter((v) => !commented(s, v.at, REASON)).map((v) => violation(s, v.at, v.what)),
    );
}

interface Finding {
  readonly at: number;
  readonly what: string;
}

/** `#x = new Map()` and `#x: T[] = []` (when the file pushes to it) directly in the body of a class. */
function fields(s: Source): Finding[] {
  const found: Finding[] = [];
  for (const body of classBodies(s.code)) {
    for (const m of s.code.slice(body.start, body.end).matchAll(FIELD)) {
      const at = body.start + m.index;
      const [, name = '', value = ''] = m;
      if (body.depth[at] !== body.inside) continue;
      const collection = /new\s+(Map|Set)\b/.exec(value)?.[1];
      if (collection !== undefined) found.push({ at, what: `field ${name} is a ${collection} without a bound` });
      else if (grows(s.code, `this.${name}`))
        found.push({ at, what: `field ${name} is an array that grows without a bound` });
    }
  }
  return found;
}

const FIELD =
  /(?<=[;{}\n]\s*(?:(?:private|protected|public|readonly|override|static)\s+)*)(#?[\w$]+)\s*(?::[^=;(){}]*)?=\s*(new\s+(?:Map|Set)\b|\[\s*\])/g;

/** `const x = new Map()` inside a function that a method of a returned object, or an event handler, changes later. */
function captured(s: Source): Finding[] {
  const depth = depths(s.code);
  const found: Finding[] = [];
  for (const m of s.code.matchAll(/\b(?:const|let)\s+([\w$]+)\s*(?::[^=;(){}]*)?=\s*(new\s+(?:Map|Set)\b|\[\s*\])/g)) {
    const [, name = '', value = ''] = m;
    const level = depth[m.index] ?? 0;
    if (level === 0) continue; // the rule about module-level state
    const end = endOfScope(depth, m.index, level);
    const scope = s.code.slice(m.index + m[0].length, end);
    if (changesLater(scope, name)) {
      const kind = /Map|Set/.exec(value)?.[0] ?? 'array';
      found.push({
        at: m.index,
        what: `${name} is a${kind === 'array' ? 'n array' : ` ${kind}`} without a bound that outlives its call`,
      });
    }
  }
  return found;
}

/** Whether `name` is filled inside a method of an object literal or inside a handler given to on(), after(), every()… */
function changesLater(scope: string, name: string): boolean {
  const fill = new RegExp(`(?<![\\w$.#])${name.replaceAll('$', '\\$')}\\.(set|add|push|unshift)\\(`, 'g');
  return [...scope.matchAll(fill)].some(({ index }) => openersBefore(scope, index).some((o) => escapes(scope, o)));
}

/** Positions of the brackets that are open at `at`, counted from the start of the scope. */
function openersBefore(scope: string, at: number): number[] {
  const open: number[] = [];
  for (let i = 0; i < at; i++) {
    const c = scope[i] ?? '';
    if ('([{'.includes(c)) open.push(i);
    else if (')]}'.includes(c)) open.pop();
  }
  return open;
}

const CONTROL = /\b(if|for|while|switch|catch|with)\s*\([^{}]*\)\s*$/;
const METHOD = /[{,]\s*(?:(?:async|get|set|\*)\s*)*[\w$#]+\s*(?:<[^<>()]*>)?\([^{}]*\)\s*(?::[^{}=;]*)?$/;
const PROPERTY = /[{,]\s*[\w$]+\s*:\s*(?:async\s*)?\([^{}]*\)\s*(?::[^{}=;]*)?=>\s*$/;
const HANDLER = /(?:\b(?:on|once|after|every|subscribe|listen|addEventListener|addListener)|[.#]on[A-Z]\w*)\s*$/;

function escapes(scope: string, opener: number): boolean {
  const before = scope.slice(Math.max(0, opener - 600), opener);
  if (scope[opener] === '(') return HANDLER.test(before);
  if (scope[opener] !== '{' || CONTROL.test(before)) return false;
  return METHOD.test(before) || PROPERTY.test(before);
}

function grows(code: string, path: string): boolean {
  return new RegExp(`${path.replaceAll('$', '\\$').replace('.', '\\??\\.')}\\.(push|unshift)\\(`).test(code);
}

function classBodies(code: string): { start: number; end: number; inside: number; depth: Int16Array }[] {
  const depth = depths(code);
  return [...code.matchAll(/\bclass\b[^{;=]*\{/g)].map((m) => {
    const start = m.index + m[0].length;
    const inside = (depth[start - 1] ?? 0) + 1;
    return { start: start - 1, end: endOfScope(depth, start, inside), inside, depth };
  });
}

/** Where the nesting first falls below `level` after `from`. */
function endOfScope(depth: Int16Array, from: number, level: number): number {
  for (let i = from; i < depth.length; i++) if ((depth[i] ?? 0) < level) return i;
  return depth.length;
}
