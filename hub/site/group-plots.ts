import { BoundedMap, BoundedQueue } from '../../core/bounded.ts';
import { round3 } from '../../core/quantities.ts';
import type { SiteFile } from '../../model/index.ts';
import type { FleetTwin } from '../fleet/twin.ts';
import { ceilingAt } from '../services/congestion.ts';
import type { ServiceEntry } from '../services/service.ts';
import { groupSample, requestedOf } from './group.ts';
import type { PlotPoint } from './types.ts';

/** Groups that have a plot: the first ones of the site file. */
export const MAX_PLOTTED_GROUPS = 32;
const POINTS = 900;
/** Members of all plotted groups; groups beyond them have no plot. */
const MAX_MEMBERS = 20_000;

export interface GroupPlotSources {
  readonly file: () => SiteFile;
  readonly twin: FleetTwin;
  readonly services: () => readonly ServiceEntry[];
  readonly grantedOf: (resourceId: string) => number | undefined;
  /** The limits at the connection now, W. */
  readonly atPoc: () => { readonly importLimitW: number; readonly exportLimitW: number };
}

/** Requested, granted, measured power and limits of each group, second by second. */
export class GroupPlots {
  readonly #s: GroupPlotSources;
  readonly #plots = new BoundedMap<string, BoundedQueue<PlotPoint>>({
    name: 'hub.groupPlots',
    max: MAX_PLOTTED_GROUPS,
    overflow: 'dropOldest',
  });

  constructor(sources: GroupPlotSources) {
    this.#s = sources;
  }

  groups(): readonly string[] {
    return this.#plotted().map((g) => g.groupId);
  }

  points(groupId: string): readonly PlotPoint[] {
    return [...(this.#plots.get(groupId) ?? [])];
  }

  /** The points of now, by group. */
  sample(now: number): Readonly<Record<string, PlotPoint>> {
    const points: Record<string, PlotPoint> = {};
    for (const { groupId, members } of this.#plotted()) {
      const point = this.#point(now, groupId, members);
      points[groupId] = point;
      const plot =
        this.#plots.get(groupId) ??
        new BoundedQueue<PlotPoint>({ name: 'hub.groupPlot', max: POINTS, overflow: 'dropOldest' });
      plot.push(point);
      this.#plots.set(groupId, plot);
    }
    return points;
  }

  #plotted(): NonNullable<SiteFile['groups']> {
    let members = 0;
    return (this.#s.file().groups ?? []).slice(0, MAX_PLOTTED_GROUPS).filter((g) => {
      members += g.members.length;
      return members <= MAX_MEMBERS;
    });
  }

  #point(now: number, groupId: string, members: readonly string[]): PlotPoint {
    const { twin, grantedOf, atPoc, file, services } = this.#s;
    const own = services().filter(({ service }) => service.fsr.target.groupId === groupId);
    const requestedW = requestedOf(own, now);
    let [grantedW, ratedW, ratedExportW] = [0, 0, 0];
    for (const id of members) {
      const resource = twin.get(id)?.resource;
      grantedW += grantedOf(id) ?? 0;
      ratedW += resource?.limits.importLimitW ?? 0;
      ratedExportW += resource?.limits.exportLimitW ?? 0;
    }
    const { importLimitW, exportLimitW } = atPoc();
    const ceilings = own.flatMap(({ service }) => ceilingAt(service, now, file()) ?? []);
    const least = (start: number, of: (c: (typeof ceilings)[number]) => number | undefined): number =>
      ceilings.reduce((low, c) => Math.min(low, of(c) ?? low), start);
    return {
      at: now,
      ...(requestedW === undefined ? {} : { requestedW }),
      grantedW: round3(grantedW),
      measuredW: groupSample(twin, now, members).powerW ?? 0,
      importLimitW: least(Math.min(importLimitW, ratedW), (c) => c.importLimitW),
      exportLimitW: least(Math.min(exportLimitW, ratedExportW), (c) => c.exportLimitW),
    };
  }
}
