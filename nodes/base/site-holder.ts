import { BoundedSet } from '../../core/bounded.ts';
import { describeError } from '../../core/errors.ts';
import type { Site } from '../../hub/site/types.ts';
import { NODE_ERRORS } from './errors.ts';
import type { NodeController, NodeHost } from './host.ts';
import { LeaseHolder } from './lease-holder.ts';

/** Nodes that use one site. */
const MAX_USERS = 1_024;

export interface SiteHolderOptions {
  readonly host: NodeHost;
  readonly hash: string;
  readonly open: () => Promise<Site>;
}

/** The controller of a `site` config node: holds the site over deploys and tells its users when it is there. */
export class SiteHolder implements NodeController {
  readonly kind = 'site';
  /** Of everything that has an effect on the site; links that belong to it are bound to it. */
  readonly hash: string;
  readonly #host: NodeHost;
  readonly #lease: LeaseHolder<Site>;
  readonly #ready: BoundedSet<(site: Site) => void>;
  readonly #failed: BoundedSet<(text: string) => void>;
  #undo: (() => void) | undefined;
  #problem: string | undefined;
  /** What disturbs the site while it is open. */
  #trouble: string | undefined;

  constructor({ host, hash, open }: SiteHolderOptions) {
    this.#host = host;
    this.hash = hash;
    this.#ready = new BoundedSet({ name: 'nodes.siteUsers', max: MAX_USERS, overflow: 'refuse' });
    this.#failed = new BoundedSet({ name: 'nodes.siteUsers', max: MAX_USERS, overflow: 'refuse' });
    this.#lease = new LeaseHolder<Site>({
      runtime: host.runtime,
      leaseId: `${host.type}:${host.id}`,
      hash,
      open,
      onReady: (site) => this.#up(site),
      onFailed: (e) => this.#down(e),
    });
    this.#health('down', 'opening');
    this.#lease.start();
  }

  get site(): Site | undefined {
    return this.#lease.resource;
  }

  /** Why the site is not open; undefined while nothing is wrong. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Throws `nodes.notReady` while the site is not open. */
  require(): Site {
    const { site } = this;
    if (!site)
      throw NODE_ERRORS.fail(
        'nodes.notReady',
        `The site ${this.#host.name} is not open: ${this.#problem ?? 'opening'}`,
      );
    return site;
  }

  /** Calls back when the site is open, at once if it is; `failed` hears why it is not. */
  onReady(listener: (site: Site) => void, failed?: (text: string) => void): () => void {
    const { site } = this;
    if (site) listener(site);
    else {
      this.#ready.add(listener);
      if (failed) this.#failed.add(failed);
      if (this.#problem !== undefined) failed?.(this.#problem);
    }
    return () => {
      this.#ready.delete(listener);
      if (failed) this.#failed.delete(failed);
    };
  }

  async close(removed: boolean): Promise<void> {
    this.#undo?.();
    this.#ready.clear();
    this.#failed.clear();
    await this.#lease.close(removed);
    if (removed) this.#host.runtime.health(this.#component, { state: 'removed', text: 'removed' });
  }

  get #component(): string {
    return `site ${this.#host.name}`;
  }

  #up(site: Site): void {
    this.#problem = undefined;
    this.#health('ok', `${site.siteId} · open`);
    const undo = [
      site.on('reloaded', ({ ok, text }) => {
        const works = ok && this.#trouble === undefined;
        this.#health(works ? 'ok' : 'degraded', ok ? (this.#trouble ?? text) : text);
      }),
      site.on('condition', ({ ok, text }) => {
        this.#trouble = ok ? undefined : text;
        this.#health(ok ? 'ok' : 'degraded', text);
      }),
    ];
    this.#undo = () => {
      for (const step of undo) step();
    };
    const waiting = [...this.#ready];
    this.#ready.clear();
    for (const listener of waiting) listener(site);
  }

  #down(error: unknown): void {
    const text = describeError(error).what;
    if (this.#problem !== text) this.#host.fail(error);
    this.#problem = text;
    this.#health('down', text);
    for (const listener of [...this.#failed]) listener(text);
  }

  #health(state: 'ok' | 'degraded' | 'down', text: string): void {
    this.#host.runtime.health(this.#component, { state, text });
  }
}

/** The controller of the site that a node names. Throws `nodes.config`. */
export function siteOf(host: NodeHost, nodeId: unknown): SiteHolder {
  const holder = host.controllerOf(nodeId);
  if (isSiteHolder(holder)) return holder;
  throw NODE_ERRORS.fail('nodes.config', 'Choose a site in this node, and make sure that it is enabled.');
}

/** Whether a controller is that of a site. */
export function isSiteHolder(x: unknown): x is SiteHolder {
  return typeof x === 'object' && x !== null && Reflect.get(x, 'kind') === 'site';
}
