import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Clock, realClock } from '../core/clock.ts';
import { codeOf, describeError } from '../core/errors.ts';
import { LeaseRegistry } from '../core/lease.ts';
import type { Log } from '../core/log.ts';
import { createMetrics } from '../core/metrics.ts';
import type { GatewayRuntime, StorePort } from '../hub/ports.ts';
import { SiteRegistry } from '../hub/site/registry.ts';
import { Trace } from '../hub/trace/index.ts';
import { GATEWAY_ERRORS } from './errors.ts';
import { createHealth, type Health } from './health.ts';
import { openMappings } from './mapping-files.ts';
import { METER_TOKEN } from './meter-api.ts';
import { createPrograms } from './programs.ts';
import { watchSecrets } from './secrets.ts';
import { dataPaths, type Environment, type Settings } from './settings.ts';
import { openSigners, type Signers } from './signer.ts';
import { siteFiles } from './site-files.ts';
import { openStore, RETENTION_DAYS, serveCopies, startRetention } from './store/index.ts';
import { type GatewayTls, openTls } from './tls.ts';
import { type User, watchUsers } from './users.ts';
import type { WatchedFile } from './watched-file.ts';

/** The runtime that nodes and bridges get, with what only the process itself uses. */
export interface GatewayProcessRuntime extends GatewayRuntime {
  readonly settings: Settings;
  readonly components: Health;
  readonly signers: Signers;
  readonly tls: GatewayTls;
  /** Who may use console, API and editor. */
  readonly users: WatchedFile<readonly User[]>;
  readonly trace: Trace;
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
  /** Address of the API, once it is known; for simulated meters. */
  readonly gatewayUrl?: () => string;
}

/** Puts together what lives as long as the process. Rejects with `data.unwritable` or an error of the store. */
export async function createRuntime(o: RuntimeOptions): Promise<GatewayProcessRuntime> {
  const undo: (() => unknown)[] = [];
  try {
    return await compose(o, undo);
  } catch (e) {
    for (const step of undo.reverse()) await step();
    throw e;
  }
}

/** `undo` takes back what was opened before something failed. */
async function compose(
  { settings, clock, log, mappings, env, gatewayUrl = () => `http://127.0.0.1:${settings.httpPort}` }: RuntimeOptions,
  undo: (() => unknown)[],
): Promise<GatewayProcessRuntime> {
  const metrics = createMetrics();
  const components = createHealth(metrics, ['store', 'flows']);
  const { store: path } = dataPaths(settings.dataDir);
  await makeFolder(dirname(path));
  // Files, and the store that paces its groups, go by the machine's clock, also where the domain's stands still.
  const wall = realClock();
  const secrets = await watchSecrets(settings.secretsFile, env, {
    clock: wall,
    log,
    onReload: told(components.set, 'secrets'),
  });
  const { secret } = secrets;
  undo.push(() => secrets.close());
  const users = await watchUsers(settings.dataDir, { clock: wall, log, onReload: told(components.set, 'users') });
  undo.push(() => users.close());
  const trace = new Trace(clock);
  const tls = await openTls(settings, { clock: wall, log });
  undo.push(() => tls.close());
  const health = (state: Parameters<Health['set']>[1]): void => components.set('store', state);
  const store = await openStore({ path, clock: wall, log, metrics, health });
  undo.push(() => store.close());
  health({ state: 'ok', text: 'open' });
  const signers = await openSigners({
    file: settings.signKey,
    alg: settings.signAlg === 'es256' ? 'ES256' : 'EdDSA',
    folder: settings.dataDir,
    secret,
    log,
    signedBefore: () => hasDocuments(store),
  });
  const commandDays = settings.keepCommandsDays;
  const days = { ...RETENTION_DAYS, batch: commandDays, outcome: commandDays };
  const retention = startRetention({ store, clock: wall, log, days });
  const copies = serveCopies({ folder: settings.dataDir, copy: (to) => store.copyTo(to), clock: wall, log });
  const leases = new LeaseRegistry({ clock, log });
  const programs = createPrograms({
    root: ROOT,
    clock: wall,
    log,
    gateway: gatewayUrl,
    meterToken: secret(METER_TOKEN),
    certificate: tls.developmentCert,
  });
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
    trace,
    users,
    mappings: pack.library,
    ...(existsSync(join(ROOT, 'simulators')) ? { programs } : {}),
    health: components.set,
  };
  const sites = new SiteRegistry({
    clock,
    log,
    metrics,
    store,
    files: siteFiles(wall),
    signer: signers.forSite,
    trace,
  });
  return {
    ...base,
    sites,
    components,
    signers,
    tls,
    async close() {
      const ended = programs.stop();
      tls.close();
      secrets.close();
      users.close();
      retention.cancel();
      copies.cancel();
      pack.watch?.cancel();
      await leases.closeAll();
      await ended;
      await settle(
        log,
        'store',
        store.flush().then(() => store.close()),
      );
    },
  };
}

/** Tells at `/health` whether a file could be taken over when it changed. */
function told(set: Health['set'], component: string): (error?: unknown) => void {
  return (error) => {
    const text = error === undefined ? 'read again' : describeError(error).what;
    set(component, { state: error === undefined ? 'ok' : 'degraded', text, admits: true });
  };
}

/** Whether a record or proof is kept, hence was signed with a key of this gateway. */
async function hasDocuments(store: StorePort): Promise<boolean> {
  const kept = await Promise.all([store.list('record', { limit: 1 }), store.list('proof', { limit: 1 })]);
  return kept.some((rows) => rows.length > 0);
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
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
