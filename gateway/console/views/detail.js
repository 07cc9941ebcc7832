import { byId, h, setText } from '../dom.js';

/**
 * What the detail dialog shows of one thing.
 * @typedef {object} Detail
 * @property {string} title
 * @property {readonly (readonly [string, string])[]} facts label and value
 * @property {readonly { title: string, lines: readonly string[] }[]} [lists]
 * @property {readonly LadderStep[]} [ladder] forms of commands, the best first
 * @property {Node} [picture] the same element as long as it is shown
 * @property {readonly { title: string, actions: readonly Action[] }[]} [groups]
 * @property {readonly Action[]} [actions]
 */

/** @typedef {{ name: string, label: string, run: () => void }} Action */

/** @typedef {{ name: string, why: string, used: boolean }} LadderStep */

/**
 * The dialog that shows one station or service in full. It stays open and moves with what is known.
 * @returns {{ open: (key: string, from: HTMLElement) => void, key: () => string | undefined, show: (detail: Detail | undefined) => void, close: () => void, answer: HTMLElement }}
 */
export function detailDialog(/** @type {'station' | 'service'} */ id) {
  const dialog = byId(`${id}-detail`, HTMLDialogElement);
  const title = byId(`${id}-detail-title`, HTMLElement);
  const facts = h('dl', { class: 'facts' });
  const picture = h('div');
  const lists = h('div');
  const groups = h('div');
  const answer = h('div', { class: 'answer', 'aria-live': 'polite' });
  const actions = h('div', { class: 'buttons' });
  const close = h('button', { type: 'button' }, 'Close');
  dialog.append(picture, facts, lists, groups, answer, h('div', { class: 'ends' }, actions, close));
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
    close: () => dialog.close(),
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
      showGroups(groups, detail.groups ?? []);
      showActions(actions, detail.actions ?? []);
      if (detail.picture === undefined) picture.replaceChildren();
      else if (picture.firstChild !== detail.picture) picture.replaceChildren(detail.picture);
      const text = JSON.stringify({ ...detail, picture: undefined });
      if (text === shown) return;
      shown = text;
      setText(title, detail.title);
      facts.replaceChildren(...detail.facts.flatMap(([label, value]) => [h('dt', {}, label), h('dd', {}, value)]));
      lists.replaceChildren(
        ...ladderNodes(detail.ladder ?? []),
        ...(detail.lists ?? []).flatMap((l) => [
          h('h3', {}, l.title),
          h('ul', { class: 'lines' }, ...l.lines.map((line) => h('li', {}, line))),
        ]),
      );
    },
  };
}

/** @param {readonly LadderStep[]} steps */
function ladderNodes(steps) {
  if (steps.length === 0) return [];
  const items = steps.map(({ name, why, used }) =>
    h('li', { 'data-used': String(used) }, h('span', { class: 'step' }, name), ' ', h('span', { class: 'muted' }, why)),
  );
  return [h('h3', {}, 'How it is commanded, the best form first'), h('ol', { class: 'ladder' }, ...items)];
}

/** @param {HTMLElement} place @param {NonNullable<Detail['groups']>} groups */
function showGroups(place, groups) {
  const titles = groups.map((g) => g.title).join('\n');
  if (place.dataset.titles !== titles) {
    place.dataset.titles = titles;
    place.replaceChildren(
      ...groups.map((g) => h('section', {}, h('h3', {}, g.title), h('div', { class: 'buttons small' }))),
    );
  }
  groups.forEach((g, i) => {
    const buttons = place.children[i]?.lastElementChild;
    if (buttons instanceof HTMLElement) showActions(buttons, g.actions);
  });
}

/**
 * Buttons stay the same elements as long as they are there, for one of them may have the focus.
 * @param {HTMLElement} place @param {readonly Action[]} actions
 */
function showActions(place, actions) {
  const text = actions.map((a) => `${a.name}=${a.label}`).join('\n');
  if (place.dataset.actions === text) return;
  place.dataset.actions = text;
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
