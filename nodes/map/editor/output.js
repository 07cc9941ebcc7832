import { h, icon } from './dom.js';

/** @typedef {import('./types.d.ts').CheckAnswer} CheckAnswer */
/** @typedef {import('./types.d.ts').Trial} Trial */

/** Longer texts stay without colours. */
const MAX_COLOURED = 40_000;
const TOKENS = /("(?:[^"\\]|\\.)*")(\s*:)?|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/g;

/**
 * Shows what the mapping made of the sample.
 * @param {{ readonly verdict: HTMLElement, readonly output: HTMLElement }} parts
 * @param {CheckAnswer} answer
 * @param {() => void} runSlow
 * @param {(line: number, column: number) => void} jump
 */
export function showOutput({ verdict, output: text }, answer, runSlow, jump) {
  const { trial, sampleFault } = answer;
  if (sampleFault) {
    const where = sampleFault.which === 'input' ? 'The message' : '$ctx';
    verdict.replaceChildren(line('error', `${where} is no JSON. ${sampleFault.what}`));
    text.replaceChildren();
  } else if (!trial) {
    const slow = answer.slow ? [askForSlow(runSlow)] : [];
    const why = answer.slow
      ? 'It needs the interpreter, which is slower.'
      : 'There is no output while it cannot be compiled.';
    verdict.replaceChildren(line(answer.slow ? 'warning' : 'error', why), ...slow);
    if (answer.slow) text.replaceChildren();
  } else if (trial.failure) {
    verdict.replaceChildren(failed(trial.failure, jump));
    text.replaceChildren();
  } else {
    verdict.replaceChildren(...verdictsOf(trial));
    text.replaceChildren(...shown(trial));
  }
  text.classList.toggle('v2gate-bench-old', !sampleFault && !trial && !answer.slow);
}

/** The time of a run, for people. @param {Trial | undefined} trial */
export function timeOf(trial) {
  if (!trial) return '';
  const { us, runs } = trial;
  const time = us < 10 ? `${us.toFixed(1)} µs` : us < 1000 ? `${Math.round(us)} µs` : `${(us / 1000).toFixed(1)} ms`;
  return runs > 1 ? `${time}, median of ${runs} runs` : time;
}

/** @param {Trial} trial */
function verdictsOf(trial) {
  if (trial.messages.length === 0) return [line('warning', 'The mapping made nothing of this message.')];
  const unfit = trial.unfit ? [line('info', 'For this sample, the condition “when” of the header does not hold.')] : [];
  const made = trial.messages.map(({ topic, fault, known }) => {
    if (fault !== undefined) return line('error', `${topic || 'The output'} is not valid: ${fault}`);
    if (!known)
      return line('info', topic === '' ? 'No target is named, so nothing is checked.' : `${topic} has no schema here.`);
    return line('good', `valid ${topic}`);
  });
  return [...made, ...unfit];
}

/** @param {NonNullable<Trial['failure']>} failure @param {(line: number, column: number) => void} jump */
function failed({ what, code, line: at, column }, jump) {
  const row = line('error', `${what} (${code})`);
  if (at === undefined || column === undefined) return row;
  const button = h('button', { type: 'button', class: 'v2gate-bench-jump' }, `line ${at}`);
  button.addEventListener('click', () => jump(at, column));
  row.append(' ', button);
  return row;
}

/** @param {() => void} runSlow */
function askForSlow(runSlow) {
  const button = h('button', { type: 'button', class: 'red-ui-button red-ui-button-small' }, 'Run it once');
  button.addEventListener('click', runSlow);
  return button;
}

const ICONS = { good: 'check', info: 'info-circle', warning: 'exclamation-triangle', error: 'times-circle' };

/** @param {keyof typeof ICONS} mood @param {string} text */
const line = (mood, text) => h('p', { 'data-mood': mood }, icon(ICONS[mood]), ' ', text);

/** @param {Trial} trial */
function shown({ output, cut }) {
  if (output === undefined) return [cut ? 'It is too large to be shown.' : ''];
  const rest = cut ? ['\n… (cut)'] : [];
  return output.length > MAX_COLOURED ? [output, ...rest] : [...coloured(output), ...rest];
}

/** @param {string} json */
function coloured(json) {
  /** @type {(Node | string)[]} */
  const out = [];
  let done = 0;
  for (const m of json.matchAll(TOKENS)) {
    const kind = m[2] !== undefined ? 'key' : m[1] !== undefined ? 'text' : 'value';
    const word = kind === 'key' ? (m[1] ?? '') : m[0];
    out.push(json.slice(done, m.index), h('span', { 'data-token': kind }, word));
    done = m.index + word.length;
  }
  out.push(json.slice(done));
  return out;
}
