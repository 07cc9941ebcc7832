/** @typedef {import('./types.d.ts').Diagnostic} Diagnostic */
/** @typedef {import('./types.d.ts').Monaco} Monaco */
/** @typedef {import('./types.d.ts').EditorRed} EditorRed */
/** @typedef {import('./types.d.ts').NodeRedEditor} NodeRedEditor */

const OWNER = 'v2gate';
/** Severities as Monaco counts them. */
const MONACO = { error: 8, warning: 4, info: 2 };

/**
 * A text with syntax colours, in whatever editor Node-RED is set to use.
 * @param {{ RED: EditorRed, element: HTMLElement, mode: string, label: string, onInput: () => void }} o
 *   `onInput` is called when a person changes the text.
 */
export function codeEditor({ RED, element, mode, label, onInput }) {
  const editor = RED.editor.createEditor({
    id: element.id,
    element,
    mode: `ace/mode/${mode}`,
    value: '',
    stateId: false,
    minimap: { enabled: false },
    fontSize: 13,
    lineNumbersMinChars: 3,
    glyphMargin: false,
    scrollBeyondLastLine: false,
    wordWrap: 'on',
    wrappingIndent: 'indent',
    overviewRulerLanes: 0,
    stickyScroll: { enabled: false },
    ariaLabel: label,
  });
  const session = editor.getSession();
  session.setUseWorker?.(false);
  session.setTabSize?.(2);
  let quiet = false;
  const changed = () => {
    if (!quiet) onInput();
  };
  if (session.setAnnotations) session.on?.('change', changed);
  else editor.on?.('input', changed);
  const watch = new ResizeObserver(() => requestAnimationFrame(() => element.isConnected && editor.resize()));
  watch.observe(element);
  return {
    value: () => editor.getValue(),
    /** @param {string} text */
    set(text) {
      if (text === editor.getValue()) return;
      quiet = true;
      editor.setValue(text, -1);
      quiet = false;
    },
    /** @param {readonly Diagnostic[]} diagnostics Underlined, or marked at the edge. */
    mark(diagnostics) {
      mark(editor, diagnostics);
    },
    /** Ace counts lines from 1, the plain editor from 0. @param {number} line @param {number} column Both from 1. */
    jump(line, column) {
      if (editor.setPosition && editor.revealLineInCenter) {
        editor.setPosition({ lineNumber: line, column });
        editor.revealLineInCenter(line);
      } else editor.gotoLine(session.setAnnotations ? line : line - 1, column - 1, false);
      editor.focus();
    },
    destroy() {
      watch.disconnect();
      editor.destroy();
    },
  };
}

/** @param {NodeRedEditor} editor @param {readonly Diagnostic[]} diagnostics */
function mark(editor, diagnostics) {
  /** @type {Monaco | undefined} */
  const monaco = Reflect.get(globalThis, 'monaco');
  const model = editor.getModel?.();
  if (monaco && model) {
    monaco.editor.setModelMarkers(model, OWNER, diagnostics.map(markerOf));
    return;
  }
  const annotations = diagnostics.map((d) => ({
    row: d.line - 1,
    column: d.column - 1,
    text: d.message,
    type: d.severity,
  }));
  editor.getSession().setAnnotations?.(annotations);
}

/** @param {Diagnostic} d */
function markerOf(d) {
  const line = d.excerpt.split('\n')[0] ?? '';
  const word = /^(\$?[\w.]+|'[^']*'|"[^"]*")/.exec(line.slice(d.column - 1))?.[0].length ?? 1;
  return {
    severity: MONACO[d.severity],
    message: d.hint === undefined ? d.message : `${d.message}\n${d.hint}`,
    code: d.code,
    startLineNumber: d.line,
    endLineNumber: d.line,
    startColumn: d.column,
    endColumn: d.column + word,
  };
}
