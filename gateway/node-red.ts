import type { Server } from 'node:http';
import { join } from 'node:path';
import RED, { type LogEntry, type RuntimeSettings } from 'node-red';
import { codeOf, describeError } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { ComponentHealth, GatewayRuntime } from '../hub/ports.ts';
import { checkFlowFile, keptSecret, seedFlowFile } from './flow-file.ts';
import { FLOW_HTTP_ROOT } from './guard.ts';
import type { LinkPlace } from './link-book.ts';

export interface NodeRedOptions {
  readonly server: Server;
  readonly runtime: GatewayRuntime;
  readonly userDir: string;
  readonly nodesDirs: readonly string[];
  /** Copied to be the flow file when there is none yet. */
  readonly example?: string;
  readonly credentialSecret: string | { readonly keepIn: string };
  readonly editor: boolean;
  /** Called when the web applications of Node-RED exist and can be mounted. */
  readonly onInitialised: () => void;
  /** Told whenever a link came up, with its actual address. */
  readonly onLink: (place: LinkPlace) => void;
  /** Told when the link of a node is gone for good. */
  readonly onLinkGone: (nodeId: string) => void;
}

export interface NodeRedHost {
  /** Stops the flows (config nodes release their leases) and the admin side. */
  stop(): Promise<void>;
}

/** The events with which config nodes tell where their link is. */
const LINK_EVENT = 'v2gate:link';
const LINK_GONE_EVENT = 'v2gate:link-gone';
const FLOW_FILE = 'flows.json';

/**
 * Starts the Node-RED of this process (there can be only one) and resolves when its flows run, or when it is known that
 * they cannot.
 */
export async function startNodeRed(o: NodeRedOptions): Promise<NodeRedHost> {
  const { log } = o.runtime;
  const flowFile = join(o.userDir, FLOW_FILE);
  if (o.example !== undefined) await seedFlowFile(flowFile, o.example);
  const broken = await checkFlowFile(flowFile);
  const health = (state: ComponentHealth): void => o.runtime.health('flows', state);

  const onRuntimeEvent = (event: { id?: string; payload?: { error?: string; types?: readonly string[] } }): void => {
    const problem = event.id === 'runtime-state' ? flowProblem(event.payload) : undefined;
    if (problem !== undefined) health({ state: 'down', text: problem });
  };
  const onStarted = (): void => health({ state: 'ok', text: 'running' });
  const settings = await nodeRedSettings(o, log);
  RED.init(o.server, settings);
  o.onInitialised();
  RED.events.on(LINK_EVENT, o.onLink);
  RED.events.on(LINK_GONE_EVENT, o.onLinkGone);
  RED.events.on('flows:started', onStarted);
  RED.events.on('runtime-event', onRuntimeEvent);

  const settled = flowsSettled();
  await RED.start();
  await settled;
  reportNodeErrors(o.runtime);
  if (broken) {
    log.error('flows.broken', describeError(broken));
    health({ state: 'down', text: describeError(broken).what });
  }
  return {
    async stop() {
      await RED.stop();
      RED.events.off(LINK_EVENT, o.onLink);
      RED.events.off(LINK_GONE_EVENT, o.onLinkGone);
      RED.events.off('flows:started', onStarted);
      RED.events.off('runtime-event', onRuntimeEvent);
    },
  };
}

async function nodeRedSettings(o: NodeRedOptions, log: Log): Promise<RuntimeSettings> {
  const secret = o.credentialSecret;
  return {
    userDir: o.userDir,
    flowFile: FLOW_FILE,
    flowFilePretty: true,
    credentialSecret: typeof secret === 'string' ? secret : await keptSecret(secret.keepIn),
    nodesDir: o.nodesDirs,
    httpAdminRoot: o.editor ? '/' : false,
    disableEditor: !o.editor,
    httpNodeRoot: FLOW_HTTP_ROOT,
    functionExternalModules: false,
    externalModules: { autoInstall: false, modules: { allowInstall: false } },
    telemetry: { enabled: false, updateNotification: false },
    editorTheme: {
      tours: false,
      page: { title: 'v2gate' },
      header: { title: 'v2gate' },
      palette: { catalogues: [], categories: ['v2gate'] },
      projects: { enabled: false },
    },
    logging: { v2gate: { level: 'info', handler: () => (entry) => forward(log, entry) } },
    v2gate: o.runtime,
  };
}

/** Node-RED's own chatter is of interest only when something is wrong. */
function forward(log: Log, entry: LogEntry): void {
  const text = entry.msg instanceof Error ? entry.msg.message : String(entry.msg);
  const code = codeOf(entry.msg);
  const node = entry.type === undefined ? undefined : `${entry.type}:${entry.name ?? entry.id ?? ''}`;
  const fields = { text, ...(node === undefined ? {} : { node }), ...(code === undefined ? {} : { code }) };
  if (entry.level <= 20) log.error('nodered', fields);
  else if (entry.level <= 30 && node !== undefined) log.warn('nodered', fields);
  else log.debug('nodered', fields);
}

function flowProblem(payload: { error?: string; types?: readonly string[] } | undefined): string | undefined {
  if (payload?.error === 'missing-types') return `stopped: unknown node types ${(payload.types ?? []).join(', ')}`;
  if (payload?.error === 'missing-modules') return 'stopped: modules that function nodes ask for are missing';
  if (payload?.error === 'safe-mode') return 'stopped: safe mode';
  return undefined;
}

/** Flows run, or Node-RED said that it does not start them. */
function flowsSettled(): Promise<void> {
  return new Promise((done) => {
    const finish = (): void => {
      RED.events.off('flows:started', finish);
      RED.events.off('runtime-event', look);
      done();
    };
    const look = (event: { id?: string; payload?: { error?: string } }): void => {
      if (event.id === 'runtime-state' && flowProblem(event.payload) !== undefined) finish();
    };
    RED.events.on('flows:started', finish);
    RED.events.on('runtime-event', look);
  });
}

function reportNodeErrors(runtime: GatewayRuntime): void {
  const failed = RED.nodes.getNodeList().filter((n) => n.err !== undefined && n.enabled);
  for (const n of failed) runtime.log.error('nodes.broken', { node: n.id, text: String(n.err) });
  const own = failed.filter((n) => n.module.startsWith('@v2gate/'));
  if (own.length > 0) {
    runtime.health('nodes', { state: 'down', text: `could not be loaded: ${own.map((n) => n.name).join(', ')}` });
  }
}
