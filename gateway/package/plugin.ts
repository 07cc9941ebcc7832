import type { PluginAPI, PluginDefinition } from 'node-red';
import { describeError } from '../../core/errors.ts';
import type { GatewayRuntime } from '../../hub/ports.ts';
import { openHost, type PackageHost } from './host.ts';
import { servePages } from './pages.ts';

/** By this id every node finds the runtime (see `runtimeOf` in nodes/base/host.ts). */
const RUNTIME_PLUGIN = 'v2gate-runtime';

/** What hangs in Node-RED's registry of plugins: the one place of the process where the runtime is kept. */
interface Offer extends PluginDefinition {
  readonly runtime?: GatewayRuntime;
  /** Why there is no runtime; nodes show it. */
  readonly problem?: unknown;
}

/**
 * The plugin of the package: makes one gateway for the Node-RED that loads it, before any node is loaded, and takes it back
 * when the module is removed. In a gateway process, which has a runtime of its own, it does nothing.
 */
export default async function (RED: PluginAPI): Promise<void> {
  if (hasRuntime(RED.settings.v2gate)) return;
  try {
    const host = await openHost(RED);
    const closePages = servePages(RED, host);
    offer(RED, { runtime: host.runtime }, () => {
      closePages();
      void host.close();
    });
    tell(RED, host);
  } catch (e) {
    const { code, what, remedy } = describeError(e);
    RED.log.error(`[v2gate] ${what} ${remedy} (${code})`);
    offer(RED, { problem: e });
    RED.httpAdmin.get('/v2gate/health', (_req, res) => {
      res.status(503).json({ live: true, ready: false, components: { gateway: { state: 'down', text: what } } });
    });
  }
}

/** Node-RED lists its plugins to editors: what is offered must not be listed with them. */
function offer(RED: PluginAPI, what: Pick<Offer, 'runtime' | 'problem'>, onremove?: () => void): void {
  const definition: Offer = { type: RUNTIME_PLUGIN, ...(onremove ? { onremove } : {}) };
  for (const [name, value] of Object.entries(what)) Object.defineProperty(definition, name, { value });
  RED.plugins.registerPlugin(RUNTIME_PLUGIN, definition);
}

function hasRuntime(given: unknown): boolean {
  return typeof given === 'object' && given !== null && 'leases' in given;
}

function tell({ settings, log }: PluginAPI, { runtime }: PackageHost): void {
  const root = typeof settings.httpAdminRoot === 'string' ? settings.httpAdminRoot : '/';
  log.info(`[v2gate] console at ${root}console/, site file ${runtime.settings.siteFile}`);
}
