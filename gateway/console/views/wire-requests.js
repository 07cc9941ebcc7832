/** @import { WireEntry } from '../trace.js' */
import { byId, h, icon, keyed, roving, setAttr, setText } from '../dom.js';
import { timeOfDay } from '../format.js';
import { serviceOf, timeOf } from '../trace.js';
import { shortSummary, titleOf } from '../wire-words.js';

/** Requests that the list shows, the newest. */
export const LISTED = 80;

/** @typedef {{ id: string, entry: WireEntry | undefined, chosen: boolean, commands: number }} Item */

/**
 * What may be followed: each request of an operator, and everything.
 * @param {(id: string) => void} choose with '' for everything
 */
export function requestsView(choose) {
  const list = byId('wire-requests', HTMLElement);
  const showItems = keyed(list, { key: (/** @type {Item} */ i) => i.id, make: ({ id }) => item(() => choose(id)) });
  const rove = roving(list, 'button');
  return {
    /** @param {readonly WireEntry[]} begins @param {Readonly<Record<string, number>>} effects @param {string} followed */
    show(begins, effects, followed) {
      /** @type {Item[]} */
      const items = begins
        .slice(0, LISTED)
        .map((entry) => ({ id: entry.id, entry, chosen: entry.id === followed, commands: effects[entry.id] ?? 0 }));
      showItems([{ id: '', entry: undefined, chosen: followed === '', commands: 0 }, ...items]);
      rove.refresh();
    },
  };
}

/** @param {() => void} choose */
function item(choose) {
  const symbol = icon();
  const title = h('span', { class: 'request-title' });
  const says = h('span', { class: 'request-says muted' });
  const led = h('span', { class: 'request-led' });
  const time = h('span', { class: 'request-time muted' });
  const button = h('button', { type: 'button', class: 'request' }, symbol.node, title, time, says, led);
  button.addEventListener('click', choose);
  return {
    node: h('li', {}, button),
    /** @param {Item} i */
    show({ entry, chosen, commands }) {
      symbol.show(entry === undefined ? 'nav-wire' : `stage-${entry.stage}`);
      setAttr(button, 'data-stage', entry?.stage);
      setText(title, entry === undefined ? 'Everything' : titleOf(entry));
      setText(time, entry === undefined ? '' : timeOfDay(timeOf(entry)));
      setText(
        says,
        entry === undefined
          ? 'all messages, the newest first'
          : [shortSummary(entry), entry.peer, serviceOf(entry)].filter(Boolean).join(' · '),
      );
      setAttr(button, 'data-led', String(entry === undefined || commands > 0));
      setText(led, commands === 0 ? '' : `→ ${commands}`);
      setAttr(led, 'title', commands === 0 ? undefined : `led to ${commands} commands`);
      setAttr(button, 'aria-current', chosen ? 'true' : undefined);
    },
  };
}
