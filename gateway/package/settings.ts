import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { GATEWAY_ERRORS } from '../errors.ts';
import { type Environment, readSettings, SETTINGS, type Settings } from '../settings.ts';

/** Settings that the Node-RED around the package decides itself: where HTTP listens, and who may look. */
const NOT_HERE: readonly string[] = ['demo', 'flow', 'httpPort', 'httpPassword', 'tlsHttp', 'dataDir', 'failPoint'];

export interface PackageSettingsOptions {
  /** User directory of Node-RED; everything that is kept goes into its folder `v2gate`. */
  readonly userDir: string;
  readonly env: Environment;
  /** The object `v2gate` of settings.js, if there is one: the settings by their names in the table. */
  readonly given: unknown;
}

/**
 * The settings of a gateway inside of somebody's Node-RED: variables of the environment, and below them what settings.js
 * says. Throws `settings.invalid` or `listen.insecure` as a gateway of its own does.
 */
export function packageSettings({ userDir, env, given }: PackageSettingsOptions): Settings {
  const dataDir = join(userDir, 'v2gate');
  const wanted = { ...fromSettingsFile(given), ...env };
  const all: Environment = {
    V2GATE_SITE: join(dataDir, 'site.json'),
    V2GATE_PORT_SEARCH: 'off',
    ...wanted,
    V2GATE_DATA: dataDir,
    V2GATE_DEMO: 'off',
    V2GATE_FLOW: undefined,
    // Only links listen here. What protects the pages is Node-RED's own access control, so no password is ever asked for.
    V2GATE_HTTP_PASSWORD: randomBytes(24).toString('hex'),
    V2GATE_TLS_HTTP: undefined,
  };
  return readSettings(all, { demoSiteFile: join(dataDir, 'site.json') });
}

function fromSettingsFile(given: unknown): Environment {
  if (given === undefined || given === null) return {};
  if (typeof given !== 'object' || Array.isArray(given)) throw wrong('v2gate', 'it must be an object of settings');
  const variables: Record<string, string> = {};
  for (const [key, value] of Object.entries(given)) {
    const setting = Object.entries(SETTINGS).find(([name]) => name === key)?.[1];
    if (!setting || NOT_HERE.includes(key)) throw wrong(`v2gate.${key}`, 'there is no such setting here');
    if (!['string', 'number', 'boolean'].includes(typeof value))
      throw wrong(`v2gate.${key}`, 'it must be a text, a number, true or false');
    variables[setting.variable] = String(value);
  }
  return variables;
}

function wrong(path: string, why: string): Error {
  return GATEWAY_ERRORS.fail('settings.invalid', `${path} in settings.js cannot be used: ${why}.`, {
    remedy: 'Correct settings.js and restart Node-RED; the names are those of docs/reference/settings.md.',
  });
}
