import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Environment, readSettings, type Settings } from '../settings.ts';

/**
 * The settings of the gateway that a command is about: those of the environment, with the data folder that `--data`
 * names. Without any, it is that of the package where the command is run in a user directory of Node-RED.
 */
export function settingsFor(env: Environment, data: string | undefined): Settings {
  const packaged = resolve('v2gate');
  const inUserDir = existsSync(join(packaged, 'store.sqlite'));
  const dataDir = data ?? (env.V2GATE_DATA || (inUserDir ? packaged : undefined));
  const kept = dataDir === undefined ? undefined : join(resolve(dataDir), 'site.json');
  const site = env.V2GATE_SITE || (kept !== undefined && existsSync(kept) ? kept : undefined);
  const about = {
    ...env,
    ...(dataDir === undefined ? {} : { V2GATE_DATA: dataDir }),
    ...(site === undefined ? {} : { V2GATE_SITE: site }),
    // Who may reach a gateway is none of the business of a command.
    V2GATE_HOST: undefined,
  };
  return readSettings(about, { demoSiteFile: '' });
}
