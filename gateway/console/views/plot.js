/**
 * @import { Frame, View } from './frame.js'
 * @import { Key, Values } from './legend.js'
 */
import { byId, setAttr, setText } from '../dom.js';
import { timeOfDay } from '../format.js';
import { aheadOf, limitSteps } from '../plot-band.js';
import { columns, powerRange, SERIES, timeRange } from '../plot-points.js';
import uPlot from '../vendor/uplot/uPlot.esm.js';
import { legendView, spokenValues } from './legend.js';

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

/** The live power plot. @returns {View} */
export function plotView() {
  const place = byId('plot', HTMLElement);
  const text = byId('plot-text', HTMLElement);
  const time = byId('plot-time', HTMLElement);
  const bandNote = byId('band-note', HTMLElement);
  const colours = themeColours();
  setAttr(place, 'role', 'img');
  setAttr(place, 'aria-labelledby', 'plot-title');
  setAttr(place, 'aria-describedby', 'plot-text');
  let range = { x: /** @type {[number, number]} */ ([0, 1]), y: /** @type {[number, number]} */ ([-1, 1]) };
  /** @type {readonly import('../plot-band.js').Step[]} */
  let steps = [];
  /** @type {Frame | undefined} */
  let last;
  const legend = legendView((key, shown) => plot.setSeries(indexOf(key), { show: shown }));
  const plot = new uPlot(
    {
      ...sizeOf(place),
      legend: { show: false },
      padding: [10, 12, 0, 0],
      cursor: { y: false, drag: { x: false, y: false }, points: { size: 7 } },
      scales: { x: { time: true, range: () => range.x }, kW: { range: () => range.y } },
      axes: [
        axis(colours, { values: clock, space: 70, size: 32 }),
        axis(colours, { scale: 'kW', size: 64, values: kilowatts }),
      ],
      series: [{}, ...SERIES.map(({ key, label }) => line(colours, key, label))],
      hooks: {
        drawAxes: [(u) => bands(u, steps, colours('--band')), (u) => zeroLine(u, colours('--zero'))],
        setCursor: [() => last && showValues(last)],
      },
    },
    columns([]),
    place,
  );
  new ResizeObserver(() => plot.setSize(sizeOf(place))).observe(place);
  onThemeChange(() => {
    colours.forget();
    plot.redraw(false);
  });

  /** Values under the cursor, else the newest. @param {Frame} frame */
  const showValues = ({ state, now }) => {
    const index = plot.cursor.idx;
    const hovered = typeof index === 'number' && (plot.cursor.left ?? -1) >= 0 ? index : undefined;
    const at = hovered ?? plot.data[0].length - 1;
    /** @type {Values} */
    const values = Object.fromEntries(SERIES.map(({ key }, i) => [key, plot.data[i + 1]?.[at] ?? undefined]));
    legend.show(values);
    const when = plot.data[0][at];
    const which = hovered !== undefined ? 'at the pointer' : state.connection === 'live' ? 'now' : 'last known';
    setText(time, when === undefined ? 'no data yet' : `${which}, ${timeOfDay(when * 1000)}`);
    if (hovered === undefined) setText(text, when === undefined ? '' : spokenValues(values, now));
  };

  return {
    show(frame) {
      last = frame;
      const points = frame.site?.points ?? [];
      const end = Number.isNaN(frame.now) ? (points.at(-1)?.at ?? 0) : frame.now;
      steps = limitSteps(frame.site?.view.snapshot.services ?? []);
      const [from, to] = timeRange(points, end);
      range = { x: [from, to + aheadOf(steps, end) / 1000], y: powerRange(points) };
      bandNote.hidden = steps.length === 0;
      plot.setData(columns(points));
      showValues(frame);
    },
  };
}

/** @param {Key} key */
const indexOf = (key) => 1 + SERIES.findIndex((s) => s.key === key);

/** @typedef {((name: string) => string) & { forget: () => void }} Colours */

/** The style sheet's colours for the canvas, looked up once per theme. @returns {Colours} */
function themeColours() {
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
function onThemeChange(changed) {
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', changed);
}

/** @param {Colours} colours @param {Key} key @param {string} label @returns {uPlot.Series} */
function line(colours, key, label) {
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
function axis(colours, more) {
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
function kilowatts(_u, splits) {
  return splits.map((v) => `${String(v).replace('-', '\u2212')} kW`);
}

/** @param {uPlot} _u @param {number[]} splits s @param {number} _axis @param {number} _space @param {number} step s */
function clock(_u, splits, _axis, _space, step) {
  return splits.map((s) => timeOfDay(s * 1000).slice(0, step < 60 ? 8 : 5));
}

/**
 * What congestion services forbid: everything beyond their limits.
 * @param {uPlot} u @param {readonly import('../plot-band.js').Step[]} steps @param {string} colour
 */
function bands(u, steps, colour) {
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
function zeroLine(u, colour) {
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
function sizeOf(place) {
  return { width: Math.max(200, place.clientWidth), height: Math.max(MIN_HEIGHT, place.clientHeight) };
}
