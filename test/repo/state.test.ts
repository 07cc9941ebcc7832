import { describe, expect, it } from 'vitest';
import { loadSources, toSource } from './rules/source.ts';
import { stateViolations } from './rules/state.ts';

const complaints = (text: string, path = 'hub/a.ts'): string[] =>
  stateViolations([toSource(path, text)]).map((v) => v.what);

describe('module-level state', () => {
  it('is nowhere in the repository', () => {
    expect(stateViolations(loadSources())).toEqual([]);
  });

  it.each([
    'let count = 0;',
    'export let count = 0;',
    'var x;',
    'const cache = new WeakMap();',
    'const pending = new BoundedMap({ name: 1 });',
    'const seen = new Set<string>();\nfunction f(x) { seen.add(x); }',
    'const byId: Map<string, number> = new Map();\nexport const g = () => byId.set(1, 2);',
    'export const table = new Map([[1, 2]]);',
    'const state = { n: 0 };\nfunction f() { state.n += 1; }',
    'const state = { a: { n: 0 } };\nfunction f() { state.a.n++; }',
    'const list = [];\nfunction f(x) { list.push(x); }',
    'const memo = {};\nfunction f(x) { memo[x] ??= g(x); }',
    'const memo = {};\nfunction f(x) { delete memo[x]; }',
    'class A { static instances = 0; }',
    'class A { static #cache: Map<string, string> = new Map(); }',
  ])('is found in: %s', (text) => {
    expect(complaints(text)).toHaveLength(1);
    expect(complaints(text, 'test/a.ts')).toEqual([]);
  });

  it.each([
    'const MAX = 3;',
    'function f() { let n = 0; const m = new Map(); m.set(1, 2); return n; }',
    'const f = () => { let n = 0; return n; };',
    'const KINDS = new Set([1, 2]);\nconst has = (x) => KINDS.has(x);',
    'export const TABLE: ReadonlyMap<string, string> = new Map([[a, b]]);',
    'const T = { a: 1 };\nconst f = (x) => T[x] === 1 && T.a >= 2;',
    'const rows = [1];\nfunction f() { const rows = []; rows.push(1); }',
    'const names = [1];\nconst g = (names) => names.push(1);',
    'class A { static readonly max = 3; static of() { return new A(); } n = 0; }',
    '// let x = 1\nconst s = `let y = 2`;',
    'for (const x of y) { let z; }',
  ])('is not suspected in: %s', (text) => {
    expect(complaints(text)).toEqual([]);
  });
});
