import { BoundedSet } from '../../core/bounded.ts';
import { describeError } from '../../core/errors.ts';
import type { Link, LinkEvents, LinkStatus } from '../../hub/ports.ts';
import type { Site } from '../../hub/site/types.ts';
import type { WireMessage } from '../../model/index.ts';
import { NODE_ERRORS } from './errors.ts';
import type { NodeController, NodeHost } from './host.ts';
import { LeaseHolder } from './lease-holder.ts';
import type { SiteHolder } from './site-holder.ts';
import type { Mood } from './status.ts';

/** Nodes that listen to one link and event; a flow has a handful. */
const MAX_LISTENERS = 256;

type Fan<E extends keyof LinkEvents> = {
  readonly listeners: BoundedSet<(payload: LinkEvents[E]) => void>;
  off: (() => void) | undefined;
};

export interface LinkHolderOptions {
  readonly host: NodeHost;
  readonly site: SiteHolder;
  readonly hash: string;
  /** Where the link is asked to listen. */
  readonly wantedPort?: number;
  readonly open: (site: Site) => Promise<Link>;
}

/**
 * The controller of a link's config node. Nodes that use the link listen here. What waited in the link during a deploy is
 * handed out only after all flows are started, so that every listener hears it and not only the first one.
 */
export class LinkHolder implements NodeController {
  readonly kind = 'link';
  /** The site that the link serves. */
  readonly site: SiteHolder;
  readonly #host: NodeHost;
  readonly #lease: LeaseHolder<Link>;
  readonly #fans: { [E in keyof LinkEvents]: Fan<E> };
  readonly #undo: (() => void)[] = [];
  readonly #wanted: { readonly wantedPort?: number };
  #status: LinkStatus = { state: 'opening', text: 'waiting for the site', peers: 0 };

  constructor({ host, site, hash, open, wantedPort }: LinkHolderOptions) {
    this.#host = host;
    this.site = site;
    this.#wanted = wantedPort === undefined ? {} : { wantedPort };
    this.#fans = { status: fan('status'), message: fan('message'), outcome: fan('outcome') };
    this.#lease = new LeaseHolder<Link>({
      runtime: host.runtime,
      leaseId: `${host.type}:${host.id}`,
      hash,
      open: () => open(site.require()),
      onReady: (link) => this.#up(link),
      onFailed: (e) => this.#report({ state: 'down', text: describeError(e).what, peers: 0 }, e),
    });
    this.#undo.push(host.onFlowsStarted(() => this.#connect()));
    this.#undo.push(site.onReady(() => this.#lease.start()));
    this.#health(this.#status);
  }

  status(): LinkStatus {
    return this.#status;
  }

  /** Where the link is; undefined while it is not running. */
  get url(): string | undefined {
    return this.#lease.resource?.url;
  }

  on<E extends keyof LinkEvents>(event: E, listener: (payload: LinkEvents[E]) => void): () => void {
    const { listeners } = this.#fans[event];
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0) this.#disconnect(event);
    };
  }

  /** Rejects with `nodes.notReady` while the link is not running, else as the link does. */
  async send(message: WireMessage): Promise<void> {
    const link = this.#lease.resource;
    if (!link)
      throw NODE_ERRORS.fail('nodes.notReady', `The link ${this.#host.name} is not running: ${this.#status.text}.`);
    await link.send(message);
  }

  async close(removed: boolean): Promise<void> {
    for (const undo of this.#undo.splice(0)) undo();
    for (const event of ['status', 'message', 'outcome'] as const) this.#disconnect(event);
    await this.#lease.close(removed);
    if (!removed) return;
    this.#host.withdrawLink();
    this.#host.runtime.health(this.#component, { state: 'removed', text: 'removed' });
  }

  get #component(): string {
    return `link ${this.#host.name}`;
  }

  #up(link: Link): void {
    this.#undo.push(link.on('status', (status) => this.#report(status)));
    this.#report(link.status());
    this.#connect();
    this.#host.announceLink({ url: link.url, ...this.#wanted });
  }

  /** Listens to the link for everything that somebody listens to here. */
  #connect(): void {
    const link = this.#lease.resource;
    if (!link) return;
    this.#connectOne(link, 'message');
    this.#connectOne(link, 'outcome');
  }

  #connectOne<E extends 'message' | 'outcome'>(link: Link, event: E): void {
    const { listeners } = this.#fans[event];
    if (this.#fans[event].off !== undefined || listeners.size === 0) return;
    this.#fans[event].off = link.on(event, (payload) => this.#spread(event, payload));
  }

  #disconnect(event: keyof LinkEvents): void {
    this.#fans[event].off?.();
    this.#fans[event].off = undefined;
  }

  #spread<E extends keyof LinkEvents>(event: E, payload: LinkEvents[E]): void {
    for (const listener of [...this.#fans[event].listeners]) {
      try {
        listener(payload);
      } catch (e) {
        this.#host.fail(e);
      }
    }
  }

  /** Attempts are repeated; the same error is told once. */
  #report(status: LinkStatus, error?: unknown): void {
    const news = this.#status.text !== status.text;
    this.#status = status;
    this.#health(status);
    if (error !== undefined && news) this.#host.fail(error);
    this.#spread('status', status);
  }

  #health(status: LinkStatus): void {
    const state = status.state === 'up' ? 'ok' : status.state === 'degraded' ? 'degraded' : 'down';
    this.#host.runtime.health(this.#component, { state, text: status.text, admits: status.state !== 'down' });
  }
}

/** The controller of the link that a node names. Throws `nodes.config`. */
export function linkOf(host: NodeHost, nodeId: unknown, what: string): LinkHolder {
  const holder = host.controllerOf(nodeId);
  if (isLinkHolder(holder)) return holder;
  throw NODE_ERRORS.fail('nodes.config', `Choose ${what} in this node, and make sure that it is enabled.`);
}

/** Whether a controller is that of a link. */
export function isLinkHolder(x: unknown): x is LinkHolder {
  return typeof x === 'object' && x !== null && Reflect.get(x, 'kind') === 'link';
}

/** How the state of a link looks at the nodes that use it. */
export const LINK_MOODS: Readonly<Record<LinkStatus['state'], Mood>> = {
  opening: 'waiting',
  up: 'good',
  degraded: 'attention',
  down: 'bad',
};

function fan<E extends keyof LinkEvents>(event: E): Fan<E> {
  return {
    listeners: new BoundedSet({ name: `nodes.${event}`, max: MAX_LISTENERS, overflow: 'refuse' }),
    off: undefined,
  };
}
