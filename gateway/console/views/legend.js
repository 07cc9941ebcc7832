import { byId, h, setAttr, setText } from '../dom.js';
import { power, timeOfDay, UNKNOWN } from '../format.js';
import { SERIES } from '../plot-points.js';

/** @typedef {(typeof SERIES)[number]['key']} Key */

/** Values of the plot, kW. @typedef {Readonly<Partial<Record<Key, number | undefined>>>} Values */

/** In reading order, which is not the order of drawing. @type {readonly Key[]} */
export const ORDER = ['requested', 'granted', 'measured', 'import', 'export'];

/**
 * Buttons that show the values and switch the lines.
 * @param {(key: Key, shown: boolean) => void} onToggle
 */
export function legendView(onToggle) {
  const root = byId('legend', HTMLElement);
  setAttr(root, 'role', 'group');
  setAttr(root, 'aria-label', 'Lines of the plot');
  const items = ORDER.map((key) => {
    const swatch = h('span', { class: 'swatch', 'aria-hidden': 'true' });
    const value = h('span', { class: 'value' });
    const button = h('button', { type: 'button', 'data-key': key }, swatch, `${labelOf(key)} `, value);
    setAttr(button, 'aria-pressed', 'true');
    button.addEventListener('click', () => {
      const shown = button.getAttribute('aria-pressed') !== 'true';
      setAttr(button, 'aria-pressed', String(shown));
      onToggle(key, shown);
    });
    root.append(button);
    return { key, value };
  });
  return {
    /** @param {Values} values */
    show(values) {
      for (const { key, value } of items) setText(value, valueText(values[key]));
    },
  };
}

/**
 * The plot for those who cannot see it; the time moves in steps, so that it is not read all the time.
 * @param {Values} values
 * @param {number} now epoch ms
 */
export function spokenValues(values, now) {
  const parts = ORDER.map((key) => `${labelOf(key)} ${valueText(values[key])}`);
  return `${timeOfDay(Math.floor(now / 30_000) * 30_000)}: ${parts.join(', ')}. Import is positive, export negative.`;
}

/** @param {Key} key */
export const labelOf = (key) => SERIES.find((s) => s.key === key)?.label ?? key;

/** @param {number | undefined} kW */
export const valueText = (kW) => (kW === undefined ? UNKNOWN : power(kW * 1000));
