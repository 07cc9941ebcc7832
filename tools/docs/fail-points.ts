import { failPointsMarkdown } from '../../core/failpoint.ts';

/** Where tests may end the process, and what must hold when it runs again. */
export function failPointsPage(): string {
  return [
    '# Fail points',
    '',
    'Between persist, acknowledge, send and confirm lie named points (design 5). A gateway that was started with',
    '`V2GATE_TEST=1` and `V2GATE_FAIL_POINT=<name>` or `<name>:<n>` kills itself with SIGKILL when it passes the point for',
    'the n-th time, as a power cut would. `test/system/recovery.test.ts` enters each of them with stations of all three',
    'versions and an operator connected, starts the gateway again on the same folder, and holds it to the last column; and',
    'wherever it died: nothing acknowledged in class A or B is lost, nothing uncertain is sent again, each open command ends',
    'in a stated outcome, nothing is accepted or told twice, `eventSeq` has no gap, the chains of the event log hold.',
    '',
    failPointsMarkdown(),
  ].join('\n');
}
