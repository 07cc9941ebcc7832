import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { manualClock, realClock } from '../../core/clock.ts';
import { codeOf, describeError } from '../../core/errors.ts';
import { silentLog } from '../../core/log.ts';
import { compile } from '../../core/mapping/index.ts';
import { createMetrics } from '../../core/metrics.ts';
import { checkFlowFile } from '../../gateway/flow-file.ts';
import { openStore } from '../../gateway/store/index.ts';
import { SiteRegistry } from '../../hub/site/registry.ts';
import { openLibrary } from '../mappings/corpus.ts';
import { DEMO_FLOW, DEMO_SITE } from '../support/gateway.ts';
import { FUZZ_TIME, INPUTS, inputs, mutants, odd, scratch } from './mutate.ts';

const folder = await mkdtemp(join(tmpdir(), 'v2gate-fuzz-'));
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Something happened that nobody foresaw. */
const CLUMSY = /\bundefined\b|\[object|TypeError|RangeError|Cannot read/;

/** The error is one of ours, and says what to do. */
function expectExplained(error: unknown, code: RegExp): void {
  const { what, remedy } = describeError(error);
  expect([codeOf(error), what]).toEqual([expect.stringMatching(code), expect.not.stringMatching(CLUMSY)]);
  expect(remedy).toMatch(/\w/);
}

describe(`${INPUTS} mutants`, FUZZ_TIME, () => {
  it('of a site file are opened or refused with a field and a remedy, and leave nothing behind', async () => {
    const clock = manualClock();
    const site: unknown = JSON.parse(await readFile(DEMO_SITE, 'utf8'));
    const store = await openStore({
      path: ':memory:',
      clock: realClock(),
      log: silentLog,
      metrics: createMetrics(),
    });
    let text = '';
    const files = { read: async () => text, watch: () => () => undefined };
    const outcomes = { opened: 0, refused: 0 };
    for (const make of inputs(mutants([() => site]))) {
      text = make();
      const metrics = createMetrics();
      const sites = new SiteRegistry({ clock, log: silentLog, metrics, store, files });
      const opened = await sites.open({ file: 'site.json' }).catch((e: unknown) => {
        expectExplained(e, /^site\./);
        return undefined;
      });
      outcomes[opened ? 'opened' : 'refused']++;
      await opened?.close();
      expect(clock.pending).toBe(0);
    }
    await store.close();
    expect(Math.min(outcomes.opened, outcomes.refused)).toBeGreaterThan(INPUTS / 30);
  });

  it('of a flow file are taken, or kept aside and explained', async () => {
    const flow: unknown = JSON.parse(await readFile(DEMO_FLOW, 'utf8'));
    const file = join(folder, 'flows.json');
    let broken = 0;
    for (const make of inputs(mutants([() => flow]))) {
      const text = make();
      await writeFile(file, text);
      const problem = await checkFlowFile(file);
      if (problem === undefined) continue;
      broken++;
      expectExplained(problem, /^flows\.broken$/);
      expect(await readFile(`${file}.broken`, 'utf8')).toBe(await readFile(file, 'utf8'));
    }
    expect(broken).toBeGreaterThan(INPUTS / 30);
  });
});

const cases = openLibrary()
  .entries()
  .flatMap(({ mapping, examples }) => examples().map(({ input, ctx }) => ({ mapping, input, ctx })));

describe(`${INPUTS} mutants of mappings`, FUZZ_TIME, () => {
  it('are compiled or diagnosed at a place inside the text', () => {
    const arbitrary = fc.tuple(fc.constantFrom(...cases), scratch, scratch);
    for (const [
      {
        mapping: { source },
      },
      one,
      two,
    ] of inputs(arbitrary)) {
      const spoiled = two(one(source));
      const { mapping, diagnostics } = compile(spoiled, {});
      if (!mapping) expect(diagnostics.some((d) => d.severity === 'error')).toBe(true);
      const lines = spoiled.split('\n');
      for (const d of diagnostics) {
        expect(d.line).toBeLessThanOrEqual(lines.length);
        expect(d.message).not.toMatch(CLUMSY);
      }
    }
  });

  it('do not help: a mapping that gets a mutant as its message answers or fails with its place', () => {
    const arbitrary = fc
      .tuple(fc.constantFrom(...cases), odd)
      .chain(([c, by]) => fc.tuple(fc.constant(c), mutants([() => c.input, () => by])));
    let failed = 0;
    for (const [{ mapping, ctx }, make] of inputs(arbitrary)) {
      const input = parsed(make());
      if (input === undefined) continue;
      try {
        mapping.run(input, ctx);
      } catch (e) {
        failed++;
        expectExplained(e, /^mapping\./);
      }
    }
    expect(failed).toBeGreaterThan(0);
  });
});

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
