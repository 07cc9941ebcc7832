import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SiteFile } from '../../model/index.ts';
import { Helper } from '../harness/children.ts';
import type { Version } from '../load/messages.ts';
import type { Place } from '../load/station.ts';
import { type BenchGatewayOptions, pidOf, placeOf, startBenchGateway } from './gateway.ts';

/** A server of a scenario, whatever it is made of. */
export interface Server {
  readonly pid: number;
  readonly place: Place;
  stop(): Promise<void>;
}

/** `bench/<file>` with these arguments; it says its port when it listens. */
async function forked(file: string, args: readonly string[], path: string, tls = false): Promise<Server> {
  const { helper, hello } = await Helper.start<never, never, { readonly port: number }>(file, args);
  return {
    pid: helper.pid,
    place: { host: '127.0.0.1', port: hello.port, path, tls },
    stop: () => helper.stop(),
  };
}

/** A yardstick: `echo`, `hand` or `fan`; with TLS only the first two. */
export const yardstick = (kind: 'echo' | 'hand' | 'fan', version: Version, tls = false): Promise<Server> =>
  forked('yardsticks/main.ts', [kind, version, ...(tls ? ['tls'] : [])], '/ocpp', tls);

/** The product's RPC layer alone. */
export const rpcLayer = (version: Version): Promise<Server> => forked('product/rpc.ts', [version], '/ocpp');

/** The product without Node-RED. */
export async function stack(site: SiteFile): Promise<Server> {
  const folder = await mkdtemp(join(tmpdir(), 'v2gate-bench-'));
  await writeFile(join(folder, 'site.json'), JSON.stringify(site));
  const server = await forked('product/stack.ts', [folder], '/ocpp');
  return {
    ...server,
    async stop() {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The whole gateway process. */
export async function gatewayServer(o: BenchGatewayOptions): Promise<Server> {
  const gateway = await startBenchGateway(o);
  return { pid: pidOf(gateway), place: await placeOf(gateway), stop: async () => void (await gateway.stop()) };
}
