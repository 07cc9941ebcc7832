import { describeError } from '../../core/errors.ts';
import type { Site } from '../../hub/site/types.ts';
import type { NodeHost } from './host.ts';
import { undoAll } from './link-nodes.ts';
import type { SiteHolder } from './site-holder.ts';

/** A node's use of a site: shows why it waits, and calls `use` once the site is there. */
export function useSite(host: NodeHost, holder: SiteHolder, use: (site: Site) => readonly (() => void)[]): () => void {
  const undo: (() => void)[] = [];
  host.status('waiting', 'waiting for the site');
  undo.push(
    holder.onReady(
      (site) => {
        host.status('good', `ready · ${site.siteId}`);
        try {
          undo.push(...use(site));
        } catch (e) {
          host.status('bad', describeError(e).what);
          host.fail(e);
        }
      },
      (text) => host.status('bad', text),
    ),
  );
  return () => undoAll(undo);
}
