import { describe, expect, it } from 'vitest';
import { boundViolations } from './rules/bounds.ts';
import { loadSources, toSource } from './rules/source.ts';

const complaints = (text: string, path = 'hub/a.ts'): string[] =>
  boundViolations([toSource(path, text)]).map((v) => v.what);

describe('queues, maps and caches', () => {
  it('declare a bound everywhere', () => {
    expect(boundViolations(loadSources())).toEqual([]);
  });

  it.each([
    'class A {\n  readonly #byId = new Map<string, number>();\n}',
    'class A extends B<C> {\n  private seen: Set<string> = new Set();\n}',
    'export class A {\n  #queue: string[] = [];\n  add(x) { this.#queue.push(x); }\n}',
    'function make() {\n  const m = new Map();\n  return { set(k, v) { m.set(k, v); } };\n}',
    'function make() {\n  const m = new Map();\n  return { put: (k: string): void => { m.set(k, 1); } };\n}',
    'function make(socket) {\n  const waiting = [];\n  socket.on("message", (x) => waiting.push(x));\n}',
    'const make = (clock) => {\n  const s = new Set();\n  clock.after(3, () => { if (x) { s.add(1); } });\n};',
    'class A {\n  /* a note */\n  #byId = new Map();\n}',
  ])('without one are found in: %s', (text) => {
    expect(complaints(text)).toHaveLength(1);
    expect(complaints(text, 'test/a.ts')).toEqual([]);
  });

  it.each([
    'class A {\n  readonly #byId = new Map(); // bounded by: max, in set()\n}',
    'class A {\n  // bounded by: the number of EVSEs of the site file\n  readonly #byId = new Map();\n}',
    'class A {\n  #list: string[] = [];\n  replace() { this.#list = [1]; }\n}',
    'class A {\n  f() { const m = new Map(); for (const x of y) { m.set(x, 1); } return m; }\n}',
    'function f(rows) { const m = new Map(); rows.forEach((r) => { m.set(r, 1); }); return m; }',
    'function f(rows) { const seen = new Set(); const visit = (n) => { seen.add(n); }; visit(rows); }',
    'function f() { const out = []; if (a) { out.push(1); } return { out }; }',
    'function f() { const out = []; return { all: rows.map((r) => out.push(r)) }; }',
  ])('are not suspected in: %s', (text) => {
    expect(complaints(text)).toEqual([]);
  });
});
