/** @typedef {import('./types.d.ts').JQueryLike} JQueryLike */
/** @typedef {import('./types.d.ts').CheckAnswer} CheckAnswer */

const ROOT = 'v2gate/map/';

/**
 * What the workbench asks the gateway. Failures are sentences for people.
 * @param {JQueryLike} $
 */
export function createRequests($) {
  let newest = 0;
  /** @type {(() => void) | undefined} */
  let giveUp;
  return {
    /**
     * @template T
     * @param {string} path
     * @param {Readonly<Record<string, string>>} [query]
     * @returns {Promise<T>}
     */
    get: (path, query = {}) => send($, { url: `${ROOT}${path}`, data: query, dataType: 'json' }).answer,

    /**
     * Checks a text. Answers to older questions are dropped: their promise never settles.
     * @param {Readonly<Record<string, string>>} question
     * @returns {Promise<CheckAnswer>}
     */
    check(question) {
      giveUp?.();
      const mine = ++newest;
      const { answer, abort } = send($, {
        url: `${ROOT}check`,
        method: 'POST',
        contentType: 'application/json',
        data: JSON.stringify(question),
        dataType: 'json',
      });
      giveUp = abort;
      return new Promise((resolve, reject) => {
        answer.then(
          (body) => mine === newest && resolve(body),
          (e) => mine === newest && reject(e),
        );
      });
    },

    /** Nobody waits for the answer to the last check any more. */
    drop() {
      newest++;
      giveUp?.();
    },
  };
}

/**
 * @param {JQueryLike} $
 * @param {Readonly<Record<string, unknown>>} options
 * @returns {{ answer: Promise<any>, abort: () => void }}
 */
function send($, options) {
  /** @type {() => void} */
  let abort = () => {};
  const answer = new Promise((resolve, reject) => {
    const request = $.ajax(options)
      .done(resolve)
      .fail((failed) => reject(new Error(sentenceOf(failed.status, failed.responseJSON))));
    abort = () => request.abort();
  });
  return { answer, abort };
}

/** @param {number} status @param {unknown} body */
function sentenceOf(status, body) {
  const what = typeof body === 'object' && body !== null ? Reflect.get(body, 'what') : undefined;
  if (typeof what === 'string') return what;
  if (status === 401 || status === 403) return 'Your user may not try out mappings (v2gate-map.write).';
  return status === 0 ? 'The gateway does not answer.' : `The gateway answered with status ${status}.`;
}
