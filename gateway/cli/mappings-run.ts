import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseJson } from '../../core/json.ts';
import { diagnose } from '../../core/mapping/diagnose.ts';
import { type Evaluation, evaluate } from '../../core/mapping/evaluate.ts';
import { checkExamples, parseExamples } from '../../core/mapping/examples.ts';
import { readHeader } from '../../core/mapping/header.ts';
import { compile, type Mapping, type Schemas } from '../../core/mapping/index.ts';
import { sampleOf } from '../../core/mapping/sample.ts';
import { GATEWAY_ERRORS } from '../errors.ts';
import { mappingSchemas } from '../mapping-schemas.ts';
import type { Terminal } from './command.ts';
import type { MappingsCall } from './mappings.ts';
import { diagnosticLines } from './mappings-check.ts';
import { SHIPPED } from './mappings-list.ts';

const LIMITS = { maxBytes: 16 * 1024 * 1024, maxDepth: 64, duplicateKeys: 'reject' } as const;

/** `mappings run`: the result goes to the output, everything about it to the error output. */
export async function runMapping({ terminal, names, ctx }: MappingsCall): Promise<number> {
  const [name, inputName, ...more] = names;
  if (name === undefined || more.length > 0) {
    terminal.err('Name one mapping file, and at most one file with a message (- for the input).');
    return 2;
  }
  const file = fileOf(name);
  const text = readFileSync(file, 'utf8');
  const schemas = mappingSchemas();
  const diagnostics = diagnose(text, { schemas });
  for (const d of diagnostics) for (const line of diagnosticLines({ ...d, file })) terminal.err(line);
  const { mapping } = compile(text, { file });
  if (!mapping) return 1;
  if (inputName === undefined) return runExamples(mapping, file, terminal);
  const input = await readInput(inputName, terminal);
  const context = ctx === undefined ? sampleOf(schemas.context) : parse(readFileSync(ctx, 'utf8'), ctx);
  const done = await runOnce(mapping, input, context, readHeader(text).header.to, schemas);
  report(done, file, terminal);
  return done.failure || done.messages.some((m) => m.fault !== undefined) ? 1 : 0;
}

/** A file of the file system, or one of the pack by its relative path. */
function fileOf(name: string): string {
  const shipped = join(SHIPPED, name);
  if (!existsSync(name) && existsSync(shipped)) return shipped;
  if (existsSync(name)) return name;
  throw GATEWAY_ERRORS.fail('mapping.noFile', `There is no mapping file ${name}.`);
}

async function readInput(name: string, terminal: Terminal): Promise<unknown> {
  if (name !== '-') return parse(readFileSync(name, 'utf8'), name);
  const chunks: string[] = [];
  let size = 0;
  for await (const chunk of terminal.stdin) {
    size += chunk.length;
    if (size > LIMITS.maxBytes) throw GATEWAY_ERRORS.fail('mapping.tooLarge', 'The message is larger than 16 MB.');
    chunks.push(chunk.toString());
  }
  return parse(chunks.join(''), 'the input');
}

function parse(text: string, name: string): unknown {
  try {
    return parseJson(text, LIMITS);
  } catch (e) {
    const why = e instanceof Error ? e.message : 'it cannot be read';
    throw GATEWAY_ERRORS.fail('mapping.noJson', `${name} is not JSON: ${why}`);
  }
}

async function runOnce(
  mapping: Mapping,
  input: unknown,
  ctx: unknown,
  to: readonly string[],
  schemas: Schemas,
): Promise<Evaluation> {
  return evaluate(mapping, input, ctx, { to, schemas, now: () => performance.now() });
}

function report({ output, messages, failure, ms }: Evaluation, file: string, terminal: Terminal): void {
  if (failure) terminal.err(`${failure.what} (${failure.code})`);
  else terminal.out(JSON.stringify(output ?? null, null, 2));
  for (const m of messages) {
    terminal.err(m.fault === undefined ? `${m.topic}: valid` : `${m.topic}: not valid: ${m.fault}`);
  }
  terminal.err(`${file} took ${ms < 1 ? `${Math.round(ms * 1000)} µs` : `${ms.toFixed(1)} ms`}.`);
}

/** Without a message: every example beside the file. */
function runExamples(mapping: Mapping, file: string, terminal: Terminal): number {
  const path = file.replace(/\.jsonata$/, '.examples.json');
  if (!existsSync(path)) {
    terminal.err(`There are no examples in ${path}; name a file with a message, or - for the input.`);
    return 2;
  }
  const examples = (): ReturnType<typeof parseExamples> => parseExamples(readFileSync(path, 'utf8'), path);
  const results = checkExamples({ mapping, examples });
  for (const r of results) terminal.out(`${r.ok ? 'ok  ' : 'FAIL'}  ${r.name}${r.ok ? '' : `: ${r.difference}`}`);
  terminal.err(`${results.filter((r) => r.ok).length} of ${results.length} examples hold.`);
  return results.every((r) => r.ok) ? 0 : 1;
}
