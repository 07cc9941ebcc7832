import { byId, h, setText } from '../dom.js';

/**
 * Something to fill in: a choice where it has options, else a line of text.
 * @typedef {object} Field
 * @property {string} name
 * @property {string} label
 * @property {readonly (readonly [string, string])[]} [options] value and words
 */

/**
 * @typedef {object} Question
 * @property {string} title
 * @property {string} text
 * @property {readonly (readonly [string, string])[]} [facts] label and value
 * @property {readonly Field[]} [fields]
 * @property {string} yes what the button does
 */

const MAX_TEXT = '200';

/**
 * Asks before something is done; the answer is no unless somebody says yes.
 * @param {Question} question
 * @returns {Promise<boolean>}
 */
export async function askBefore(question) {
  return (await askFor(question)) !== undefined;
}

/**
 * Asks before something is done, with fields to fill in; undefined is no.
 * @param {Question} question
 * @returns {Promise<Readonly<Record<string, string>> | undefined>} what stands in the fields, by name
 */
export function askFor({ title, text, facts = [], fields = [], yes }) {
  const dialog = byId('question', HTMLDialogElement);
  setText(byId('question-title', HTMLElement), title);
  setText(byId('question-text', HTMLElement), text);
  byId('question-facts', HTMLElement).replaceChildren(
    ...facts.flatMap(([label, value]) => [h('dt', {}, label), h('dd', {}, value)]),
  );
  const inputs = fields.map((field) => ({ field, input: inputOf(field) }));
  byId('question-fields', HTMLElement).replaceChildren(
    ...inputs.map(({ field, input }) => h('label', { class: 'field' }, field.label, input)),
  );
  setText(byId('question-yes', HTMLElement), yes);
  dialog.returnValue = 'no';
  dialog.showModal();
  byId('question-no', HTMLElement).focus();
  return new Promise((done) => {
    const answer = () =>
      dialog.returnValue === 'yes'
        ? Object.fromEntries(inputs.map(({ field, input }) => [field.name, input.value.trim()]))
        : undefined;
    dialog.addEventListener('close', () => done(answer()), { once: true });
  });
}

/** @param {Field} field */
function inputOf({ name, options }) {
  if (options === undefined) return h('input', { name, maxlength: MAX_TEXT, autocomplete: 'off' });
  return h('select', { name }, ...options.map(([value, words]) => h('option', { value }, words)));
}
