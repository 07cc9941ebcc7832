import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { manualClock, realClock } from '../../core/clock.ts';
import { codeOf } from '../../core/errors.ts';
import { createLog, silentLog } from '../../core/log.ts';
import { createMetrics } from '../../core/metrics.ts';
import { createHealth } from '../../gateway/health.ts';
import { createLinkBook } from '../../gateway/link-book.ts';
import { listen } from '../../gateway/listen.ts';
import { Processes } from '../../gateway/processes.ts';
import { readSettings } from '../../gateway/settings.ts';
import { linkLine, readyLines } from '../../gateway/start-lines.ts';

const cleanups: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const step of cleanups.splice(0).reverse()) await step();
});

describe('listening', () => {
  const open = async (port: number, search: boolean) => {
    const server = createServer();
    cleanups.push(() => new Promise((done) => server.close(done)));
    return { server, got: await listen(server, { host: '127.0.0.1', port, search }) };
  };

  it('a taken port is an error with its remedy, or moves to the next free one', async () => {
    const { server } = await open(0, false);
    const { port } = server.address() as AddressInfo;
    const error: unknown = await open(port, false).catch((e: unknown) => e);
    expect(codeOf(error)).toBe('port.taken');
    expect(String(error)).toContain(`Port ${port}`);
    expect(String(error)).toContain('V2GATE_PORT_SEARCH');
    const { got } = await open(port, true);
    expect(got).toBeGreaterThan(port);
  });

  it('an address of another machine is an error', async () => {
    expect(
      codeOf(await listen(createServer(), { host: '192.0.2.1', port: 0, search: true }).catch((e: unknown) => e)),
    ).toBe('listen.failed');
  });
});

describe('health', () => {
  it('the process is ready when everything expected reported, and says who is not', () => {
    const health = createHealth(createMetrics(), ['store', 'flows']);
    expect(health.report()).toMatchObject({ live: true, ready: false, admitsNewControl: false });
    health.set('store', { state: 'ok', text: 'open' });
    health.set('flows', { state: 'ok', text: 'running' });
    expect(health.report()).toMatchObject({ ready: true, admitsNewControl: true });
    health.set('link', { state: 'down', text: 'port taken' });
    expect(health.report()).toMatchObject({
      ready: false,
      components: { link: { state: 'down', text: 'port taken' } },
    });
    health.set('link', { state: 'removed', text: '' });
    expect(health.report()).toMatchObject({ ready: true });
  });

  it('something degraded keeps working but may refuse new control', () => {
    const health = createHealth(createMetrics(), []);
    health.set('site', { state: 'degraded', text: 'clock is off', admits: false });
    expect(health.report()).toMatchObject({ ready: true, admitsNewControl: false });
  });
});

describe('start lines', () => {
  const settings = readSettings({}, { demoSiteFile: '/demo.json' });

  it('moved ports are told', () => {
    const lines = readyLines(settings, { url: 'http://127.0.0.1:1882', port: 1882 });
    expect(lines.join('\n')).toContain('http://127.0.0.1:1882/console   (port 1880 is taken, moved to 1882)');
    const link = { nodeId: 'n', type: 'v2gate-ocpp-server', url: 'ws://127.0.0.1:9223/ocpp', wantedPort: 9220 };
    expect(linkLine(link)).toBe(
      '  stations   ws://127.0.0.1:9223/ocpp/<identity>   (port 9220 is taken, moved to 9223)',
    );
  });

  it('ports that did not move are not', () => {
    expect(
      linkLine({ nodeId: 'n', type: 'v2gate-fo-link', url: 'ws://127.0.0.1:9221/fo', wantedPort: 9221 }),
    ).not.toContain('moved');
  });

  it('a link is told again only when its address changed', () => {
    const book = createLinkBook();
    const heard: string[] = [];
    book.onChange((p) => heard.push(p.url));
    for (const url of ['ws://a:1/', 'ws://a:1/', 'ws://a:2/']) book.note({ nodeId: 'n', type: 't', url });
    expect(heard).toEqual(['ws://a:1/', 'ws://a:2/']);
    expect(book.list()).toHaveLength(1);
  });
});

describe('child processes', () => {
  const script = async (text: string) => {
    const dir = await mkdtemp(join(tmpdir(), 'v2gate-proc-'));
    cleanups.push(() => rm(dir, { recursive: true }));
    const file = join(dir, 'program.mjs');
    await writeFile(file, text);
    return file;
  };

  it('lines reach the log, an end is followed by a new start, and a stop ends it for good', async () => {
    const clock = manualClock();
    const lines: string[] = [];
    const wanted: [RegExp, () => void][] = [];
    const write = (line: string) => {
      lines.push(line);
      for (const [pattern, found] of wanted) if (pattern.test(line)) found();
    };
    const logged = (pattern: RegExp) => new Promise<void>((done) => void wanted.push([pattern, done]));
    const processes = new Processes({
      clock,
      log: createLog({ clock: realClock(), level: 'debug', format: 'text', write }),
    });
    cleanups.push(() => processes.stop());
    const file =
      await script(`console.log('hello ' + process.argv[2]); process.stdin.on('data', (x) => console.log('you said ' + x)); process.stdin.on('end', () => process.exit(3));
      if (process.argv[2] === 'brief') process.exit(7); setInterval(() => {}, 1000);`);

    const ended = logged(/process\.ended.*code=7.*againInMs=1000/);
    const states: string[] = [];
    const heard: string[] = [];
    const told = {
      onState: (state: string, text: string) => void states.push(`${state}: ${text}`),
      onLine: (line: string) => void heard.push(line),
    };
    const brief = processes.start({ name: 'p', script: file, args: ['brief'], ...told });
    await ended;
    const again = logged(/hello brief/);
    await clock.advance(1_000);
    await again;
    expect(states).toEqual(['running: running', 'waiting: ended with exit code 7', 'running: running']);
    expect(heard[0]).toBe('hello brief');
    await brief.stop();

    const long = logged(/hello long/);
    const second = processes.start({ name: 'p', script: file, args: ['long'] });
    await long;
    const said = logged(/you said stay/);
    second.write('stay');
    await said;
    await processes.stop();
    second.write('nobody hears that');
    expect(clock.pending).toBe(0);
  });

  it('one that has done its work, or whose settings are wrong, is not started again', async () => {
    const clock = manualClock();
    const processes = new Processes({ clock, log: silentLog });
    cleanups.push(() => processes.stop());
    const end = async (text: string) => {
      const file = await script(text);
      return new Promise<string>((done) => {
        const onState = (state: string, why: string) => void (state === 'running' || done(`${state}: ${why}`));
        processes.start({ name: 'p', script: file, args: [], onState });
      });
    };
    expect(await end('process.exit(0)')).toBe('ended: done');
    expect(await end("process.stderr.write('--url x is not usable.\\nUsage: …\\n', () => process.exit(2))")).toBe(
      'failed: --url x is not usable.',
    );
    expect(clock.pending).toBe(0);
  });

  it('there are never more than 16', async () => {
    const processes = new Processes({ clock: manualClock(), log: silentLog });
    cleanups.push(() => processes.stop());
    const file = await script('setInterval(() => {}, 1000)');
    const start = () => processes.start({ name: 'p', script: file, args: [] });
    const first = start();
    await first.stop();
    for (let i = 0; i < 16; i++) start();
    expect(codeOf(attempt(start))).toBe('programs.full');
  });
});

function attempt(act: () => unknown): unknown {
  try {
    return act();
  } catch (e) {
    return e;
  }
}
