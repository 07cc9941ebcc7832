import { CATEGORY, COLOURS, type Field, type NodeEntry, RULES, type Rule } from '../../nodes/registry.ts';

/** The texts of a node in one language, as its locale file has them. */
export interface Catalogue {
  readonly field: Readonly<Record<string, string>>;
  readonly input?: string;
  readonly output?: Readonly<Record<string, string>>;
  readonly placeholder?: Readonly<Record<string, string>>;
  readonly option?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly why?: Readonly<Record<string, string>>;
  readonly tip?: string;
}

/** The parts of a dialog that is written by hand. */
export interface OwnDialog {
  readonly html: string;
  /** Exports a function `own(def, { RED, $, after, load })` that completes the definition. */
  readonly js: string;
}

/** `<folder>.html` of a node: its dialog and what it registers in the editor. */
export function editorPart(entry: NodeEntry, texts: Catalogue, own?: OwnDialog): string {
  return `<!-- Written by tools/generate-nodes.ts: edit nodes/registry.ts and the locale files instead. -->
<script type="text/html" data-template-name="${entry.type}">
${own ? own.html.trimEnd() : dialog(entry, texts)}
</script>

<script type="text/javascript">
(() => {
${own ? own.js.replace(/^export /m, '').trimEnd() : STANDARD}
const def = ${definition(entry)};
${own ? `${AFTER}own(def, { RED, $, after, load: (path) => import(path) });` : `standard(def, ${json(fieldFacts(entry))}, '${prefixOf(entry)}-');`}
RED.nodes.registerType(${json(entry.type)}, def);
for (const key of Object.keys(def.defaults)) if (key !== 'version') def.defaults[key].label = def._(\`field.\${key}\`);
})();
</script>
`;
}

/** Room for German labels. Node-RED takes the width over for what it puts in place of a control. */
const LABEL = 'width: 125px';
const CONTROL = 'width: calc(100% - 135px)';

/** Keys of options may not contain the dot that separates keys. */
export const optionKey = (value: string): string => value.replaceAll('.', '_');

const json = (value: unknown): string => JSON.stringify(value);
const prefixOf = ({ kind }: NodeEntry): string => (kind === 'config' ? 'node-config-input' : 'node-input');

function dialog(entry: NodeEntry, texts: Catalogue): string {
  const name: Field = { name: 'name', value: '', input: 'text', icon: 'tag' };
  const rows = [name, ...entry.fields].map((f) => row(f, prefixOf(entry), entry, texts));
  const tip = texts.tip === undefined ? '' : '\n  <div class="form-tips" data-i18n="tip"></div>';
  return `${rows.join('\n')}${tip}\n  <div class="v2gate-now"></div>`;
}

function row(field: Field, prefix: string, entry: NodeEntry, texts: Catalogue): string {
  const id = `${prefix}-${field.name}`;
  return `  <div class="form-row" data-v2gate-row="${field.name}">
    <label for="${id}" style="${LABEL}"><i class="fa fa-${field.icon}" aria-hidden="true"></i> <span data-i18n="field.${field.name}"></span></label>
    ${control(field, id, entry, texts)}
  </div>`;
}

function control({ name, input, options = [] }: Field, id: string, entry: NodeEntry, texts: Catalogue): string {
  const hint =
    name === 'name'
      ? ` placeholder="${entry.label}"`
      : texts.placeholder?.[name] === undefined
        ? ''
        : ` data-i18n="[placeholder]placeholder.${name}"`;
  switch (input) {
    case 'select': {
      const choices = options.map(
        (o) => `      <option value="${o}" data-i18n="option.${name}.${optionKey(o)}"></option>`,
      );
      return `<select id="${id}" style="${CONTROL}">\n${choices.join('\n')}\n    </select>`;
    }
    case 'check':
      return `<input type="checkbox" id="${id}" style="width: auto" />`;
    case 'area':
      return `<textarea id="${id}" style="${CONTROL}" rows="6"${hint}></textarea>`;
    case 'pick':
      return `<input type="text" id="${id}" style="${CONTROL}" list="${id}-list" autocomplete="off"${hint} />\n    <datalist id="${id}-list"></datalist>`;
    default:
      return `<input type="text" id="${id}" style="${CONTROL}"${hint} />`;
  }
}

/** What the dialog has to know of its fields in the browser. */
const fieldFacts = ({ fields }: NodeEntry): object[] =>
  fields
    .filter((f) => f.list ?? f.when ?? f.config)
    .map(({ name, list, when, config }) => ({ name, list, when, config }));

