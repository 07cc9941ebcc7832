import { byId, h, setText } from '../dom.js';

/**
 * Asks before something is done; the answer is no unless somebody says yes.
 * @param {object} o
 * @param {string} o.title
 * @param {string} o.text
 * @param {readonly (readonly [string, string])[]} [o.facts] label and value
 * @param {string} o.yes what the button does
 * @returns {Promise<boolean>}
 */
export function askBefore({ title, text, facts = [], yes }) {
  const dialog = byId('question', HTMLDialogElement);
  setText(byId('question-title', HTMLElement), title);
  setText(byId('question-text', HTMLElement), text);
  byId('question-facts', HTMLElement).replaceChildren(
    ...facts.flatMap(([label, value]) => [h('dt', {}, label), h('dd', {}, value)]),
  );
  setText(byId('question-yes', HTMLElement), yes);
  dialog.returnValue = 'no';
  dialog.showModal();
  byId('question-no', HTMLElement).focus();
  return new Promise((done) => {
    dialog.addEventListener('close', () => done(dialog.returnValue === 'yes'), { once: true });
  });
}
