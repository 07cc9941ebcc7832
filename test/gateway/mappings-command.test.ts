import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Terminal } from '../../gateway/cli/command.ts';
import { mappings } from '../../gateway/cli/mappings.ts';
import { table } from '../../gateway/cli/table.ts';

const MAIN = new URL('../../gateway/cli/main.js', import.meta.url).pathname;
const STATUS = 'ocpp2.1/to-hub/StatusNotificationRequest.jsonata';
const FAULTED = '{"timestamp":"2026-03-02T16:40:00Z","connectorStatus":"Faulted","evseId":1,"connectorId":1}';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'v2gate-cli-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

function put(path: string, text: string): string {
  const file = join(dir, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}

interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  readonly status: readonly string[];
}

async function say(
  args: readonly string[],
  o: { stdin?: string; columns?: number; watched?: boolean } = {},
): Promise<Said> {
  const out: string[] = [];
  const err: string[] = [];
  const status: string[] = [];
  const terminal: Terminal = {
    out: (line) => out.push(line),
    err: (line) => err.push(line),
    stdin: Readable.from([o.stdin ?? '']),
    ...(o.columns === undefined ? {} : { columns: o.columns }),
    ...(o.watched ? { status: (line: string) => status.push(line) } : {}),
  };
  const code = await mappings(args, terminal);
  return { code, out: out.join('\n'), err: err.join('\n'), status };
}

describe('mappings list', () => {
  it('shows every mapping with its coverage', async () => {
    const { code, out, err } = await say(['list']);
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(/^language +source +variant +target +required +optional +state$/m);
    expect(out).toMatch(
      /^ocpp2\.1 +hub\/PowerCommand +setpoint +ocpp2\.1\/SetChargingProfileRequest +100 % +\d+ % +ok$/m,
    );
    const narrow = await say(['list'], { columns: 90 });
    expect(narrow.out.split('\n').every((l) => l.length <= 90 && /(ok|state)$/.test(l))).toBe(true);
  });

  it('shows overrides, those that are broken, and what is in force', async () => {
    put(STATUS, '/* from: ocpp2.1/StatusNotificationRequest   to: hub/StationStatus */ { "a": ');
    const { code, out, err } = await say(['list', '--overrides', dir]);
    expect(code).toBe(1);
    expect(out).toMatch(/^ocpp2\.1 +ocpp2\.1\/StatusNotificationRequest +hub\/StationStatus .* broken, own$/m);
    expect(err).toMatch(/^broken: .*line 1.* \(in force: other\)$/m);
    const rows = JSON.parse((await say(['list', '--overrides', dir, '--json'])).out) as {
      state: string;
      path: string;
    }[];
    expect(rows.filter((r) => r.path === STATUS).map((r) => r.state)).toEqual(['ok', 'broken']);
  });
});

