/**
 * Every node of v2gate, once. `tools/generate-nodes.ts` makes the editor part of each node, the development module
 * (nodes/package.json) and the node list of the package from it. What people read stands in the locale files of a node.
 */
export interface NodeEntry {
  /** Type in flow files; never changes. */
  readonly type: `v2gate-${string}`;
  /** Folder and file name: the type without prefix. */
  readonly folder: string;
  /** Name in palette and help, as people say it, in every language. */
  readonly label: string;
  readonly kind: 'node' | 'config';
  readonly family: Family;
  /** File below `icons/` of the node. */
  readonly icon: string;
  /** Whether it has an input. */
  readonly input: boolean;
  /** Number of outputs. */
  readonly outputs: number;
  /** What its dialog asks for, in order, beside the name. */
  readonly fields: readonly Field[];
  /** What the editor saves, with the values of a fresh node. `version` is the version of the saved form. */
  readonly defaults: Readonly<Record<string, unknown>>;
  /** Fields whose values stand behind the label while the node has no name. */
  readonly shows: readonly string[];
  /** The dialog is written by hand: `dialog.html` and `dialog.js` of the node. */
  readonly ownDialog: boolean;
  /** Stands at the right end of flows. */
  readonly last: boolean;
  /** Has a button in the flow that starts and stops it. */
  readonly button: boolean;
  readonly credentials?: Readonly<Record<string, { readonly type: 'text' | 'password' }>>;
}

/** Nodes of one family have one colour. */
export type Family = 'hub' | 'fo' | 'ocpp' | 'virtual';

/** One value of a node and its row in the dialog. */
export interface Field {
  readonly name: string;
  /** Of a fresh node. */
  readonly value: string | boolean;
  /** `pick`: a text with a list of what the site has; `config`: another node; `area`: a text of several lines. */
  readonly input: 'text' | 'pick' | 'select' | 'config' | 'check' | 'area';
  /** Of Font Awesome 4, without `fa-`. */
  readonly icon: string;
  /** The type of the config node. */
  readonly config?: NodeEntry['type'];
  readonly options?: readonly string[];
  /** What a `pick` offers. */
  readonly list?: SiteList;
  readonly required?: boolean;
  readonly rule?: Rule;
  /** Shown only while another field has one of these values. */
  readonly when?: Readonly<Record<string, readonly string[]>>;
}

/** Lists that a dialog gets from the running site. */
export type SiteList =
  | 'groups'
  | 'resources'
  | 'stations'
  | 'contracts'
  | 'operators'
  | 'parties'
  | 'meters'
  | 'chains';

/** What a text must be like; the locale files say why one is not. */
export const RULES = {
  port: /^(\d{1,4}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d\d|655[0-2]\d|6553[0-5])?$/,
  path: /^\/[A-Za-z0-9/_-]*$/,
  broker: /^(mqtts?:\/\/[^\s@/]+\/?)?$/,
  actions: /^[A-Za-z0-9,\s]*$/,
  count: /^([1-9]\d{0,2}|[1-4]\d{3}|5000)$/,
  limit: /^([1-9]\d{0,2}|1000)$/,
  needed: /\S/,
} as const satisfies Record<string, RegExp>;
export type Rule = keyof typeof RULES;

export const CATEGORY = 'v2gate';

/** Dark enough for the white icon (3 : 1 on its shade), light enough for the dark label (4.5 : 1). */
export const COLOURS: Readonly<Record<Family, string>> = {
  hub: '#C69239',
  fo: '#6D9FD3',
  ocpp: '#70A966',
  virtual: '#A591CE',
};

const SITE: Field = {
  name: 'site',
  value: '',
  input: 'config',
  icon: 'map-marker',
  config: 'v2gate-site',
  required: true,
};
const FO_LINK: Field = {
  name: 'link',
  value: '',
  input: 'config',
  icon: 'link',
  config: 'v2gate-fo-link',
  required: true,
};
const SERVER: Field = {
  name: 'server',
  value: '',
  input: 'config',
  icon: 'server',
  config: 'v2gate-ocpp-server',
  required: true,
};
const SPEAKS: Field = { name: 'speaks', value: 'hub', input: 'select', icon: 'language', options: ['hub', 'native'] };
const PORT: Field = { name: 'port', value: '', input: 'text', icon: 'plug', rule: 'port' };
const START: Field = {
  name: 'start',
  value: 'demo',
  input: 'select',
  icon: 'power-off',
  options: ['demo', 'always', 'never'],
};
const SECRET: Field = { name: 'passwordRef', value: '', input: 'text', icon: 'key' };

type Given = Pick<NodeEntry, 'folder' | 'family' | 'fields'> &
  Partial<Pick<NodeEntry, 'input' | 'outputs' | 'shows' | 'ownDialog' | 'last' | 'button'>> & {
    readonly kind?: NodeEntry['kind'];
  };

function node({ folder, fields, kind = 'node', ...given }: Given): NodeEntry {
  const values = Object.fromEntries(fields.map((f) => [f.name, f.value]));
  return {
    type: `v2gate-${folder}`,
    folder,
    label: folder.replaceAll('-', ' '),
    icon: `${folder}.svg`,
    input: false,
    outputs: 0,
    shows: [],
    ownDialog: false,
    last: false,
    button: false,
    ...given,
    kind,
    fields,
    defaults: { version: 1, name: '', ...values },
  };
}

