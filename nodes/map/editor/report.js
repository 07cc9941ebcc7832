import { requiredPercent, showCoverage } from './coverage.js';
import { counted, h, say } from './dom.js';
import { showFindings } from './findings.js';
import { showOutput, timeOf } from './output.js';

/** @typedef {import('./types.d.ts').CheckAnswer} CheckAnswer */

const RANK = { error: 0, warning: 1, info: 2 };
const BEGIN = 'Choose a mapping above, or source and target and “Write new”.';

/**
 * Shows in the panes what the gateway found out about a text.
 * @param {ReturnType<typeof import('./frame.js').createFrame>} frame
 * @param {Pick<ReturnType<typeof import('./code.js').codeEditor>, 'mark' | 'jump'>} code
 * @param {() => void} runSlow
 */
export function createReport(frame, code, runSlow) {
  /** @param {CheckAnswer} answer @param {number} errors */
  function showBadges({ diagnostics, description }, errors) {
    const mood = errors > 0 ? 'error' : diagnostics.length > 0 ? 'warning' : 'good';
    frame.facts.badge('findings', diagnostics.length === 0 ? '✓' : String(diagnostics.length), mood);
    const percent = requiredPercent(description);
    const covered = percent !== 100 ? 'error' : description.lost.unstated.length > 0 ? 'warning' : 'good';
    frame.facts.badge('coverage', percent === undefined ? '' : `${percent} %`, covered);
  }

  return {
    /**
     * @param {CheckAnswer} answer
     * @param {string | undefined} path Where the text would override the pack; absent: it is the pack's.
     * @param {string | undefined} folder The integrator's folder; absent: none is set.
     */
    show(answer, path, folder = '<V2GATE_MAPPINGS>') {
      const { description, trial } = answer;
      // What must be mended comes first.
      const diagnostics = [...answer.diagnostics].sort((a, b) => RANK[a.severity] - RANK[b.severity]);
      const errors = diagnostics.filter((d) => d.severity === 'error').length;
      code.mark(diagnostics);
      showFindings(frame.findings, diagnostics, (d) => code.jump(d.line, d.column));
      showCoverage(frame.coverage, description);
      showOutput(frame, answer, runSlow, code.jump);
      showBadges(answer, errors);
      say(frame.time, timeOf(trial));
      frame.place.hidden = path === undefined;
      frame.place.replaceChildren('For the whole gateway, save it as ', h('code', {}, `${folder}/${path}`));
      say(frame.status, spoken(diagnostics, errors, trial));
    },

    /** There is no text yet. */
    nothing() {
      code.mark([]);
      for (const panel of [frame.findings, frame.coverage]) {
        panel.replaceChildren(h('p', { class: 'v2gate-bench-none' }, BEGIN));
      }
      for (const name of ['findings', 'coverage']) frame.facts.badge(name, '');
      frame.verdict.replaceChildren(h('p', {}, BEGIN));
      frame.output.replaceChildren();
      say(frame.time, '');
      frame.place.hidden = true;
      this.busy(false);
    },

    /** @param {string} text */
    complain(text) {
      frame.verdict.replaceChildren(h('p', { 'data-mood': 'error' }, text));
      say(frame.status, text);
    },

    /** @param {boolean} is */
    busy: (is) => frame.result.setAttribute('aria-busy', String(is)),
  };
}

/**
 * What a screen reader says of an answer.
 * @param {CheckAnswer['diagnostics']} diagnostics
 * @param {number} errors
 * @param {CheckAnswer['trial']} trial
 */
function spoken(diagnostics, errors, trial) {
  const [first] = diagnostics;
  const found = first
    ? `${counted(diagnostics.length, 'finding')}, ${counted(errors, 'error')}. Line ${first.line}: ${first.message}`
    : 'No findings.';
  return `${found} ${result(trial)}`;
}

/** @param {CheckAnswer['trial']} trial */
function result(trial) {
  if (!trial) return 'No output.';
  if (trial.failure) return trial.failure.what;
  const fault = trial.messages.find((m) => m.fault !== undefined)?.fault;
  return fault === undefined ? 'The output is valid.' : `Not valid: ${fault}`;
}