describe('mappings run', () => {
  it('prints what a mapping makes of a message from the input, and whether it is valid', async () => {
    const { code, out, err } = await say(['run', STATUS, '-'], { stdin: FAULTED });
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ state: 'faulted', protocol: 'ocpp2.1', errorCode: 'Faulted' });
    expect(err).toMatch(/hub\/StationStatus: valid/);
    expect(err).toMatch(/took [\d.]+ (µs|ms)\.$/);
  });

  it('takes message and $ctx from files, and shows what the schema refuses', async () => {
    const ctx = put('ctx.json', '{"at": "yesterday", "resource": {"evseId": "E1"}}');
    const { code, out, err } = await say(['run', STATUS, put('in.json', FAULTED), '--ctx', ctx]);
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ resourceId: 'E1', at: 'yesterday' });
    expect(err).toMatch(/hub\/StationStatus: not valid: \/at /);
  });

  it('without a message runs the examples beside the mapping', async () => {
    expect(await say(['run', STATUS])).toMatchObject({
      code: 0,
      err: expect.stringMatching(/^(\d+) of \1 examples hold\.$/),
    });
    const file = put('x.jsonata', '{"v": a + 1}');
    expect(await say(['run', file])).toMatchObject({ code: 2, err: expect.stringContaining('There are no examples') });
    put('x.examples.json', '{"examples": [{"name": "adds", "input": {"a": 1}, "output": {"v": 3}}]}');
    expect(await say(['run', file])).toMatchObject({ code: 1, out: 'FAIL  adds: /v: expected 3, got 2.' });
  });

  it('shows where a run failed, and what keeps a mapping from running', async () => {
    const failing = put('a.jsonata', '{\n  "v": a + 1\n}');
    const failed = await say(['run', failing, '-'], { stdin: '{"a": "x"}' });
    expect([failed.code, failed.out]).toEqual([1, '']);
    expect(failed.err).toMatch(/line 2, column 10: .*\(mapping\.type\)/);
    const broken = await say(['run', put('b.jsonata', '{"v": $nope(a)}'), '-']);
    expect(broken.code).toBe(1);
    expect(broken.err).toMatch(/b\.jsonata:1:7: error mapping\.unknownFunction/);
    await expect(say(['run', STATUS, '-'], { stdin: 'no' })).rejects.toMatchObject({ code: 'mapping.noJson' });
    await expect(say(['run', 'nowhere.jsonata'])).rejects.toMatchObject({ code: 'mapping.noFile' });
  });
});

describe('mappings check', () => {
  it('finds nothing in the pack', async () => {
    const { code, out, err } = await say(['check'], { watched: false });
    expect([code, out]).toEqual([0, '']);
    expect(err).toMatch(/^\d+ mappings checked: 0 errors, 0 warnings\.$/);
  });

  it('prints findings as compilers do; errors and, when strict, warnings make it fail', async () => {
    const path = 'ocpp2.1/from-hub/PowerCommand.mine.jsonata';
    const head = '/* from: hub/PowerCommand   to: ocpp2.1/UpdateDynamicScheduleRequest   variant: mine\n';
    const lost =
      '   lost: [commandId, resourceId, kind, importLimitW, exportLimitW, reactiveVar, validUntil, level] */\n';
    const file = put(
      path,
      `${head}${lost}( $a := 1; { "chargingProfileId": 7, "scheduleUpdate": { "setpoint": powerW } } )`,
    );
    const warned = await say(['check', dir], { watched: true });
    expect(warned.code).toBe(0);
    expect(warned.out).toBe(
      [
        `${file}:3:3: warning mapping.unused: $a is bound but never used.`,
        '    ( $a := 1; { "chargingProfileId": 7, "scheduleUpdate": { "setpoint": powerW } } )',
        '      ^',
        '    Remove the binding, or use it.',
        '',
      ].join('\n'),
    );
    expect(warned.status).toEqual([`1 of 1  ${path}`, '']);
    expect((await say(['check', dir, '--strict'])).code).toBe(1);
    expect((await say(['check', file, '--strict'])).out).toBe(warned.out);
    put(
      path.replace('.jsonata', '.examples.json'),
      '{"examples": [{"name": "x", "input": {"powerW": 1}, "output": {}}]}',
    );
    const failed = await say(['check', dir]);
    expect(failed.code).toBe(1);
    expect(failed.out).toContain('error mapping.examples: The example “x” does not hold: /chargingProfileId');
    expect(JSON.parse((await say(['check', dir, '--json'])).out)).toMatchObject([
      { code: 'mapping.unused' },
      { code: 'mapping.examples' },
    ]);
  });

  it('says when there is nothing to check', async () => {
    expect(await say(['check', dir])).toMatchObject({ code: 2, err: expect.stringContaining('no .jsonata files') });
    expect(await say(['check', join(dir, 'x')])).toMatchObject({
      code: 2,
      err: expect.stringContaining('no file or folder'),
    });
  });
});