export const NODES: readonly NodeEntry[] = [
  node({
    folder: 'site',
    kind: 'config',
    family: 'hub',
    fields: [{ name: 'file', value: '', input: 'text', icon: 'file-text-o' }],
    shows: ['file'],
  }),
  node({
    folder: 'fo-link',
    kind: 'config',
    family: 'fo',
    fields: [
      SITE,
      { name: 'transport', value: 'websocket', input: 'select', icon: 'exchange', options: ['websocket', 'mqtt'] },
      { name: 'brokerUrl', value: '', input: 'text', icon: 'cloud', rule: 'broker', when: { transport: ['mqtt'] } },
      { name: 'brokerUser', value: '', input: 'text', icon: 'user', when: { transport: ['mqtt'], brokerUrl: ['*'] } },
      {
        name: 'brokerPasswordRef',
        value: '',
        input: 'text',
        icon: 'key',
        when: { transport: ['mqtt'], brokerUrl: ['*'] },
      },
      PORT,
      { name: 'path', value: '/fo', input: 'text', icon: 'link', rule: 'path', when: { transport: ['websocket'] } },
      {
        name: 'signatures',
        value: 'catalogue',
        input: 'select',
        icon: 'certificate',
        options: ['catalogue', 'always'],
      },
      SPEAKS,
    ],
    shows: ['brokerUrl', 'port'],
  }),
  node({
    folder: 'ocpp-server',
    kind: 'config',
    family: 'ocpp',
    fields: [
      SITE,
      PORT,
      { name: 'path', value: '/ocpp', input: 'text', icon: 'link', rule: 'path' },
      SPEAKS,
      {
        name: 'flowAnswers',
        value: '',
        input: 'text',
        icon: 'reply',
        rule: 'actions',
        when: { speaks: ['native'] },
      },
    ],
    shows: ['port'],
  }),
  node({ folder: 'fo-in', family: 'fo', outputs: 1, fields: [FO_LINK] }),
  node({ folder: 'fo-out', family: 'fo', input: true, last: true, fields: [FO_LINK] }),
  node({ folder: 'service', family: 'hub', input: true, outputs: 2, fields: [SITE] }),
  node({ folder: 'allocate', family: 'hub', input: true, outputs: 1, fields: [SITE] }),
  node({ folder: 'ocpp-in', family: 'ocpp', outputs: 1, fields: [SERVER] }),
  node({ folder: 'ocpp-out', family: 'ocpp', input: true, outputs: 2, fields: [SERVER] }),
  node({
    folder: 'fleet',
    family: 'hub',
    input: true,
    outputs: 2,
    fields: [
      SITE,
      { name: 'group', value: '', input: 'pick', icon: 'object-group', list: 'groups' },
      { name: 'resource', value: '', input: 'pick', icon: 'car', list: 'resources' },
    ],
    shows: ['group', 'resource'],
  }),
  node({
    folder: 'meter',
    family: 'hub',
    input: true,
    outputs: 1,
    fields: [
      SITE,
      { name: 'meter', value: '', input: 'pick', icon: 'tachometer', list: 'meters', required: true },
      { name: 'unit', value: 'W', input: 'select', icon: 'bolt', options: ['W', 'kW'] },
      { name: 'positive', value: 'import', input: 'select', icon: 'arrows-h', options: ['import', 'export'] },
    ],
    shows: ['meter'],
  }),
  node({
    folder: 'evidence',
    family: 'hub',
    input: true,
    outputs: 1,
    fields: [
      SITE,
      {
        name: 'ask',
        value: 'chains',
        input: 'select',
        icon: 'question-circle',
        options: ['chains', 'events', 'records', 'proofs'],
      },
      { name: 'operator', value: '', input: 'pick', icon: 'building-o', list: 'operators' },
      {
        name: 'limit',
        value: '100',
        input: 'text',
        icon: 'list-ol',
        rule: 'limit',
        when: { ask: ['events', 'records', 'proofs'] },
      },
    ],
    shows: ['ask'],
  }),
  node({
    folder: 'map',
    family: 'hub',
    input: true,
    outputs: 1,
    fields: [
      { name: 'source', value: 'pack', input: 'select', icon: 'archive', options: ['pack', 'text'] },
      { name: 'file', value: '', input: 'text', icon: 'file-o' },
      { name: 'text', value: '', input: 'area', icon: 'code' },
    ],
    ownDialog: true,
  }),
  node({ folder: 'reply', family: 'hub', input: true, last: true, fields: [SITE] }),
  node({
    folder: 'virtual-fleet',
    family: 'virtual',
    input: true,
    outputs: 1,
    button: true,
    fields: [
      SERVER,
      { name: 'scenario', value: 'demo', input: 'select', icon: 'film', options: ['demo', 'depot', 'many', 'file'] },
      { name: 'count', value: '10', input: 'text', icon: 'car', rule: 'count', when: { scenario: ['many'] } },
      {
        name: 'versions',
        value: 'all',
        input: 'select',
        icon: 'tags',
        options: ['all', 'ocpp1.6', 'ocpp2.0.1', 'ocpp2.1'],
        when: { scenario: ['many'] },
      },
      { name: 'file', value: '', input: 'text', icon: 'file-text-o', rule: 'needed', when: { scenario: ['file'] } },
      SECRET,
      START,
    ],
  }),
  node({
    folder: 'virtual-fo',
    family: 'virtual',
    input: true,
    outputs: 1,
    button: true,
    fields: [
      FO_LINK,
      {
        name: 'scenario',
        value: 'setpoints',
        input: 'select',
        icon: 'film',
        options: ['setpoints', 'congestion', 'north', 'south', 'rough', 'file'],
      },
      { name: 'file', value: '', input: 'text', icon: 'file-text-o', rule: 'needed', when: { scenario: ['file'] } },
      { name: 'party', value: '', input: 'pick', icon: 'building-o', list: 'operators' },
      { name: 'contract', value: '', input: 'pick', icon: 'handshake-o', list: 'contracts' },
      { name: 'group', value: '', input: 'pick', icon: 'object-group', list: 'groups' },
      SECRET,
      START,
    ],
    shows: ['party'],
  }),
];
