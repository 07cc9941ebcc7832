/** @import { ApiError } from '../api.js' */
import { h } from '../dom.js';

/** Says what was done. @param {HTMLElement} place @param {string} text */
export function sayDone(place, text) {
  place.replaceChildren(h('p', { 'data-tone': 'good' }, text));
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
