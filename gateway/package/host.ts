import { constants, copyFile, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { NodeAPI, PluginAPI } from 'node-red';
import { realClock } from '../../core/clock.ts';
import { codeOf, describeError } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import { followRuntime, type Live } from '../live.ts';
import { createRuntime, type GatewayProcessRuntime, ROOT } from '../runtime.ts';
import { takeEnvironment } from '../secrets.ts';
import { nodeRedLog } from './log.ts';
import { packageSettings } from './settings.ts';

/** The gateway inside of somebody's Node-RED: what its nodes get, and what its pages show. */
export interface PackageHost {
  readonly runtime: GatewayProcessRuntime;
  readonly live: Live;
  /** Takes everything back. Never rejects. */
  close(): Promise<void>;
}

/** The events with which config nodes tell where their link is. */
const LINK_EVENT = 'v2gate:link';
const LINK_GONE_EVENT = 'v2gate:link-gone';
const STARTED = 'flows:started';
const STOPPING = 'flows:stopping';

/** The site that a first start begins with: the one of the example *UC 2.1*. */
const FIRST_SITE = join(ROOT, 'flows', 'uc-2.1-setpoint-following', 'site.json');

/** Composes the gateway of this Node-RED. Rejects with the error of a setting, the data folder, the store or a key. */
export async function openHost(RED: Pick<PluginAPI, 'settings' | 'events' | 'log' | 'server'>): Promise<PackageHost> {
  const env = takeEnvironment(process.env);
  const settings = packageSettings({ userDir: String(RED.settings.userDir), env, given: RED.settings.v2gate });
  const log = nodeRedLog(RED.log, settings.logLevel);
  for (const name of settings.unknown)
    log.warn('settings.unknown', { name, text: 'nobody knows this variable; is it misspelled?' });
  if (settings.siteFile === join(settings.dataDir, 'site.json')) await seedSite(settings.siteFile, log);
  const clock = realClock();
  const mappings = join(ROOT, 'mappings');
  const runtime = await createRuntime({ settings, clock, log, mappings, env, gatewayUrl: () => urlOf(RED) });
  const live = followRuntime(runtime, clock);
  const unhook = hook(RED.events, [
    [LINK_EVENT, live.links.note],
    [LINK_GONE_EVENT, live.links.forget],
    [STARTED, () => runtime.components.set('flows', { state: 'ok', text: 'running' })],
    // Node-RED ends the process soon after its flows; what is written once a second must not wait for that.
    [STOPPING, () => void runtime.store.flush().catch(() => undefined)],
  ]);
  return {
    runtime,
    live,
    async close() {
      unhook();
      live.close();
      await runtime.close();
    },
  };
}

type Listener = readonly [event: string, listener: Parameters<NodeAPI['events']['on']>[1]];

function hook(events: NodeAPI['events'], listeners: readonly Listener[]): () => void {
  for (const [event, listener] of listeners) events.on(event, listener);
  return () => {
    for (const [event, listener] of listeners) events.off(event, listener);
  };
}

/** Where programs on this machine reach what the package serves. */
function urlOf({ server, settings }: Pick<PluginAPI, 'server' | 'settings'>): string {
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : Number(settings.uiPort);
  const root = typeof settings.httpAdminRoot === 'string' ? settings.httpAdminRoot.replace(/\/$/, '') : '';
  return `http${'setSecureContext' in server ? 's' : ''}://127.0.0.1:${port}${root}`;
}

/** A first start has a site to try, which its owner then replaces. */
async function seedSite(file: string, log: Log): Promise<void> {
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    await copyFile(FIRST_SITE, file, constants.COPYFILE_EXCL);
    log.info('site.seeded', { file, text: 'the demo depot of UC 2.1; replace it by your own site' });
  } catch (e) {
    if (codeOf(e) !== 'EEXIST') log.warn('site.notSeeded', { file, ...describeError(e) });
  }
}
