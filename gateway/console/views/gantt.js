/**
 * @import { GanttRow } from '../gantt.js'
 * @import { History } from '../history.js'
 * @import { View } from './frame.js'
 */
import { badge, byId, h, icon, keyed, roving, setAttr, setText } from '../dom.js';
import { timeOfDay } from '../format.js';
import { ganttRange, ganttRows, MARKS, rowSentence, ticksOf } from '../gantt.js';
import { serviceWords } from '../words.js';

const MAX_MARKS = 40;

/**
 * Services as bars on an axis of time, with what was decided and what went wrong.
 * @param {{ open: (key: string, from: HTMLElement) => void, history: History }} o
 * @returns {View}
 */
export function ganttView({ open, history }) {
  const place = byId('gantt', HTMLElement);
  const axis = h('div', { class: 'gantt-axis', 'aria-hidden': 'true' });
  const list = h('ul', { class: 'gantt-rows', 'aria-labelledby': 'gantt-title' });
  const nowLine = h('div', { class: 'gantt-now', 'aria-hidden': 'true' }, h('span', {}, 'now'));
  place.append(axis, list, nowLine);
  key();
  const empty = byId('gantt-empty', HTMLElement);
  const showRows = keyed(list, { key: (/** @type {Placed} */ p) => p.row.key, make: (p) => ganttRow(p.row.key, open) });
  const rove = roving(list, 'button');
  return {
    show({ site, now, mono, state }) {
      if (site !== undefined && state.connection === 'live') history.poll(site.view.siteId, mono);
      const rows = ganttRows(site?.view.snapshot.services ?? [], history.events(), history.past());
      const range = ganttRange(rows, now);
      /** @param {number} ms */
      const at = (ms) =>
        `${Math.max(0, Math.min(100, ((ms - range.from) / (range.to - range.from)) * 100)).toFixed(2)}%`;
      const seen = rows.filter((r) => r.end > range.from && r.start < range.to);
      showRows(seen.map((row) => ({ row, at, range })));
      rove.refresh();
      const count = place.clientWidth < 600 ? 4 : 9;
      const ticks = seen.length === 0 ? [] : ticksOf(range, count);
      const text = ticks.join(' ');
      if (axis.dataset.ticks !== text) {
        axis.dataset.ticks = text;
        axis.replaceChildren(...ticks.map((t) => h('span', {}, timeOfDay(t).slice(0, t % 60_000 === 0 ? 5 : 8))));
      }
      [...axis.children].forEach((tick, i) => {
        if (tick instanceof HTMLElement) tick.style.setProperty('--at', at(ticks[i] ?? 0));
      });
      nowLine.style.setProperty('--now', String(Number.parseFloat(at(now)) / 100));
      nowLine.hidden = seen.length === 0;
      empty.hidden = seen.length > 0;
    },
  };
}

/** @typedef {{ row: GanttRow, at: (ms: number) => string, range: { from: number, to: number } }} Placed */

/** @param {string} rowKey @param {(key: string, from: HTMLElement) => void} open */
function ganttRow(rowKey, open) {
  const name = h('span', { class: 'gantt-name' });
  const sub = h('span', { class: 'gantt-sub muted' });
  const state = badge();
  const bar = h('span', { class: 'gantt-bar' });
  const track = h('span', { class: 'gantt-track' }, bar);
  const spoken = h('span', { class: 'hidden' });
  const button = h(
    'button',
    { type: 'button', class: 'gantt-row', 'aria-haspopup': 'dialog' },
    h('span', { class: 'gantt-head', 'aria-hidden': 'true' }, name, state.node, sub),
    h('span', { class: 'gantt-lane', 'aria-hidden': 'true' }, track),
    spoken,
  );
  button.addEventListener('click', () => open(rowKey, button));
  const showSteps = keyed(bar, {
    key: (/** @type {{ from: number, to: number, text: string, row: GanttRow }} */ s) => String(s.from),
    make: () => {
      const node = h('span', { class: 'gantt-step' });
      return {
        node,
        show({ from, to, text, row }) {
          const size = row.end - row.start;
          node.style.setProperty('--from', `${(((from - row.start) / size) * 100).toFixed(2)}%`);
          node.style.setProperty('--size', `${(((to - from) / size) * 100).toFixed(2)}%`);
          setText(node, text);
        },
      };
    },
  });
  const showMarks = keyed(track, {
    key: (/** @type {{ mark: import('../gantt.js').Mark, at: string }} */ m) => `${m.mark.at}/${m.mark.text}`,
    make: ({ mark }) => {
      const symbol = icon();
      symbol.show(mark.kind === 'note' ? '' : MARKS[mark.kind].icon);
      const node = h(
        'span',
        { class: 'gantt-mark', 'data-kind': mark.kind, title: `${timeOfDay(mark.at)} ${mark.text}` },
        symbol.node,
      );
      return {
        node,
        show({ at }) {
          node.style.setProperty('--at', at);
        },
      };
    },
  });
  return {
    node: h('li', {}, button),
    /** @param {Placed} p */
    show({ row, at, range }) {
      setText(name, row.label);
      setText(sub, row.sub);
      state.show(serviceWords(row.state));
      bar.style.setProperty('--from', at(row.start));
      bar.style.setProperty('--to', at(row.end));
      setAttr(bar, 'data-running', String(row.running));
      setAttr(bar, 'data-state', row.state);
      showSteps(row.steps.slice(0, MAX_MARKS).map((s) => ({ ...s, row })));
      const marks = row.marks
        .filter((m) => m.kind !== 'note' && m.at >= range.from && m.at <= range.to)
        .slice(-MAX_MARKS);
      showMarks(marks.map((mark) => ({ mark, at: at(mark.at) })));
      setText(spoken, rowSentence(row, timeOfDay));
    },
  };
}

/** What the signs mean. */
function key() {
  byId('gantt-key', HTMLElement).append(
    ...Object.entries(MARKS).map(([kind, { text, icon: name }]) => {
      const symbol = icon();
      symbol.show(name);
      return h('li', {}, h('span', { class: 'gantt-mark', 'data-kind': kind }, symbol.node), text);
    }),
  );
}
