/** Views and what they are opened with, as they stand behind the # of the address: `#/wire?follow=fsr-1`. */

export const VIEWS = /** @type {const} */ ([
  'overview',
  'stations',
  'services',
  'limits',
  'wire',
  'evidence',
  'health',
]);

/** @typedef {(typeof VIEWS)[number]} ViewName */

/** @typedef {{ view: ViewName, params: Readonly<Record<string, string>> }} Route */

/** Longer values are no ids of ours. */
const MAX_VALUE = 128;

/**
 * What an address asks for; undefined for a # that names no view, such as that of the skip link.
 * @param {string} hash
 * @returns {Route | undefined}
 */
export function parseRoute(hash) {
  if (hash === '' || hash === '#') return { view: 'overview', params: {} };
  const [path = '', query = ''] = hash.replace(/^#\//, '').split('?', 2);
  const view = VIEWS.find((v) => v === path);
  if (view === undefined || !hash.startsWith('#/')) return undefined;
  const params = [...new URLSearchParams(query)].filter(([, v]) => v !== '' && v.length <= MAX_VALUE);
  return { view, params: Object.fromEntries(params) };
}

/**
 * @param {ViewName} view
 * @param {Readonly<Record<string, string | undefined>>} [params] those that are empty are left out
 */
export function hashOf(view, params = {}) {
  const given = Object.entries(params).flatMap(([k, v]) => (v === undefined || v === '' ? [] : [[k, v]]));
  const query = new URLSearchParams(given).toString();
  return `#/${view}${query === '' ? '' : `?${query}`}`;
}
