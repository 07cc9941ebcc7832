/**
 * How the power plot is drawn on its canvas.
 * @import { Step } from '../plot-band.js'
 * @import { Key } from './legend.js'
 */
import { timeOfDay } from '../format.js';
import uPlot from '../vendor/uplot/uPlot.esm.js';

const MIN_HEIGHT = 220;
const FONT = '12px system-ui, sans-serif';

/** How each line is drawn: told apart by more than colour. */
/** @type {Readonly<Record<Key, { step: boolean, width: number, dash?: number[] }>>} */
const LOOK = {
  granted: { step: true, width: 3.5 },
  requested: { step: true, width: 2, dash: [6, 5] },
  measured: { step: false, width: 2.5 },
  import: { step: true, width: 1.5, dash: [2, 3] },
  export: { step: true, width: 1.5, dash: [2, 3] },
};

/** @typedef {((name: string) => string) & { forget: () => void }} Colours */

/** The style sheet's colours for the canvas, looked up once per theme. @returns {Colours} */
export function themeColours() {
  /** @type {Record<string, string>} */
  let known = {};
  /** @param {string} name */
  const colour = (name) => {
    known[name] ??= getComputedStyle(document.documentElement).getPropertyValue(name).trim();
    return known[name] ?? '';
  };
  const forget = () => {
    known = {};
  };
  return Object.assign(colour, { forget });
}

/** @param {() => void} changed */
export function onThemeChange(changed) {
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', changed);
}

/** @param {Colours} colours @param {Key} key @param {string} label @returns {uPlot.Series} */
export function line(colours, key, label) {
  const { step, width, dash } = LOOK[key];
  const paths = step ? uPlot.paths.stepped?.({ align: 1 }) : uPlot.paths.linear?.();
  return {
    label,
    scale: 'kW',
    width,
    stroke: () => colours(`--${key}`),
    points: { show: false },
    ...(dash === undefined ? {} : { dash }),
    ...(paths === undefined ? {} : { paths }),
  };
}

/** @param {Colours} colours @param {uPlot.Axis} more @returns {uPlot.Axis} */
export function axis(colours, more) {
  const grid = () => colours('--grid');
  return {
    stroke: () => colours('--muted'),
    font: FONT,
    grid: { stroke: grid, width: 1 },
    ticks: { stroke: grid, width: 1, size: 5 },
    ...more,
  };
}

/** @param {uPlot} _u @param {number[]} splits */
export function kilowatts(_u, splits) {
  return splits.map((v) => `${String(v).replace('-', '\u2212')} kW`);
}

/** @param {uPlot} _u @param {number[]} splits s @param {number} _axis @param {number} _space @param {number} step s */
export function clock(_u, splits, _axis, _space, step) {
  return splits.map((s) => timeOfDay(s * 1000).slice(0, step < 60 ? 8 : 5));
}

/**
 * What congestion services forbid: everything beyond their limits.
 * @param {uPlot} u @param {readonly Step[]} steps @param {string} colour
 */
export function bands(u, steps, colour) {
  const { ctx, bbox } = u;
  const [right, bottom] = [bbox.left + bbox.width, bbox.top + bbox.height];
  /** @param {number} v @param {number} low @param {number} high */
  const within = (v, low, high) => Math.min(high, Math.max(low, v));
  ctx.save();
  ctx.fillStyle = colour;
  for (const { from, to, importW, exportW } of steps) {
    const x0 = within(u.valToPos(from / 1000, 'x', true), bbox.left, right);
    const x1 = within(u.valToPos(to / 1000, 'x', true), bbox.left, right);
    if (x1 <= x0) continue;
    if (importW !== undefined) {
      const y = within(u.valToPos(importW / 1000, 'kW', true), bbox.top, bottom);
      ctx.fillRect(x0, bbox.top, x1 - x0, y - bbox.top);
    }
    if (exportW !== undefined) {
      const y = within(u.valToPos(-exportW / 1000, 'kW', true), bbox.top, bottom);
      ctx.fillRect(x0, y, x1 - x0, bottom - y);
    }
  }
  ctx.restore();
}

/** @param {uPlot} u @param {string} colour */
export function zeroLine(u, colour) {
  const y = Math.round(u.valToPos(0, 'kW', true)) + 0.5;
  const { ctx, bbox } = u;
  ctx.save();
  ctx.strokeStyle = colour;
  ctx.lineWidth = Math.max(1.5, devicePixelRatio * 1.5);
  ctx.beginPath();
  ctx.moveTo(bbox.left, y);
  ctx.lineTo(bbox.left + bbox.width, y);
  ctx.stroke();
  ctx.restore();
}

/** @param {HTMLElement} place */
export function sizeOf(place) {
  return { width: Math.max(200, place.clientWidth), height: Math.max(MIN_HEIGHT, place.clientHeight) };
}
