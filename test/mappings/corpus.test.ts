import jsonata from 'jsonata';
import { describe, expect, it } from 'vitest';
import { codeOf } from '../../core/errors.ts';
import { diagnose } from '../../core/mapping/diagnose.ts';
import { checkExamples } from '../../core/mapping/examples.ts';
import { describe as describeMapping } from '../../core/mapping/index.ts';
import { mappingSchemas } from '../../gateway/mapping-schemas.ts';
import { fault, messagesOf, openLibrary } from './corpus.ts';

const library = openLibrary();
const entries = library.entries();

const schemas = mappingSchemas();
const NOTHING_UNTRUE = { stated: [], carried: [], unread: [], unstated: [], read: [], unknown: [] };

describe('the corpus', () => {
  it('has the mappings of the path, none of them broken', () => {
    expect(library.broken()).toEqual([]);
    expect(entries.map((e) => e.path).sort()).toEqual([
      'ocpp1.6/from-hub/PowerCommand.defaultA.jsonata',
      'ocpp1.6/from-hub/PowerCommand.defaultW.jsonata',
      'ocpp1.6/from-hub/PowerCommand.limitA.jsonata',
      'ocpp1.6/from-hub/PowerCommand.limitW.jsonata',
      'ocpp1.6/to-hub/MeterValuesRequest.jsonata',
      'ocpp1.6/to-hub/StartTransactionRequest.jsonata',
      'ocpp1.6/to-hub/StatusNotificationRequest.jsonata',
      'ocpp1.6/to-hub/StopTransactionRequest.jsonata',
      'ocpp2.0.1/from-hub/PowerCommand.defaultA.jsonata',
      'ocpp2.0.1/from-hub/PowerCommand.defaultW.jsonata',
      'ocpp2.0.1/from-hub/PowerCommand.limitA.jsonata',
      'ocpp2.0.1/from-hub/PowerCommand.limitW.jsonata',
      'ocpp2.0.1/to-hub/MeterValuesRequest.jsonata',
      'ocpp2.0.1/to-hub/NotifyEVChargingNeedsRequest.jsonata',
      'ocpp2.0.1/to-hub/StatusNotificationRequest.jsonata',
      'ocpp2.0.1/to-hub/TransactionEventRequest.jsonata',
      'ocpp2.1/from-hub/PowerCommand.defaultA.jsonata',
      'ocpp2.1/from-hub/PowerCommand.defaultW.jsonata',
      'ocpp2.1/from-hub/PowerCommand.dynamic.jsonata',
      'ocpp2.1/from-hub/PowerCommand.limitA.jsonata',
      'ocpp2.1/from-hub/PowerCommand.limitW.jsonata',
      'ocpp2.1/from-hub/PowerCommand.setpoint.jsonata',
      'ocpp2.1/from-hub/PowerCommand.update.jsonata',
      'ocpp2.1/to-hub/MeterValuesRequest.jsonata',
      'ocpp2.1/to-hub/NotifyEVChargingNeedsRequest.jsonata',
      'ocpp2.1/to-hub/StatusNotificationRequest.jsonata',
      'ocpp2.1/to-hub/TransactionEventRequest.jsonata',
    ]);
  });
});

describe.each(entries.map((e) => [e.path, e] as const))('%s', (_path, entry) => {
  it('is compiled, without a warning', () => {
    expect(entry.mapping.slow).toBe(false);
    expect(entry.diagnostics.map((d) => `${d.line}:${d.column} ${d.message}`)).toEqual([]);
  });

  it('names its clause', () => {
    expect(entry.ref).toMatch(/^ocpp \d/);
  });

  it('has examples, and they hold', () => {
    const results = checkExamples(entry);
    expect(results.length).toBeGreaterThan(0);
    expect(results.filter((r) => !r.ok).map((r) => `${r.name}: ${r.difference}`)).toEqual([]);
  });

  it('makes valid messages of the topics that it names', () => {
    for (const example of entry.examples()) {
      if (example.error !== undefined) continue;
      for (const m of messagesOf(entry, example.output)) {
        expect(entry.to, example.name).toContain(m.topic);
        expect(fault(m.topic, m.payload), example.name).toBeUndefined();
      }
    }
  });

  it('takes valid messages, apart from what stations are known to do wrong', () => {
    for (const example of entry.examples()) {
      const tolerated = /unreadable/.test(example.name);
      if (!tolerated) expect(fault(entry.from, example.input), example.name).toBeUndefined();
    }
  });

  it('gives compiled what the interpreter gives', async () => {
    const interpreter = jsonata(entry.mapping.source);
    for (const { name, input, ctx } of entry.examples()) {
      const expected = await outcome(() => interpreter.evaluate(input, { ctx }));
      expect(await outcome(() => entry.mapping.run(input, ctx)), name).toEqual(expected);
    }
  });

  it('reads and writes only what exists, and loses exactly what it says', () => {
    const found = diagnose(entry.mapping.source, { path: entry.path, schemas });
    expect(found.map((d) => `${d.code} ${d.line}:${d.column} ${d.message}`)).toEqual([]);
    const { lost, coverage, reads } = describeMapping(entry.mapping, schemas);
    expect({ ...lost, stated: [], carried: [], unread: [] }).toEqual(NOTHING_UNTRUE);
    expect(coverage.map((c) => [c.topic, c.required.missing])).toEqual(entry.to.map((topic) => [topic, []]));
    expect(reads.length).toBeGreaterThan(0);
  });
});

describe('the analysis', () => {
  it.each(entries.map((e) => [e.path, e] as const))('knows every field that a run of %s looks at', (_path, entry) => {
    const known = describeMapping(entry.mapping, schemas).reads;
    for (const { input, ctx, error } of entry.examples()) {
      const seen = new Set<string>();
      const run = (): unknown => JSON.stringify(entry.mapping.run(watched(input, '', seen), ctx));
      if (error === undefined) run();
      else expect(run).toThrow();
      const covered = (path: string): boolean =>
        known.some((r) => r.path === path || (r.whole && path.startsWith(`${r.path}.`)));
      expect([...seen].filter((path) => !covered(path))).toEqual([]);
      if (error === undefined && known.length > 0) expect(seen.size).toBeGreaterThan(0);
    }
  });
});

/** Notes the paths of fields that somebody looks at; items of lists have the path of their list. */
function watched(value: unknown, path: string, seen: Set<string>): unknown {
  if (Array.isArray(value)) return value.map((item: unknown) => watched(item, path, seen));
  if (typeof value !== 'object' || value === null) return value;
  const inner = Object.fromEntries(
    Object.entries(value).map(([k, v]) => [k, watched(v, path === '' ? k : `${path}.${k}`, seen)]),
  );
  const note = (key: string | symbol): void => {
    if (typeof key === 'string' && Object.hasOwn(inner, key)) seen.add(path === '' ? key : `${path}.${key}`);
  };
  return new Proxy(inner, {
    get(target, key) {
      note(key);
      const found: unknown = Reflect.get(target, key);
      return found;
    },
  });
}

/** Result as plain data, or the language's error code. */
async function outcome(run: () => unknown): Promise<unknown> {
  try {
    return JSON.parse(JSON.stringify((await run()) ?? null));
  } catch (e) {
    const language = typeof e === 'object' && e !== null ? Reflect.get(e, 'jsonata') : undefined;
    return { failed: language ?? codeOf(e) };
  }
}
