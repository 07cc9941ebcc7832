import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Clock, realClock } from '../core/clock.ts';
import { codeOf } from '../core/errors.ts';
import { LeaseRegistry } from '../core/lease.ts';
import type { Log } from '../core/log.ts';
import { createMetrics } from '../core/metrics.ts';
import type { GatewayRuntime } from '../hub/ports.ts';
import { SiteRegistry } from '../hub/site/registry.ts';
import { GATEWAY_ERRORS } from './errors.ts';
import { createHealth, type Health } from './health.ts';
import { openMappings } from './mapping-files.ts';
import { readSecrets } from './secrets.ts';
import { dataPaths, type Environment, type Settings } from './settings.ts';
import { openSigners, type Signers } from './signer.ts';
import { siteFiles } from './site-files.ts';
import { openStore, startRetention } from './store/index.ts';
import { type GatewayTls, openTls } from './tls.ts';

/** The runtime that nodes and bridges get, with what only the process itself uses. */
export interface GatewayProcessRuntime extends GatewayRuntime {
  readonly settings: Settings;
  readonly components: Health;
  readonly signers: Signers;
  readonly tls: GatewayTls;
  /** Closes links, sites and store, in this order. Never rejects. */
  close(): Promise<void>;
}

export interface RuntimeOptions {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly log: Log;
  /** Folder of the shipped mappings. */
  readonly mappings: string;
  /** Where single secrets may come from. */
  readonly env: Environment;
}

/** Puts together what lives as long as the process. Rejects with `data.unwritable` or an error of the store. */
export async function createRuntime({
  settings,
  clock,
  log,
  mappings,
  env,
}: RuntimeOptions): Promise<GatewayProcessRuntime> {
  const metrics = createMetrics();
  const components = createHealth(metrics, ['store', 'flows']);
  const { store: path } = dataPaths(settings.dataDir);
  await makeFolder(dirname(path));
  const secret = await readSecrets(settings.secretsFile, env, log);
  const signers = await openSigners({
    file: settings.signKey,
    alg: settings.signAlg === 'es256' ? 'ES256' : 'EdDSA',
    folder: settings.dataDir,
    secret,
    log,
  });
  // The store paces its groups by the machine's clock, also where the domain's clock stands still.
  const wall = realClock();
  const tls = await openTls(settings, { clock: wall, log });
  const health = (state: Parameters<Health['set']>[1]): void => components.set('store', state);
  const store = await openStore({ path, clock: wall, log, metrics, health });
  health({ state: 'ok', text: 'open' });
  const retention = startRetention({ store, clock: wall, log });
  const leases = new LeaseRegistry({ clock, log });
  metrics.collect('v2gate_bound', () => [leases.stats()]);
  const pack = openMappings({
    shipped: mappings,
    overrides: settings.mappings,
    clock: wall,
    log,
    health: components.set,
  });
  const base = {
    clock,
    stopwatch: () => performance.now(),
    log,
    metrics,
    store,
    leases,
    settings,
    secret,
    signer: signers.signer,
    mappings: pack.library,
    health: components.set,
  };
  const sites = new SiteRegistry({ clock, log, metrics, store, files: siteFiles(wall), signer: signers.forSite });
  return {
    ...base,
    sites,
    components,
    signers,
    tls,
    async close() {
      tls.close();
      retention.cancel();
      pack.watch?.cancel();
      await leases.closeAll();
      await settle(
        log,
        'store',
        store.flush().then(() => store.close()),
      );
    },
  };
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (e) {
    throw GATEWAY_ERRORS.fail(
      'data.unwritable',
      `The data folder ${folder} cannot be made (${codeOf(e) ?? 'unknown'}).`,
    );
  }
}

async function settle(log: Log, what: string, closing: Promise<void>): Promise<void> {
  try {
    await closing;
  } catch (e) {
    log.error('gateway.closeFailed', { what, code: codeOf(e) });
  }
}

/** The folder of the repository, from which everything that ships is found. */
export const ROOT = join(import.meta.dirname, '..');
