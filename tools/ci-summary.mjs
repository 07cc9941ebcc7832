/**
 * Adds up what .ci/run did: `node tools/ci-summary.mjs step=<name>:<exit code>… report=<name>:<exit code>:<file>…`.
 * A step counts as one check; a report is a vitest JSON report whose tests count one by one. Skipped tests count as
 * failed, so do files that could not be loaded and a run that failed although its tests passed. The last line on
 * standard output is `N passed, N failed`; the exit code is 1 when anything failed.
 */
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { pathToFileURL } from 'node:url';

/**
 * @typedef {{ passed: number, failed: number, complaints: string[], files: { file: string, seconds: number }[] }} Tally
 * @typedef {{ fullName?: string, status?: string }} TestRow
 * @typedef {{ name?: string, status?: string, message?: string, startTime?: number, endTime?: number, assertionResults?: TestRow[] }} FileRow
 */

/** @param {readonly string[]} args @returns {Tally} */
export function addUp(args) {
  /** @type {Tally} */
  const tally = { passed: 0, failed: 0, complaints: [], files: [] };
  for (const arg of args) {
    const [, kind, name = '', code = '', file = ''] = /^(step|report)=([^:]+):(\d+)(?::(.+))?$/.exec(arg) ?? [];
    if (kind === undefined) fail(tally, `cannot read "${arg}"`);
    else if (kind === 'step') check(tally, name, code);
    else addReport(tally, name, code, file);
  }
  return tally;
}

/** @param {Tally} tally @param {string} name @param {string} code */
function check(tally, name, code) {
  if (code === '0') tally.passed++;
  else fail(tally, `${name} failed (exit code ${code})`);
}

/** @param {Tally} tally @param {string} name @param {string} code @param {string} path */
function addReport(tally, name, code, path) {
  const before = tally.failed;
  /** @type {FileRow[]} */
  let rows;
  try {
    rows = JSON.parse(readFileSync(path, 'utf8')).testResults ?? [];
  } catch (e) {
    fail(tally, `${name} left no report (exit code ${code}): ${e instanceof Error ? e.message : e}`);
    return;
  }
  for (const row of rows) addFile(tally, name, row);
  if (rows.length === 0) fail(tally, `${name} ran no test`);
  if (code !== '0' && tally.failed === before) fail(tally, `${name} ended with exit code ${code}; see its output`);
}

/** @param {Tally} tally @param {string} name @param {FileRow} row */
function addFile(tally, name, row) {
  const file = relative(process.cwd(), row.name ?? '?');
  const tests = row.assertionResults ?? [];
  tally.files.push({ file, seconds: Math.max(0, (row.endTime ?? 0) - (row.startTime ?? 0)) / 1000 });
  for (const { status = '?', fullName = '?' } of tests) {
    if (status === 'passed') tally.passed++;
    else fail(tally, `${name}: ${status}: ${file}: ${fullName}`);
  }
  if (row.status !== 'passed' && tests.every((t) => t.status === 'passed')) {
    fail(tally, `${name}: ${file} could not be run: ${(row.message ?? '').split('\n')[0] ?? ''}`);
  }
}

/** @param {Tally} tally @param {string} complaint */
function fail(tally, complaint) {
  tally.failed++;
  tally.complaints.push(complaint);
}

/** The text for the end of the log. @param {Tally} tally */
export function show(tally) {
  const slowest = [...tally.files].sort((a, b) => b.seconds - a.seconds).slice(0, 5);
  return [
    '',
    'slowest test files:',
    ...slowest.map((f) => `  ${f.seconds.toFixed(1).padStart(6)} s  ${f.file}`),
    ...(tally.complaints.length > 0 ? ['', 'failed:', ...tally.complaints.map((c) => `  ${c}`)] : []),
    '',
    `${tally.passed} passed, ${tally.failed} failed`,
  ].join('\n');
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const tally = addUp(process.argv.slice(2));
  process.stdout.write(`${show(tally)}\n`);
  process.exitCode = tally.failed > 0 ? 1 : 0;
}
