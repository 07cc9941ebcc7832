/** @typedef {import('./types.d.ts').EditorRed} EditorRed */
/** @typedef {import('./types.d.ts').JQueryLike} JQueryLike */

/**
 * Common words of all dialogs; they stand in the locale file of the site.
 * @param {EditorRed} RED
 * @returns {(key: string, values?: Readonly<Record<string, string | number>>) => string}
 */
export const wordsOf = (RED) => (key, values) => RED.nodes.getType('v2gate-site')._(`dialog.${key}`, values);

/**
 * Asks the gateway. Failures are sentences for people.
 * @param {{ RED: EditorRed, $: JQueryLike }} o
 * @param {string} path below `v2gate/`
 * @param {object} [body] makes it a POST
 * @returns {Promise<any>}
 */
export function ask({ RED, $ }, path, body) {
  const post = { method: 'POST', contentType: 'application/json', data: JSON.stringify(body) };
  const options = { url: `v2gate/${path}`, dataType: 'json', ...(body === undefined ? {} : post) };
  return new Promise((resolve, reject) => {
    $.ajax(options)
      .done(resolve)
      .fail(({ status, responseJSON }) => reject(new Error(sentence(wordsOf(RED), status, responseJSON))));
  });
}

/**
 * Tells something in a notice of the editor, which takes texts for HTML.
 * @param {EditorRed} RED
 * @param {string} text of anybody: names of nodes, what programs complain about
 * @param {'success' | 'error'} kind
 */
export function tell(RED, text, kind) {
  RED.notify(
    text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`),
    kind,
  );
}

/** @param {unknown} e */
export const wordsOfError = (e) => (e instanceof Error ? e.message : String(e));

/** @param {(key: string) => string} words @param {number} status @param {unknown} body */
function sentence(words, status, body) {
  if (status === 404) return words('notDeployed');
  if (status === 401 || status === 403) return words('notAllowed');
  const what = typeof body === 'object' && body !== null ? Reflect.get(body, 'what') : undefined;
  return typeof what === 'string' ? what : words('noAnswer');
}
