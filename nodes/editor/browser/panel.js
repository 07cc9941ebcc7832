import { ask, tell, wordsOf, wordsOfError } from './ask.js';

/** @typedef {import('./types.d.ts').Act} Act */
/** @typedef {import('./types.d.ts').DialogOptions} DialogOptions */

/** The editor makes legends as large as headings. */
const LEGEND = 'font-size: inherit; width: auto; margin: 0; border: 0; padding: 0 4px';

const FAULTS = ['ignore', 'refuse', 'lie', 'disconnect', 'late', 'silent', 'none'];
const PRESSES = ['unplug', 'plug', 'priorityOn', 'priorityOff'];
const LINK_ACTS = ['mute', 'pause', 'drop'];
const OTHER_ACTS = ['staleSetpoint', 'lateSetpoint', 'cancel'];

/** @type {readonly Act[]} */
const FLEET_ACTS = [
  ...FAULTS.map((fault) => ({
    key: `fault.${fault}`,
    needs: /** @type {const} */ (['station']),
    /** @param {{ station: string }} values */
    order: ({ station }) => ({ station, fault }),
  })),
  ...PRESSES.map((press) => ({
    key: `fault.${press}`,
    needs: /** @type {const} */ (['station']),
    /** @param {{ station: string }} values */
    order: ({ station }) => ({ station, press }),
  })),
];

/** @type {readonly Act[]} */
const FO_ACTS = [
  {
    key: 'act.setpoint',
    needs: ['targetW', 'forS'],
    order: ({ targetW, forS }) => ({ do: 'setpoint', targetW, forS }),
  },
  ...LINK_ACTS.map((act) => ({
    key: `act.${act}`,
    needs: /** @type {const} */ (['forS']),
    /** @param {{ forS: number }} values */
    order: ({ forS }) => ({ do: act, forS }),
  })),
  ...OTHER_ACTS.map((act) => ({ key: `act.${act}`, needs: [], order: () => ({ do: act }) })),
];

/**
 * Shows in the dialog of a virtual node how it is, starts, stops and disturbs it. The result ends it.
 * @param {DialogOptions} o
 * @param {Element} place
 * @param {number} everyMs
 * @returns {() => void}
 */
export function showPanel(o, place, everyMs) {
  const words = wordsOf(o.RED);
  const path = `virtual/${o.node.id}`;
  const acts = o.node.type === 'v2gate-virtual-fleet' ? FLEET_ACTS : FO_ACTS;
  const state = element('span', { role: 'status' });
  const power = button(words('start'), () => void send({ turn: 'toggle' }));
  const what = labelled('what', words('what'), element('select', {}, ...acts.map((a) => option(a.key, words(a.key)))));
  const station = labelled('station', words('station'), element('select', {}, option('*', words('all'))));
  const target = labelled('target', words('target'), element('input', { type: 'number', value: '-5000', step: '500' }));
  const seconds = labelled(
    'seconds',
    words('seconds'),
    element('input', { type: 'number', value: '30', min: '1', max: '86400' }),
  );
  const go = button(words('do'), () => void disturb());
  const row = element('div', { class: 'form-row' }, state, ' ', power);
  const set = element(
    'fieldset',
    {},
    element('legend', { style: LEGEND }, words('disturb')),
    what.row,
    station.row,
    target.row,
    seconds.row,
    go,
  );
  set.style.border = '1px solid var(--red-ui-secondary-border-color, #ddd)';
  set.style.padding = '6px 10px 10px';
  place.append(row, set);

  const chosen = () => acts.find((a) => a.key === what.input.value);
  const needs = () => {
    const wanted = chosen()?.needs ?? [];
    station.row.style.display = wanted.includes('station') ? '' : 'none';
    target.row.style.display = wanted.includes('targetW') ? '' : 'none';
    seconds.row.style.display = wanted.includes('forS') ? '' : 'none';
  };
  what.input.addEventListener('change', needs);
  needs();

  /** @param {{ running: boolean, words: string } | null} now null: not deployed yet */
  const show = (now) => {
    const text = now?.words ?? words('notDeployed');
    if (state.textContent !== text) state.textContent = text;
    power.textContent = now?.running ? words('stop') : words('start');
    power.disabled = now === null;
    go.disabled = !now?.running;
  };
  /** @param {Error} e */
  const failed = (e) => {
    state.textContent = e.message;
    power.disabled = true;
    go.disabled = true;
  };
  const look = () => void ask(o, path).then(show, failed);
  /** @param {object} body */
  const send = (body) => ask(o, path, body).then(show, (e) => tell(o.RED, wordsOfError(e), 'error'));
  const disturb = async () => {
    const values = {
      station: station.input.value,
      targetW: Number(target.input.value),
      forS: Number(seconds.input.value),
    };
    const act = chosen();
    if (act) await send({ tell: act.order(values) });
  };
  const stations = async () => {
    const server = o.RED.nodes.node(String(o.node.server ?? ''));
    if (!server) return;
    const facts = await ask(o, `editor/site/${String(server.site ?? '')}`);
    station.input.append(...(facts?.lists.stations ?? []).map((/** @type {{ id: string }} */ s) => option(s.id, s.id)));
  };
  stations().catch(() => undefined);
  look();
  return o.every(everyMs, look);
}

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Readonly<Record<string, string>>} attributes
 * @param {...(Node | string)} children
 */
function element(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** @param {string} value @param {string} text */
const option = (value, text) => new Option(text, value);

/** @param {string} text @param {() => void} then */
function button(text, then) {
  const made = element('button', { type: 'button', class: 'red-ui-button' }, text);
  made.addEventListener('click', then);
  return made;
}

/**
 * A row whose label belongs to its input.
 * @template {HTMLInputElement | HTMLSelectElement} T
 * @param {string} name
 * @param {string} text
 * @param {T} input
 */
function labelled(name, text, input) {
  input.id = `v2gate-panel-${name}`;
  input.style.width = 'calc(100% - 130px)';
  return {
    row: element(
      'div',
      { class: 'form-row' },
      element('label', { for: input.id, style: 'width: 115px' }, text),
      ' ',
      input,
    ),
    input,
  };
}
