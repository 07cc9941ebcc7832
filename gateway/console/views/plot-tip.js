/**
 * @import { Values } from './legend.js'
 */
import { h, setText } from '../dom.js';
import { timeOfDay } from '../format.js';
import uPlot from '../vendor/uplot/uPlot.esm.js';
import { labelOf, ORDER, valueText } from './legend.js';

const GAP_PX = 14;

/** The values under the pointer, beside it. @param {uPlot} plot */
export function plotTip(plot) {
  const time = h('p', { class: 'muted' });
  const rows = ORDER.map((key) => {
    const value = h('dd');
    const node = h(
      'div',
      { class: 'tip-row', 'data-key': key },
      h('dt', {}, h('span', { class: 'swatch' }), labelOf(key)),
      value,
    );
    return { key, value, node };
  });
  const node = h(
    'div',
    { class: 'plot-tip', 'aria-hidden': 'true', hidden: '' },
    time,
    h('dl', {}, ...rows.map((r) => r.node)),
  );
  plot.over.append(node);
  return {
    /** @param {{ at: number, values: Values } | undefined} what */
    show(what) {
      node.hidden = what === undefined;
      if (what === undefined) return;
      setText(time, timeOfDay(what.at));
      for (const { key, value, node: row } of rows) {
        row.hidden = what.values[key] === undefined;
        setText(value, valueText(what.values[key]));
      }
      const left = plot.cursor.left ?? 0;
      const fits = left + GAP_PX + node.offsetWidth < plot.over.clientWidth;
      const x = fits ? left + GAP_PX : left - GAP_PX - node.offsetWidth;
      node.style.setProperty('transform', `translate(${Math.max(0, x)}px, 8px)`);
    },
  };
}
