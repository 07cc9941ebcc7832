import { codeOf } from '../../core/errors.ts';

const PORT_TRIES = 50;

/**
 * Opens a listener on `port`, or with `search` on the next free one above it. Rejects as `open` does, with `port.taken`
 * when no port of the range is free. Port 0 asks the system for any.
 */
export async function openOnPort<T>(port: number, search: boolean, open: (port: number) => Promise<T>): Promise<T> {
  for (let tried = 0; ; tried++) {
    try {
      return await open(port === 0 ? 0 : port + tried);
    } catch (e) {
      if (codeOf(e) !== 'port.taken' || !search || tried >= PORT_TRIES) throw e;
    }
  }
}
