import { fork } from 'node:child_process';
import { join } from 'node:path';
import { Child } from '../../test/system/support/child.ts';
import { GatewayProcess, ROOT } from '../../test/system/support/gateway.ts';
import { pin } from '../harness/children.ts';
import type { FromSide, ToSide } from './fanout.ts';
import { benchSite, VERSIONS } from './site.ts';

/** What one fan-out came to: when it was ordered and when the last station had its command, epoch ms with fractions. */
export interface Round {
  readonly sentAtMs: number;
  readonly receipts: number;
  readonly lastAtMs: number;
}

/** The gateway as users start it, with a generated site and the example flow. */
export async function startGateway(
  count: number,
  env: NodeJS.ProcessEnv,
  nodeArgs: readonly string[] = [],
): Promise<GatewayProcess> {
  const gateway = await GatewayProcess.start({
    site: benchSite(count, Date.now()),
    foLink: { transport: 'mqtt' },
    env: { V2GATE_LOG_LEVEL: 'warn', ...env },
    nodeArgs: [...nodeArgs, ...(process.env.BENCH_NODE_ARGS ?? '').split(' ').filter((a) => a !== '')],
  });
  await gateway.ready();
  return gateway;
}

/** All stations in one process of the simulator. */
export class Stations {
  readonly #child: Child;

  private constructor(child: Child) {
    this.#child = child;
  }

  /** Resolves when the gateway has accepted all of them. */
  static async start(url: string, count: number): Promise<Stations> {
    const child = new Child({
      name: 'stations',
      command: process.execPath,
      args: [
        join(ROOT, 'simulators/stations/main.ts'),
        ...['--url', url, '--count', String(count), '--versions', VERSIONS.join(',')],
        ...['--connect-within', '10', '--meter', '10', '--cars', '5', '--quiet'],
      ],
      cwd: ROOT,
    });
    await child.find(
      'all stations accepted',
      (line) => (/"event":"allAccepted"/.test(line) ? line : undefined),
      90_000,
    );
    return new Stations(child);
  }

  /** Makes one station fail in some way, or work again. */
  fault(station: string, fault: 'disconnect' | 'none'): void {
    this.#child.say(JSON.stringify({ station, fault }));
  }

  mark(): void {
    this.#child.say(JSON.stringify({ station: '*', mark: true }));
  }

  /** Arrival times of the first power command of each station since the mark. */
  async report(): Promise<{ readonly stations: number; readonly lastAtMs: number }> {
    const from = this.#child.lines.length;
    this.#child.say(JSON.stringify({ station: '*', report: true }));
    const text = await this.#child.find(
      'a report',
      (l) => (l.includes('"event":"commands"') ? l : undefined),
      10_000,
      from,
    );
    const { times } = JSON.parse(text) as { times: Record<string, number[]> };
    const first = Object.values(times).map((list) => Math.min(...list));
    return { stations: first.length, lastAtMs: Math.max(0, ...first) };
  }

  stop(): Promise<string> {
    return this.#child.stop();
  }
}

/** The bare `ws` fan-out with both of its processes. */
export class Yardstick {
  readonly #server: ReturnType<typeof fork>;
  readonly #clients: ReturnType<typeof fork>;

  private constructor(server: ReturnType<typeof fork>, clients: ReturnType<typeof fork>) {
    this.#server = server;
    this.#clients = clients;
  }

  static async start(count: number): Promise<Yardstick> {
    const file = join(import.meta.dirname, 'fanout.ts');
    const server = fork(file, ['server']);
    const { port } = await answer<{ port: number }>(server);
    pin(server.pid ?? 0, 'server');
    const clients = fork(file, ['clients', String(port), String(count)]);
    await answer(clients);
    return new Yardstick(server, clients);
  }

  async round(waitMs: number): Promise<Round> {
    await ask(this.#clients, { do: 'mark' });
    const { sentAtMs } = await ask<{ sentAtMs: number }>(this.#server, { do: 'send' });
    await new Promise((resolve) => setTimeout(resolve, waitMs));
    const { receipts, lastAtMs } = await ask<{ receipts: number; lastAtMs: number }>(this.#clients, { do: 'report' });
    return { sentAtMs, receipts, lastAtMs };
  }

  stop(): void {
    this.#clients.kill();
    this.#server.kill();
  }
}

function ask<T extends FromSide>(child: ReturnType<typeof fork>, m: ToSide): Promise<T> {
  const answered = answer<T>(child);
  child.send(m);
  return answered;
}

function answer<T extends FromSide>(child: ReturnType<typeof fork>): Promise<T> {
  return new Promise((resolve, reject) => {
    const failed = (code: number | null): void => reject(new Error(`a process of the yardstick ended with ${code}`));
    child.once('exit', failed);
    child.once('message', (m) => {
      child.off('exit', failed);
      resolve(m as T);
    });
  });
}
