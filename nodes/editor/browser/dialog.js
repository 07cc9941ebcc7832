import { ask, wordsOf } from './ask.js';
import { showPanel } from './panel.js';

/** @typedef {import('./types.d.ts').DialogOptions} DialogOptions */
/** @typedef {import('./types.d.ts').FieldFacts} FieldFacts */
/** @typedef {import('./types.d.ts').SiteFacts} SiteFacts */

/** Node-RED's choice “add new …” and “none” in the list of config nodes. */
const NO_NODE = ['_ADD_', '', null, undefined];
const LOOK_AGAIN_MS = 2000;

/**
 * Completes an open dialog: rows that depend on others, lists of what the site has, how the node is now. The result ends
 * it.
 * @param {DialogOptions} o
 * @returns {() => void}
 */
export function mount(o) {
  const { RED, node, fields } = o;
  const prefix = node._def.category === 'config' ? 'node-config-input' : 'node-input';
  /** @param {string} name @returns {HTMLInputElement | null} */
  const field = (name) => document.querySelector(`#${prefix}-${name}`);
  /** @type {(() => void)[]} */
  const undo = [];
  /** @param {EventTarget | null} target @param {string} event @param {() => void} listener */
  const on = (target, event, listener) => {
    target?.addEventListener(event, listener);
    undo.push(() => target?.removeEventListener(event, listener));
  };

  const place = document.querySelector(`#${prefix}-name`)?.closest('form, .red-ui-editor, .red-ui-tray-body');
  const show = () => showRows(fields, (name) => field(name)?.value ?? '', place ?? document);
  for (const name of new Set(fields.flatMap((f) => Object.keys(f.when ?? {})))) {
    on(field(name), 'change', show);
    on(field(name), 'input', show);
  }
  show();

  const config = fields.find((f) => f.config);
  const chosen = config ? field(config.name) : null;
  const now = place?.querySelector('.v2gate-now') ?? null;
  let asked = 0;
  const look = async () => {
    const mine = ++asked;
    const used = chosen?.value || String(node[config?.name ?? ''] ?? '');
    const site = siteIdOf(RED, used);
    /** @type {SiteFacts | null} */
    const facts = NO_NODE.includes(site) ? null : await ask(o, `editor/site/${site}`).catch(() => null);
    if (mine !== asked) return;
    for (const { name, list } of fields) if (list) fill(field(name), facts?.lists[list] ?? []);
    await tellNow(o, now, used, facts);
  };
  // Node-RED changes its list of config nodes by jQuery events, which are no events of the page.
  let last = chosen?.value;
  undo.push(
    o.every(300, () => {
      if (chosen && chosen.value !== last) void look();
      last = chosen?.value;
    }),
  );
  void look();
  if (now && node.type.startsWith('v2gate-virtual-')) undo.push(showPanel(o, now, LOOK_AGAIN_MS));
  return () => {
    asked++;
    for (const step of undo.splice(0)) step();
  };
}

/**
 * The site that a config node is, or belongs to.
 * @param {import('./types.d.ts').EditorRed} RED
 * @param {string} id
 * @returns {string}
 */
function siteIdOf(RED, id) {
  const config = NO_NODE.includes(id) ? null : RED.nodes.node(id);
  if (!config || config.type === 'v2gate-site') return id;
  return String(config.site ?? '');
}

/**
 * @param {readonly FieldFacts[]} fields
 * @param {(name: string) => string} textOf
 * @param {ParentNode} place
 */
function showRows(fields, textOf, place) {
  for (const { name, when } of fields) {
    const row = place.querySelector(`[data-v2gate-row="${name}"]`);
    if (!(row instanceof HTMLElement) || !when) continue;
    row.hidden = !Object.entries(when).every(([other, values]) =>
      values.includes('*') ? textOf(other) !== '' : values.includes(textOf(other)),
    );
    row.style.display = row.hidden ? 'none' : '';
  }
}

/**
 * What can be picked; anything else can be typed.
 * @param {HTMLInputElement | null} input
 * @param {readonly { id: string, about: string }[]} picks
 */
function fill(input, picks) {
  const list = input && document.getElementById(`${input.id}-list`);
  list?.replaceChildren(
    ...picks.map(({ id, about }) => Object.assign(document.createElement('option'), { value: id, label: about })),
  );
}

/**
 * How what the node uses is right now, in words.
 * @param {DialogOptions} o
 * @param {Element | null} place
 * @param {string} used
 * @param {SiteFacts | null} facts
 */
async function tellNow(o, place, used, facts) {
  if (!place) return;
  const words = wordsOf(o.RED);
  const id = o.node._def.category === 'config' ? o.node.id : used;
  const state = NO_NODE.includes(id)
    ? words('notDeployed')
    : await ask(o, `editor/now/${id}`).then(
        (now) => now?.text ?? words('notDeployed'),
        (e) => e.message,
      );
  const site = facts
    ? words('site', {
        name: facts.name,
        stations: facts.lists.stations.length,
        contracts: facts.lists.contracts.length,
      })
    : '';
  let line = place.querySelector('.v2gate-now-line');
  if (!line) {
    line = document.createElement('p');
    line.className = 'v2gate-now-line';
    line.setAttribute('role', 'status');
    place.prepend(line);
  }
  line.textContent = [`${words('now')}: ${state}`, site].filter(Boolean).join(' · ');
}
