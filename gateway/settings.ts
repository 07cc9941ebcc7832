import { join } from 'node:path';
import type { Issue } from '../core/errors.ts';
import { GATEWAY_ERRORS } from './errors.ts';
import { failPointForm, failPointIssues } from './failpoints.ts';
import { address, count, type Form, flag, host, id, oneOf, path, port, secret, words } from './settings-forms.ts';
import { checkListening, INSECURE_WORDS, type ResolvedTls, resolveTls } from './settings-security.ts';

export { INSECURE_WORDS, isLoopback } from './settings-security.ts';

/** The environment as the process sees it. */
export type Environment = Readonly<Record<string, string | undefined>>;

interface Setting<T> {
  readonly variable: `V2GATE_${string}`;
  readonly form: Form<T>;
  /** As it would be written in the environment. Absent: the value may be absent, or `derived` says what it is. */
  readonly fallback?: string;
  /** How the value follows from other settings when the variable is not set, in words. */
  readonly derived?: string;
  readonly meaning: string;
  /** Never shown anywhere. */
  readonly secret?: boolean;
}

/** Every setting of the gateway: the one declared table that yields types, errors and documentation. */
export const SETTINGS = {
  demo: {
    variable: 'V2GATE_DEMO',
    form: flag,
    derived: 'on while V2GATE_SITE is not set',
    meaning: 'Starts simulated stations and a simulated flexibility operator, and seeds the example flow.',
  },
  flow: {
    variable: 'V2GATE_FLOW',
    form: oneOf('uc-2.1', 'uc-2.7', 'two-fos', 'empty'),
    fallback: 'uc-2.1',
    meaning:
      'The example flow that a first start begins with, in the demo with its site and simulators. Demos of other flows than `uc-2.1` keep their data in a folder of that name below V2GATE_DATA. `empty`: site, OCPP server and FO link only, for a first flow of your own.',
  },
  siteFile: {
    variable: 'V2GATE_SITE',
    form: path,
    derived: 'the site file of the demo',
    meaning: 'The site file: site, circuits, EVSE records, parties, contracts, credentials.',
  },
  dataDir: {
    variable: 'V2GATE_DATA',
    form: path,
    fallback: '.data',
    meaning: 'Folder for everything that is kept: the flow file with its credentials, and the store.',
  },
  host: {
    variable: 'V2GATE_HOST',
    form: host,
    fallback: '127.0.0.1',
    meaning:
      'Address to listen on, for HTTP and every link. Anything but loopback needs TLS and credentials, or V2GATE_INSECURE.',
  },
  insecure: {
    variable: 'V2GATE_INSECURE',
    form: words(INSECURE_WORDS),
    derived: 'not given',
    meaning: 'Says in words that listening on other addresses without encryption and credentials is wanted.',
  },
  tls: {
    variable: 'V2GATE_TLS',
    form: oneOf('off', 'dev', 'files'),
    derived: '`files` while V2GATE_TLS_CERT is set, otherwise `off`',
    meaning:
      'TLS for stations, operators and HTTP. `dev` makes a certificate that nobody trusts by itself and keeps it in the data folder.',
  },
  tlsCert: {
    variable: 'V2GATE_TLS_CERT',
    form: path,
    derived: 'none',
    meaning: 'Certificate chain, PEM. A changed file is taken over within seconds; running connections stay.',
  },
  tlsKey: {
    variable: 'V2GATE_TLS_KEY',
    form: path,
    derived: 'none',
    meaning: 'Private key of the certificate, PEM without passphrase.',
  },
  tlsCa: {
    variable: 'V2GATE_TLS_CA',
    form: path,
    derived: 'none',
    meaning: 'Issuers of client certificates of operators, PEM; needed where the site file names them by common name.',
  },
  tlsMin: {
    variable: 'V2GATE_TLS_MIN',
    form: oneOf('1.3', '1.2'),
    fallback: '1.3',
    meaning: 'Lowest TLS version for operators and HTTP. Stations may always use 1.2, with the suites of OCPP.',
  },
  tlsOcpp: {
    variable: 'V2GATE_TLS_OCPP',
    form: flag,
    derived: 'on while TLS is on',
    meaning: 'TLS for charging stations.',
  },
  tlsFo: {
    variable: 'V2GATE_TLS_FO',
    form: flag,
    derived: 'on while TLS is on',
    meaning: 'TLS for flexibility operators, over WebSocket and at the own MQTT broker.',
  },
  tlsHttp: {
    variable: 'V2GATE_TLS_HTTP',
    form: flag,
    derived: 'on while TLS is on',
    meaning: 'TLS for editor, console, API, health and metrics.',
  },
  httpPassword: {
    variable: 'V2GATE_HTTP_PASSWORD',
    form: secret(12),
    derived: 'none: without users, everybody who reaches the port of loopback is let in',
    meaning:
      'Password for editor, console, API and metrics, with any user name: its owner is engineer. `/health` stays open. Users with roles of their own: `npx v2gate users`.',
    secret: true,
  },
  trustedProxy: {
    variable: 'V2GATE_TRUSTED_PROXY',
    form: address,
    derived: 'none',
    meaning:
      'IP address of the reverse proxy in front of editor, console and API. Wrong passwords that come through it count for the address that it puts last into `X-Forwarded-For`; without this setting everybody behind it waits together.',
  },
  httpPort: {
    variable: 'V2GATE_HTTP_PORT',
    form: port,
    fallback: '1880',
    meaning: 'Port of editor, console, API, health and metrics.',
  },
  ocppPort: {
    variable: 'V2GATE_OCPP_PORT',
    form: port,
    fallback: '9220',
    meaning: 'Port for charging stations, where the OCPP server node does not set one itself.',
  },
  foPort: {
    variable: 'V2GATE_FO_PORT',
    form: port,
    fallback: '9221',
    meaning: 'Port for flexibility operators, where the FO link node does not set one itself.',
  },
  mqttPort: {
    variable: 'V2GATE_MQTT_PORT',
    form: port,
    fallback: '9223',
    meaning: 'Port of the own MQTT broker, where an FO link node runs one and does not set one itself.',
  },
  portSearch: {
    variable: 'V2GATE_PORT_SEARCH',
    form: flag,
    derived: 'on in the demo, otherwise off',
    meaning: 'Moves a taken port to the next free one; off: a taken port is an error.',
  },
  gatewayId: {
    variable: 'V2GATE_GATEWAY_ID',
    form: id,
    fallback: 'v2gate',
    meaning: 'Name of this gateway towards parties whose site file names none.',
  },
  mappings: {
    variable: 'V2GATE_MAPPINGS',
    form: path,
    derived: 'none',
    meaning: 'Folder whose mappings take the place of shipped ones with the same relative path.',
  },
  clock: {
    variable: 'V2GATE_CLOCK',
    form: oneOf('real', 'manual'),
    fallback: 'real',
    meaning: 'Manual: time stands still until `POST /v2gate/api/clock/advance` moves it (for tests).',
  },
  logLevel: {
    variable: 'V2GATE_LOG_LEVEL',
    form: oneOf('debug', 'info', 'warn', 'error', 'off'),
    fallback: 'info',
    meaning: 'The least important kind of line that is logged.',
  },
  logFormat: {
    variable: 'V2GATE_LOG_FORMAT',
    form: oneOf('text', 'json'),
    fallback: 'text',
    meaning: 'Lines for people, or one JSON object a line.',
  },
  eventClients: {
    variable: 'V2GATE_EVENT_CLIENTS',
    form: count(1, 1_000, 'streams'),
    fallback: '64',
    meaning: 'How many event streams may be open at `/v2gate/api/events`.',
  },
  keepCommandsDays: {
    variable: 'V2GATE_KEEP_COMMANDS',
    form: count(1, 1_096, 'days'),
    fallback: '14',
    meaning:
      'How long every single command and what became of it is kept. Records, proofs, the event log and meter values have their own times.',
  },
  secretsFile: {
    variable: 'V2GATE_SECRETS',
    form: path,
    derived: '`secrets.json` in the data folder',
    meaning:
      'JSON object with the secrets that the site file names. One of them can also come as `V2GATE_SECRET_<NAME>`.',
  },
  signKey: {
    variable: 'V2GATE_SIGN_KEY',
    form: path,
    derived: '`signing-key.pem` in the data folder, made at the first start',
    meaning:
      'Private key that signs records and proofs, as PEM. Another key in its place is the rotation: former public keys stay published.',
  },
  signAlg: {
    variable: 'V2GATE_SIGN_ALG',
    form: oneOf('ed25519', 'es256'),
    fallback: 'ed25519',
    meaning: 'Kind of the signing key that is made where there is none.',
  },
  credentialSecret: {
    variable: 'V2GATE_CREDENTIAL_SECRET',
    form: secret(16),
    derived: 'made once and kept in the data folder, readable by its owner only',
    meaning: 'Key that encrypts the credentials of the flow file.',
    secret: true,
  },
  test: {
    variable: 'V2GATE_TEST',
    form: flag,
    fallback: 'off',
    meaning: 'Allows what only tests may ask for.',
  },
  failPoint: {
    variable: 'V2GATE_FAIL_POINT',
    form: failPointForm,
    derived: 'none',
    meaning:
      'For tests: the process kills itself at this point, the n-th time that it gets there (see the table of fail points).',
  },
} as const satisfies Record<string, Setting<unknown>>;

