import { mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SiteFile } from '../../model/index.ts';
import { GatewayProcess, ROOT } from '../../test/system/support/gateway.ts';
import { pin } from '../harness/children.ts';
import type { Place } from '../load/station.ts';

/** Nodes of a flow file, of which the bench sets single properties. */
type FlowNode = Readonly<Record<string, unknown>> & { readonly type: string };

/** The example flow that users start with. */
const EXAMPLE = join(ROOT, 'flows/uc-2.1-setpoint-following/UC 2.1 Setpoint following.json');

const at = (x: number) => ({ z: 'bench', x, y: 40 });

/** P2: one v2gate node and one function node. */
const ONE_NODE: readonly FlowNode[] = [
  { id: 'bench', type: 'tab', label: 'bench' },
  { id: 'site', type: 'v2gate-site', version: 1, name: '', file: '' },
  {
    id: 'server',
    type: 'v2gate-ocpp-server',
    version: 1,
    name: 'stations',
    site: 'site',
    port: '',
    path: '/ocpp',
    speaks: 'hub',
    flowAnswers: '',
  },
  { id: 'in', type: 'v2gate-ocpp-in', version: 1, name: '', server: 'server', ...at(120), wires: [['look']] },
  { id: 'look', type: 'function', name: 'look', func: 'return msg;', outputs: 1, ...at(320), wires: [[]] },
];

export interface BenchGatewayOptions {
  readonly site: SiteFile;
  /** `example`: the flow of UC 2.1 as users get it; `oneNode`: *ocpp in* and a function node. */
  readonly flow: 'example' | 'oneNode';
  /** Properties for the FO link node, for example another transport. */
  readonly foLink?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string>>;
}

/** The gateway as users start it, bound to the servers' core, ready for its links. */
export async function startBenchGateway(o: BenchGatewayOptions): Promise<GatewayProcess> {
  const dataDir = await mkdtemp(join(tmpdir(), 'v2gate-bench-'));
  await mkdir(join(dataDir, 'node-red'));
  const nodes: readonly FlowNode[] = o.flow === 'oneNode' ? ONE_NODE : JSON.parse(await readFile(EXAMPLE, 'utf8'));
  const flow = nodes.map((n) => (n.type === 'v2gate-fo-link' ? { ...n, ...o.foLink } : n));
  await writeFile(join(dataDir, 'node-red', 'flows.json'), JSON.stringify(flow));
  const gateway = await GatewayProcess.start({
    dataDir,
    site: o.site,
    env: { V2GATE_LOG_LEVEL: 'warn', ...o.env },
    nodeArgs: (process.env.BENCH_NODE_ARGS ?? '').split(' ').filter((a) => a !== ''),
  });
  await gateway.ready();
  pin(pidOf(gateway), 'server');
  return gateway;
}

export const pidOf = (gateway: GatewayProcess): number => gateway.child.pid ?? 0;

/** Where stations connect to. */
export async function placeOf(gateway: GatewayProcess): Promise<Place> {
  const url = new URL(await gateway.link('stations'));
  return { host: '127.0.0.1', port: Number(url.port), path: url.pathname, tls: url.protocol === 'wss:' };
}

/** The 99th percentile of the gateway's own event-loop delay over its last 5 s, ms. */
export async function loopDelayMs(gateway: GatewayProcess): Promise<number> {
  const text = await (await fetch(`${gateway.url}/metrics`)).text();
  const [, seconds] = /^v2gate_event_loop_delay_seconds\{quantile="0\.99"\} (\S+)$/m.exec(text) ?? [];
  return Number(seconds) * 1000;
}
