import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { manualClock } from '../../core/clock.ts';
import { codeOf, describeError } from '../../core/errors.ts';
import { silentLog } from '../../core/log.ts';
import { runUsers } from '../../gateway/cli/users.ts';
import { checkPassword } from '../../gateway/passwords.ts';
import { hasUsers, usersFile, watchUsers } from '../../gateway/users.ts';

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'v2gate-users-'));
});
afterEach(() => rm(dataDir, { recursive: true, force: true }));

async function call(line: string, typed = 'a good long password\n') {
  const out: string[] = [];
  const terminal = {
    out: (text: string) => void out.push(text),
    err: (text: string) => void out.push(text),
    stdin: Readable.from([typed]),
  };
  const around = { env: { V2GATE_DATA: dataDir }, cost: { n: 2, r: 1, p: 1 } };
  const exit = await runUsers(line.split(' '), terminal, around).catch((e: unknown) => {
    out.push(describeError(e).what);
    return codeOf(e);
  });
  return { exit, text: out.join('\n') };
}
const users = async () => (await watchUsers(dataDir, { log: silentLog })).content;

describe('npx v2gate users', () => {
  it('adds somebody with a role; the file holds a hash and is for its owner only', async () => {
    expect(hasUsers(dataDir)).toBe(false);
    expect(await call('add anna --role engineer')).toMatchObject({ exit: 0, text: 'anna is engineer now.' });
    const [anna] = await users();
    expect(anna).toMatchObject({ name: 'anna', role: 'engineer' });
    expect(await checkPassword('a good long password', anna?.hash ?? '')).toBe(true);
    expect(await readFile(usersFile(dataDir), 'utf8')).not.toContain('password');
    expect((await stat(usersFile(dataDir))).mode & 0o777).toBe(0o600);
    expect(hasUsers(dataDir)).toBe(true);
  });

  it('makes a data folder that is for its owner only', async () => {
    const fresh = join(dataDir, 'yard');
    expect(await call(`add anna --role engineer --data ${fresh}`)).toMatchObject({ exit: 0 });
    expect((await stat(fresh)).mode & 0o777).toBe(0o700);
  });

  it('lists, changes role and password, and removes', async () => {
    await call('add anna --role engineer');
    await call('add otto --role=viewer', 'ottos first password\r\n');
    expect((await call('list')).text).toMatch(/anna +engineer\notto +viewer/);
    await call('role otto --role operator');
    await call('password otto', 'ottos second password');
    const otto = (await users()).find((u) => u.name === 'otto');
    expect(otto?.role).toBe('operator');
    expect(await checkPassword('ottos second password', otto?.hash ?? '')).toBe(true);
    expect(await call('remove otto')).toMatchObject({ exit: 0 });
    expect((await users()).map((u) => u.name)).toEqual(['anna']);
  });

  it.each([
    ['add anna --role viewer', 'There is a user anna already.'],
    ['add otto --role king', 'must be one of viewer, operator, engineer'],
    ['add otto', 'must be one of'],
    ['add ot/to --role viewer', 'A name must be'],
    ['remove otto', 'There is no user otto.'],
    ['remove anna', 'the last engineer'],
    ['role anna --role viewer', 'the last engineer'],
  ])('%s is refused', async (line, words) => {
    await call('add anna --role engineer');
    const before = await readFile(usersFile(dataDir), 'utf8');
    expect(await call(line)).toEqual({ exit: 'users.refused', text: expect.stringContaining(words) });
    expect(await readFile(usersFile(dataDir), 'utf8')).toBe(before);
  });

  it('a password that is too short is refused', async () => {
    expect(await call('add anna --role viewer', 'short\n')).toMatchObject({ exit: 'users.refused' });
    expect(hasUsers(dataDir)).toBe(false);
  });

  it('the last engineer goes only when that is said', async () => {
    await call('add anna --role engineer');
    expect((await call('remove anna --last')).text).toContain('restart the gateway');
    expect(hasUsers(dataDir)).toBe(false);
  });

  it('shows how it is used', async () => {
    for (const line of ['', 'sing', 'add', 'add a b --role viewer', 'list x', 'add --what'])
      expect((await call(line)).exit, line).toBe(2);
  });
});

describe('a running gateway', () => {
  it('takes a changed users file over; a broken one is told and changes nothing', async () => {
    const clock = manualClock();
    const told: unknown[] = [];
    const file = await watchUsers(dataDir, { clock, log: silentLog, onReload: (e) => void told.push(codeOf(e)) });
    await call('add anna --role engineer');
    await file.reload();
    expect(file.content.map((u) => u.name)).toEqual(['anna']);
    const { writeFile } = await import('node:fs/promises');
    await writeFile(usersFile(dataDir), '{"version":1,"users":[{"name":"eve"');
    await file.reload();
    expect(file.content.map((u) => u.name)).toEqual(['anna']);
    expect(told).toEqual([undefined, 'users.broken']);
    file.close();
  });
});
