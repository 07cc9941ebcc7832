import type { FoClient, FoSession } from './types.ts';

/** A session that keeps its own connection, as applications see it, whatever it travels over. */
export function clientOf(session: FoSession, url: string, close: () => Promise<void>): FoClient {
  return {
    url,
    peer: session.peer,
    get state() {
      return session.state;
    },
    request: (type, body, options) => session.request(type, body, options),
    publish: (type, body, stamp) => session.publish(type, body, stamp),
    stream: (type, body) => session.stream(type, body),
    answer: (replyTo, result) => session.answer(replyTo, result),
    close,
  };
}
