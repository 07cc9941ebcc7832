import { roomOf } from './imports.ts';
import { depths, type Source, type Violation, violation } from './source.ts';

const ROOMS = ['model', 'core', 'hub', 'protocols', 'bridges', 'nodes', 'gateway', 'simulators'];
const COLLECTION = /^\s*new\s+(Map|Set|WeakMap|WeakSet|Array|Bounded\w+|EventEmitter)\b/;
const MUTATORS = 'set|add|delete|clear|push|pop|shift|unshift|splice|sort|reverse|fill|copyWithin';

/**
 * State at module level (design 1: none, since a file may be loaded twice): `let` and `var`, caches, collections and
 * objects that somebody changes, changeable static fields. Constants are fine, also tables in a Map or Set that nobody changes.
 */
export function stateViolations(sources: readonly Source[]): Violation[] {
  return sources.filter((s) => ROOMS.includes(roomOf(s.path).replace(/\/.*/, ''))).flatMap(ofSource);
}

function ofSource(s: Source): Violation[] {
  const depth = depths(s.code);
  const found: Violation[] = [];
  for (const m of s.code.matchAll(/\b(let|var)\s+[\w$[{]/g)) {
    if (depth[m.index] === 0) found.push(violation(s, m.index, `${m[1]} at module level`));
  }
  for (const m of s.code.matchAll(/\b(export\s+)?const\s+([\w$]+)\s*(?::([^=;]*))?=(?![=>])/g)) {
    if (depth[m.index] !== 0) continue;
    const [whole, exported, name = '', type = ''] = m;
    const complaint = complaintAbout(s, m.index + whole.length, name, type, exported !== undefined);
    if (complaint !== undefined) found.push(violation(s, m.index, complaint));
  }
  for (const m of s.code.matchAll(/\bstatic\s+(?!readonly\b)[\w$#]+\s*(:[^=;({]*)?(=(?!>)|;)/g)) {
    found.push(violation(s, m.index, 'static field that can be changed'));
  }
  return found;
}

function complaintAbout(s: Source, valueAt: number, name: string, type: string, exported: boolean): string | undefined {
  const value = s.code.slice(valueAt);
  const kind = COLLECTION.exec(value)?.[1];
  const readonly = /\bReadonly(Map|Set|Array)\b|\breadonly\b/.test(type);
  if (kind !== undefined && /^(Weak|Bounded|EventEmitter)/.test(kind)) return `${kind} ${name} at module level`;
  if (kind !== undefined && exported && !readonly)
    return `${name} is exported as a ${kind} that anybody can change; say Readonly${kind}`;
  const isLiteral = /^\s*[[{]/.test(value);
  if ((kind !== undefined || isLiteral) && changes(s, name)) return `${name} at module level is changed`;
  return undefined;
}

/** Whether the file changes what the module-level `name` holds; files that declare the name again further in are let off. */
function changes(s: Source, name: string): boolean {
  const n = name.replaceAll('$', '\\$');
  const declared =
    s.code.match(
      new RegExp(`\\b(const|let|var|function)\\s+${n}\\b|[(,]\\s*${n}\\s*(:|\\)\\s*(:|=>)|,[^()]*\\)\\s*=>)`, 'g'),
    ) ?? [];
  if (declared.length > 1) return false;
  const path = `(?<![\\w$.])${n}(\\??\\.[\\w$]+|\\[[^\\]]*\\])*`;
  const assigned = new RegExp(`${path.replace(/\*$/, '+')}\\s*([-+*/%&|^]|\\?\\?|\\|\\||&&|<<|>>>?|\\*\\*)?=(?![=>])`);
  const counted = new RegExp(`(\\+\\+|--|\\bdelete\\s+)${path}|${path.replace(/\*$/, '+')}\\s*(\\+\\+|--)`);
  const called = new RegExp(
    `(?<![\\w$.])${n}(\\??\\.[\\w$]+)*\\??\\.(${MUTATORS})\\(|\\bObject\\.assign\\(\\s*${n}\\b`,
  );
  return assigned.test(s.code) || counted.test(s.code) || called.test(s.code);
}
