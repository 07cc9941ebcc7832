import { byId, h, setText } from '../dom.js';

/**
 * What the detail dialog shows of one thing.
 * @typedef {object} Detail
 * @property {string} title
 * @property {readonly (readonly [string, string])[]} facts label and value
 * @property {readonly { title: string, lines: readonly string[] }[]} [lists]
 * @property {readonly { name: string, label: string, run: () => void }[]} [actions]
 */

/**
 * The dialog that shows one station or service in full. It stays open and moves with what is known.
 * @returns {{ open: (key: string, from: HTMLElement) => void, key: () => string | undefined, show: (detail: Detail | undefined) => void, answer: HTMLElement }}
 */
export function detailDialog(/** @type {'station' | 'service'} */ id) {
  const dialog = byId(`${id}-detail`, HTMLDialogElement);
  const title = byId(`${id}-detail-title`, HTMLElement);
  const facts = h('dl', { class: 'facts' });
  const lists = h('div');
  const answer = h('div', { class: 'answer', 'aria-live': 'polite' });
  const actions = h('div', { class: 'buttons' });
  const close = h('button', { type: 'button' }, 'Close');
  dialog.append(facts, lists, answer, h('div', { class: 'ends' }, actions, close));
  close.addEventListener('click', () => dialog.close());
  /** @type {{ key: string, from: HTMLElement } | undefined} */
  let opened;
  let shown = '';
  dialog.addEventListener('close', () => {
    const { from } = opened ?? {};
    opened = undefined;
    if (from?.isConnected) from.focus();
  });
  return {
    answer,
    key: () => opened?.key,
    open(key, from) {
      opened = { key, from };
      shown = '';
      answer.replaceChildren();
      dialog.showModal();
      close.focus();
    },
    show(detail) {
      if (opened === undefined) return;
      if (detail === undefined) {
        dialog.close();
        return;
      }
      const text = JSON.stringify(detail);
      if (text === shown) return;
      shown = text;
      setText(title, detail.title);
      facts.replaceChildren(...detail.facts.flatMap(([label, value]) => [h('dt', {}, label), h('dd', {}, value)]));
      lists.replaceChildren(
        ...(detail.lists ?? []).flatMap((l) => [
          h('h3', {}, l.title),
          h('ul', { class: 'lines' }, ...l.lines.map((line) => h('li', {}, line))),
        ]),
      );
      showActions(actions, detail.actions ?? []);
    },
  };
}

/**
 * Buttons stay the same elements as long as they are there, for one of them may have the focus.
 * @param {HTMLElement} place @param {NonNullable<Detail['actions']>} actions
 */
function showActions(place, actions) {
  const known = new Map([...place.children].map((b) => [b.getAttribute('data-name'), b]));
  place.replaceChildren(
    ...actions.map(({ name, label, run }) => {
      const button = known.get(name);
      if (button instanceof HTMLButtonElement && button.textContent === label) return button;
      const made = h('button', { type: 'button', 'data-name': name }, label);
      made.addEventListener('click', run);
      return made;
    }),
  );
}
