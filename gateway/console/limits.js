/**
 * The operator's own limits: from what somebody typed to what the gateway is asked.
 * @import { SetLimit } from '../../model/index.ts'
 */
import { duration, parseKilowatts, power } from './format.js';
import { nodeWords } from './words.js';

/** Under this name the console sets limits; a later one for the same node replaces the earlier. */
export const SOURCE = 'operator';

/**
 * What stands in the form.
 * @typedef {object} LimitForm
 * @property {string} nodeId
 * @property {string} importKw
 * @property {string} exportKw
 * @property {number} minutes 0: until it is lifted
 */

/** @typedef {{ limit: SetLimit } | { problem: { field: 'importKw' | 'exportKw', text: string } }} CheckedLimit */

/**
 * The limit that a form means, or what is wrong with it.
 * @param {LimitForm} form
 * @param {number} now the gateway's clock, epoch ms
 * @returns {CheckedLimit}
 */
export function checkLimit(form, now) {
  const importLimitW = parseKilowatts(form.importKw);
  const exportLimitW = parseKilowatts(form.exportKw);
  if (Number.isNaN(importLimitW)) return wrong('importKw');
  if (Number.isNaN(exportLimitW)) return wrong('exportKw');
  if (importLimitW === undefined && exportLimitW === undefined) {
    return { problem: { field: 'importKw', text: 'Give an import limit, an export limit, or both.' } };
  }
  return {
    limit: {
      nodeId: form.nodeId,
      source: SOURCE,
      ...(importLimitW === undefined ? {} : { importLimitW }),
      ...(exportLimitW === undefined ? {} : { exportLimitW }),
      ...(form.minutes > 0 ? { validUntil: new Date(now + form.minutes * 60_000).toISOString() } : {}),
    },
  };
}

/** @param {string} nodeId @returns {SetLimit} */
export function liftOf(nodeId) {
  return { nodeId, source: SOURCE, lift: true };
}

/**
 * What a limit will do, for the question before it is sent and the note after.
 * @param {SetLimit} limit
 * @param {number} now epoch ms
 * @returns {string}
 */
export function limitSentence(limit, now) {
  const node = nodeWords(limit.nodeId);
  if (limit.lift === true) return `${node}: no limit by the operator any more`;
  const parts = [
    ...(limit.importLimitW === undefined ? [] : [`import at most ${power(limit.importLimitW)}`]),
    ...(limit.exportLimitW === undefined ? [] : [`export at most ${power(limit.exportLimitW)}`]),
  ];
  const until =
    limit.validUntil === undefined ? 'until it is lifted' : `for ${duration(Date.parse(limit.validUntil) - now)}`;
  return `${node}: ${parts.join(', ')}, ${until}`;
}

/** @param {'importKw' | 'exportKw'} field @returns {CheckedLimit} */
function wrong(field) {
  return { problem: { field, text: 'A power in kW, from 0 to 999999, such as 10 or 7.4.' } };
}
