/**
 * @import { ApiResult } from '../api.js'
 * @import { Bound } from '../bounds.js'
 * @import { View } from './frame.js'
 */
import { boundsOf, fieldOf, shareOf } from '../bounds.js';
import { byId, cell, h, head, headOf, keyed, setAttr, setText, tableOf } from '../dom.js';
import { duration } from '../format.js';
import { componentItem, componentsOf, keyOf } from './header.js';

const EVERY_MS = 3000;

/**
 * How the gateway itself is: parts, versions, queues, delay.
 * @param {{ ask: (url: URL) => Promise<ApiResult>, url: URL }} o url: of the health in detail
 * @returns {View}
 */
export function healthView({ ask, url }) {
  const note = byId('health-note', HTMLElement);
  const all = byId('bounds-all', HTMLInputElement);
  const showComponents = keyed(byId('components', HTMLElement), { key: keyOf, make: () => componentItem('') });
  const showFacts = factList(byId('health-facts', HTMLElement));
  const showBounds = boundsTable();
  const boundsNote = byId('bounds-note', HTMLElement);
  /** @type {unknown} */
  let details;
  let askedAt = Number.NEGATIVE_INFINITY;
  const load = async () => {
    const result = await ask(url);
    if (result.ok) details = result.body;
  };
  return {
    show({ state, mono }) {
      if (state.connection === 'live' && mono - askedAt >= EVERY_MS) {
        askedAt = mono;
        void load();
      }
      const report = state.health;
      setText(
        note,
        report === undefined ? '' : `New control requests are ${report.admitsNewControl ? 'admitted' : 'refused'}.`,
      );
      showComponents(componentsOf(report));
      showFacts(processFacts(details));
      const bounds = boundsOf(details);
      const shown = all.checked ? bounds : bounds.filter((b) => b.size > 0 || b.dropped > 0);
      setText(boundsNote, bounds.length === 0 ? '' : `${bounds.length} in all, ${shown.length} of them shown`);
      showBounds(shown);
    },
  };
}

/** @typedef {readonly [string, string]} Fact */

/** What the gateway tells of its own process. @param {unknown} details @returns {Fact[]} */
function processFacts(details) {
  const told = fieldOf(details, 'process');
  /** @param {string} key @returns {string | undefined} */
  const text = (key) => {
    const value = fieldOf(told, key);
    return typeof value === 'string' ? value : undefined;
  };
  const [up, memory] = [fieldOf(told, 'uptimeS'), fieldOf(told, 'memoryBytes')];
  const loop = fieldOf(fieldOf(fieldOf(details, 'components'), 'event loop'), 'text');
  /** @type {[string, string | undefined][]} */
  const facts = [
    ['Version', text('version')],
    ['Node.js', text('node')],
    ['Runs for', typeof up === 'number' ? duration(up * 1000) : undefined],
    ['Memory', typeof memory === 'number' ? `${Math.round(memory / 1048576)}\u202fMiB` : undefined],
    ['Delay of the event loop', typeof loop === 'string' ? loop : undefined],
  ];
  return facts.flatMap(([label, value]) => (value === undefined ? [] : [/** @type {Fact} */ ([label, value])]));
}

/** @param {HTMLElement} place */
function factList(place) {
  return keyed(place, {
    key: (/** @type {Fact} */ [label]) => label,
    make: ([label]) => {
      const value = h('dd');
      return {
        node: h('div', {}, h('dt', {}, label), value),
        /** @param {Fact} fact */
        show: ([, text]) => setText(value, text),
      };
    },
  });
}

function boundsTable() {
  const table = tableOf('bounds', 'bounds-title');
  const body = h('tbody', { role: 'rowgroup' });
  table.append(
    headOf(head(false, 'Name'), head(true, 'Held'), head(true, 'At most'), head(true, 'Lost'), head(false, 'Filled')),
    body,
  );
  return keyed(body, { key: (/** @type {Bound} */ b) => b.name, make: boundRow });
}

function boundRow() {
  const name = h('th', { role: 'rowheader', scope: 'row' });
  const size = cell('Held', 'number');
  const max = cell('At most', 'number');
  const dropped = cell('Lost', 'number');
  const meter = h('meter', { min: '0', max: '1', low: '0.7', high: '0.9', optimum: '0' });
  return {
    node: h('tr', { role: 'row' }, name, size, max, dropped, cell('Filled', '', meter)),
    /** @param {Bound} b */
    show(b) {
      setText(name, b.name);
      setText(size, String(b.size));
      setText(max, String(b.max));
      setText(dropped, String(b.dropped));
      setAttr(dropped, 'data-tone', b.dropped > 0 ? 'warn' : undefined);
      meter.value = shareOf(b);
      setAttr(meter, 'aria-label', `${b.name} filled to ${Math.round(100 * shareOf(b))} %`);
    },
  };
}
