/**
 * @import { PendingStation } from '../../../model/index.ts'
 * @import { ApiResult } from '../api.js'
 * @import { View } from './frame.js'
 */
import { byId, h, keyed, setText } from '../dom.js';
import { age } from '../format.js';
import { protocolWords } from '../words.js';
import { sayDone, sayError } from './answer.js';
import { askBefore } from './question.js';

/**
 * Unknown stations that wait, with what they reported.
 * @param {{ accept: (identity: string) => Promise<ApiResult> }} o
 * @returns {View}
 */
export function pendingView({ accept }) {
  const panel = byId('pending-panel', HTMLElement);
  const answer = byId('answer', HTMLElement);
  /** @param {PendingStation} station @param {HTMLButtonElement} button */
  const act = async (station, button) => {
    const { identity } = station;
    const yes = await askBefore({
      title: `Accept ${identity}?`,
      text: 'It becomes part of the site with the values that the site file gives unknown stations, and may charge and be controlled. This is what it reported:',
      facts: factsOf(station),
      yes: 'Accept station',
    });
    if (!yes) return;
    button.disabled = true;
    const result = await accept(identity);
    button.disabled = false;
    if (result.ok) sayDone(answer, `${identity} is accepted and now a station of the site.`);
    else sayError(answer, `Accepting ${identity}`, result.error);
    (panel.hidden || !button.isConnected ? byId('main', HTMLElement) : button).focus({ preventScroll: true });
  };
  const showAll = keyed(byId('pending', HTMLElement), {
    key: (/** @type {{ station: PendingStation, now: number }} */ p) => p.station.identity,
    make: ({ station }) => pendingCard(station.identity, act),
  });
  return {
    show({ site, now }) {
      const pending = site?.view.pending ?? [];
      panel.hidden = pending.length === 0;
      showAll(pending.map((station) => ({ station, now })));
    },
  };
}

/** @param {string} identity @param {(s: PendingStation, button: HTMLButtonElement) => Promise<void>} act */
function pendingCard(identity, act) {
  const button = h('button', { type: 'button', class: 'primary', 'aria-label': `Accept ${identity} …` }, 'Accept …');
  const facts = h('dl');
  const waiting = h('p', { class: 'muted' });
  /** @type {PendingStation | undefined} */
  let current;
  button.addEventListener('click', () => void (current && act(current, button)));
  let shown = '';
  return {
    node: h('li', {}, h('div', {}, h('h3', {}, identity), facts, waiting), button),
    /** @param {{ station: PendingStation, now: number }} p */
    show({ station, now }) {
      current = station;
      setText(waiting, `waiting for ${age(station.since, now)}`);
      const rows = factsOf(station);
      const text = JSON.stringify(rows);
      if (text === shown) return;
      shown = text;
      facts.replaceChildren(...rows.map(([label, value]) => h('div', {}, h('dt', {}, label), h('dd', {}, value))));
    },
  };
}

/** What a station reported; what it did not report is said too. @param {PendingStation} s @returns {[string, string][]} */
function factsOf(s) {
  const none = 'not reported';
  return [
    ['Vendor', s.vendor ?? none],
    ['Model', s.model ?? none],
    ['Serial number', s.serial ?? none],
    ['Protocol', protocolWords(s.protocol)],
    ['EVSEs seen', String(s.evses)],
    ['Connected from', s.remote ?? 'unknown'],
  ];
}
