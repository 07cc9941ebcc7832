/** @import { Milestone, WireEntry } from '../trace.js' */
import { h, icon, keyed, setAttr, setText } from '../dom.js';
import { timeOfDay } from '../format.js';
import { milestonesOf, rangeText, STAGES, timeOf } from '../trace.js';
import { headlineOf } from '../wire-words.js';

/** What one request came to: a sentence, and a stop for each stage. @param {HTMLElement} place */
export function storyView(place) {
  const sentence = h('p', { class: 'story-line' });
  const stones = h('ol', { class: 'stones', 'aria-label': 'Stages that it passed' });
  place.append(sentence, stones);
  const showStones = keyed(stones, { key: (/** @type {Milestone} */ m) => m.stage, make: stone });
  return {
    /** @param {readonly WireEntry[]} entries of one request; none: nothing is told @param {number} now epoch ms */
    show(entries, now) {
      const [first] = entries;
      place.hidden = first === undefined;
      if (first === undefined) return;
      const all = milestonesOf(entries, now);
      setText(sentence, storyOf(first, all));
      showStones(all);
    },
  };
}

/** @param {WireEntry} first @param {readonly Milestone[]} stones */
export function storyOf(first, stones) {
  const at = timeOfDay(timeOf(first));
  const begin = `${at} ${first.peer ?? 'The gateway'}: ${headlineOf(first)}.`;
  const answered = stones.find((s) => s.stage === 'ocpp');
  const end = stones.find((s) => s.stage === 'meter');
  const parts = [answered, end].flatMap((s) =>
    s?.fromMs === undefined || s.toMs === undefined
      ? []
      : [
          `${s.text.charAt(0).toUpperCase()}${s.text.slice(1)} after ${rangeText(s.fromMs, s.toMs).replaceAll('+', '')}.`,
        ],
  );
  const needless = stones.some((s) => s.text === 'not needed') ? ['No station had to be told anything new.'] : [];
  return [begin, ...parts, ...needless].join(' ');
}

function stone() {
  const symbol = icon();
  const label = h('span', { class: 'stone-label' });
  const text = h('span', { class: 'stone-text muted' });
  const time = h('span', { class: 'stone-time' });
  const node = h('li', {}, h('span', { class: 'dot' }, symbol.node), label, time, text);
  return {
    node,
    /** @param {Milestone} m */
    show({ stage, text: words, fromMs, toMs, tone }) {
      symbol.show(`stage-${stage}`);
      setAttr(node, 'data-stage', stage);
      setAttr(node, 'data-tone', tone);
      setText(label, STAGES.find((s) => s.id === stage)?.label ?? stage);
      setText(
        time,
        fromMs === undefined || toMs === undefined ? '–' : stage === 'fo' ? '0\u202fms' : rangeText(fromMs, toMs),
      );
      setText(text, words);
    },
  };
}
