import { describeError } from '../../../core/errors.ts';
import { parseJson } from '../../../core/json.ts';
import { readHeader } from '../../../core/mapping/header.ts';
import {
  compile,
  type Description,
  type Diagnostic,
  describe,
  diagnose,
  evaluate,
  type Mapping,
  type Schemas,
} from '../../../core/mapping/index.ts';
import { NODE_ERRORS } from '../../base/errors.ts';
import { isLargerThan } from './extent.ts';

/** What the workbench wants to know about a text. */
export interface CheckRequest {
  readonly text: string;
  /** Source and targets of a text without header. */
  readonly from?: string;
  readonly to?: string;
  /** The sample message and its `$ctx`, as JSON texts. */
  readonly input: string;
  readonly ctx: string;
  /** Run it also when it needs the interpreter, which may take a second. */
  readonly runSlow: boolean;
}

export interface TrialMessage {
  readonly topic: string;
  /** Why its schema refuses it; absent: valid. */
  readonly fault?: string;
  /** The schema of this topic is known. */
  readonly known: boolean;
}

/** What became of the sample. */
export interface Trial {
  /** The result as JSON, for people; absent when there is none. */
  readonly output?: string;
  /** The result was too large to be shown whole. */
  readonly cut?: true;
  readonly messages: readonly TrialMessage[];
  /** The condition of the header does not hold: where a mapping is chosen, this one would not be. */
  readonly unfit?: true;
  readonly failure?: { readonly what: string; readonly code: string; readonly line?: number; readonly column?: number };
  /** Median of `runs` runs, in µs. */
  readonly us: number;
  readonly runs: number;
}

export interface CheckAnswer {
  readonly from?: string;
  readonly to: readonly string[];
  /** Where the text would lie in a mapping folder to take the place of the shipped file. */
  readonly place?: string;
  readonly diagnostics: readonly Diagnostic[];
  readonly description: Description;
  /** It needs the interpreter: only the map node can run it. */
  readonly slow: boolean;
  /** The sample message or `$ctx` is no JSON. */
  readonly sampleFault?: { readonly which: 'input' | 'ctx'; readonly what: string };
  readonly trial?: Trial;
}

export const MAX_TEXT = 32 * 1024;
export const MAX_SAMPLE = 256 * 1024;
const MAX_FINDINGS = 200;
const MAX_OUTPUT_VALUES = 20_000;
const MAX_OUTPUT = 128 * 1024;
const LIMITS = { maxBytes: 2 * MAX_SAMPLE, maxDepth: 64, duplicateKeys: 'last' } as const;
/** Time and number of runs for the median. */
const MEASURE_MS = 10;
const MEASURE_RUNS = 200;

/**
 * Everything the workbench shows about a text: findings, coverage, and what it makes of the sample. Bounded: the text by
 * its length, a run by the guards of the engine, the repeated runs by time, the answer by its size. Rejects with
 * `nodes.tooLarge`. `now` is a clock in ms with fractions, `pause` lets other things happen in between.
 */
export async function checkMapping(
  request: CheckRequest,
  schemas: Schemas,
  now: () => number,
  pause: () => Promise<void>,
): Promise<CheckAnswer> {
  const { text } = request;
  if (text.length > MAX_TEXT) throw tooLarge('The mapping', MAX_TEXT);
  if (request.input.length > MAX_SAMPLE) throw tooLarge('The message', MAX_SAMPLE);
  if (request.ctx.length > MAX_SAMPLE) throw tooLarge('The context', MAX_SAMPLE);
  const { header } = readHeader(text);
  const named = {
    ...(request.from === undefined ? {} : { from: request.from }),
    ...(request.to === undefined ? {} : { to: [request.to] }),
  };
  const diagnostics = diagnose(text, { ...named, schemas }).slice(0, MAX_FINDINGS);
  await pause();
  const description = describe({ source: text }, schemas, named);
  await pause();
  const { mapping } = compile(text);
  const sample = samplesOf(request);
  const run = mapping !== undefined && !('which' in sample) && (!mapping.slow || request.runSlow);
  const place = placeOf(description, header.variant);
  return {
    ...(description.from === undefined ? {} : { from: description.from }),
    to: description.to,
    ...(place === undefined ? {} : { place }),
    diagnostics,
    description,
    slow: mapping?.slow ?? false,
    ...('which' in sample ? { sampleFault: sample } : {}),
    ...(run
      ? { trial: { ...(await tryOut(mapping, sample, description.to, schemas, now)), ...fit(header.when, sample) } }
      : {}),
  };
}

