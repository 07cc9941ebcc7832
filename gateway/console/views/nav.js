/** @import { View } from './frame.js' */
import { byId, h, setAttr, setText } from '../dom.js';
import { warningsOf } from '../warnings.js';

/** The way between views; marks where one is, and where something waits. @returns {View} */
export function navView() {
  const nav = byId('nav', HTMLElement);
  const links = /** @type {HTMLElement[]} */ ([...nav.querySelectorAll('[data-nav]')]);
  const counts = new Map(
    links.map((link) => {
      const number = h('span');
      const count = h('span', { class: 'count', hidden: '' }, number, h('span', { class: 'hidden' }, ' warnings'));
      link.append(' ', count);
      return [link.dataset.nav ?? '', { count, number }];
    }),
  );
  const sections = /** @type {HTMLElement[]} */ ([...document.querySelectorAll('[data-view]')]);
  const skip = byId('skip', HTMLAnchorElement);
  skip.addEventListener('click', (event) => {
    event.preventDefault();
    byId('main', HTMLElement).focus();
  });
  let shown = '';
  return {
    show({ route, site, state }) {
      if (route.view !== shown) {
        if (shown !== '') scrollTo(0, 0);
        shown = route.view;
        for (const section of sections) section.hidden = section.dataset.view !== route.view;
        for (const link of links) setAttr(link, 'aria-current', link.dataset.nav === route.view ? 'page' : undefined);
      }
      const found = state.connection === 'live' ? warningsOf(site, state.health) : [];
      for (const [view, { count, number }] of counts) {
        const n = found.filter((w) => w.view === view && view !== 'overview').length;
        count.hidden = n === 0;
        setText(number, String(n));
      }
    },
  };
}
