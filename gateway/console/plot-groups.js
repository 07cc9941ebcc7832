/**
 * The power of groups over time, asked for while one is shown: the event stream tells only of the whole site.
 * @import { PlotPoint } from '../../hub/site/types.ts'
 * @import { ApiResult } from './api.js'
 */

const EVERY_MS = 1000;
/** Which groups there are changes with the site file only. */
const GROUPS_EVERY_MS = 30_000;

/**
 * @param {{ ask: (url: URL) => Promise<ApiResult>, url: URL, changed: () => void }} o url: of the plot
 */
export function groupPlots({ ask, url, changed }) {
  /** @type {{ about: string, groups: readonly string[], points: readonly PlotPoint[] }} */
  let known = { about: '', groups: [], points: [] };
  let askedAt = Number.NEGATIVE_INFINITY;
  /** @param {string} about @param {string} site @param {string} group */
  const load = async (about, site, group) => {
    const of = new URL(url);
    of.searchParams.set('site', site);
    if (group !== '') of.searchParams.set('group', group);
    const result = await ask(of);
    if (about !== known.about || !result.ok) return;
    const { groups, points } = /** @type {Partial<Record<string, unknown>>} */ (result.body ?? {});
    known = {
      about,
      groups: Array.isArray(groups) ? groups : [],
      points: group !== '' && Array.isArray(points) ? points : [],
    };
    changed();
  };
  return {
    /** @param {string | undefined} site @param {string} group '' for the site @param {number} mono ms */
    poll(site, group, mono) {
      if (site === undefined) return;
      const about = `${site} ${group}`;
      if (about === known.about && mono - askedAt < (group === '' ? GROUPS_EVERY_MS : EVERY_MS)) return;
      if (about !== known.about)
        known = { about, groups: known.about.startsWith(`${site} `) ? known.groups : [], points: [] };
      askedAt = mono;
      void load(about, site, group);
    },
    groups: () => known.groups,
    points: () => known.points,
  };
}
