/**
 * An error as the gateway tells it.
 * @typedef {object} ApiError
 * @property {string} code
 * @property {string} what
 * @property {string} remedy
 * @property {readonly { path: string, message: string }[]} [details]
 */

/** @typedef {{ ok: true, body: unknown } | { ok: false, error: ApiError }} ApiResult */

const PATIENCE_MS = 10_000;

/**
 * Asks the gateway; never rejects.
 * @param {string | URL} url
 * @param {{ body?: unknown, fetch?: typeof fetch }} [o] with a body it is a POST
 * @returns {Promise<ApiResult>}
 */
export async function ask(url, { body, fetch: get = fetch } = {}) {
  const signal = AbortSignal.timeout(PATIENCE_MS);
  const post = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  try {
    const response = await get(url, { signal, ...(body === undefined ? {} : post) });
    const answer = await response.json().catch(() => undefined);
    if (response.ok && answer !== undefined) return { ok: true, body: answer };
    return { ok: false, error: errorOf(answer, response.status) };
  } catch {
    return {
      ok: false,
      error: {
        code: 'console.noAnswer',
        what: 'The gateway did not answer.',
        remedy: 'It may or may not have been done: check what the console shows once the connection is back.',
      },
    };
  }
}

/**
 * A long text as it arrives, in pieces. Rejects when the gateway does not give it.
 * @param {URL} url
 * @returns {Promise<AsyncIterable<string>>}
 */
export async function readText(url) {
  const response = await fetch(url);
  if (!response.ok || response.body === null) throw new Error(`status ${response.status}`);
  return pieces(response.body.pipeThrough(new TextDecoderStream()));
}

/** Not every browser can iterate a stream itself. @param {ReadableStream<string>} stream */
async function* pieces(stream) {
  const reader = stream.getReader();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
  } finally {
    await reader.cancel();
  }
}

/**
 * The error in an answer, or words for an answer that has none.
 * @param {unknown} answer whatever was sent
 * @param {number} status
 * @returns {ApiError}
 */
export function errorOf(answer, status) {
  const error = field(answer, 'error');
  const [code, what, remedy, details] = ['code', 'what', 'remedy', 'details'].map((key) => field(error, key));
  if (typeof code === 'string' && typeof what === 'string') {
    return {
      code,
      what,
      remedy: typeof remedy === 'string' ? remedy : '',
      ...(Array.isArray(details) ? { details } : {}),
    };
  }
  return {
    code: `http.${status}`,
    what: `The gateway answered with status ${status} and no explanation.`,
    remedy: 'Look at its log, or at what stands between it and this browser.',
  };
}

/** @param {unknown} value @param {string} key @returns {unknown} */
function field(value, key) {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
}
