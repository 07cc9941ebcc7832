import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addUp, show } from '../../tools/ci-summary.mjs';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'v2gate-ci-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

const file = (name: string, statuses: readonly string[], seconds = 1, status = 'passed') => ({
  name: join(process.cwd(), name),
  status,
  startTime: 0,
  endTime: seconds * 1000,
  message: 'SyntaxError: broken',
  assertionResults: statuses.map((s, i) => ({ fullName: `test ${i}`, status: s })),
});

function report(name: string, testResults: readonly object[]): string {
  const path = join(dir, `${name}.json`);
  writeFileSync(path, JSON.stringify({ testResults }));
  return path;
}

describe('the sum of a CI run', () => {
  it('counts steps as one and tests one by one, and ends with the line that counts', () => {
    const path = report('good', [file('test/a.test.ts', ['passed', 'passed']), file('test/b.test.ts', ['passed'])]);
    const tally = addUp(['step=lint:0', 'step=check:0', `report=test:0:${path}`]);
    expect(tally).toMatchObject({ passed: 5, failed: 0, complaints: [] });
    expect(show(tally).split('\n').at(-1)).toBe('5 passed, 0 failed');
  });

  it('counts skipped and unfinished tests as failed', () => {
    const path = report('skipped', [file('test/a.test.ts', ['passed', 'skipped', 'pending', 'todo', 'failed'])]);
    const tally = addUp([`report=test:1:${path}`]);
    expect(tally).toMatchObject({ passed: 1, failed: 4 });
    expect(tally.complaints[0]).toBe('test: skipped: test/a.test.ts: test 1');
  });

  it('counts a failed step, a file that cannot be loaded, a missing report and an unreadable argument', () => {
    const path = report('broken', [file('test/a.test.ts', [], 0, 'failed'), file('test/b.test.ts', ['passed'])]);
    expect(addUp(['step=lint:1'])).toMatchObject({ passed: 0, failed: 1 });
    expect(addUp([`report=test:1:${path}`])).toMatchObject({ passed: 1, failed: 1 });
    expect(addUp([`report=test:1:${join(dir, 'nothing.json')}`])).toMatchObject({ passed: 0, failed: 1 });
    expect(addUp(['lint'])).toMatchObject({ failed: 1 });
  });

  it('does not believe a run that failed although its tests passed, nor one without tests', () => {
    const good = report('odd', [file('test/a.test.ts', ['passed'])]);
    expect(addUp([`report=test:1:${good}`])).toMatchObject({ passed: 1, failed: 1 });
    expect(addUp([`report=test:0:${report('empty', [])}`])).toMatchObject({ passed: 0, failed: 1 });
  });

  it('shows the five slowest files', () => {
    const path = report(
      'slow',
      [1, 7, 3, 9, 5, 2].map((s) => file(`test/${s}.test.ts`, ['passed'], s)),
    );
    const lines = show(addUp([`report=test:0:${path}`]))
      .split('\n')
      .filter((l) => l.includes('.test.ts'));
    expect(lines.map((l) => l.trim())).toEqual([9, 7, 5, 3, 2].map((s) => `${s}.0 s  test/${s}.test.ts`));
  });
});
