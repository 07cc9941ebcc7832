import jsonata from 'jsonata';
import { describe, expect, it } from 'vitest';
import { codeOf } from '../../core/errors.ts';
import { checkExamples } from '../../core/mapping/examples.ts';
import { bodyOf, fault, membersOf, messagesOf, openLibrary } from './corpus.ts';

const library = openLibrary();
const entries = library.entries();

/** What the bridge carries over by other means: addressing, the choice of the form, the duration. */
const CARRIED = ['commandId', 'resourceId', 'kind', 'validUntil'];

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

  it('loses exactly what it says', () => {
    for (const path of entry.lost) {
      const [name, ...parents] = path.split('.').reverse();
      expect(membersOf(entry.from, parents.reverse().join('.')), path).toContain(name);
    }
    const own = bodyOf(entry).replace(/"\w+"\s*:|\$ctx[\w.]*/g, '');
    const reads = (name: string): boolean => new RegExp(`\\b${name}\\b`).test(own);
    const unread = (membersOf(entry.from) ?? []).filter((name) => !reads(name) && !CARRIED.includes(name));
    const lost = entry.lost.filter((name) => !name.includes('.') && !CARRIED.includes(name));
    expect([...lost].sort()).toEqual(unread.sort());
  });
});

/** Result as plain data, or the language's error code. */
async function outcome(run: () => unknown): Promise<unknown> {
  try {
    return JSON.parse(JSON.stringify((await run()) ?? null));
  } catch (e) {
    const language = typeof e === 'object' && e !== null ? Reflect.get(e, 'jsonata') : undefined;
    return { failed: language ?? codeOf(e) };
  }
}