type Table = typeof SETTINGS;
type Value<S> = S extends { form: Form<infer T>; fallback: string }
  ? T
  : S extends { form: Form<infer T> }
    ? T | undefined
    : never;

/** Everything that was given or has a fixed default. */
type Given = { readonly [K in keyof Table]: Value<Table[K]> };

/** The resolved settings of the process. */
export type Settings = Omit<
  Given,
  'demo' | 'siteFile' | 'portSearch' | 'insecure' | 'secretsFile' | 'signKey' | keyof ResolvedTls
> &
  ResolvedTls & {
    readonly demo: boolean;
    readonly siteFile: string;
    readonly portSearch: boolean;
    readonly insecure: boolean;
    readonly secretsFile: string;
    readonly signKey: string;
    /** Variables that start with V2GATE_ and that nobody knows, probably misspelled. */
    readonly unknown: readonly string[];
  };

export interface SettingsPlaces {
  /** Where the site file of the demo lies, by the flow that is shown. */
  readonly demoSiteFile: string | ((flow: Value<Table['flow']>) => string);
  /** Whether somebody may log in already: then console and editor are protected. */
  readonly hasUsers?: (dataDir: string) => boolean;
}

/**
 * Reads all settings. An empty variable counts as not set.
 * Throws `settings.invalid` with one detail per bad variable, or `listen.insecure`.
 */