function definition(entry: NodeEntry): string {
  const { kind, family, label, input, outputs, last, button } = entry;
  const lines = [
    `category: ${json(kind === 'config' ? 'config' : CATEGORY)},`,
    `defaults: {\n${defaults(entry).join('\n')}\n  },`,
    ...(entry.credentials ? [`credentials: ${json(entry.credentials)},`] : []),
    ...(kind === 'config'
      ? []
      : [
          `color: ${json(COLOURS[family])},`,
          `icon: ${json(entry.icon)},`,
          `paletteLabel: ${json(label)},`,
          `inputs: ${input ? 1 : 0},`,
          `outputs: ${outputs},`,
          ...(input ? ["inputLabels() {\n    return this._def._('input');\n  },"] : []),
          ...(outputs > 0 ? ["outputLabels(index) {\n    return this._def._('output.' + (index + 1));\n  },"] : []),
          ...(last ? ["align: 'right',"] : []),
          "labelStyle() {\n    return this.name ? 'node_label_italic' : '';\n  },",
          ...(button ? [BUTTON] : []),
          ...(entry.fields.some((f) => f.config) ? [ONADD] : []),
        ]),
    `label() {\n    return this.name || [${[json(label), ...entry.shows.map((f) => `this.${f}`)].join(', ')}].filter(Boolean).join(' ');\n  },`,
  ];
  return `{\n  ${lines.join('\n  ')}\n}`;
}

function defaults(entry: NodeEntry): string[] {
  const { version, name } = entry.defaults;
  return [
    `    version: { value: ${json(version)} },`,
    `    name: { value: ${json(name)} },`,
    ...entry.fields.map((f) => `    ${f.name}: { ${parts(f).join(', ')} },`),
  ];
}

/** Node-RED takes what a validator says for a reason only where it has two parameters. */
function parts({ name, value, config, required, rule, when }: Field): string[] {
  const valid = (r: Rule): string =>
    `validate(value, _options) {\n      return ${condition(when)}${RULES[r]}.test(value ?? '') || this._def._('why.${name}');\n    }`;
  return [
    `value: ${json(value)}`,
    ...(config ? [`type: ${json(config)}`] : []),
    ...(required ? ['required: true'] : []),
    ...(rule ? [valid(rule)] : []),
  ];
}

/** What does not show need not be right. */
function condition(when: Field['when'] = {}): string {
  return Object.entries(when)
    .map(([field, values]) =>
      values.includes('*') ? `!this.${field} || ` : `!${json(values)}.includes(this.${field}) || `,
    )
    .join('');
}

const AFTER = `const after = (ms, then) => {
  const timer = setTimeout(then, ms);
  return () => clearTimeout(timer);
};
`;

/** Opens the common dialog, which is loaded when the first one is opened. */
const STANDARD = `const every = (ms, then) => {
  const timer = setInterval(then, ms);
  return () => clearInterval(timer);
};
const standard = (def, fields, prefix) => {
  let open;
  const close = () => {
    open?.close?.();
    open = undefined;
  };
  def.oneditprepare = function () {
    const mine = {};
    open = mine;
    // A node that is new takes the only site, link or server that there is.
    for (const { name, config } of fields) {
      const select = config && !this[name] ? document.getElementById(prefix + name) : null;
      const there = [...(select?.options ?? [])].filter((o) => o.value !== '_ADD_' && o.value !== '');
      if (there.length === 1) $(select).val(there[0].value).trigger('change');
    }
    import('./v2gate/editor/dialog.js').then(({ mount }) => {
      if (open === mine) mine.close = mount({ RED, $, node: this, fields, every });
    }, () => RED.notify('v2gate: dialog.js', 'warning'));
  };
  def.oneditsave = close;
  def.oneditcancel = close;
};`;

const BUTTON = `button: {
    enabled() {
      return !this.changed && !this.d;
    },
    onclick() {
      import('./v2gate/editor/virtual.js').then(({ toggle }) => toggle({ RED, $, node: this }));
    },
  },`;

/** A node from the palette, or an imported one without, takes the only site, link or server that there is. */
const ONADD = `onadd() {
    for (const [name, { type }] of Object.entries(this._def.defaults)) {
      const there = [];
      if (type && !this[name]) RED.nodes.eachConfig((n) => void (n.type === type && there.push(n.id)));
      if (there.length === 1) this[name] = there[0];
    }
  },`;
