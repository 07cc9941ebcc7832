/**
 * @import { FleetEntry } from '../../../model/index.ts'
 * @import { View } from './frame.js'
 */
import { badge, byId, h, keyed, roving, setAttr, setText } from '../dom.js';
import { barOf, fleetOrder, fleetScale } from '../fleet-bars.js';
import { percent, power } from '../format.js';
import { markOf, stateOf } from '../words.js';

/** Cards at once; the table of all stations has the others. */
const SHOWN = 24;

/** Each vehicle at a glance: what it does, is granted and may do. @param {{ open: (resourceId: string, from: HTMLElement) => void }} o @returns {View} */
export function fleetView({ open }) {
  const list = byId('fleet', HTMLElement);
  const note = byId('fleet-note', HTMLElement);
  const showCards = keyed(list, {
    key: (/** @type {{ entry: FleetEntry, scale: number }} */ c) => c.entry.resourceId,
    make: ({ entry }) => card(entry.resourceId, open),
  });
  const rove = roving(list, 'button');
  return {
    show({ site }) {
      const all = site?.view.snapshot.resources ?? [];
      const shown = fleetOrder(all).slice(0, SHOWN);
      const scale = fleetScale(shown);
      showCards(shown.map((entry) => ({ entry, scale })));
      rove.refresh();
      const online = `${all.filter((e) => e.online).length} of ${all.length} online`;
      setText(note, shown.length < all.length ? `${online}, the first ${shown.length}` : online);
    },
  };
}

/** @param {string} resourceId @param {(resourceId: string, from: HTMLElement) => void} open */
function card(resourceId, open) {
  const [state, mark] = [badge(), badge()];
  const soc = h('span', { class: 'card-soc muted' });
  const figure = h('span', { class: 'card-power' });
  const granted = h('span', { class: 'muted card-granted' });
  const bar = h(
    'span',
    { class: 'bar', 'aria-hidden': 'true' },
    h('i', { class: 'may' }),
    h('i', { class: 'is' }),
    h('i', { class: 'grant' }),
  );
  const button = h(
    'button',
    { type: 'button', class: 'card', 'aria-haspopup': 'dialog' },
    h('span', { class: 'card-name' }, resourceId),
    soc,
    state.node,
    figure,
    bar,
    granted,
    mark.node,
  );
  button.addEventListener('click', () => open(resourceId, button));
  return {
    node: h('li', {}, button),
    /** @param {{ entry: FleetEntry, scale: number }} c */
    show({ entry: e, scale }) {
      state.show(stateOf(e));
      setText(soc, e.socPct === undefined ? '' : percent(e.socPct));
      setText(figure, power(e.measuredW));
      setText(granted, e.grantedW === undefined ? 'not commanded' : `granted ${power(e.grantedW)}`);
      const found = markOf(e);
      mark.node.hidden = found === undefined;
      if (found !== undefined) mark.show(found);
      setAttr(button, 'data-online', String(e.online));
      for (const [name, value] of Object.entries(barOf(e, scale))) bar.style.setProperty(`--${name}`, value);
    },
  };
}
