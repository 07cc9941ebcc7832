/**
 * @import { FleetSnapshot, SetLimit } from '../../../model/index.ts'
 * @import { ApiResult } from '../api.js'
 * @import { View } from './frame.js'
 */
import { byId, cell, h, head, headOf, keyed, setAttr, setText, tableOf } from '../dom.js';
import { MAX_ROWS } from '../fleet.js';
import { power } from '../format.js';
import { checkLimit, liftOf, limitSentence } from '../limits.js';
import { nodeWords } from '../words.js';
import { sayDone, sayError } from './answer.js';
import { askBefore } from './question.js';

/** @typedef {FleetSnapshot['limits'][number]} NodeLimit */

/**
 * Limits in force, and the form by which the operator sets one.
 * @param {{ setLimit: (limit: SetLimit) => Promise<ApiResult>, now: () => number }} o
 * @returns {View}
 */
export function limitsView({ setLimit, now }) {
  const answer = byId('limit-answer', HTMLElement);
  const buttons = byId('limit-form', HTMLFormElement).querySelectorAll('button');
  /** @param {SetLimit} limit @returns {Promise<boolean>} whether it is in force */
  const send = async (limit) => {
    for (const b of buttons) b.disabled = true;
    const result = await setLimit(limit);
    for (const b of buttons) b.disabled = false;
    if (result.ok) sayDone(answer, `Done. ${limitSentence(limit, now())}.`);
    else sayError(answer, limit.lift ? 'Lifting the limit' : 'Setting the limit', result.error);
    return result.ok;
  };
  const showNodes = limitForm({ send, now });
  const showTable = limitTable();
  return {
    show({ site }) {
      const limits = (site?.view.snapshot.limits ?? []).slice(0, MAX_ROWS);
      showNodes(limits.map((l) => l.nodeId));
      showTable(limits);
      for (const b of buttons) setAttr(b, 'aria-disabled', site === undefined ? 'true' : undefined);
    },
  };
}

/** @param {{ send: (limit: SetLimit) => Promise<boolean>, now: () => number }} o */
function limitForm({ send, now }) {
  const form = byId('limit-form', HTMLFormElement);
  const node = byId('limit-node', HTMLSelectElement);
  const minutes = byId('limit-minutes', HTMLSelectElement);
  const problem = byId('limit-problem', HTMLElement);
  const inputs = { importKw: byId('limit-import', HTMLInputElement), exportKw: byId('limit-export', HTMLInputElement) };
  const lift = byId('limit-lift', HTMLButtonElement);

  /** @param {{ field: keyof typeof inputs, text: string } | undefined} found */
  const complain = (found) => {
    setText(problem, found?.text ?? '');
    for (const [field, input] of Object.entries(inputs)) setAttr(input, 'aria-invalid', String(found?.field === field));
    if (found !== undefined) inputs[found.field].focus();
  };
  const set = async () => {
    const values = { nodeId: node.value, importKw: inputs.importKw.value, exportKw: inputs.exportKw.value };
    const checked = checkLimit({ ...values, minutes: Number(minutes.value) }, now());
    complain('problem' in checked ? checked.problem : undefined);
    if ('problem' in checked) return;
    const yes = await askBefore({
      title: 'Set this limit?',
      text: `${limitSentence(checked.limit, now())}. It takes the place of any limit the operator set there before, and stations follow at once.`,
      yes: 'Set limit',
    });
    if (yes && (await send(checked.limit))) for (const input of Object.values(inputs)) input.value = '';
  };
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    if (node.value !== '') void set();
  });
  lift.addEventListener('click', async () => {
    if (node.value === '') return;
    complain(undefined);
    const yes = await askBefore({
      title: 'Lift the operator limit?',
      text: `${nodeWords(node.value)}: limits of the site file and of others stay in force. Stations may use more power at once.`,
      yes: 'Lift limit',
    });
    if (yes) await send(liftOf(node.value));
  });
  /** @param {readonly string[]} ids */
  return (ids) => {
    if ([...node.options].map((o) => o.value).join('\n') === ids.join('\n')) return;
    const chosen = node.value;
    node.replaceChildren(...ids.map((id) => h('option', { value: id }, nodeWords(id))));
    if (ids.includes(chosen)) node.value = chosen;
  };
}

function limitTable() {
  const table = tableOf('limits', 'limits-title');
  const body = h('tbody', { role: 'rowgroup' });
  const heads = ['Where', 'Measured', 'Import limit', 'Export limit', 'Set by'].map((c, i) => head(i > 0 && i < 4, c));
  table.append(headOf(...heads), body);
  return keyed(body, { key: (/** @type {NodeLimit} */ l) => l.nodeId, make: limitRow });
}

function limitRow() {
  const where = h('th', { role: 'rowheader', scope: 'row' });
  const measured = cell('Measured', 'number');
  const imported = cell('Import limit', 'number');
  const exported = cell('Export limit', 'number');
  const source = cell('Set by', 'wraps');
  const node = h('tr', { role: 'row' }, where, measured, imported, exported, source);
  return {
    node,
    /** @param {NodeLimit} l */
    show(l) {
      setText(where, nodeWords(l.nodeId));
      setText(measured, power(l.measuredW));
      setText(imported, power(l.importLimitW));
      setText(exported, power(l.exportLimitW));
      setText(source, l.source ?? 'site file');
      const over = l.measuredW > l.importLimitW || -l.measuredW > l.exportLimitW;
      setAttr(measured, 'data-tone', over ? 'bad' : undefined);
    },
  };
}
