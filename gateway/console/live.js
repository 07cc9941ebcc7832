/** @import { ConsoleMessage } from './state.js' */

/** The events of the gateway's stream. */
const EVENTS = /** @type {const} */ (['site', 'plots', 'plot', 'reloaded', 'health']);
/** A running site is heard of every second; silence for this long is a lost connection, whatever the socket says. */
const SILENCE_MS = 10_000;
const RETRY_MS = [1000, 2000, 5000, 10_000];
const CLOSED = 2;

/**
 * @typedef {object} Source the part of an EventSource that is used here
 * @property {number} readyState
 * @property {((event: Event) => void) | null} onopen
 * @property {((event: Event) => void) | null} onerror
 * @property {(name: string, listener: (event: MessageEvent<string>) => void) => void} addEventListener
 * @property {() => void} close
 */

/**
 * Follows the gateway's event stream and reconnects for ever: the browser does after a broken connection, this does where
 * the browser gives up (a refused stream) or notices nothing (a silent one).
 * @param {object} o
 * @param {() => Source} o.open
 * @param {(ms: number, fn: () => void) => () => void} o.after runs once later; the answer cancels
 * @param {(message: ConsoleMessage) => void} o.on
 * @returns {() => void} ends it
 */
export function followEvents({ open, after, on }) {
  /** @type {Source | undefined} */
  let source;
  let failures = 0;
  let cancel = () => {};

  const connect = () => {
    cancel();
    source?.close();
    const current = open();
    source = current;
    on({ type: 'connecting' });
    current.onopen = () => on({ type: 'open' });
    current.onerror = () => {
      on({ type: 'lost' });
      if (current.readyState === CLOSED) retry();
      else cancel();
    };
    for (const name of EVENTS) {
      current.addEventListener(name, (event) => {
        const message = parseEvent(name, event.data);
        if (message === undefined) return;
        failures = 0;
        on(message);
        cancel();
        cancel = after(SILENCE_MS, () => {
          on({ type: 'lost' });
          connect();
        });
      });
    }
  };
  const retry = () => {
    cancel();
    cancel = after(RETRY_MS[Math.min(failures++, RETRY_MS.length - 1)] ?? 0, connect);
  };

  connect();
  return () => {
    cancel();
    source?.close();
  };
}

/**
 * One event of the stream, or undefined when it is not what the gateway sends. Only the outline is checked: it is our own
 * gateway, perhaps of another version.
 * @param {(typeof EVENTS)[number]} type
 * @param {string} text
 * @returns {ConsoleMessage | undefined}
 */
export function parseEvent(type, text) {
  const data = parseObject(text);
  if (data === undefined || !OUTLINE[type](data)) return undefined;
  return /** @type {ConsoleMessage} */ ({ type, data });
}

/** @type {Readonly<Record<(typeof EVENTS)[number], (data: Readonly<Record<string, unknown>>) => boolean>>} */
const OUTLINE = {
  site: (d) =>
    typeof d.siteId === 'string' &&
    Array.isArray(d.pending) &&
    isObject(d.snapshot) &&
    Array.isArray(d.snapshot.resources),
  plots: (d) => typeof d.siteId === 'string' && Array.isArray(d.points),
  plot: (d) => typeof d.siteId === 'string' && isObject(d.point) && typeof d.point.at === 'number',
  reloaded: (d) => typeof d.siteId === 'string' && typeof d.text === 'string',
  health: (d) => isObject(d.components),
};

/** @param {string} text */
function parseObject(text) {
  try {
    /** @type {unknown} */
    const data = JSON.parse(text);
    return isObject(data) ? data : undefined;
  } catch {
    return undefined;
  }
}

/** @param {unknown} value @returns {value is Record<string, unknown>} */
function isObject(value) {
  return typeof value === 'object' && value !== null;
}
