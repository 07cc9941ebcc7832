import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Child, eventually } from './support/child.ts';
import { build, type Image, readDockerfile } from './support/dockerfile.ts';
import { outside } from './support/foreign-node-red.ts';
import { ROOT } from './support/gateway.ts';

/** Somebody without rights on this machine, where the test may become somebody else; elsewhere it stays who it is. */
const ROOT_USER = process.getuid?.() === 0;
const NOBODY = ROOT_USER ? ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--no-new-privs'] : [];
const OURS = ROOT_USER ? '65534' : String(process.getuid?.());

const text = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const lines = (path: string): string[] =>
  text(path)
    .split('\n')
    .filter((l) => l !== '' && !l.startsWith('#'));

describe('the Dockerfile, followed without Docker', () => {
  let folder: string;
  let image: Image;
  let running: Child | undefined;
  const inside = (path: string): string => join(image.root, path);
  /** Runs what the image runs, as nobody, with its environment. */
  const child = (name: string, [program = '', ...args]: readonly string[], env: NodeJS.ProcessEnv = {}): Child => {
    const command = [...NOBODY, program === 'node' ? inside('bin/node') : program, ...args];
    return new Child({
      name,
      command: command[0] ?? '',
      args: command.slice(1),
      cwd: inside(image.workdir),
      env: { PATH: '/usr/bin:/bin', HOME: '/nonexistent', ...image.env, V2GATE_DATA: inside('data'), ...env },
    });
  };

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'v2gate-docker-'));
    chmodSync(folder, 0o755);
    const stages = readDockerfile(text('Dockerfile'));
    image = build(stages, lines('.dockerignore'), {
      context: ROOT,
      folder,
      node: process.execPath,
      users: { node: OURS },
      env: { ...outside(), npm_config_prefer_offline: 'true' },
    });
    mkdirSync(inside('bin'));
    cpSync(process.execPath, inside('bin/node'));
    // Docker's read_only: only the volume can be written.
    for (const name of readdirSync(image.root).filter((n) => n !== 'data'))
      spawnSync('chmod', ['-R', 'a-w,a+rX', inside(name)]);
  });
  afterAll(async () => {
    await running?.stop('SIGKILL');
    spawnSync('chmod', ['-R', 'u+w', folder]);
    rmSync(folder, { recursive: true, force: true });
  });

  it('has two stages on Node 24, an ordinary user, one volume and a health check', () => {
    const stages = readDockerfile(text('Dockerfile'));
    expect(stages.map((s) => s.from)).toEqual(['node:24-bookworm-slim', 'node:24-bookworm-slim']);
    expect(image).toMatchObject({ user: 'node', volumes: ['/data'], env: { V2GATE_DATA: '/data' } });
    expect(image.health.length).toBeGreaterThan(0);
  });

  it('leaves out the packages of development, a second Node, and what is no part of the program', () => {
    const modules = readdirSync(inside('app/node_modules'));
    expect(modules).toContain('node-red');
    expect(modules.filter((n) => /^(node-linux-.*|vitest|typescript|playwright-core)$/.test(n))).toEqual([]);
    const top = readdirSync(inside('app'));
    expect(top).toEqual(expect.arrayContaining(['gateway', 'nodes', 'mappings', 'flows', 'simulators', 'docker']));
    expect(top.filter((n) => ['.git', '.data', 'test', 'bench', 'docs', 'dist'].includes(n))).toEqual([]);
  });

  it('runs as an ordinary user on a read-only file system until its health check says ready', async () => {
    running = child('the container', image.command, {
      V2GATE_HTTP_PORT: '0',
      V2GATE_OCPP_PORT: '0',
      V2GATE_FO_PORT: '0',
      V2GATE_MQTT_PORT: '0',
    });
    const line = /^\s+console\s+http:\/\/127\.0\.0\.1:(\d+)/;
    const port = await running.find('the line of the console', (l) => line.exec(l)?.[1], 60_000);
    await eventually(
      'the health check succeeds',
      async () => {
        const check = child('the health check', image.health, { V2GATE_HTTP_PORT: port });
        await eventually('it ends', () => (check.running ? undefined : true), 10_000, 50);
        return check.exit === 'exit code 0' ? true : undefined;
      },
      60_000,
      1_000,
    );
    const status = readFileSync(`/proc/${running.pid}/status`, 'utf8');
    if (ROOT_USER) expect(status).toMatch(/^Uid:\s+65534\s+65534/m);
    expect(running.lines.filter((l) => /EROFS|EACCES|Warning/.test(l))).toEqual([]);
    expect(readdirSync(inside('data'))).toEqual(
      expect.arrayContaining(['node-red', 'signing-key.pem', 'store.sqlite']),
    );
  });

  it('says no at the health check when nobody answers', async () => {
    const check = child('the health check', image.health, { V2GATE_HTTP_PORT: '1' });
    await eventually('it ends', () => (check.running ? undefined : true), 10_000, 50);
    expect(check.exit).toBe('exit code 1');
  });

  it('makes a backup of itself while it runs', async () => {
    const file = inside('data/one.v2gate');
    const made = child('the backup', ['node', 'docker/start.mjs', 'v2gate', 'backup', file], {
      V2GATE_BACKUP_PASSPHRASE_FILE: passphraseFile(),
    });
    await eventually('it ends', () => (made.running ? undefined : true), 60_000, 50);
    expect(made.lines.join('\n')).toContain('while its gateway runs');
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('stops within its grace period and starts again with what it kept', async () => {
    const key = readFileSync(inside('data/signing-key.pem'), 'utf8');
    expect(await running?.stop('SIGTERM', 15_000)).toBe('exit code 0');
    running = child('the container', image.command, {
      V2GATE_HTTP_PORT: '0',
      V2GATE_OCPP_PORT: '0',
      V2GATE_FO_PORT: '0',
    });
    await running.find('the line of the console', (l) => (/^\s+console\s/.test(l) ? true : undefined), 60_000);
    expect(readFileSync(inside('data/signing-key.pem'), 'utf8')).toBe(key);
    await running.stop('SIGTERM', 15_000);
  });

  it('refuses to start where a secret that it is to read is missing', async () => {
    const started = child('the container', image.command, { V2GATE_HTTP_PASSWORD_FILE: '/run/secrets/nothing' });
    await eventually('it ends', () => (started.running ? undefined : true), 30_000, 50);
    expect(started.exit).toBe('exit code 78');
    expect(started.lines.join('\n')).toContain('V2GATE_HTTP_PASSWORD_FILE');
  });

  function passphraseFile(): string {
    const file = join(folder, 'passphrase');
    spawnSync('sh', ['-c', `printf 'correct horse battery' > ${file} && chmod 644 ${file}`]);
    return file;
  }
});

