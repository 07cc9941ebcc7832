/**
 * @import { Warning } from '../warnings.js'
 * @import { View } from './frame.js'
 */
import { badge, byId, h, keyed, setAttr, setText } from '../dom.js';
import { hashOf } from '../route.js';
import { warningsOf } from '../warnings.js';

/** Warnings that stand above everything, on a phone and elsewhere; the others on demand. */
const SHOWN = { narrow: 1, wide: 3 };

/** What needs somebody's eye. @returns {View} */
export function warningsView() {
  const place = byId('warnings', HTMLElement);
  const title = byId('warnings-title', HTMLElement);
  const more = byId('warnings-more', HTMLButtonElement);
  const narrow = matchMedia('(max-width: 46rem)');
  let all = false;
  more.addEventListener('click', () => {
    all = !all;
    setAttr(more, 'aria-expanded', String(all));
  });
  const showItems = keyed(byId('warning-list', HTMLElement), { key: (/** @type {Warning} */ w) => w.key, make: item });
  return {
    show({ site, state }) {
      const found = state.connection === 'live' ? warningsOf(site, state.health) : [];
      place.hidden = found.length === 0;
      setAttr(place, 'data-worst', found[0]?.tone);
      setText(title, found.length === 1 ? 'One warning' : `${found.length} warnings`);
      const shown = narrow.matches ? SHOWN.narrow : SHOWN.wide;
      showItems(all ? found : found.slice(0, shown));
      more.hidden = found.length <= shown;
      setText(more, all ? 'Show fewer' : `Show all ${found.length}`);
    },
  };
}

function item() {
  const words = badge();
  const remedy = h('span', { class: 'remedy' });
  const link = h('a', {}, 'Look');
  return {
    node: h('li', {}, words.node, remedy, link),
    /** @param {Warning} w */
    show(w) {
      words.show({ text: w.text, icon: 'faulted', tone: w.tone });
      setText(remedy, w.remedy ?? '');
      remedy.hidden = w.remedy === undefined;
      setAttr(link, 'href', hashOf(w.view, w.params));
      setAttr(link, 'aria-label', `Look: ${w.text}`);
    },
  };
}
