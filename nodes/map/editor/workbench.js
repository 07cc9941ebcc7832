import { createChooser } from './chooser.js';
import { codeEditor } from './code.js';
import { showDifference } from './difference.js';
import { h, part, say } from './dom.js';
import { createFrame } from './frame.js';
import { createReport } from './report.js';
import { createRequests } from './requests.js';
import { createSamples } from './samples.js';

/** @typedef {import('./types.d.ts').CheckAnswer} CheckAnswer */
/** @typedef {import('./types.d.ts').MappingAnswer} MappingAnswer */

const PAUSE_MS = 250;

/**
 * Puts the workbench into the open dialog of a map node. The fields of the form stay what Node-RED saves: the workbench
 * reads and writes them.
 * @param {import('./types.d.ts').WorkbenchOptions} o
 * @returns {import('./types.d.ts').Workbench}
 */
export function mount({ RED, $, node, root, after }) {
  const requests = createRequests($);
  const frame = createFrame();
  const source = part(root, 'node-input-source', HTMLSelectElement);
  const saved = part(root, 'node-input-text', HTMLTextAreaElement);
  const reset = part(root, 'v2gate-map-reset', HTMLButtonElement);
  const begin = part(root, 'v2gate-map-new', HTMLButtonElement);
  const panes = part(root, 'v2gate-map-panes', HTMLDivElement);
  const chooser = createChooser(root, { onFile: (path) => void useFile(path), onTopics: topicsChosen });
  const samples = createSamples({ RED, onInput: checkSoon, onRefresh: () => void lookForMessages() });

  /** @type {MappingAnswer | undefined} */
  let mapping;
  let cancelCheck = () => {};
  let closed = false;
  /** Source and file that the samples belong to. */
  let sampled = '';
  /** The own text before somebody went back to the pack. */
  let draft = saved.value;
  /** Source and target as the text named them last. */
  let named = '';
  /** The lists at the head show what the text names, until somebody looks for something else in them. */
  let follows = true;

  panes.append(
    h('div', { class: 'v2gate-bench-column' }, frame.mapping, frame.about),
    h('div', { class: 'v2gate-bench-column' }, samples.element, frame.result),
    frame.status,
  );
  const code = codeEditor({ RED, element: frame.code, mode: 'jsonata', label: 'Mapping, JSONata', onInput: typed });
  const report = createReport(frame, code, () => void check(true));
  samples.open();
  if (source.value === 'text') code.set(saved.value);
  source.addEventListener('change', sourceChosen);
  reset.addEventListener('click', useShipped);
  begin.addEventListener('click', () => void beginNew());
  void start();

  async function start() {
    try {
      chooser.fill(await requests.get('library'));
      if (chooser.file() !== '') await useFile(chooser.file(), source.value === 'text');
    } catch (e) {
      complain(e);
    }
    await lookForMessages();
    showOrigin();
    checkSoon();
  }

  /** @param {string} path @param {boolean} [keepText] The text is the node's own; the file is what it comes from. */
  async function useFile(path, keepText = false) {
    mapping = undefined;
    if (path !== '') {
      try {
        mapping = await requests.get('mapping', { path });
      } catch (e) {
        complain(e);
      }
    }
    if (closed || path !== chooser.file()) return;
    if (!keepText) {
      if (source.value === 'text') draft = code.value();
      setSource(path === '' ? 'text' : 'pack');
      setText(path === '' ? draft : (mapping?.text ?? ''));
    }
    showOrigin();
    checkSoon();
  }

  async function beginNew() {
    const [from, to] = [chooser.from(), chooser.to()];
    const own = source.value === 'text' && code.value().trim() !== '';
    if (own && !globalThis.confirm('Replace the text of this node with a new one?')) return;
    try {
      const { text } = await requests.get('skeleton', { from, to });
      if (closed) return;
      mapping = undefined;
      chooser.setFile('');
      setSource('text');
      setText(text);
      showOrigin();
      checkSoon();
    } catch (e) {
      complain(e);
    }
  }

  function typed() {
    follows = true;
    draft = code.value();
    setSource(mapping !== undefined && draft === mapping.text ? 'pack' : 'text');
    saved.value = source.value === 'text' ? draft : '';
    showOrigin();
    checkSoon();
  }

  function sourceChosen() {
    if (source.value === 'text') {
      setText(draft.trim() === '' ? code.value() : draft);
      showOrigin();
      checkSoon();
    } else useShipped();
  }

  function useShipped() {
    if (mapping === undefined) return;
    setSource('pack');
    setText(mapping.text);
    showOrigin();
    checkSoon();
  }

  function topicsChosen() {
    follows = false;
    begin.disabled = chooser.from() === '' || chooser.to() === '';
    checkSoon();
  }

  /** @param {string} text */
  function setText(text) {
    follows = true;
    code.set(text);
    saved.value = source.value === 'text' ? text : '';
  }

  /** @param {'pack' | 'text'} value */
  function setSource(value) {
    source.value = value;
    if (value === 'pack') saved.value = '';
  }

  function showOrigin() {
    const own = source.value === 'text';
    say(frame.origin, originOf(own, mapping));
    frame.origin.title = mapping?.broken ?? '';
    frame.origin.dataset.mood = own ? 'own' : mapping?.broken === undefined ? 'pack' : 'error';
    say(reset, mapping?.own ? 'Reset to your folder' : 'Reset to shipped');
    reset.disabled = !own || mapping === undefined;
    begin.disabled = chooser.from() === '' || chooser.to() === '';
    const changes = showDifference(frame.difference, mapping?.shipped ?? mapping?.text, code.value());
    frame.facts.badge('difference', changes === 0 ? '' : String(changes));
  }

  function checkSoon() {
    cancelCheck();
    if (!closed) cancelCheck = after(PAUSE_MS, () => void check(false));
  }

  /** @param {boolean} runSlow */
  async function check(runSlow) {
    const text = code.value();
    if (text.trim() === '') {
      requests.drop();
      report.nothing();
      return;
    }
    report.busy(true);
    try {
      const topics = { ...(chooser.from() && { from: chooser.from() }), ...(chooser.to() && { to: chooser.to() }) };
      const slow = runSlow ? { runSlow: 'yes' } : {};
      const answer = await requests.check({ text, input: samples.input(), ctx: samples.ctx(), ...topics, ...slow });
      if (closed) return;
      report.show(answer, source.value === 'text' ? (mapping?.path ?? answer.place) : undefined, chooser.folder());
      followTopics(answer);
    } catch (e) {
      complain(e);
    }
    report.busy(false);
  }

  /** The lists at the head follow what the text says, and the samples follow the source. @param {CheckAnswer} answer */
  function followTopics({ from = '', to }) {
    const now = `${from} ${to.join(' ')}`;
    if (follows && source.value === 'text' && now !== named && from !== '' && to.length > 0)
      chooser.topics(from, to[0] ?? '');
    named = now;
    const key = `${from} ${chooser.file()}`;
    if (key === sampled || from === '') return;
    const sameSource = sampled.startsWith(`${from} `);
    sampled = key;
    requests.get('samples', { from, path: chooser.file() }).then(({ samples: found }) => {
      if (!closed && key === sampled) samples.setExamples(found, chooser.file(), sameSource);
    }, complain);
  }

  async function lookForMessages() {
    try {
      const { messages } = await requests.get(`messages/${encodeURIComponent(node.id)}`);
      if (!closed) samples.setRecent(messages);
    } catch (e) {
      complain(e);
    }
  }

  /** @param {unknown} e */
  function complain(e) {
    if (!closed) report.complain(e instanceof Error ? e.message : String(e));
  }

  return {
    close() {
      closed = true;
      cancelCheck();
      requests.drop();
      code.destroy();
      samples.close();
    },
  };
}

/** Where the text comes from, in a few words. @param {boolean} own @param {MappingAnswer | undefined} mapping */
function originOf(own, mapping) {
  if (own) return mapping ? 'own text, changed from the pack' : 'own text';
  if (!mapping) return '';
  if (mapping.broken !== undefined) return 'its newest version is broken';
  return mapping.own ? 'from your mapping folder' : 'as shipped';
}
