import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parse } from '../../core/mapping/ast.ts';
import { build } from '../../core/mapping/engine.ts';
import { DEFAULT_LIMITS, type Effects, Failure } from '../../core/mapping/runtime/state.ts';
import { text } from './oracle.ts';

/**
 * The official suite of the language, where V2GATE_JSONATA_SUITE names a folder with `groups/` and `datasets/` (test/test-suite
 * of the jsonata repository). Without it one test says how to run it.
 */
const FOLDER = process.env.V2GATE_JSONATA_SUITE ?? '';

interface Case {
  readonly expr?: string;
  readonly 'expr-file'?: string;
  readonly data?: unknown;
  readonly dataset?: string | null;
  readonly bindings?: Record<string, unknown>;
  readonly result?: unknown;
  readonly undefinedResult?: boolean;
  readonly code?: string;
  readonly token?: string;
  readonly error?: { readonly code?: string };
  readonly unordered?: boolean;
}

type Verdict = 'passed' | 'slow' | 'impure' | { readonly wrong: string };

const json = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'));
const LIMITS = { ...DEFAULT_LIMITS, sequence: 1e7, steps: 1.5e7 };
const EFFECTS: Effects = { now: () => Date.now(), random: () => Math.random() };

type Result = { readonly value: unknown } | { readonly code: string; readonly token?: string | undefined };

function run(c: Case, expression: string, input: unknown): Result | 'slow' | 'impure' {
  const parsed = parse(expression);
  if ('failure' in parsed) return { code: parsed.failure.code };
  const bindings = c.bindings ?? {};
  const built = build(parsed.ast, Object.keys(bindings), LIMITS, EFFECTS);
  if (built.kind !== 'compiled') return built.kind;
  try {
    return { value: built.run(input, Object.values(bindings)) };
  } catch (e) {
    if (e instanceof Failure) return { code: e.code, token: e.token };
    return { code: e instanceof RangeError ? 'D1011' : String(e) };
  }
}

/** `U1001` stands for the time and depth guards of the suite's own runner. */
const sameCode = (expected: string, got: string): boolean =>
  got === expected || (expected === 'U1001' && /^D101[12]$/.test(got));

/** JSON has no undefined items and no functions. */
const plain = (v: unknown): string => (v === undefined ? 'nothing' : text(JSON.parse(JSON.stringify(v) ?? 'null')));

const sorted = (v: unknown): unknown => (Array.isArray(v) ? v.map(plain).sort() : v);

function verdict(c: Case, folder: string): Verdict {
  const expression = c.expr ?? readFileSync(join(folder, c['expr-file'] ?? ''), 'utf8');
  const input = 'data' in c ? c.data : c.dataset ? json(join(FOLDER, 'datasets', `${c.dataset}.json`)) : undefined;
  const got = run(c, expression, input);
  if (typeof got === 'string') return got;
  const code = c.code ?? c.error?.code;
  if (code !== undefined) {
    // Tokens of syntax errors are the parser's own.
    const sameToken = c.token === undefined || !('token' in got) || got.token === c.token;
    return 'code' in got && sameCode(code, got.code) && sameToken
      ? 'passed'
      : { wrong: `${expression}: ${code} expected, got ${JSON.stringify(got)}` };
  }
  if ('code' in got) return { wrong: `${expression}: failed with ${got.code}` };
  const [a, b] = c.unordered ? [sorted(got.value), sorted(c.result)] : [got.value, c.result];
  const same = c.undefinedResult ? got.value === undefined : keyless(a) === keyless(b);
  return same ? 'passed' : { wrong: `${expression}: ${plain(c.result)} expected, got ${plain(got.value)}` };
}

/** The suite does not prescribe the order of keys. */
const keyless = (v: unknown): string =>
  JSON.stringify(v, (_k, x: unknown) =>
    typeof x === 'object' && x !== null && !Array.isArray(x) ? Object.fromEntries(Object.entries(x).sort()) : x,
  );

if (FOLDER === '') {
  it('the official suite: MISSING, V2GATE_JSONATA_SUITE names no folder', () => {
    console.warn(
      'The official suite of JSONata did not run: V2GATE_JSONATA_SUITE names no folder with groups/ and datasets/.',
    );
    expect(FOLDER).toBe('');
  });
} else {
  it('every case of the official suite passes', () => {
    const count = { passed: 0, slow: 0, impure: 0, wrong: 0 };
    const failed: string[] = [];
    for (const group of readdirSync(join(FOLDER, 'groups'))) {
      const folder = join(FOLDER, 'groups', group);
      for (const file of readdirSync(folder).filter((f) => f.endsWith('.json'))) {
        for (const c of [json(join(folder, file))].flat() as Case[]) {
          const v = verdict(c, folder);
          count[typeof v === 'string' ? v : 'wrong']++;
          if (v !== 'passed') failed.push(`${group}/${file} ${typeof v === 'string' ? v : v.wrong}`);
        }
      }
    }
    console.log(
      `official suite: ${Object.entries(count)
        .map(([verdict, n]) => `${n} ${verdict}`)
        .join(', ')}`,
    );
    expect(failed).toEqual([]);
    expect(count.passed).toBeGreaterThan(500);
  }, 120_000);
}
