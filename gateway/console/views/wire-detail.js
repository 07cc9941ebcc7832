/** @import { Row, WireEntry } from '../trace.js' */
import { byId, h, setText } from '../dom.js';
import { timeOfDay } from '../format.js';
import { tokensOf } from '../json-tokens.js';
import { STAGES, timeOf } from '../trace.js';
import { directionWords, titleOf } from '../wire-words.js';

/** A copy is said to be done for this long, ms. */
const SAID_MS = 2000;

/**
 * One message in full, with its decoded content.
 * @param {object} o
 * @param {(id: string) => void} o.follow
 * @param {(id: string) => boolean} o.jump goes to the message of this id; false: it is not shown
 * @param {() => void} o.closed
 */
export function wireDetail({ follow, jump, closed }) {
  const place = byId('wire-detail', HTMLElement);
  const body = byId('wire-detail-body', HTMLElement);
  const title = byId('wire-detail-title', HTMLElement);
  /** @type {HTMLElement | undefined} */
  let from;
  const close = () => {
    place.hidden = true;
    closed();
    if (from?.isConnected) from.focus();
  };
  byId('wire-detail-close', HTMLElement).addEventListener('click', close);
  place.parentElement?.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || place.hidden) return;
    event.preventDefault();
    close();
  });

  /** @param {Row} row @param {WireEntry} entry */
  const fill = (row, entry) => {
    setText(title, titleOf(entry));
    body.replaceChildren(
      ...memberChoice(row, entry, (e) => fill(row, e)),
      h('dl', { class: 'facts' }, ...factsOf(entry).flatMap(([l, v]) => [h('dt', {}, l), h('dd', {}, v)])),
      h(
        'div',
        { class: 'buttons' },
        copyButton(entry),
        act('Follow this', () => follow(entry.fsrId ?? entry.id)),
        ...(entry.cause === undefined ? [] : [causeButton(entry.cause, jump)]),
      ),
      payloadOf(entry),
    );
  };
  return {
    close,
    isOpen: () => !place.hidden,
    /** @param {Row} row @param {HTMLElement} button */
    open(row, button) {
      from = button;
      place.hidden = false;
      fill(row, row.first);
      body.scrollTop = 0;
    },
  };
}

/** @param {Row} row @param {WireEntry} shown @param {(e: WireEntry) => void} choose */
function memberChoice(row, shown, choose) {
  if (row.entries.length < 2) return [];
  const select = h(
    'select',
    {},
    ...row.entries.map((e) => h('option', { value: String(e.seq) }, e.peer ?? e.resourceIds?.join(', ') ?? e.id)),
  );
  select.value = String(shown.seq);
  select.addEventListener('change', () => {
    const entry = row.entries.find((e) => String(e.seq) === select.value);
    if (entry === undefined) return;
    choose(entry);
    const again = byId('wire-detail-body', HTMLElement).querySelector('select');
    again?.focus();
  });
  return [h('label', { class: 'field' }, `One of ${row.entries.length}`, select)];
}

/** @param {WireEntry} e @returns {[string, string][]} */
function factsOf(e) {
  const ms = timeOf(e);
  const stage = STAGES.find((s) => s.id === e.stage);
  /** @type {[string, string | undefined][]} */
  const facts = [
    ['Message', e.topic],
    ['Time', `${timeOfDay(ms)}.${String(Math.floor(ms % 1000)).padStart(3, '0')}`],
    ['Stage', `${stage?.label ?? e.stage}, ${directionWords(e.direction)}`],
    ['Says', e.summary],
    ['Partner', e.peer],
    ['Link', e.link],
    ['Resources', e.resourceIds?.join(', ')],
    ['Service', e.fsrId],
    ['Id', e.id],
    ['Led to by', e.cause],
  ];
  return facts.flatMap(([l, v]) => (v === undefined || v === '' ? [] : [/** @type {[string, string]} */ ([l, v])]));
}

/** @param {WireEntry} entry */
function copyButton(entry) {
  const button = h('button', { type: 'button' }, 'Copy JSON');
  button.addEventListener('click', () => {
    const text = JSON.stringify(entry.payload ?? null, undefined, 2);
    const said = (/** @type {string} */ words) => {
      setText(button, words);
      setTimeout(() => setText(button, 'Copy JSON'), SAID_MS);
    };
    // Browsers give the clipboard only to pages over HTTPS or from this machine.
    if (navigator.clipboard === undefined) said('Needs HTTPS');
    else
      navigator.clipboard.writeText(text).then(
        () => said('Copied'),
        () => said('Not allowed'),
      );
  });
  return button;
}

/** @param {string} cause @param {(id: string) => boolean} jump */
function causeButton(cause, jump) {
  const button = act('Show its cause', () => {
    if (!jump(cause)) setText(button, 'Its cause is not shown');
  });
  return button;
}

/** @param {string} label @param {() => void} run */
function act(label, run) {
  const button = h('button', { type: 'button' }, label);
  button.addEventListener('click', run);
  return button;
}

/** @param {WireEntry} entry */
function payloadOf({ payload }) {
  if (payload === undefined) return h('p', { class: 'muted' }, 'It has no content.');
  const pre = h('pre', { class: 'json', tabindex: '0', role: 'region', 'aria-label': 'Content, decoded' });
  const text = JSON.stringify(payload, undefined, 2);
  pre.append(...tokensOf(text).map(({ kind, text: part }) => (kind === '' ? part : h('span', { class: kind }, part))));
  return pre;
}