describe('the compose file', () => {
  const compose = text('compose.yaml');

  it('mounts every file that it names from the repository', () => {
    for (const [, path = ''] of compose.matchAll(/- \.\/(docker\/[\w.]+):/g))
      expect(statSync(join(ROOT, path)).isFile()).toBe(true);
  });

  it('runs both with a read-only file system, without capabilities and new privileges', () => {
    const services = compose
      .slice(0, compose.indexOf('\nvolumes:'))
      .split(/\n {2}(?=\w+:\n)/)
      .slice(1);
    expect(services).toHaveLength(2);
    for (const service of services) {
      expect(service).toContain('read_only: true');
      expect(service).toContain('cap_drop: [ALL]');
      expect(service).toContain('no-new-privileges:true');
    }
  });

  it('declares every secret that a service takes, and has none in itself', () => {
    const declared = [...compose.slice(compose.indexOf('\nsecrets:')).matchAll(/^ {2}([\w-]+): \{ file:/gm)].map(
      (m) => m[1],
    );
    const taken = [...compose.matchAll(/secrets: \[([^\]]+)\]/g)].flatMap((m) =>
      (m[1] ?? '').split(',').map((s) => s.trim()),
    );
    expect(new Set(taken)).toEqual(new Set(declared));
    for (const [, name = ''] of `${compose}${text('docker/mosquitto.conf')}`.matchAll(/\/run\/secrets\/([\w-]+)/g))
      expect(declared).toContain(name);
    expect(compose).not.toMatch(/PASSWORD: /);
  });
});