describe('mappings new', () => {
  const FROM = ['new', '--from', 'hub/PowerCommand', '--to', 'ocpp2.1/SetChargingProfileRequest'];

  it('writes a mapping that passes the check, and its example', async () => {
    const made = await say([...FROM, '--variant', 'mine', '--out', dir]);
    expect(made.code).toBe(0);
    const file = join(dir, 'ocpp2.1/from-hub/PowerCommand.mine.jsonata');
    expect(made.out.split('\n')).toEqual([file, file.replace('.jsonata', '.examples.json')]);
    expect(await say(['check', dir, '--strict'])).toMatchObject({ code: 0, out: '' });
    expect((await say(['run', file])).code).toBe(0);
    expect(await say([...FROM, '--variant', 'mine', '--out', dir])).toMatchObject({
      code: 1,
      err: expect.stringContaining('exists'),
    });
  });

  it.each([
    ['ocpp1.6/MeterValuesRequest', 'hub/MeterReading'],
    ['ocpp2.1/TransactionEventRequest', 'hub/SessionEvent,hub/MeterReading'],
    ['hub/ScheduleCommand', 'ocpp2.0.1/SetChargingProfileRequest'],
    ['ocpp2.1/NotifyEVChargingNeedsRequest', 'hub/EvNeeds'],
  ])('%s to %s compiles and sets every required field', async (from, to) => {
    const { out } = await say(['new', '--from', from, '--to', to]);
    const file = put(
      `${from.startsWith('hub/') ? to.split('/')[0] : from.split('/')[0]}/${from.startsWith('hub/') ? 'from' : 'to'}-hub/${from.split('/')[1]}.jsonata`,
      out,
    );
    expect(await say(['check', file])).toMatchObject({ code: 0, out: '' });
  });

  it('feeds fields from those of the same name', async () => {
    const { out } = await say(['new', '--from', 'ocpp1.6/StatusNotificationRequest', '--to', 'hub/StationStatus']);
    expect(out).toContain('"errorCode": errorCode');
    expect(out).toContain('"at": $ctx.at');
    expect(out).not.toContain('lost: [errorCode');
  });

  it('suggests the message that was meant', async () => {
    const { code, err } = await say(['new', '--from', 'hub/PowerComand', '--to', 'ocpp2.1/SetChargingProfileRequest']);
    expect([code, err]).toEqual([2, 'There is no message hub/PowerComand. Is hub/PowerCommand meant?']);
    expect((await say(['new'])).code).toBe(2);
  });
});

describe('help', () => {
  it('is given for no, wrong and asked-for commands', async () => {
    expect(await say([])).toMatchObject({ code: 2, err: expect.stringContaining('check [folder|file …]') });
    expect(await say(['lst'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('There is no command "mappings lst".'),
    });
    expect(await say(['--help'])).toMatchObject({ code: 0, out: expect.stringContaining('list [--overrides folder]') });
    expect(await say(['run', '--help'])).toMatchObject({
      code: 0,
      out: expect.stringContaining('Usage: npx v2gate mappings run'),
    });
    expect(await say(['run', '--wrong'])).toMatchObject({
      code: 2,
      err: expect.stringContaining("Unknown option '--wrong'"),
    });
  });
});

it('tables leave empty columns out and take from the widest ones where the terminal is narrow', () => {
  const rows = [
    ['1', '', 'x'.repeat(30), 'y'.repeat(20)],
    ['22', '', 'x', 'y'],
  ];
  expect(table(['a', 'b', 'c', 'd'], rows)[2]).toBe(`22  x${' '.repeat(31)}y`);
  expect(table(['a', 'b', 'c', 'd'], rows, 40)[1]).toBe(`1   ${'x'.repeat(16)}…  ${'y'.repeat(16)}…`);
  expect(table(['a', 'b', 'c', 'd'], rows, 12).every((l) => l.length <= 12)).toBe(true);
});

it('works as a real process, with a pipe on both ends', async () => {
  const run = promisify(execFile)(process.execPath, [MAIN, 'mappings', 'run', STATUS, '-']);
  run.child.stdin?.end(FAULTED);
  const { stdout, stderr } = await run;
  expect(JSON.parse(stdout)).toMatchObject({ state: 'faulted' });
  expect(stderr).toContain('hub/StationStatus: valid');
});
