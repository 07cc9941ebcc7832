import type { RuntimeLog } from 'node-red';
import { realClock } from '../../core/clock.ts';
import { createLog, type Log, type LogLevel } from '../../core/log.ts';

/** Time and level stand in Node-RED's own line already: `06:50:04.123 info  `. */
const HEAD = 19;

/** A log of the gateway that writes into the log of Node-RED, at the levels of both. */
export function nodeRedLog(red: RuntimeLog, level: LogLevel): Log {
  const to = (write: (text: string) => void): Log =>
    createLog({ clock: realClock(), level, format: 'text', write: (line) => write(`[v2gate] ${line.slice(HEAD)}`) });
  return joined({
    debug: to((text) => red.debug(text)),
    info: to((text) => red.info(text)),
    warn: to((text) => red.warn(text)),
    error: to((text) => red.error(text)),
  });
}

type ByLevel = Readonly<Record<'debug' | 'info' | 'warn' | 'error', Log>>;

function joined(by: ByLevel): Log {
  return {
    debug: (event, f) => by.debug.debug(event, f),
    info: (event, f) => by.info.info(event, f),
    warn: (event, f) => by.warn.warn(event, f),
    error: (event, f) => by.error.error(event, f),
    child: (f) =>
      joined({ debug: by.debug.child(f), info: by.info.child(f), warn: by.warn.child(f), error: by.error.child(f) }),
  };
}
