/** @typedef {import('./editor/types.d.ts').MapDefinition} MapDefinition */

const FILE = /^[a-z0-9.]+\/(from|to)-hub\/[A-Za-z0-9.@_-]+\.jsonata$/;

/**
 * Completes the definition of the node in the editor: validators and the workbench in its dialog.
 * @param {MapDefinition} def
 * @param {import('./editor/types.d.ts').EditorTools} tools
 */
export function own(def, { RED, $, after, load }) {
  /** @type {{ close?: () => void } | undefined} */
  let open;
  const close = () => {
    open?.close?.();
    open = undefined;
  };
  /** @returns {HTMLElement | null} */
  const bench = () => document.getElementById('v2gate-map-bench');

  def.defaults.file.validate = function (value, _options) {
    return this.source !== 'pack' || FILE.test(value ?? '') || this._def._('why.file');
  };
  def.defaults.text.validate = function (value, _options) {
    return this.source !== 'text' || (value ?? '').trim() !== '' || this._def._('why.text');
  };
  def.oneditprepare = function () {
    const root = bench();
    if (!root) return;
    // The lists come later; until then the value must not be lost.
    root.querySelector('#node-input-file')?.append(new Option(this.file || def._('label.choose'), this.file));
    for (const name of ['workbench', 'results']) {
      const id = `v2gate-map-${name}-style`;
      if (document.getElementById(id)) continue;
      const style = Object.assign(document.createElement('link'), { id, rel: 'stylesheet' });
      style.href = `v2gate/map/editor/${name}.css`;
      document.head.append(style);
    }
    // A wide dialog, as far as there is room beside the sidebar.
    const room = document.getElementById('red-ui-editor-stack')?.offsetLeft ?? 0;
    root.style.width = `${Math.max(440, Math.min(1400, room - 70))}px`;
    /** @type {{ close?: () => void }} */
    const mine = {};
    open = mine;
    load('./v2gate/map/editor/workbench.js').then(
      ({ mount }) => {
        if (open !== mine || !root.isConnected) return;
        const workbench = mount({ RED, $, root, node: this, after });
        mine.close = () => workbench.close();
        root.classList.add('v2gate-bench-ready');
      },
      () => RED.notify(def._('label.noBench'), 'warning'),
    );
  };
  def.oneditresize = (size) => {
    const root = bench();
    if (!root) return;
    const tray = root.closest('.red-ui-tray-body');
    if (tray instanceof HTMLElement) tray.style.minWidth = '';
    root.style.width = '';
    // What the editor leaves below the form is used, too.
    root.style.height = `${size.height + 14}px`;
  };
  def.oneditsave = close;
  def.oneditcancel = close;
}
