import { codeOf, describeError } from '../errors.ts';
import { canonical, parseJson } from '../json.ts';
import { MAPPING_ERRORS, type MappingError } from './errors.ts';
import type { MappingEntry } from './library.ts';

/** A golden case of a mapping. */
export interface Example {
  readonly name: string;
  readonly ctx: unknown;
  readonly input: unknown;
  /** The expected result … */
  readonly output?: unknown;
  /** … or the code of the expected error: `mapping.…` or the language's, e.g. `D3141`. */
  readonly error?: string;
}

export interface ExampleResult {
  readonly name: string;
  readonly ok: boolean;
  /** What differs; empty when it holds. */
  readonly difference: string;
  readonly output?: unknown;
}

const LIMITS = { maxBytes: 4 * 1024 * 1024, maxDepth: 64, duplicateKeys: 'reject' } as const;

/** Parses `{examples: [{name, ctx, input, output | error}]}`. Throws `mapping.broken`. */
export function parseExamples(text: string, path: string): readonly Example[] {
  let content: unknown;
  try {
    content = parseJson(text, LIMITS);
  } catch (e) {
    throw broken(path, describeError(e).what);
  }
  const list = isRecord(content) ? content.examples : undefined;
  if (!Array.isArray(list)) throw broken(path, 'It must hold {"examples": […]}.');
  return list.map((e: unknown, i) => {
    if (!isRecord(e) || typeof e.name !== 'string') throw broken(path, `Example ${i + 1} has no name.`);
    if ((e.output === undefined) === (e.error === undefined)) {
      throw broken(path, `Example “${e.name}” must have either output or error.`);
    }
    const error = typeof e.error === 'string' ? { error: e.error } : {};
    return { name: e.name, ctx: e.ctx ?? {}, input: e.input, ...error, ...('output' in e ? { output: e.output } : {}) };
  });
}

const isRecord = (v: unknown): v is Record<string, unknown> => typeof v === 'object' && v !== null && !Array.isArray(v);

const broken = (path: string, what: string): Error => MAPPING_ERRORS.fail('mapping.broken', `${path}: ${what}`);

/** Runs the examples of a mapping. Never throws for an example that fails. */
export function checkExamples(entry: Pick<MappingEntry, 'mapping' | 'examples'>): ExampleResult[] {
  return entry.examples().map((example) => checkExample(entry, example));
}

function checkExample(entry: Pick<MappingEntry, 'mapping'>, example: Example): ExampleResult {
  const { name } = example;
  let output: unknown;
  try {
    output = entry.mapping.run(example.input, example.ctx);
  } catch (e) {
    const got = [codeOf(e), (e as MappingError).jsonata].filter((c) => c !== undefined);
    if (example.error !== undefined && got.includes(example.error)) return { name, ok: true, difference: '' };
    return { name, ok: false, difference: `It failed with ${got.join(' / ')}: ${describeError(e).what}` };
  }
  if (example.error !== undefined) {
    return { name, ok: false, output, difference: `It should fail with ${example.error} and gave a result.` };
  }
  const difference = firstDifference(example.output, output, '');
  return { name, ok: difference === '', difference, output };
}

/** The first place where two values differ, as JSON pointer with both values. */
function firstDifference(expected: unknown, got: unknown, path: string): string {
  if (isRecord(expected) && isRecord(got)) {
    for (const key of new Set([...Object.keys(expected), ...Object.keys(got)])) {
      const inside = firstDifference(expected[key], got[key], `${path}/${key}`);
      if (inside !== '') return inside;
    }
    return '';
  }
  if (Array.isArray(expected) && Array.isArray(got) && expected.length === got.length) {
    for (let i = 0; i < expected.length; i++) {
      const inside = firstDifference(expected[i], got[i], `${path}/${i}`);
      if (inside !== '') return inside;
    }
    return '';
  }
  const [a, b] = [shown(expected), shown(got)];
  return a === b ? '' : `${path === '' ? 'The result' : path}: expected ${a}, got ${b}.`;
}

function shown(v: unknown): string {
  if (v === undefined) return 'nothing';
  const text = canonical(v);
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}