const tooLarge = (what: string, max: number): Error =>
  NODE_ERRORS.fail('nodes.tooLarge', `${what} has more than ${max / 1024} kB.`);

interface SampleValues {
  readonly input: unknown;
  readonly ctx: unknown;
}

function samplesOf(request: CheckRequest): SampleValues | NonNullable<CheckAnswer['sampleFault']> {
  let which: 'input' | 'ctx' = 'input';
  try {
    const input = parseJson(request.input, LIMITS);
    which = 'ctx';
    const ctx = request.ctx.trim() === '' ? {} : parseJson(request.ctx, LIMITS);
    return { input, ctx };
  } catch (e) {
    return { which, what: describeError(e).what };
  }
}

/** A condition that fails does not hold. */
function fit(when: string | undefined, { input, ctx }: SampleValues): { unfit?: true } {
  if (when === undefined) return {};
  try {
    return compile(when).mapping?.run(input, ctx) === true ? {} : { unfit: true };
  } catch {
    return { unfit: true };
  }
}

async function tryOut(
  mapping: Mapping,
  { input, ctx }: SampleValues,
  to: readonly string[],
  schemas: Schemas,
  now: () => number,
): Promise<Trial> {
  const fault = (topic: string, payload: unknown): string | undefined =>
    isLargerThan(payload, MAX_OUTPUT_VALUES) ? 'It is too large to be checked here.' : schemas.fault?.(topic, payload);
  const { output, messages, failure, ms } = await evaluate(mapping, input, ctx, {
    to,
    schemas: { ...schemas, fault },
    now,
  });
  const { us, runs } = failure || mapping.slow ? { us: ms * 1000, runs: 1 } : measure(mapping, input, ctx, ms, now);
  return {
    ...written(output),
    messages: messages.map((m) => ({
      topic: m.topic,
      known: schemas.message(m.topic) !== undefined,
      ...(m.fault === undefined ? {} : { fault: sentence(m.fault) }),
    })),
    ...(failure ? { failure } : {}),
    us,
    runs,
  };
}

/** A sentence that names the field itself needs no pointer before it. */
function sentence(fault: string): string {
  const [pointer = '', ...words] = fault.split(' ');
  return pointer !== '' && words[0] === pointer ? words.join(' ') : fault;
}

/** The first run also warms up; it counts only when there is no time for others. */
function measure(
  mapping: Mapping,
  input: unknown,
  ctx: unknown,
  firstMs: number,
  now: () => number,
): { us: number; runs: number } {
  const times: number[] = [];
  const end = now() + MEASURE_MS;
  for (let at = now(); firstMs < MEASURE_MS && at < end && times.length < MEASURE_RUNS; ) {
    mapping.run(input, ctx);
    const after = now();
    times.push(after - at);
    at = after;
  }
  times.sort((a, b) => a - b);
  return { us: (times[times.length >> 1] ?? firstMs) * 1000, runs: Math.max(1, times.length) };
}

function written(output: unknown): Pick<Trial, 'output' | 'cut'> {
  if (output === undefined || typeof output === 'function') return {};
  if (isLargerThan(output, MAX_OUTPUT_VALUES)) return { cut: true };
  const text = JSON.stringify(output, null, 2);
  return text.length > MAX_OUTPUT ? { output: text.slice(0, MAX_OUTPUT), cut: true } : { output: text };
}

function placeOf({ from, to }: Description, variant: string | undefined): string | undefined {
  const [language, message] = from?.split('/') ?? [];
  const target = to[0]?.split('/')[0];
  if (language === undefined || message === undefined || target === undefined) return undefined;
  const folder = language === 'hub' ? `${target}/from-hub` : `${language}/to-hub`;
  return `${folder}/${message}${variant === undefined ? '' : `.${variant}`}.jsonata`;
}