export function readSettings(env: Environment, places: SettingsPlaces): Settings {
  const details: Issue[] = [];
  const value = <T>(setting: Setting<T>): T | undefined => {
    const text = env[setting.variable]?.trim() || setting.fallback;
    if (text === undefined) return undefined;
    const parsed = setting.form.parse(text);
    if (parsed === undefined) details.push(complaint(setting, text));
    return parsed;
  };
  const given = readAll(value);
  const { issues, ...tls } = resolveTls(given);
  details.push(...issues, ...failPointIssues(given));
  if (details.length > 0) throw invalid(details);
  const demo = given.demo ?? given.siteFile === undefined;
  const { demoSiteFile } = places;
  // Each demo has a flow file and a store of its own.
  const dataDir = demo && given.flow !== 'uc-2.1' ? join(given.dataDir, given.flow) : given.dataDir;
  const settings: Settings = {
    ...given,
    ...tls,
    demo,
    dataDir,
    siteFile: given.siteFile ?? (typeof demoSiteFile === 'string' ? demoSiteFile : demoSiteFile(given.flow)),
    portSearch: given.portSearch ?? demo,
    insecure: given.insecure ?? false,
    secretsFile: given.secretsFile ?? join(dataDir, 'secrets.json'),
    signKey: given.signKey ?? join(dataDir, 'signing-key.pem'),
    unknown: unknownVariables(env),
  };
  checkListening({ ...settings, hasUsers: places.hasUsers?.(dataDir) === true });
  return settings;
}

/** Values under a missing fallback are undefined; a bad value was noted and ends the reading before anybody sees it. */
function readAll(value: <T>(setting: Setting<T>) => T | undefined): Given {
  const read: Record<string, unknown> = {};
  for (const [key, setting] of Object.entries<Setting<unknown>>(SETTINGS)) read[key] = value(setting);
  return read as Given;
}

function complaint(setting: Setting<unknown>, text: string): Issue {
  const shown = setting.secret ? 'the value' : `“${text.length > 60 ? `${text.slice(0, 60)}…` : text}”`;
  return {
    path: setting.variable,
    code: 'settings.invalid',
    message: `${setting.variable} must be ${setting.form.allowed}; ${shown} is not.`,
  };
}

function invalid(details: readonly Issue[]): Error {
  return GATEWAY_ERRORS.fail('settings.invalid', details.map((d) => d.message).join(' '), {
    remedy: `Correct ${details.map((d) => d.path).join(', ')} and start again.`,
    details,
  });
}

function unknownVariables(env: Environment): string[] {
  // The last one is for a command.
  const known = [...Object.values<Setting<unknown>>(SETTINGS).map((s) => s.variable), 'V2GATE_BACKUP_PASSPHRASE'];
  return Object.keys(env).filter(
    (k) => k.startsWith('V2GATE_') && !k.startsWith('V2GATE_SECRET_') && !known.some((v) => v === k),
  );
}

/** The settings as the API shows them: no secrets, absent values left out. */
export function publicSettings(settings: Settings): Record<string, unknown> {
  const shown: Record<string, unknown> = {};
  for (const [key, setting] of Object.entries<Setting<unknown>>(SETTINGS)) {
    const current = settings[key as keyof Table];
    if (!setting.secret && current !== undefined) shown[key] = current;
  }
  return shown;
}

/** The table of settings for the documentation. */
export function settingsMarkdown(): string {
  const rows = Object.values<Setting<unknown>>(SETTINGS).map((s) => {
    const fallback = s.fallback === undefined ? (s.derived ?? 'none') : `\`${s.fallback}\``;
    return `| \`${s.variable}\` | ${s.form.allowed} | ${fallback} | ${s.meaning} |`;
  });
  return ['| Variable | Value | Default | Meaning |', '|---|---|---|---|', ...rows, ''].join('\n');
}

/** Files and folders inside the data folder. */
export function dataPaths(dataDir: string): {
  readonly nodeRed: string;
  readonly store: string;
  readonly secret: string;
} {
  return {
    nodeRed: join(dataDir, 'node-red'),
    store: join(dataDir, 'store.sqlite'),
    secret: join(dataDir, 'credential-secret'),
  };
}
