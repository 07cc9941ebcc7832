import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { DEMO_SITE } from '../support/gateway.ts';

const MAIN = join(import.meta.dirname, '../../gateway/start.mjs');

const cleanups: (() => Promise<unknown> | unknown)[] = [];
afterAll(async () => {
  for (const step of cleanups.splice(0).reverse()) await step();
});

interface Run {
  readonly child: ChildProcess;
  readonly ended: Promise<{ code: number | null; out: string; err: string }>;
  /** Resolves once the output so far fits. */
  until(pattern: RegExp): Promise<string>;
}

async function dataDir(flow?: object[]): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'v2gate-main-'));
  cleanups.push(() => rm(dir, { recursive: true, force: true }));
  if (flow) {
    await mkdir(join(dir, 'node-red'));
    await writeFile(join(dir, 'node-red', 'flows.json'), JSON.stringify(flow));
  }
  return dir;
}

/** Starts the program as a user would, on free ports and an own data folder. */
function start(data: string, env: Record<string, string> = {}): Run {
  const child = spawn(process.execPath, [MAIN], {
    env: { PATH: process.env.PATH, V2GATE_DATA: data, V2GATE_SITE: DEMO_SITE, V2GATE_HTTP_PORT: '0', ...env },
  });
  cleanups.push(() => void child.kill('SIGKILL'));
  let out = '';
  let err = '';
  const looks = new Set<() => void>();
  child.stdout.on('data', (d: Buffer) => {
    out += d.toString();
    for (const look of looks) look();
  });
  child.stderr.on('data', (d: Buffer) => {
    err += d.toString();
  });
  const ended = new Promise<{ code: number | null; out: string; err: string }>((done) => {
    child.once('close', (code) => done({ code, out, err }));
  });
  const until = (pattern: RegExp): Promise<string> =>
    new Promise((done, failed) => {
      const look = (): void => {
        if (!pattern.test(out)) return;
        looks.delete(look);
        done(out);
      };
      looks.add(look);
      look();
      void ended.then(({ code }) => failed(new Error(`it ended with ${code}: ${err}`)));
    });
  return { child, ended, until };
}

describe.concurrent('the program', () => {
  it('says where everything is, and ends at SIGTERM with 0', async () => {
    const run = start(await dataDir());
    const lines = await run.until(/health +http/);
    const url = /editor +(http:\S+)/.exec(lines)?.[1] ?? '';
    expect((await fetch(`${url}health`)).status).toBeLessThan(600);
    run.child.kill('SIGTERM');
    expect(await run.ended).toMatchObject({ code: 0 });
  });

  it('a wrong setting ends it with 78, and a taken port with 1, each with the remedy', async () => {
    const taken = createServer();
    await new Promise<void>((done) => taken.listen(0, '127.0.0.1', done));
    cleanups.push(() => new Promise((done) => taken.close(done)));
    const { port } = taken.address() as AddressInfo;
    const wrong = start(await dataDir(), { V2GATE_HTTP_PORT: 'eighty' });
    const busy = start(await dataDir(), { V2GATE_HTTP_PORT: String(port) });
    expect(await wrong.ended).toMatchObject({ code: 78, err: expect.stringContaining('Correct V2GATE_HTTP_PORT') });
    expect(await busy.ended).toMatchObject({ code: 1, err: expect.stringContaining('V2GATE_PORT_SEARCH=on') });
  });

  it('code of a flow that throws outside of its node ends it with 70 and says so', async () => {
    const func = '(async () => { throw new Error("thrown by a flow"); })(); return msg;';
    const run = start(
      await dataDir([
        { id: 't', type: 'tab', label: 'crash' },
        { id: 'i', type: 'inject', z: 't', x: 1, y: 1, props: [], once: true, onceDelay: 0.1, wires: [['f']] },
        {
          id: 'f',
          type: 'function',
          z: 't',
          x: 2,
          y: 1,
          func,
          outputs: 1,
          initialize: '',
          finalize: '',
          libs: [],
          wires: [[]],
        },
      ]),
    );
    const { code, err } = await run.ended;
    expect(err).toMatch(/gateway\.crashed.*thrown by a flow/);
    expect(code).toBe(70);
  });
});
