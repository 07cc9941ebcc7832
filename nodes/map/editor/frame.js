import { h } from './dom.js';
import { tabs } from './tabs.js';

/** The panes of the workbench beside the sample. */
export function createFrame() {
  const code = h('div', { id: 'v2gate-map-code', class: 'v2gate-bench-editor' });
  const origin = h('span', { class: 'v2gate-bench-chip' });
  const place = h('p', { class: 'v2gate-bench-override' });
  const findings = h('div', { class: 'v2gate-bench-panel' });
  const coverage = h('div', { class: 'v2gate-bench-panel' });
  const difference = h('div', { class: 'v2gate-bench-panel' });
  const facts = tabs('About the mapping', 'v2gate-map-facts', [
    { name: 'findings', title: 'Findings', panel: findings },
    { name: 'coverage', title: 'Coverage', panel: coverage },
    { name: 'difference', title: 'Difference', panel: difference },
  ]);
  const verdict = h('div', { class: 'v2gate-bench-verdict' });
  const output = h('pre', { class: 'v2gate-bench-output', tabindex: '0', 'aria-label': 'Output, JSON' });
  const time = h('span', { class: 'v2gate-bench-time' });
  // What a screen reader tells while somebody types.
  const status = h('p', { class: 'v2gate-bench-said', role: 'status', 'aria-live': 'polite' });
  const mapping = pane('mapping', 'Mapping', [origin], code, place);
  const about = pane('facts', undefined, [facts.bar], findings, coverage, difference);
  const result = pane('output', 'Output', [time], verdict, output);
  return {
    mapping,
    about,
    result,
    code,
    origin,
    place,
    findings,
    coverage,
    difference,
    facts,
    verdict,
    output,
    time,
    status,
  };
}

/**
 * @param {string} name
 * @param {string | undefined} title
 * @param {readonly Node[]} beside
 * @param {...Node} content
 */
function pane(name, title, beside, ...content) {
  const head = h(
    'div',
    { class: 'v2gate-bench-title' },
    ...(title === undefined ? [] : [h('h3', {}, title)]),
    ...beside,
  );
  return h(
    'section',
    { class: 'v2gate-bench-pane', 'data-pane': name, 'aria-label': title ?? 'Findings' },
    head,
    ...content,
  );
}
