import { codeEditor } from './code.js';
import { group, h, icon, option } from './dom.js';
import { tabs } from './tabs.js';

/** @typedef {import('./types.d.ts').Sample} Sample */
/** @typedef {import('./types.d.ts').RecentMessage} RecentMessage */
/** @typedef {{ readonly key: string, readonly label: string, readonly input: unknown, readonly ctx: unknown }} Choice */

const BY_HAND = 'hand';
const MESSAGE = 'message ';

/**
 * The pane with the message that is tried, and its `$ctx`.
 * @param {{ RED: import('./types.d.ts').EditorRed, onInput: () => void, onRefresh: () => void }} o
 */
export function createSamples({ RED, onInput, onRefresh }) {
  const list = h('select', { id: 'v2gate-map-sample', 'aria-label': 'Sample message' });
  const again = h(
    'button',
    { type: 'button', class: 'red-ui-button red-ui-button-small', title: 'Look for new messages' },
    icon('refresh'),
    h('span', { class: 'v2gate-bench-said' }, 'Look for new messages'),
  );
  again.addEventListener('click', onRefresh);
  const inputAt = h('div', { id: 'v2gate-map-input', class: 'v2gate-bench-editor' });
  const ctxAt = h('div', { id: 'v2gate-map-ctx', class: 'v2gate-bench-editor' });
  const bar = tabs('Sample', 'v2gate-map-sample', [
    { name: 'input', title: 'Message $', panel: h('div', { class: 'v2gate-bench-panel' }, inputAt) },
    { name: 'ctx', title: '$ctx', panel: h('div', { class: 'v2gate-bench-panel' }, ctxAt) },
  ]);
  const element = h(
    'section',
    { class: 'v2gate-bench-pane', 'data-pane': 'sample', 'aria-label': 'Sample' },
    h('div', { class: 'v2gate-bench-title' }, h('h3', {}, 'Input'), bar.bar, list, again),
    ...[inputAt, ctxAt].map((e) => e.parentElement ?? e),
  );

  /** @type {readonly Choice[]} */
  let examples = [];
  /** @type {readonly Choice[]} */
  let recent = [];
  /** @type {{ input: ReturnType<typeof codeEditor>, ctx: ReturnType<typeof codeEditor> } | undefined} */
  let editors;

  list.addEventListener('change', () => {
    const choice = [...examples, ...recent].find((c) => c.key === list.value);
    if (!choice) return;
    take(choice);
    onInput();
  });

  function typed() {
    list.value = BY_HAND;
    onInput();
  }

  /** @param {Choice} choice */
  function take(choice) {
    editors?.input.set(written(choice.input));
    editors?.ctx.set(written(choice.ctx ?? {}));
    list.value = choice.key;
  }

  function fill() {
    const used = list.value;
    const options = (/** @type {readonly Choice[]} */ cs) => cs.map((c) => option(c.key, c.label));
    list.replaceChildren(
      ...(examples.length > 0 ? [group('Examples', options(examples))] : []),
      ...(recent.length > 0 ? [group('Last messages of this node', options(recent))] : []),
      option(BY_HAND, 'typed by hand'),
    );
    list.value = [...list.options].some((o) => o.value === used) ? used : BY_HAND;
  }

  return {
    element,
    /** Makes the editors, once the pane is in the page. */
    open() {
      editors = {
        input: codeEditor({ RED, element: inputAt, mode: 'json', label: 'Sample message, JSON', onInput: typed }),
        ctx: codeEditor({ RED, element: ctxAt, mode: 'json', label: 'Context of the sample, JSON', onInput: typed }),
      };
    },
    /**
     * @param {readonly Sample[]} samples
     * @param {string} path The mapping in use, whose own examples need no name.
     * @param {boolean} sameSource The message that is tried is still one of the right kind.
     */
    setExamples(samples, path, sameSource) {
      const kept =
        list.value === BY_HAND ? editors?.input.value() !== '' : sameSource && list.value.startsWith(MESSAGE);
      examples = samples.map((s, i) => ({ key: `example ${i}`, label: labelOf(s, path), input: s.input, ctx: s.ctx }));
      fill();
      const [first] = examples;
      if (first && !kept) take(first);
      onInput();
    },
    /** @param {readonly RecentMessage[]} messages */
    setRecent(messages) {
      recent = messages.map((m) => ({ key: `${MESSAGE}${m.at}`, label: recentLabel(m), input: m.payload, ctx: m.ctx }));
      fill();
    },
    input: () => editors?.input.value() ?? '',
    ctx: () => editors?.ctx.value() ?? '',
    close() {
      editors?.input.destroy();
      editors?.ctx.destroy();
    },
  };
}

/** @param {unknown} value */
const written = (value) => (value === undefined ? '' : JSON.stringify(value, null, 2));

/** @param {Sample} s @param {string} path */
function labelOf(s, path) {
  if (s.path === undefined || s.path === path) return s.name;
  return `${s.name} (${s.path.replace(/^([^/]+)\/.*\/(.*)\.jsonata$/, '$1 $2')})`;
}

/** @param {RecentMessage} m */
function recentLabel(m) {
  const time = new Date(m.at).toLocaleTimeString();
  const note =
    m.failed !== undefined ? `, failed: ${m.failed}` : m.payload === undefined ? ', too large to be kept' : '';
  return `${time}  ${m.topic ?? 'without topic'}${note}`;
}
