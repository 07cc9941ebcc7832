import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const INSTALLER = join(import.meta.dirname, '../../tools/install.mjs');
const OCPP_TYPES = 'tools/generate-ocpp-types.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'v2gate-install-'));
  mkdirSync(join(root, 'tools'));
  copyFileSync(INSTALLER, join(root, 'tools/install.mjs'));
  lock({ a: '1.0.0' });
  npm(`cp package-lock.json node_modules/.package-lock.json`);
});
afterEach(() => rmSync(root, { recursive: true }));

function put(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

function lock(packages: Readonly<Record<string, string>>, dev: readonly string[] = []): void {
  const entries = Object.entries(packages).map(([name, version]) => [
    `node_modules/${name}`,
    { version, integrity: `sha512-${name}${version}`, ...(dev.includes(name) ? { dev: true } : {}) },
  ]);
  put('package-lock.json', JSON.stringify({ packages: { '': {}, ...Object.fromEntries(entries) } }));
}

/** A stand-in for npm that counts its calls, makes node_modules with a `node` and then does what `script` says. */
function npm(script: string): void {
  put(
    'bin/npm',
    `#!/bin/sh\necho "$@" >> npm-calls\nmkdir -p node_modules/.bin && ln -sf "${process.execPath}" node_modules/.bin/node\n${script}\n`,
  );
  chmodSync(join(root, 'bin/npm'), 0o755);
}

function install(event = 'pretest'): { status: number | null; stdout: string; stderr: string } {
  const path = [join(root, 'bin'), join(root, 'node_modules/.bin'), '/usr/bin', '/bin'].join(delimiter);
  const env = { PATH: path, npm_lifecycle_event: event };
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'tools/install.mjs')], {
    env,
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

const calls = (): string[] =>
  existsSync(join(root, 'npm-calls')) ? readFileSync(join(root, 'npm-calls'), 'utf8').trim().split('\n') : [];
const silent = { status: 0, stdout: '', stderr: '' };

describe('installer: packages', () => {
  it('runs npm ci when node_modules is missing, says so in one line, and is silent the next time', () => {
    const first = install();
    expect(first).toMatchObject({ status: 0, stderr: '' });
    expect(first.stdout).toMatch(/^v2gate: installing packages, because node_modules is missing.*\n$/);
    expect(install()).toEqual(silent);
    expect(calls()).toEqual(['ci --include=dev --include=optional --no-audit --no-fund']);
  });

  it('runs npm ci again when the lock changed', () => {
    install();
    lock({ a: '1.0.1' });
    expect(install().stdout).toContain('because a is 1.0.0, not 1.0.1');
    lock({ a: '1.0.1', b: '2.0.0' });
    expect(install().stdout).toContain('because b is missing');
    expect(calls()).toHaveLength(3);
  });

  it('does not repeat what somebody installed with npm, nor ask for what npm ci leaves out', () => {
    npm('');
    put('node_modules/.package-lock.json', readFileSync(join(root, 'package-lock.json'), 'utf8'));
    const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
    wanted.packages['node_modules/a/node_modules/b'] = { version: '1.0.0', extraneous: true };
    wanted.packages['node_modules/a-win32'] = { version: '1.0.0', optional: true };
    put('package-lock.json', JSON.stringify(wanted));
    put('node_modules/.bin/node', '');
    expect(install()).toEqual(silent);
    expect(calls()).toEqual([]);
  });

  it('starts without the packages of development, but does not test without them', () => {
    lock({ a: '1.0.0' });
    put('node_modules/.package-lock.json', readFileSync(join(root, 'package-lock.json'), 'utf8'));
    put('node_modules/.bin/node', '');
    lock({ a: '1.0.0', vitest: '5.1.1' }, ['vitest']);
    expect(install('prestart')).toEqual(silent);
    expect(calls()).toEqual([]);
    expect(install('pretest').stdout).toContain('because vitest is missing');
  });

  it('tries again after a failed installation', () => {
    npm('exit 1');
    expect(install()).toMatchObject({ status: 1, stderr: expect.stringContaining('npm ci failed (exit code 1)') });
    npm(`cp package-lock.json node_modules/.package-lock.json`);
    expect(install().status).toBe(0);
    expect(calls()).toHaveLength(2);
  });

  it.each([
    [
      'a registry that cannot be reached',
      'echo "npm error code ENOTFOUND" >&2; exit 1',
      /network.*npm config get registry/,
    ],
    ['a full disk', 'echo "npm error code ENOSPC" >&2; exit 1', /disk is full/],
  ])('explains %s', (_, script, remedy) => {
    npm(script);
    const result = install();
    expect(result.status).toBe(1);
    expect(result.stderr).toMatch(/^npm error code/);
    expect(result.stderr).toMatch(remedy);
  });

  it('explains a missing npm and a missing or broken lock', () => {
    rmSync(join(root, 'bin/npm'));
    const path = { env: { PATH: join(root, 'bin') }, encoding: 'utf8' } as const;
    expect(spawnSync(process.execPath, [join(root, 'tools/install.mjs')], path).stderr).toContain('npm was not found');
    put('package-lock.json', '{');
    put('node_modules/.package-lock.json', '{}');
    expect(install()).toMatchObject({ status: 1, stderr: expect.stringContaining('not valid JSON') });
    rmSync(join(root, 'package-lock.json'));
    expect(install()).toMatchObject({ status: 1, stderr: expect.stringContaining('package-lock.json is missing') });
  });
});

describe('installer: generators', () => {
  const count = (): number =>
    existsSync(join(root, 'generated/ocpp/runs')) ? readFileSync(join(root, 'generated/ocpp/runs'), 'utf8').length : 0;
  beforeEach(() => {
    put('protocols/rows.ts', `export const text: string = '.';`);
    put(
      OCPP_TYPES,
      `import { appendFileSync, mkdirSync } from 'node:fs';
       import { text } from '../protocols/rows.ts';
       mkdirSync('generated/ocpp', { recursive: true });
       appendFileSync('generated/ocpp/runs', text);`,
    );
  });

  it('run once, and again when a source, the lock or the result changed', () => {
    expect(install().stdout).toContain('v2gate: generating OCPP types\n');
    expect(install()).toEqual(silent);
    expect(count()).toBe(1);
    put('protocols/rows.ts', `export const text: string = '!';`);
    install();
    expect(count()).toBe(2);
    lock({ a: '1.0.1' });
    install();
    expect(count()).toBe(3);
    rmSync(join(root, 'generated'), { recursive: true });
    install();
    expect(count()).toBe(1);
  });

  it('that fail stop the command with their own words and ours', () => {
    put(OCPP_TYPES, `throw new Error('no schemas');`);
    const result = install();
    expect(result.status).toBe(1);
    expect(result.stderr).toContain('no schemas');
    expect(result.stderr).toContain(`v2gate: ${OCPP_TYPES} failed (exit code 1)`);
    expect(install().status).toBe(1);
  });
});
