import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Child, eventually } from './child.ts';

export const ROOT: string = join(import.meta.dirname, '../../..');
const FLOW = join(ROOT, 'flows/uc-2.1-setpoint-following/UC 2.1 Setpoint following.json');

export interface GatewayOptions {
  /** Content of the site file; without it the gateway shows its demo. */
  readonly site?: object;
  readonly env?: NodeJS.ProcessEnv;
  /** Another flow than UC 2.1. */
  readonly flowFile?: string;
  /** Properties for the FO link node of the flow, for example `{ transport: 'mqtt' }`. */
  readonly foLink?: Readonly<Record<string, unknown>>;
  /** The same for the OCPP server node. */
  readonly ocppServer?: Readonly<Record<string, unknown>>;
  /** Further nodes of the flow, on its tab `uc21`. */
  readonly nodes?: readonly Readonly<Record<string, unknown>>[];
  /** Options for Node itself, for example `--cpu-prof`. */
  readonly nodeArgs?: readonly string[];
  /** The data folder of an earlier process, with the flow and the site that it had. */
  readonly dataDir?: string;
}

/** The real gateway process on free ports with a data folder of its own and the example flow. */
export class GatewayProcess {
  readonly child: Child;
  readonly dataDir: string;
  /** `http://127.0.0.1:<port>` */
  readonly url: string;

  private constructor(child: Child, dataDir: string, url: string) {
    this.child = child;
    this.dataDir = dataDir;
    this.url = url;
  }

  static async start(o: GatewayOptions = {}): Promise<GatewayProcess> {
    const dataDir = o.dataDir ?? (await mkdtemp(join(tmpdir(), 'v2gate-system-')));
    if (o.dataDir === undefined) {
      await mkdir(join(dataDir, 'node-red'));
      await writeFile(join(dataDir, 'node-red', 'flows.json'), await flow(o));
    }
    if (o.site !== undefined) await writeFile(join(dataDir, 'site.json'), JSON.stringify(o.site));
    const site = o.site === undefined ? { V2GATE_DEMO: '1' } : { V2GATE_SITE: join(dataDir, 'site.json') };
    const ports = { V2GATE_HTTP_PORT: '0', V2GATE_OCPP_PORT: '0', V2GATE_FO_PORT: '0', V2GATE_MQTT_PORT: '0' };
    const child = new Child({
      name: 'gateway',
      command: process.execPath,
      args: [...(o.nodeArgs ?? []), join(ROOT, 'gateway/main.ts')],
      cwd: ROOT,
      env: { ...process.env, NO_COLOR: '1', V2GATE_DATA: dataDir, ...ports, ...site, ...o.env },
    });
    try {
      const url = await urlOf(child, 'console', 30_000);
      return new GatewayProcess(child, dataDir, url.replace(/\/console.*/, ''));
    } catch (e) {
      await child.stop();
      throw e;
    }
  }

  /** Where `stations` or `operators` connect to, as the start lines say. */
  async link(who: 'stations' | 'operators'): Promise<string> {
    return (await urlOf(this.child, who, 15_000)).replace('/<identity>', '');
  }

  async get(path: string): Promise<unknown> {
    const response = await fetch(`${this.url}${path}`, { signal: AbortSignal.timeout(5_000) });
    const body: unknown = await response.json();
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${JSON.stringify(body)}`);
    return body;
  }

  /** Waits until /health answers 200. */
  ready(ms = 30_000): Promise<unknown> {
    return eventually('/health answers 200', () => this.get('/health'), ms);
  }

  async stop(): Promise<string> {
    const how = await this.child.stop();
    await rm(this.dataDir, { recursive: true, force: true });
    return how;
  }
}

/** The example flow with other links and what else is wanted. */
async function flow({ flowFile = FLOW, foLink, ocppServer, nodes: more = [] }: GatewayOptions): Promise<string> {
  const nodes = JSON.parse(await readFile(flowFile, 'utf8')) as { readonly type: string }[];
  const changes = new Map([
    ['v2gate-fo-link', foLink],
    ['v2gate-ocpp-server', ocppServer],
  ]);
  return JSON.stringify([...nodes.map((n) => ({ ...n, ...changes.get(n.type) })), ...more]);
}

function urlOf(child: Child, label: string, ms: number): Promise<string> {
  const line = new RegExp(`^\\s+${label}\\s+(\\w+://\\S+)`);
  return child.find(`the line of ${label}`, (text) => line.exec(text)?.[1], ms);
}
