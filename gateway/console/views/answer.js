/** @import { ApiError } from '../api.js' */
import { h } from '../dom.js';

/** What was done is old news after this long; what failed stays. */
const DONE_MS = 30_000;

/** Says what was done. @param {HTMLElement} place @param {string} text */
export function sayDone(place, text) {
  const note = h('p', { 'data-tone': 'good' }, text);
  place.replaceChildren(note);
  setTimeout(() => note.remove(), DONE_MS);
}

/**
 * Says what went wrong, what to do, and the code to look it up by.
 * @param {HTMLElement} place
 * @param {string} what was tried
 * @param {ApiError} error
 */
export function sayError(place, what, error) {
  const details = (error.details ?? []).map((d) => h('li', {}, `${d.path || 'the whole'}: ${d.message}`));
  place.replaceChildren(
    h(
      'div',
      { 'data-tone': 'bad', role: 'alert' },
      h('p', {}, h('strong', {}, `${what} failed. `), error.what),
      ...(details.length > 0 ? [h('ul', {}, ...details)] : []),
      h('p', {}, `${error.remedy} `, h('code', {}, error.code)),
    ),
  );
}

/** Says that something was done, and that the answer to it is no. @param {HTMLElement} place @param {string} text */
export function sayRefused(place, text) {
  place.replaceChildren(h('p', { 'data-tone': 'warn' }, text));
}

/** @param {HTMLElement} place @param {string} text */
export function sayWaiting(place, text) {
  place.replaceChildren(h('p', { 'data-tone': 'quiet' }, text));
}

/**
 * Shows what was asked for; it stays.
 * @param {HTMLElement} place @param {string} title @param {readonly { name: string, value: string }[]} lines
 */
export function sayList(place, title, lines) {
  const rows = lines.flatMap(({ name, value }) => [h('dt', {}, name), h('dd', {}, value)]);
  const list = h('dl', { class: 'facts settings', tabindex: '0', role: 'group', 'aria-label': title }, ...rows);
  const text = lines.length === 0 ? `${title}: none were told.` : `${title}: ${lines.length}`;
  place.replaceChildren(h('div', { 'data-tone': 'good' }, h('p', {}, text), ...(lines.length === 0 ? [] : [list])));
  list.scrollIntoView({ block: 'nearest' });
}
