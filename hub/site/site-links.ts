import { BoundedSet } from '../../core/bounded.ts';
import { describeError } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import type { EnvelopeUpdate, ResultBody } from '../../model/index.ts';
import type { ActuatingLink, ReplyLink } from '../ports.ts';
import type { Detach } from './types.ts';

const MAX_LINKS = 64;

/** The links that serve a site: those that act, and those whose parties wait for answers. */
export class SiteLinks {
  readonly #log: Log;
  readonly #links = new BoundedSet<ActuatingLink>({ name: 'hub.links', max: MAX_LINKS, overflow: 'refuse' });
  readonly #replies = new BoundedSet<ReplyLink>({ name: 'hub.replyLinks', max: MAX_LINKS, overflow: 'refuse' });

  constructor(log: Log) {
    this.#log = log;
  }

  add(link: ActuatingLink): Detach {
    this.#links.add(link);
    return () => {
      this.#links.delete(link);
    };
  }

  addReplies(link: ReplyLink): Detach {
    this.#replies.add(link);
    return () => {
      this.#replies.delete(link);
    };
  }

  all(): readonly ActuatingLink[] {
    return [...this.#links];
  }

  /** Gives an answer to the link that waits for it; false when none does. */
  reply(replyTo: string, result: ResultBody): boolean {
    return [...this.#replies].some((link) => link.reply(replyTo, result));
  }

  /** The envelope has moved; a link that fails costs no other anything. */
  push(update: EnvelopeUpdate): void {
    for (const link of this.#links) {
      try {
        link.applyEnvelope(update);
      } catch (e) {
        this.#log.error('site.envelope', { link: link.linkId, ...describeError(e) });
      }
    }
  }
}
