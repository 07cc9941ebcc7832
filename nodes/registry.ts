/**
 * Every node of v2gate, once. `tools/generate-nodes.ts` makes the development module (nodes/package.json) and the node
 * list of the package from it; a test compares the editor part of each node with its row.
 */
export interface NodeEntry {
  /** Type in flow files; never changes. */
  readonly type: `v2gate-${string}`;
  /** Folder and file name: the type without prefix. */
  readonly folder: string;
  /** Name in palette and help, as people say it. */
  readonly label: string;
  readonly kind: 'node' | 'config';
  readonly family: Family;
  readonly icon?: string;
  /** Label of the input; absent: no input. */
  readonly input?: string;
  /** Labels of the outputs, in order. */
  readonly outputs: readonly string[];
  /** What the editor saves, with the values of a fresh node. `version` is the version of the saved form. */
  readonly defaults: Readonly<Record<string, unknown>>;
  readonly credentials?: Readonly<Record<string, { readonly type: 'text' | 'password' }>>;
}

/** Nodes of one protocol family have one colour. */
export type Family = 'hub' | 'fo' | 'ocpp';

export const CATEGORY = 'v2gate';

export const COLOURS: Readonly<Record<Family, string>> = { hub: '#F2D8A0', fo: '#B9D6F2', ocpp: '#C3E0B4' };

export const NODES: readonly NodeEntry[] = [
  {
    type: 'v2gate-site',
    folder: 'site',
    label: 'site',
    kind: 'config',
    family: 'hub',
    outputs: [],
    defaults: { version: 1, name: '', file: '' },
  },
  {
    type: 'v2gate-fo-link',
    folder: 'fo-link',
    label: 'fo link',
    kind: 'config',
    family: 'fo',
    outputs: [],
    defaults: {
      version: 1,
      name: '',
      site: '',
      transport: 'websocket',
      brokerUrl: '',
      brokerUser: '',
      brokerPasswordRef: '',
      port: '',
      path: '/fo',
      signatures: 'catalogue',
      speaks: 'hub',
    },
  },
  {
    type: 'v2gate-ocpp-server',
    folder: 'ocpp-server',
    label: 'ocpp server',
    kind: 'config',
    family: 'ocpp',
    outputs: [],
    defaults: { version: 1, name: '', site: '', port: '', path: '/ocpp', speaks: 'hub', flowAnswers: '' },
  },
  {
    type: 'v2gate-fo-in',
    folder: 'fo-in',
    label: 'fo in',
    kind: 'node',
    family: 'fo',
    icon: 'font-awesome/fa-sign-in',
    outputs: ['requests of flexibility operators'],
    defaults: { version: 1, name: '', link: '' },
  },
  {
    type: 'v2gate-fo-out',
    folder: 'fo-out',
    label: 'fo out',
    kind: 'node',
    family: 'fo',
    icon: 'font-awesome/fa-sign-out',
    input: 'messages for flexibility operators',
    outputs: [],
    defaults: { version: 1, name: '', link: '' },
  },
  {
    type: 'v2gate-service',
    folder: 'service',
    label: 'service',
    kind: 'node',
    family: 'hub',
    icon: 'font-awesome/fa-handshake-o',
    input: 'requests',
    outputs: ['notices for the parties', 'targets for allocate'],
    defaults: { version: 1, name: '', site: '' },
  },
  {
    type: 'v2gate-allocate',
    folder: 'allocate',
    label: 'allocate',
    kind: 'node',
    family: 'hub',
    icon: 'font-awesome/fa-sitemap',
    input: 'targets',
    outputs: ['commands'],
    defaults: { version: 1, name: '', site: '' },
  },
  {
    type: 'v2gate-ocpp-in',
    folder: 'ocpp-in',
    label: 'ocpp in',
    kind: 'node',
    family: 'ocpp',
    icon: 'font-awesome/fa-plug',
    outputs: ['what stations report'],
    defaults: { version: 1, name: '', server: '' },
  },
  {
    type: 'v2gate-ocpp-out',
    folder: 'ocpp-out',
    label: 'ocpp out',
    kind: 'node',
    family: 'ocpp',
    icon: 'font-awesome/fa-bolt',
    input: 'commands, or native messages',
    outputs: ['outcomes of commands', 'native answers'],
    defaults: { version: 1, name: '', server: '' },
  },
  {
    type: 'v2gate-fleet',
    folder: 'fleet',
    label: 'fleet',
    kind: 'node',
    family: 'hub',
    icon: 'font-awesome/fa-car',
    input: 'observations, or a query',
    outputs: ['telemetry that is due', 'the fleet, for a query'],
    defaults: { version: 1, name: '', site: '' },
  },
  {
    type: 'v2gate-meter',
    folder: 'meter',
    label: 'meter',
    kind: 'node',
    family: 'hub',
    icon: 'font-awesome/fa-tachometer',
    input: 'values of the meter',
    outputs: ['readings as the site gets them'],
    defaults: { version: 1, name: '', site: '', meter: '', unit: 'W', positive: 'import' },
  },
  {
    type: 'v2gate-map',
    folder: 'map',
    label: 'map',
    kind: 'node',
    family: 'hub',
    icon: 'font-awesome/fa-exchange',
    input: 'messages to translate',
    outputs: ['translated messages'],
    defaults: { version: 1, name: '', source: 'pack', file: '', text: '' },
  },
  {
    type: 'v2gate-reply',
    folder: 'reply',
    label: 'reply',
    kind: 'node',
    family: 'hub',
    icon: 'font-awesome/fa-reply',
    input: 'answers',
    outputs: [],
    defaults: { version: 1, name: '', site: '' },
  },
];
