/** @import { Row, WireEntry } from '../trace.js' */
import { h, icon, keyed, roving, setAttr, setText, svg } from '../dom.js';
import { timeOfDay } from '../format.js';
import { lanesOf, linkPath, rangeText, timeOf, toneOf } from '../trace.js';
import { saysOf, titleOf, topicsOf, whoOf } from '../wire-words.js';

/** The style sheet has the same, px. */
const ROW_H = 46;

/** @typedef {{ row: Row, selected: boolean, isOpen: boolean, clock: boolean }} Shown */

/**
 * The picture: a lane for each stage, a row for each message, and a line from what led to it.
 * @param {object} o
 * @param {HTMLElement} o.place
 * @param {(row: Row, from: HTMLElement) => void} o.choose
 * @param {(key: string) => void} o.toggle shows the messages of a row one by one, or together again
 */
export function lanesView({ place, choose, toggle }) {
  const heads = h('div', { class: 'lane-heads', 'aria-hidden': 'true' });
  const links = svg('svg', { class: 'links', 'aria-hidden': 'true' });
  const list = h('ol', { class: 'hops', 'aria-label': 'Messages in the order of time' });
  place.append(heads, h('div', { class: 'picture' }, links, list));
  const showRows = keyed(list, {
    key: (/** @type {Shown} */ s) => s.row.key,
    make: () => hop(choose, toggle),
  });
  const rove = roving(list, '.hop-main');
  let headText = '';
  return {
    /**
     * @param {readonly Row[]} rows in the order from top to bottom
     * @param {{ entries: readonly WireEntry[], selected: string | undefined, isOpen: (key: string) => boolean, clock: boolean }} o
     */
    show(rows, { entries, selected, isOpen, clock }) {
      const lanes = lanesOf(entries);
      const width = Number.parseFloat(getComputedStyle(place).getPropertyValue('--lane-w')) || 60;
      place.style.setProperty('--lanes', String(lanes.length));
      const text = lanes.map((l) => l.id).join(' ');
      if (text !== headText) {
        headText = text;
        heads.replaceChildren(
          ...lanes.map((l) => {
            const symbol = icon();
            symbol.show(`stage-${l.id}`);
            return h(
              'span',
              { class: 'lane-head', 'data-stage': l.id, title: l.doc },
              symbol.node,
              h('span', {}, l.label),
            );
          }),
        );
      }
      showRows(
        rows.map((row) => ({ row, selected: row.key === selected, isOpen: isOpen(row.burst ?? row.key), clock })),
      );
      drawLinks(links, rows, lanes.length, width);
      rove.refresh();
      place.hidden = rows.length === 0;
    },
  };
}

/** @param {SVGElement} place @param {readonly Row[]} rows @param {number} lanes @param {number} width */
function drawLinks(place, rows, lanes, width) {
  const at = new Map(rows.map((r, i) => [r.key, { x: (r.lane + 0.5) * width, y: (i + 0.5) * ROW_H }]));
  const [w, hgt] = [lanes * width, rows.length * ROW_H];
  setAttr(place, 'width', String(w));
  setAttr(place, 'height', String(hgt));
  const guides = Array.from({ length: lanes }, (_, i) => `M${(i + 0.5) * width} 0V${hgt}`).join('');
  const paths = rows.map((r) => {
    const [to, from] = [at.get(r.key), at.get(r.parent ?? '')];
    return to === undefined || from === undefined ? undefined : { d: linkPath(from, to), stage: r.first.stage };
  });
  place.replaceChildren(
    svg('path', { class: 'guide', d: guides }),
    ...paths.flatMap((p) => (p === undefined ? [] : [svg('path', { class: 'link', 'data-stage': p.stage, d: p.d })])),
  );
}

/** @param {(row: Row, from: HTMLElement) => void} choose @param {(key: string) => void} toggle */
function hop(choose, toggle) {
  const symbol = icon();
  const direction = icon();
  const time = h('span', { class: 'hop-time' });
  const dot = h('span', { class: 'dot' }, symbol.node);
  const count = h('span', { class: 'hop-count' });
  const title = h('span', { class: 'hop-title' });
  const says = h('span', { class: 'hop-says' });
  const topic = h('span', { class: 'hop-topic' });
  const who = h('span', { class: 'hop-who' });
  const button = h(
    'button',
    { type: 'button', class: 'hop-main' },
    time,
    h('span', { class: 'hop-lane' }, dot),
    h('span', { class: 'hop-line' }, title, ' ', count, ' ', says),
    h('span', { class: 'hop-line muted' }, direction.node, ' ', topic, ' ', who),
  );
  const more = h('button', { type: 'button', class: 'hop-more' });
  const node = h('li', { class: 'hop' }, button, more);
  /** @type {Row | undefined} */
  let current;
  button.addEventListener('click', () => current && choose(current, button));
  more.addEventListener('click', () => current && toggle(current.burst ?? current.key));
  return {
    node,
    /** @param {Shown} s */
    show({ row, selected, isOpen, clock }) {
      current = row;
      const { first, entries } = row;
      node.style.setProperty('--lane', String(row.lane));
      setAttr(node, 'data-key', row.key);
      setAttr(node, 'data-stage', first.stage);
      setAttr(node, 'data-tone', toneOf(first));
      setText(time, clock ? clockText(first) : rangeText(row.fromMs, row.toMs));
      symbol.show(`stage-${first.stage}`);
      direction.show(['in', 'out'].includes(first.direction) ? first.direction : 'inside');
      setText(title, titleOf(first));
      setText(count, entries.length > 1 ? `× ${entries.length}` : '');
      setText(says, saysOf(row));
      setText(topic, topicsOf(row));
      setText(who, whoOf(row));
      setAttr(button, 'aria-current', selected ? 'true' : undefined);
      const several = entries.length > 1 || row.burst !== undefined;
      more.hidden = !several;
      setAttr(more, 'aria-expanded', String(isOpen));
      setText(more, isOpen ? '–' : '+');
      setAttr(more, 'aria-label', isOpen ? 'Show them as one' : `Show all ${entries.length} one by one`);
      setAttr(node, 'data-burst', row.burst === undefined ? undefined : 'one');
    },
  };
}

/** @param {WireEntry} e */
function clockText(e) {
  const ms = timeOf(e);
  return `${timeOfDay(ms)}.${String(Math.floor(ms % 1000)).padStart(3, '0')}`;
}
