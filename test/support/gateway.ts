import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import RED, { type FlowNode, type NodeMessage } from 'node-red';
import { afterAll, beforeAll, vi } from 'vitest';
import { type Clock, type ManualClock, realClock } from '../../core/clock.ts';
import { createLog } from '../../core/log.ts';
import { type Gateway, startGateway } from '../../gateway/gateway.ts';
import { type Environment, readSettings } from '../../gateway/settings.ts';
import { SiteFile } from '../../model/index.ts';

/** The site file of the demo, which tests copy and change. */
export const DEMO_SITE = join(import.meta.dirname, '../../flows/uc-2.1-setpoint-following/site.json');
/** The example flow of the demo. */
export const DEMO_FLOW = join(
  import.meta.dirname,
  '../../flows/uc-2.1-setpoint-following/UC 2.1 Setpoint following.json',
);

/** An embedded gateway in this worker: Node-RED is one per process. */
export interface TestGateway {
  readonly gateway: Gateway;
  /** Folder of this gateway's data; removed at the end. */
  readonly dataDir: string;
  /** Lines of the log, level debug. */
  readonly log: readonly string[];
  /** Deploys flows and resolves when they run. Nodes without place get one, so that they are not taken for config nodes. */
  deploy(flows: readonly FlowNode[], type?: 'full' | 'nodes' | 'flows'): Promise<void>;
  /** Hands a message to a node of the flow, as an inject node would. */
  inject(nodeId: string, message: NodeMessage): void;
  /** The next message that a node gets on its wire; rejects after 8 s. */
  next(nodeId: string): Promise<NodeMessage>;
  /** The status of a node once its text matches; rejects after 8 s. */
  status(nodeId: string, text: RegExp): Promise<string>;
  get(path: string, init?: RequestInit): Promise<Response>;
  /** Where the link of a config node is, once it is up. */
  linkUrl(type: string): Promise<string>;
  stop(): Promise<void>;
}

export interface TestGatewayOptions {
  readonly env?: Environment;
  /** Put into the data folder as flow file before the start. */
  readonly flowFile?: string;
  readonly editor?: boolean;
  /** The clock of the domain; default the machine's. */
  readonly clock?: Clock | ManualClock;
  /** Changes the site file of the demo before the start. */
  readonly site?: (file: SiteFile) => SiteFile;
}

/** How long tests wait for what must come, on a machine that may be busy. */
const PATIENCE_MS = 8_000;
/** The same for `expect.poll`. */
export const PATIENT = { timeout: PATIENCE_MS, interval: 20 } as const;

