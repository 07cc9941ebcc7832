/**
 * @import { FleetSnapshot } from '../../../model/index.ts'
 * @import { View } from './frame.js'
 */
import { byId, h, setAttr, setText } from '../dom.js';
import { isRunning } from '../fleet.js';
import { direction, duration, power, UNKNOWN } from '../format.js';
import { isExcluded, limitedByWords, qualityWords } from '../words.js';

/** @typedef {{ value: string, unit?: string, note: string, tone?: string }} Tile */

/** The four numbers that matter. @returns {View} */
export function tilesView() {
  const root = byId('tiles', HTMLElement);
  const tiles = ['Requested', 'Granted', 'Measured', 'Site limit'].map((label) => {
    const value = h('p', { class: 'value' });
    const note = h('p', { class: 'note' });
    const node = h('div', { class: 'tile', 'data-key': label.toLowerCase() }, h('h2', {}, label), value, note);
    root.append(node);
    return { value, note, node };
  });
  return {
    show({ site, now }) {
      const contents = site === undefined ? [] : tilesOf(site.view.snapshot, now);
      tiles.forEach(({ value, note, node }, i) => {
        const tile = contents[i];
        setText(value, tile?.value ?? UNKNOWN);
        setText(note, tile?.note ?? '\u00a0');
        setAttr(node, 'data-tone', tile?.tone);
      });
    },
  };
}

/**
 * @param {FleetSnapshot} s
 * @param {number} now epoch ms
 * @returns {Tile[]}
 */
export function tilesOf(s, now) {
  const off = Math.abs(s.measuredW - s.grantedW);
  const quality = qualityWords(s.quality);
  const doubtful = s.resources.filter((r) => r.quality !== 'good');
  return [
    { value: power(s.requestedW), note: requestNote(s, now) },
    {
      value: power(s.grantedW),
      note: grantNote(s),
    },
    {
      value: power(s.measuredW),
      note:
        s.quality === 'good'
          ? `${direction(s.measuredW)} · ${power(off)} off what is granted`
          : `quality ${quality.text}: ${doubtful.length} of ${s.resources.length} without a fresh value`,
      ...(s.quality === 'good' ? {} : { tone: quality.tone }),
    },
    limitTile(s),
  ];
}

/** Why that much is granted, where it is not simply what was requested. @param {FleetSnapshot} s */
function grantNote(s) {
  const held = s.services.find((x) => x.state === 'active' && x.limitedBy !== undefined);
  const stray = s.resources.filter((r) => r.online && isExcluded(r));
  const sum = stray.reduce((w, r) => w + (r.grantedW ?? 0), 0);
  const why = [
    ...(held === undefined ? [] : [`limited by ${limitedByWords(held.limitedBy)}`]),
    ...(stray.length === 0
      ? []
      : [`${power(sum)} of it by ${stray.length} that ${stray.length === 1 ? 'does' : 'do'} not obey`]),
  ];
  const commanded = s.resources.filter((r) => r.grantedW !== undefined).length;
  const plain = `${commanded} of ${s.resources.length} commanded`;
  return [direction(s.grantedW), ...(why.length === 0 ? [plain] : why)].join(' · ');
}

/** @param {FleetSnapshot} s @param {number} now */
function requestNote(s, now) {
  const active = s.services.filter((x) => x.state === 'active');
  const [first] = active;
  if (first === undefined) {
    const next = s.services.filter(isRunning)[0];
    return next === undefined ? 'no service is active' : `next service in ${duration(Date.parse(next.start) - now)}`;
  }
  if (active.length > 1) return `by ${active.length} services`;
  const by = `by ${first.foId}, ${duration(Date.parse(first.end) - now)} left`;
  return [direction(s.requestedW), by].filter(Boolean).join(' · ');
}

/** @param {FleetSnapshot} s @returns {Tile} */
function limitTile(s) {
  const poc = s.limits.find((l) => l.nodeId === 'poc');
  if (poc === undefined) return { value: UNKNOWN, note: 'no limit is known' };
  const exporting = poc.measuredW < 0;
  const limitW = exporting ? poc.exportLimitW : poc.importLimitW;
  const roomW = limitW - Math.abs(poc.measuredW);
  const other = exporting ? `import ${power(poc.importLimitW)}` : `export ${power(poc.exportLimitW)}`;
  return {
    value: power(limitW),
    note: `${exporting ? 'export' : 'import'}, ${roomW >= 0 ? `${power(roomW)} left` : `exceeded by ${power(-roomW)}`} · ${other}${poc.source === undefined ? '' : ` · set by ${poc.source}`}`,
    ...(roomW < 0 ? { tone: 'bad' } : {}),
  };
}
