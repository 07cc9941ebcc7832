/**
 * @import { Contract } from '../../../model/index.ts'
 * @import { ApiResult } from '../api.js'
 * @import { View } from './frame.js'
 */

import { scopeWords, statusWords, termsWords, validityWords } from '../contracts.js';
import { badge, byId, cell, h, head, headOf, keyed, setText, tableOf } from '../dom.js';
import { serviceTypeWords } from '../words.js';

const COLUMNS = ['Contract', 'Operator', 'Services', 'Scope', 'State', 'Valid', 'Terms'];
const EVERY_MS = 15_000;

/** What operators may ask for. @param {{ ask: (url: URL) => Promise<ApiResult>, url: URL }} o @returns {View} */
export function contractsView({ ask, url }) {
  const note = byId('contracts-note', HTMLElement);
  const table = tableOf('contracts', 'contracts-title');
  const body = h('tbody', { role: 'rowgroup' });
  const empty = h('p', { class: 'empty' });
  table.append(headOf(...COLUMNS.map((c) => head(false, c))), body);
  table.after(empty);
  const showRows = keyed(body, {
    key: (/** @type {{ c: Contract, now: number }} */ { c }) => `${c.foId}/${c.contractId}`,
    make: contractRow,
  });
  /** @type {{ site: string, contracts: readonly Contract[], problem: string }} */
  let known = { site: '', contracts: [], problem: '' };
  let askedAt = Number.NEGATIVE_INFINITY;
  /** @param {string} site */
  const load = async (site) => {
    const of = new URL(url);
    of.searchParams.set('siteId', site);
    const result = await ask(of);
    known = {
      site,
      contracts: result.ok ? listOf(result.body) : known.contracts,
      problem: result.ok ? '' : result.error.what,
    };
  };
  return {
    show({ site, now, mono }) {
      const siteId = site?.view.siteId;
      if (siteId !== undefined && (siteId !== known.site || mono - askedAt >= EVERY_MS)) {
        if (siteId !== known.site) known = { site: siteId, contracts: [], problem: '' };
        askedAt = mono;
        void load(siteId);
      }
      const { contracts, problem } = known;
      showRows(contracts.map((c) => ({ c, now })));
      setText(
        note,
        contracts.length === 0
          ? ''
          : `${contracts.filter((c) => c.status === 'active').length} active of ${contracts.length}`,
      );
      setText(
        empty,
        problem === '' ? 'The site has no contract; without one no operator may ask for anything.' : problem,
      );
      empty.hidden = contracts.length > 0;
    },
  };
}

/** @param {unknown} body @returns {Contract[]} */
function listOf(body) {
  const list = /** @type {unknown} */ (
    typeof body === 'object' && body !== null ? Reflect.get(body, 'contracts') : undefined
  );
  return Array.isArray(list) ? list : [];
}

function contractRow() {
  const id = h('th', { role: 'rowheader', scope: 'row' });
  const [state, why] = [badge(), h('div', { class: 'why muted' })];
  const cells = {
    fo: cell('Operator'),
    services: cell('Services'),
    scope: cell('Scope', 'wrap'),
    valid: cell('Valid'),
  };
  const terms = h('ul', { class: 'terms' });
  return {
    node: h(
      'tr',
      { role: 'row' },
      id,
      cells.fo,
      cells.services,
      cells.scope,
      cell('State', '', state.node, why),
      cells.valid,
      cell('Terms', 'wrap', terms),
    ),
    /** @param {{ c: Contract, now: number }} row */
    show({ c, now }) {
      setText(id, c.contractId);
      setText(cells.fo, c.foId);
      setText(cells.services, c.serviceTypes.map(serviceTypeWords).join(', '));
      setText(cells.scope, scopeWords(c.scope));
      state.show(statusWords(c, now));
      setText(cells.valid, validityWords(c));
      const lines = termsWords(c);
      if (terms.dataset.lines === lines.join('\n')) return;
      terms.dataset.lines = lines.join('\n');
      terms.replaceChildren(...lines.map((l) => h('li', {}, l)));
    },
  };
}
