import { BoundedMap } from '../../core/bounded.ts';
import type { Clock } from '../../core/clock.ts';
import { codeOf, type Issue } from '../../core/errors.ts';
import { parseJson } from '../../core/json.ts';
import type { Log } from '../../core/log.ts';
import type { Metrics } from '../../core/metrics.ts';
import { SiteFile } from '../../model/index.ts';
import { HUB_ERRORS } from '../errors.ts';
import type { Signer, StorePort, TracePort } from '../ports.ts';
import { openSite } from './site.ts';
import type { Detach, Site } from './types.ts';

/** Where site files come from. */
export interface SiteFiles {
  read(path: string): Promise<string>;
  /** Calls back when the file may have changed. */
  watch(path: string, changed: () => void): Detach;
}

export interface SiteRegistryOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly store: StorePort;
  readonly files: SiteFiles;
  readonly trace?: TracePort;
  /** With what the site signs records and proofs; without it they stay unsigned (tests). */
  readonly signer?: (file: SiteFile) => Promise<Signer>;
}

const MAX_SITES = 64;
/** Problems of a site file that are named in one sentence. */
const MAX_SHOWN = 20;
const LIMITS = { maxBytes: 16 * 1024 * 1024, maxDepth: 32, duplicateKeys: 'reject' } as const;

/** The open sites of a gateway, by siteId. */
export class SiteRegistry {
  readonly #o: SiteRegistryOptions;
  readonly #sites = new BoundedMap<string, Site>({ name: 'hub.sites', max: MAX_SITES, overflow: 'refuse' });

  constructor(o: SiteRegistryOptions) {
    this.#o = o;
  }

  get(siteId: string): Site | undefined {
    return this.#sites.get(siteId);
  }

  all(): readonly Site[] {
    return [...this.#sites.values()];
  }

  /**
   * Opens the site of a file and follows changes of the file. Rejects with `site.unreadable`, `site.invalid` (naming the
   * field) or `site.open` when a site of that id is open already.
   */
  async open({ file }: { readonly file: string }): Promise<Site> {
    const first = await this.#load(file);
    if (this.#sites.get(first.siteId)) throw HUB_ERRORS.fail('site.open', `The site ${first.siteId} is open already.`);
    const { clock, log, metrics, store, trace } = this.#o;
    const signer = await this.#o.signer?.(first);
    const site = await openSite({
      file: first,
      clock,
      log: log.child({ site: first.siteId }),
      metrics,
      store,
      ...(trace ? { trace } : {}),
      ...(signer ? { signer } : {}),
    });
    const unwatch = this.#o.files.watch(file, () => void this.#reload(site, file));
    const { close } = site;
    const owned: Site = Object.assign(site, {
      close: async () => {
        unwatch();
        if (this.#sites.get(first.siteId) === owned) this.#sites.delete(first.siteId);
        await close.call(site);
      },
    });
    if (!this.#sites.set(first.siteId, owned)) {
      await owned.close();
      throw HUB_ERRORS.fail('site.open', 'No more sites can be opened in this gateway.');
    }
    return owned;
  }

  /** A broken file is reported and changes nothing. */
  async #reload(site: Site, path: string): Promise<void> {
    try {
      await site.reload(await this.#load(path));
    } catch (e) {
      site.reloadFailed(e);
    }
  }

  async #load(path: string): Promise<SiteFile> {
    let text: string;
    try {
      text = await this.#o.files.read(path);
    } catch (e) {
      throw HUB_ERRORS.fail('site.unreadable', `${path} cannot be read: ${codeOf(e) ?? 'unknown reason'}.`);
    }
    return parseSiteFile(path, text);
  }
}

/** The content of a site file. Throws `site.invalid` with every problem. */
export function parseSiteFile(path: string, text: string): SiteFile {
  let value: unknown;
  try {
    value = parseJson(text, LIMITS);
  } catch (e) {
    const reason = e instanceof Error ? e.message : 'no JSON';
    throw HUB_ERRORS.fail('site.invalid', `${path}: ${reason}`);
  }
  const issues = SiteFile.check(value);
  if (issues.length > 0) throw invalid(path, issues);
  return SiteFile.parse(value);
}

/** Names every problem, so that a file is corrected in one go. */
function invalid(path: string, issues: readonly Issue[]): Error {
  const shown = issues.slice(0, MAX_SHOWN).map((i) => `${i.path || '/'} ${i.message}`);
  const more = issues.length > shown.length ? [`and ${issues.length - shown.length} more`] : [];
  const list = [...shown, ...more].map((text) => text.replace(/\.$/, '')).join(' · ');
  const end = list.endsWith('?') ? '' : '.';
  const what = issues.length === 1 ? `${path}: ${list}${end}` : `${path} has ${issues.length} problems: ${list}${end}`;
  return HUB_ERRORS.fail('site.invalid', what, { path: issues[0]?.path ?? '', details: issues });
}
