import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Child, eventually } from './support/child.ts';
import { ROOT } from './support/gateway.ts';
import { crossesZero } from './support/plot.ts';

/** `npm start` must be up within this time, installation included. */
const UP_MS = 120_000;
/** Then what is granted must have moved through zero within the first time, and what is measured within the second. */
const CROSSING_MS = { granted: 30_000, measured: 60_000 } as const;

/** The environment of somebody who has just opened a terminal: nothing of npm run, vitest or this tree. */
function freshEnvironment(): NodeJS.ProcessEnv {
  const foreign =
    /^(npm_(?!config_(registry|cache|userconfig|globalconfig|cafile|.*proxy))|NODE_ENV|VITEST|VITE_|V2GATE_|INIT_CWD|NODE_OPTIONS)/i;
  const kept = Object.entries(process.env).filter(([name]) => !foreign.test(name));
  const path = (process.env.PATH ?? '').split(delimiter).filter((p) => !p.includes('node_modules'));
  return {
    ...Object.fromEntries(kept),
    PATH: path.join(delimiter),
    npm_config_prefer_offline: 'true',
    V2GATE_HTTP_PORT: '0',
    V2GATE_OCPP_PORT: '0',
    V2GATE_FO_PORT: '0',
    V2GATE_MQTT_PORT: '0',
  };
}

async function healthy(url: string): Promise<true> {
  const response = await fetch(`${url}/health`);
  if (!response.ok) throw new Error(`it answers ${response.status} ${(await response.text()).slice(0, 600)}`);
  return true;
}

describe('a fresh clone', () => {
  let folder: string;
  let start: Child | undefined;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'v2gate-clone-'));
    const clone = spawnSync('git', ['clone', '--quiet', '--no-hardlinks', ROOT, join(folder, 'v2gate')], {
      encoding: 'utf8',
    });
    expect(clone.stderr).toBe('');
  });
  afterAll(async () => {
    await start?.stop('SIGKILL');
    await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  });

  it('is up with npm start alone, shows power moving through zero, and stops', async () => {
    start = new Child({
      name: 'npm start',
      command: 'npm',
      args: ['start'],
      cwd: join(folder, 'v2gate'),
      env: freshEnvironment(),
      group: true,
    });
    const began = performance.now();
    const line = /^\s+console\s+(http:\S+?)\/console/;
    const url = await start.find('the line of the console', (text) => line.exec(text)?.[1], UP_MS);
    const left = UP_MS - (performance.now() - began);
    await eventually('/health is ready', () => healthy(url), left);
    expect(start.lines.filter((l) => /EBADENGINE|ExperimentalWarning|DeprecationWarning/.test(l))).toEqual([]);
    const upAt = performance.now();
    await crossesZero(url, 'grantedW', CROSSING_MS.granted);
    await crossesZero(url, 'measuredW', CROSSING_MS.measured - (performance.now() - upAt));
    await start.stop('SIGTERM');
    await expect(fetch(`${url}/health`)).rejects.toThrow();
  });
});
