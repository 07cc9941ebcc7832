import { describeError } from '../errors.ts';
import type { Schemas } from './analysis/description.ts';
import type { MappingError } from './errors.ts';
import type { Mapping } from './index.ts';

/** A message that a mapping made. */
export interface MadeMessage {
  readonly topic: string;
  readonly payload: unknown;
  /** Why its schema refuses it, as `<JSON pointer> <sentence>`; absent: it is valid, or its schema is not known. */
  readonly fault?: string;
}

/** What became of one message in a mapping, for people. */
export interface Evaluation {
  readonly messages: readonly MadeMessage[];
  /** The result as the mapping gave it. */
  readonly output?: unknown;
  /** The run failed: the sentence, and where if that is known. */
  readonly failure?: { readonly what: string; readonly code: string; readonly line?: number; readonly column?: number };
  /** How long the run took, in ms. */
  readonly ms: number;
}

export interface EvaluateOptions {
  /** Targets of the mapping; a result that is no `{messages: […]}` is the first of them. */
  readonly to: readonly string[];
  readonly schemas: Schemas;
  /** A clock in ms, with fractions. */
  readonly now: () => number;
}

/** Runs a mapping on one message and holds what it makes against the schemas. Slow mappings run as well. Never rejects. */
export async function evaluate(
  mapping: Mapping,
  input: unknown,
  ctx: unknown,
  o: EvaluateOptions,
): Promise<Evaluation> {
  const start = o.now();
  try {
    const output = mapping.slow ? await mapping.runAsync(input, ctx) : mapping.run(input, ctx);
    const ms = o.now() - start;
    return { output, messages: madeMessages(output, o.to).map((m) => checked(m, o.schemas)), ms };
  } catch (e) {
    const { what, code } = describeError(e);
    const { line, column } = e as Partial<MappingError>;
    const place = line === undefined || column === undefined ? {} : { line, column };
    return { messages: [], failure: { what, code, ...place }, ms: o.now() - start };
  }
}

function checked(m: MadeMessage, schemas: Schemas): MadeMessage {
  const fault = schemas.fault?.(m.topic, m.payload);
  return fault === undefined ? m : { ...m, fault };
}

/** The messages in the result of a mapping; what is no message there is left out. */
export function madeMessages(output: unknown, to: readonly string[]): MadeMessage[] {
  if (output === undefined) return [];
  const list: unknown = typeof output === 'object' && output !== null ? Reflect.get(output, 'messages') : undefined;
  if (!Array.isArray(list)) return [{ topic: to[0] ?? '', payload: output }];
  return list.flatMap((m: unknown) => {
    const topic: unknown = typeof m === 'object' && m !== null ? Reflect.get(m, 'topic') : undefined;
    return typeof topic === 'string' && typeof m === 'object' && m !== null
      ? [{ topic, payload: Reflect.get(m, 'payload') as unknown }]
      : [];
  });
}
