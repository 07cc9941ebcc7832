/**
 * @import { ApiResult } from '../api.js'
 * @import { Frame, View } from './frame.js'
 * @import { Values } from './legend.js'
 */
import { byId, h, setAttr, setText } from '../dom.js';
import { timeOfDay } from '../format.js';
import { aheadOf, limitSteps } from '../plot-band.js';
import { groupPlots } from '../plot-groups.js';
import { columns, powerRange, recent, SERIES, SPANS, timeRange } from '../plot-points.js';
import uPlot from '../vendor/uplot/uPlot.esm.js';
import { legendView, spokenValues } from './legend.js';
import { axis, bands, clock, kilowatts, line, onThemeChange, sizeOf, themeColours, zeroLine } from './plot-draw.js';
import { plotTip } from './plot-tip.js';

/**
 * The live power plot of the site or one of its groups.
 * @param {{ ask: (url: URL) => Promise<ApiResult>, url: URL, refresh: () => void }} o url: of the plot
 * @returns {View}
 */
export function plotView({ ask, url, refresh }) {
  const place = byId('plot', HTMLElement);
  const time = byId('plot-time', HTMLElement);
  const bandNote = byId('band-note', HTMLElement);
  const colours = themeColours();
  const span = spanChoice(refresh);
  const subject = subjectChoice(refresh);
  const groups = groupPlots({ ask, url, changed: refresh });
  let range = { x: /** @type {[number, number]} */ ([0, 1]), y: /** @type {[number, number]} */ ([-1, 1]) };
  /** @type {readonly import('../plot-band.js').Step[]} */
  let steps = [];
  /** @type {Frame | undefined} */
  let last;
  const legend = legendView((key, shown) =>
    plot.setSeries(1 + SERIES.findIndex((s) => s.key === key), { show: shown }),
  );
  const plot = new uPlot(
    {
      ...sizeOf(place),
      legend: { show: false },
      padding: [10, 12, 0, 0],
      cursor: { y: false, drag: { x: false, y: false }, points: { size: 7 } },
      scales: { x: { time: true, range: () => range.x }, kW: { range: () => range.y } },
      axes: [
        axis(colours, { values: clock, space: 70, size: 32 }),
        axis(colours, { scale: 'kW', size: 72, values: kilowatts }),
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
  const tip = plotTip(plot);
  new ResizeObserver(() => plot.setSize(sizeOf(place))).observe(place);
  onThemeChange(() => {
    colours.forget();
    plot.redraw(false);
  });
  walkByKeyboard(place, plot);

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
    tip.show(hovered === undefined || when === undefined ? undefined : { at: when * 1000, values });
    setAttr(place, 'aria-valuemax', String(Math.max(0, plot.data[0].length - 1)));
    setAttr(place, 'aria-valuenow', String(Math.max(0, at)));
    const spokenAt = hovered === undefined ? now : (when ?? 0) * 1000;
    setAttr(place, 'aria-valuetext', when === undefined ? 'no data yet' : spokenValues(values, spokenAt));
  };

  return {
    show(frame) {
      last = frame;
      const { site } = frame;
      const group = subject.chosen();
      if (frame.state.connection === 'live') groups.poll(site?.view.siteId, group, frame.mono);
      subject.show(groups.groups());
      const all = group === '' ? (site?.points ?? []) : groups.points();
      const end = Number.isNaN(frame.now) ? (all.at(-1)?.at ?? 0) : frame.now;
      const points = recent(all, end, span.ms());
      steps = group === '' ? limitSteps(site?.view.snapshot.services ?? []) : [];
      const [from, to] = timeRange(points, end, span.ms());
      range = { x: [from, to + aheadOf(steps, end) / 1000], y: powerRange(points) };
      bandNote.hidden = steps.length === 0;
      plot.setData(columns(points));
      showValues(frame);
    },
  };
}

/** Arrows walk over the values, as a pointer does; Escape goes back to now. @param {HTMLElement} place @param {uPlot} plot */
function walkByKeyboard(place, plot) {
  setAttr(place, 'role', 'slider');
  setAttr(place, 'tabindex', '0');
  setAttr(place, 'aria-label', 'Power over time');
  setAttr(place, 'aria-valuemin', '0');
  /** @param {number | undefined} index */
  const to = (index) => {
    const at = index === undefined ? undefined : plot.data[0][index];
    plot.setCursor({ left: at === undefined ? -10 : plot.valToPos(at, 'x'), top: 10 });
  };
  place.addEventListener('keydown', (event) => {
    const count = plot.data[0].length;
    const now = (plot.cursor.left ?? -1) >= 0 ? (plot.cursor.idx ?? count - 1) : count - 1;
    const next = {
      ArrowLeft: now - 1,
      ArrowRight: now + 1,
      PageUp: now + 30,
      PageDown: now - 30,
      Home: 0,
      End: count - 1,
    }[event.key];
    if (event.key === 'Escape') to(undefined);
    if (next === undefined) return;
    event.preventDefault();
    to(Math.max(0, Math.min(count - 1, next)));
  });
  place.addEventListener('blur', () => to(undefined));
}

/** How much time is shown. @param {() => void} changed */
function spanChoice(changed) {
  const place = byId('plot-span', HTMLElement);
  let chosen = SPANS[SPANS.length - 1]?.ms ?? 0;
  const buttons = SPANS.map(({ ms, label }) => {
    const button = h('button', { type: 'button', 'aria-pressed': String(ms === chosen) }, label);
    button.addEventListener('click', () => {
      chosen = ms;
      for (const b of buttons) setAttr(b.button, 'aria-pressed', String(b.ms === chosen));
      changed();
    });
    place.append(button);
    return { ms, button };
  });
  return { ms: () => chosen };
}

/** Of what: the site, or one of its groups. @param {() => void} changed */
function subjectChoice(changed) {
  const label = byId('plot-of', HTMLElement);
  const select = byId('plot-subject', HTMLSelectElement);
  select.addEventListener('change', changed);
  return {
    chosen: () => select.value,
    /** @param {readonly string[]} groups */
    show(groups) {
      label.hidden = groups.length === 0;
      const text = groups.join('\n');
      if (select.dataset.items === text) return;
      select.dataset.items = text;
      const before = select.value;
      const options = groups.map((id) => h('option', { value: id }, id));
      select.replaceChildren(h('option', { value: '' }, 'Whole site'), ...options);
      select.value = groups.includes(before) ? before : '';
    },
  };
}
