import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../../tools/docs/markdown.ts';
import { complaints, passedRows, STATUS_PAGE, statusPage, unproven } from '../../tools/docs/ocpp-status.ts';
import { ROWS } from '../system/support/status-rows.ts';

type Status = 'passed' | 'failed' | 'skipped';

/** A report in which all rows passed, but for those that are named. */
function report(other: Readonly<Record<string, Status>> = {}, name = '/x/test/system/ocpp-status-gateway.test.ts') {
  const assertionResults = ROWS.map(({ id }) => ({ title: id, status: other[id] ?? 'passed' }));
  return { testResults: [{ name, assertionResults }] };
}
const [first] = ROWS;
const ID = first?.id ?? '';

describe('the status of OCPP', () => {
  it('has rows with a name each, for each function, version and direction', () => {
    expect(new Set(ROWS.map((r) => r.id)).size).toBe(ROWS.length);
    expect(ROWS.length).toBe((12 + 8) * 3 * 2);
  });

  it('counts a row only if its test ran and passed', () => {
    const all = passedRows([report()]);
    expect(unproven(all)).toEqual([]);
    expect(complaints(all, statusPage(all))).toEqual([]);
    for (const status of ['failed', 'skipped'] as const) {
      const some = passedRows([report({ [ID]: status })]);
      expect(unproven(some)).toEqual([ID]);
      expect(complaints(some, statusPage(some))).toEqual([`no test passed for the row "${ID}"`]);
      expect(statusPage(some).split('✘')).toHaveLength(3);
    }
    expect(unproven(passedRows([report(), report({ [ID]: 'failed' })]))).toEqual([ID]);
    expect(unproven(passedRows([]))).toHaveLength(ROWS.length);
  });

  it('does not take tests of other files for its rows', () => {
    expect(unproven(passedRows([report({}, '/x/test/other.test.ts')]))).toHaveLength(ROWS.length);
  });

  it('complains of tests without a row and of a page that says something else', () => {
    const all = passedRows([report()]);
    expect(complaints(new Set([...all, 'nobody']), statusPage(all))).toEqual(['the test "nobody" belongs to no row']);
    const old = statusPage(passedRows([report({ [ID]: 'failed' })]));
    for (const page of [old, undefined]) expect(complaints(all, page)).toHaveLength(1);
  });

  it('is committed as it is when every row has passed', () => {
    expect(readFileSync(join(ROOT, STATUS_PAGE), 'utf8')).toBe(statusPage(passedRows([report()])));
  });
});