/** Starts a gateway on random ports with an empty data folder and the site file of the demo. */
export async function startTestGateway(o: TestGatewayOptions = {}): Promise<TestGateway> {
  const dataDir = await mkdtemp(join(tmpdir(), 'v2gate-'));
  const site = SiteFile.parse(JSON.parse(await readFile(DEMO_SITE, 'utf8')));
  await writeFile(join(dataDir, 'site.json'), JSON.stringify(o.site?.(site) ?? site, null, 2));
  if (o.flowFile !== undefined) {
    await mkdir(join(dataDir, 'node-red'), { recursive: true });
    await writeFile(join(dataDir, 'node-red', 'flows.json'), o.flowFile);
  }
  const env = {
    V2GATE_DATA: dataDir,
    V2GATE_SITE: join(dataDir, 'site.json'),
    V2GATE_HTTP_PORT: '0',
    V2GATE_OCPP_PORT: '0',
    V2GATE_FO_PORT: '0',
    V2GATE_MQTT_PORT: '0',
    V2GATE_CREDENTIAL_SECRET: 'only for this test',
    ...o.env,
  };
  const log: string[] = [];
  const wall = realClock();
  const gateway = await startGateway({
    settings: readSettings(env, { demoSiteFile: DEMO_SITE }),
    clock: o.clock ?? wall,
    env,
    log: createLog({ clock: wall, level: 'debug', format: 'text', write: (line) => void log.push(line) }),
    editor: o.editor ?? false,
  });
  const statuses = watchStatuses();
  return {
    gateway,
    dataDir,
    log,
    deploy,
    inject(nodeId, message) {
      const node = RED.nodes.getNode(nodeId);
      if (!node) throw new Error(`There is no node ${nodeId}.`);
      node.receive(message);
    },
    next: nextMessage,
    status: statuses.wait,
    get: (path, init) => fetch(`${gateway.url}${path}`, init),
    linkUrl: (type) =>
      vi.waitFor(
        () => {
          const link = gateway.links.list().find((l) => l.type === type);
          if (!link) throw new Error(`no link of ${type} is up`);
          return link.url;
        },
        { timeout: PATIENCE_MS, interval: 10 },
      ),
    async stop() {
      statuses.stop();
      await gateway.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

async function deploy(flows: readonly FlowNode[], deploymentType: 'full' | 'nodes' | 'flows' = 'full'): Promise<void> {
  const placed = flows.map((n) => (n.z === undefined ? n : { x: 100, y: 100, ...n }));
  const running = flowsRunning();
  await RED.runtime.flows.setFlows({ flows: { flows: placed }, deploymentType });
  await running;
}

/** `setFlows` resolves before the flows run. Rejects when Node-RED says that it does not start them. */
function flowsRunning(): Promise<void> {
  return new Promise((done, failed) => {
    const end = (): void => {
      RED.events.off('flows:started', started);
      RED.events.off('runtime-event', look);
    };
    const started = (): void => {
      end();
      done();
    };
    const look = (event: { payload?: { error?: string; types?: readonly string[] } }): void => {
      if (event.payload?.error === undefined) return;
      end();
      failed(new Error(`the flows do not run: ${event.payload.error} ${event.payload.types?.join(', ') ?? ''}`));
    };
    RED.events.on('flows:started', started);
    RED.events.on('runtime-event', look);
  });
}

function nextMessage(nodeId: string): Promise<NodeMessage> {
  const hook = `onReceive.next-${nodeId}`;
  return within(
    `no message came to ${nodeId}`,
    (done) => {
      RED.hooks.add(hook, (event) => {
        if (event.destination?.id !== nodeId) return;
        RED.hooks.remove(hook);
        const { payload, topic, v2gate, _msgid, ...rest } = event.msg;
        done(structuredClone({ ...plain(rest), topic, payload, v2gate }));
      });
    },
    () => RED.hooks.remove(hook),
  );
}

/** Messages of core nodes (catch) carry node objects that cannot be cloned. */
function plain(rest: Record<string, unknown>): Record<string, unknown> {
  const { error } = rest;
  if (typeof error !== 'object' || error === null) return {};
  const read = (key: string): unknown => Reflect.get(error, key);
  return { error: { message: read('message'), code: read('code'), cause: read('cause') } };
}

interface StatusEvent {
  readonly id: string;
  /** Absent when the node is gone. */
  readonly status?: { readonly text?: string };
}

function watchStatuses(): { wait(nodeId: string, text: RegExp): Promise<string>; stop(): void } {
  const seen = new Map<string, string>();
  const waiting = new Set<() => void>();
  const note = (event: StatusEvent): void => {
    seen.set(event.id, event.status?.text ?? '');
    for (const look of [...waiting]) look();
  };
  RED.events.on('node-status', note);
  return {
    stop: () => void RED.events.off('node-status', note),
    wait(nodeId, text) {
      let look: () => void = () => {};
      return within(
        `the status of ${nodeId} did not become ${String(text)}`,
        (done) => {
          look = () => {
            const now = seen.get(nodeId);
            if (now === undefined || !text.test(now)) return;
            waiting.delete(look);
            done(now);
          };
          waiting.add(look);
          look();
        },
        () => waiting.delete(look),
        () => `; it is “${seen.get(nodeId) ?? ''}”`,
      );
    },
  };
}

function within<T>(
  what: string,
  start: (done: (value: T) => void) => void,
  giveUp: () => void,
  more = () => '',
): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      giveUp();
      reject(new Error(`${what}${more()}`));
    }, PATIENCE_MS);
    start((value) => {
      clearTimeout(timer);
      resolve(value);
    });
  });
}

/** A gateway that all tests of a file share. */
export function useGateway(options: TestGatewayOptions = {}): () => TestGateway {
  let shared: TestGateway | undefined;
  beforeAll(async () => {
    shared = await startTestGateway(options);
  });
  afterAll(() => shared?.stop());
  return () => {
    if (!shared) throw new Error('The gateway is not running yet.');
    return shared;
  };
}

/** A site without what tests would have to wait for: stations draw nothing while offline and obey at any pace. */
export function promptSite(file: SiteFile): SiteFile {
  const evses = (s: SiteFile['stations'][number]) =>
    s.evses.map((e) => ({ ...e, offlineImportW: 0, minCommandIntervalS: 0 }));
  return { ...file, stations: file.stations.map((s) => ({ ...s, evses: evses(s) })) };
}

/**
 * The config nodes of one site with both links, on a tab `t`. Ids differ from every value of a node: Node-RED takes any
 * value that is the id of a config node for a reference to it.
 */
export function siteNodes(server: Readonly<Record<string, unknown>> = {}): FlowNode[] {
  const link = { version: 1, site: 'c-site', port: '', speaks: 'hub' };
  return [
    { id: 't', type: 'tab', label: 'test' },
    { id: 'c-site', type: 'v2gate-site', name: 'depot', version: 1, file: '' },
    { id: 'c-fo', type: 'v2gate-fo-link', name: 'operators', path: '/fo', ...link },
    { id: 'c-ocpp', type: 'v2gate-ocpp-server', name: 'stations', path: '/ocpp', ...link, ...server },
  ];
}
