import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Child, eventually } from './support/child.ts';
import { GatewayProcess, ROOT } from './support/gateway.ts';

const PASSPHRASE = 'correct horse battery';

/** One entry of an event log. */
interface Entry {
  readonly logSeq: number;
  readonly hash: string;
}

describe('a gateway that was lost', () => {
  let folder: string;
  let gw: GatewayProcess;
  let file: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'v2gate-backup-'));
    file = join(folder, 'one.v2gate');
    gw = await GatewayProcess.start();
    await gw.ready();
  });
  afterAll(async () => {
    await gw?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const v2gate = (...args: string[]) =>
    spawnSync(process.execPath, [join(ROOT, 'gateway/cli/main.js'), ...args], {
      cwd: folder,
      env: { ...process.env, V2GATE_BACKUP_PASSPHRASE: PASSPHRASE, V2GATE_DEMO: 'on' },
      encoding: 'utf8',
    });

  async function log(): Promise<Entry[]> {
    const { sites } = (await gw.get('/v2gate/api/sites')) as { sites: { siteId: string }[] };
    const response = await fetch(`${gw.url}/v2gate/api/sites/${sites[0]?.siteId}/events?fo=fo:north`);
    const lines = (await response.text()).split('\n').filter((l) => l !== '');
    return lines.map((l) => JSON.parse(l) as Entry);
  }

  it('goes on elsewhere from a backup that was made while it ran: same keys, same flows, same log', async () => {
    await eventually('a service runs', async () => ((await log()).length >= 3 ? true : undefined), 40_000);
    const before = { log: await log(), keys: await gw.get('/v2gate/api/jwks.json') };
    const made = v2gate('backup', file, '--data', gw.dataDir);
    expect([made.stderr, made.status]).toEqual(['', 0]);
    expect(made.stdout).toContain('while its gateway runs');
    await gw.child.stop('SIGKILL');
    rmSync(gw.dataDir, { recursive: true, force: true });

    const restored = v2gate('restore', file, '--data', join(folder, 'elsewhere'));
    expect([restored.stderr, restored.status]).toEqual(['', 0]);
    gw = await GatewayProcess.start({ dataDir: join(folder, 'elsewhere') });
    await gw.ready();
    expect(await gw.get('/v2gate/api/jwks.json')).toEqual(before.keys);
    const after = await log();
    expect(after.slice(0, before.log.length).map((e) => e.hash)).toEqual(before.log.map((e) => e.hash));
  });

  it('does not start without its signing key, and says how to bring it back', async () => {
    await gw.child.stop('SIGTERM');
    unlinkSync(join(gw.dataDir, 'signing-key.pem'));
    const started = startAgain();
    await eventually('it ends', () => (started.running ? undefined : true), 30_000, 100);
    expect(started.exit).toBe('exit code 1');
    expect(started.lines.join('\n')).toMatch(/signing key .* is gone[\s\S]*npx v2gate restore/);
    const restored = v2gate('restore', file, '--data', gw.dataDir, '--force');
    expect(restored.status).toBe(0);
    gw = await GatewayProcess.start({ dataDir: gw.dataDir });
  });

  it('does not open a store of a newer version, and says so', async () => {
    await gw.child.stop('SIGTERM');
    const db = new DatabaseSync(join(gw.dataDir, 'store.sqlite'));
    db.exec('PRAGMA user_version = 999');
    db.close();
    const started = startAgain();
    await eventually('it ends', () => (started.running ? undefined : true), 30_000, 100);
    expect(started.exit).toBe('exit code 1');
    expect(started.lines.join('\n')).toMatch(/schema version 999[\s\S]*restore the backup/);
  });

  const startAgain = (): Child =>
    new Child({
      name: 'gateway',
      command: process.execPath,
      args: [join(ROOT, 'gateway/main.ts')],
      cwd: ROOT,
      env: { ...process.env, V2GATE_DATA: gw.dataDir, V2GATE_DEMO: '1', V2GATE_HTTP_PORT: '0' },
    });
});
