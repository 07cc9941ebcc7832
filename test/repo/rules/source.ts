import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

/** A text of the repository, cut into what is code and what only looks like it. */
export interface Source {
  /** From the root, with `/`. */
  readonly path: string;
  readonly text: string;
  /** `text` with comments, strings, template texts and regular expressions blanked; same length, same lines. */
  readonly code: string;
  readonly comments: readonly Piece[];
  readonly strings: readonly Piece[];
}

export interface Piece {
  readonly start: number;
  readonly end: number;
  /** Without quotes or comment marks. */
  readonly value: string;
}

export interface Violation {
  readonly path: string;
  readonly line: number;
  readonly what: string;
}

const ROOT = join(import.meta.dirname, '../../..');
const IGNORED = new Set(['node_modules', 'dist', '.data', '.v2gate', 'coverage', 'generated', '.git']); // bounded by: constant

/** Every file of the repository below `folder`, as paths from the root; ignored folders are left out. */
export function listFiles(folder: string = ROOT): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((e) => !IGNORED.has(e.name))
    .flatMap((e) => {
      const path = join(folder, e.name);
      return e.isDirectory() ? listFiles(path) : [relative(ROOT, path).replaceAll('\\', '/')];
    })
    .sort();
}

/** A word before a slash is not longer. */
const TAIL = 200;

export function readText(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

/** Cuts up the sources among `paths` (default: .ts, .js, .mjs of the whole repository). */
export function loadSources(paths: readonly string[] = listFiles()): Source[] {
  return paths.filter((p) => /\.(ts|m?js)$/.test(p) && !p.endsWith('.d.ts')).map((p) => toSource(p, readText(p)));
}

export function toSource(path: string, text: string): Source {
  const comments: Piece[] = [];
  const strings: Piece[] = [];
  const code: string[] = [];
  /** The end of `code`, as much as {@link startsRegex} looks at. */
  let tail = '';
  let kept = 0;
  const blank = (start: number, end: number): void => {
    const more = text.slice(kept, start) + text.slice(start, end).replace(/[^\n]/g, ' ');
    code.push(more);
    tail = (tail + more.slice(-TAIL)).slice(-TAIL);
    kept = end;
  };
  const mark = /["'`/{}]/g;
  /** One entry per open `${`: the brace depth at which it closes again. */
  const templates: number[] = [];
  let depth = 0;
  for (let i = 0; i < text.length; ) {
    mark.lastIndex = i;
    i = mark.exec(text)?.index ?? text.length;
    const c = text[i];
    if (text.startsWith('//', i)) {
      const end = endOf(text, '\n', i);
      comments.push({ start: i, end, value: text.slice(i + 2, end) });
      blank(i, end);
      i = end;
    } else if (text.startsWith('/*', i)) {
      const end = Math.min(text.length, endOf(text, '*/', i + 2) + 2);
      comments.push({ start: i, end, value: text.slice(i + 2, end - 2) });
      blank(i, end);
      i = end;
    } else if (c === "'" || c === '"') {
      const end = endOfString(text, i, c);
      strings.push({ start: i, end, value: text.slice(i + 1, end - 1) });
      blank(i + 1, end - 1);
      i = end;
    } else if (c === '`' || (c === '}' && templates.at(-1) === depth)) {
      if (c === '}') templates.pop();
      const end = endOfTemplate(text, i + 1);
      strings.push({ start: i, end, value: text.slice(i + 1, end - 1) });
      blank(i + 1, end - 1);
      if (text[end - 1] === '{') templates.push(depth);
      i = end;
    } else if (c === '/' && startsRegex(tail + text.slice(Math.max(kept, i - TAIL), i))) {
      const end = endOfRegex(text, i);
      blank(i + 1, end - 1);
      i = end;
    } else {
      if (c === '{') depth++;
      if (c === '}') depth--;
      i++;
    }
  }
  return { path, text, code: code.join('') + text.slice(kept), comments, strings };
}

export function lineOf(source: { readonly text: string }, at: number): number {
  let line = 1;
  for (let i = source.text.indexOf('\n'); i >= 0 && i < at; i = source.text.indexOf('\n', i + 1)) line++;
  return line;
}

export function violation(source: Source, at: number, what: string): Violation {
  return { path: source.path, line: lineOf(source, at), what };
}

/** True when a comment on the line of `at` or the line before matches. */
export function commented(source: Source, at: number, pattern: RegExp): boolean {
  const line = lineOf(source, at);
  return source.comments.some((c) => {
    const last = lineOf(source, c.end);
    return (last === line || last === line - 1 || lineOf(source, c.start) === line) && pattern.test(c.value);
  });
}

/** Nesting of braces, brackets and parentheses at each position of the code. */
export function depths(code: string): Int16Array {
  const out = new Int16Array(code.length);
  let depth = 0;
  for (let i = 0; i < code.length; i++) {
    const c = code[i];
    if (c === ')' || c === ']' || c === '}') depth--;
    out[i] = depth;
    if (c === '(' || c === '[' || c === '{') depth++;
  }
  return out;
}

function endOf(text: string, mark: string, from: number): number {
  const at = text.indexOf(mark, from);
  return at < 0 ? text.length : at;
}

function endOfString(text: string, start: number, quote: string): number {
  for (let i = start + 1; i < text.length; i++) {
    if (text[i] === '\\') i++;
    else if (text[i] === quote || text[i] === '\n') return i + 1;
  }
  return text.length;
}

/** The end of a template text: just after the closing backtick, or after the brace of the next `${`. */
function endOfTemplate(text: string, from: number): number {
  for (let i = from; i < text.length; i++) {
    if (text[i] === '\\') i++;
    else if (text[i] === '`') return i + 1;
    else if (text.startsWith('${', i)) return i + 2;
  }
  return text.length;
}

function endOfRegex(text: string, start: number): number {
  let inClass = false;
  for (let i = start + 1; i < text.length; i++) {
    const c = text[i];
    if (c === '\\') i++;
    else if (c === '\n') return i;
    else if (c === '[') inClass = true;
    else if (c === ']') inClass = false;
    else if (c === '/' && !inClass) return i + 1;
  }
  return text.length;
}

/** Whether a slash after this code begins a regular expression (else it divides). */
function startsRegex(before: string): boolean {
  const tail = before.slice(-TAIL).trimEnd();
  return (
    tail === '' ||
    /[(,=:[!&|?{};+*%~^<>-]$|\b(return|typeof|case|in|of|delete|void|throw|new|else|do|yield|await)$/.test(tail)
  );
}
