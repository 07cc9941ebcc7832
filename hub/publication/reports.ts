import { BoundedMap } from '../../core/bounded.ts';
import { type Clock, iso, type TimerHandle } from '../../core/clock.ts';
import { uuidv7 } from '../../core/ids.ts';
import type { AvailabilityReport, Contract, FlexGroup, SiteFile } from '../../model/index.ts';
import { inScope } from '../services/checks.ts';
import type { PlanSources } from '../site/plan.ts';
import type { Sight } from './scope.ts';
import { type Point, pointAt, pointNow, type Series, seriesOf } from './series.ts';

const MAX_REPORTS = 10_000;
/** A group is reported this often at most, and this seldom at least. */
const LEAST_MS = 60_000;
const MOST_MS = 900_000;
/** What has changed by more is worth a report: W, and a part of what was reported (fo 4.3 no. 8). */
const MATERIAL_W = 500;
const MATERIAL_PART = 0.05;
/** Groups that are looked at in one second, and EVSEs times steps that are computed in one go. */
const LOOKS = 4;
const SLICE = 2_000;

export interface ReportsOptions {
  readonly clock: Clock;
  readonly file: () => SiteFile;
  readonly plan: PlanSources;
  readonly sight: (foId: string) => Sight;
  readonly tell: (topic: string, payload: unknown, foId: string, id: string) => void;
}

interface Report {
  readonly foId: string;
  readonly groupId: string;
  /** The link of the party is up. */
  up: boolean;
  /** Epoch ms; absent: never. */
  issuedAt?: number;
  series?: Series;
  /** The next slice of a series that is being made. */
  making?: TimerHandle;
}

/** Availability of the groups of the parties whose links are up (fo 4.3 no. 8). */
export class Reports {
  readonly #o: ReportsOptions;
  readonly #reports = new BoundedMap<string, Report>({ name: 'hub.reports', max: MAX_REPORTS, overflow: 'refuse' });
  #next = 0;

  constructor(o: ReportsOptions) {
    this.#o = o;
  }

  /** A party is up: each group is reported, unless it just was. */
  begin(foId: string): void {
    for (const group of this.#o.sight(foId).groups) {
      const report = this.#of(foId, group);
      if (!report) continue;
      report.up = true;
      if (this.#isOld(report, LEAST_MS)) this.#make(report);
    }
  }

  /** Groups that a party with a running link may see since short are reported too. */
  discover(foId: string): void {
    for (const group of this.#o.sight(foId).groups) {
      const report = this.#of(foId, group);
      if (report) report.up = true;
    }
  }

  /** Nothing more for this party; when it was last told stays known for a while. */
  end(foId: string): void {
    for (const [key, report] of [...this.#reports]) {
      if (report.foId !== foId) continue;
      report.making?.cancel();
      delete report.making;
      report.up = false;
      if (this.#isOld(report, LEAST_MS)) this.#reports.delete(key);
    }
  }

  /** Looks at some groups: a material change, or a report that is old, is a reason for a new one. */
  tick(): void {
    const all = [...this.#reports.values()];
    for (let i = 0; i < Math.min(LOOKS, all.length); i++) {
      const report = all[this.#next++ % all.length];
      if (report?.up && !report.making && this.#isOld(report, LEAST_MS)) this.#look(report);
    }
    this.#next %= Math.max(1, all.length);
  }

  close(): void {
    for (const r of this.#reports.values()) r.making?.cancel();
    this.#reports.clear();
  }

  #of(foId: string, { groupId }: FlexGroup): Report | undefined {
    const key = `${foId}/${groupId}`;
    const known = this.#reports.get(key);
    if (known) return known;
    const made: Report = { foId, groupId, up: false };
    return this.#reports.set(key, made) ? made : undefined;
  }

  #isOld({ issuedAt }: Report, ms: number): boolean {
    return issuedAt === undefined || Math.abs(this.#o.clock.now() - issuedAt) >= ms;
  }

  #look(report: Report): void {
    const offer = this.#offerOf(report);
    if (!offer) {
      this.#reports.delete(`${report.foId}/${report.groupId}`);
      return;
    }
    const said = report.series && pointAt(report.series, this.#o.clock.now());
    if (this.#isOld(report, MOST_MS) || !said || isMaterial(said, pointNow(this.#o.plan, offer))) this.#make(report);
  }

  #make(report: Report): void {
    const offer = this.#offerOf(report);
    if (!offer) return;
    const { clock, plan } = this.#o;
    const steps = seriesOf(plan, offer);
    report.issuedAt = clock.now();
    const slice = Math.max(1, Math.floor(SLICE / Math.max(1, plan.twin.size)));
    const go = (): void => {
      for (let i = 0; i < slice; i++) {
        const step = steps.next();
        if (!step.done) continue;
        this.#issue(report, step.value);
        return;
      }
      report.making = clock.after(0, go);
    };
    report.making?.cancel();
    report.making = clock.after(0, go);
  }

  #issue(report: Report, series: Series): void {
    delete report.making;
    report.series = series;
    const { clock, tell } = this.#o;
    const body: AvailabilityReport = { groupId: report.groupId, issuedAt: iso(clock.now()), series };
    tell('hub/AvailabilityReport', body, report.foId, uuidv7(clock));
  }

  #offerOf({ foId, groupId }: Report): { members: readonly string[]; contract: Contract | undefined } | undefined {
    const sight = this.#o.sight(foId);
    const group = sight.groups.find((g) => g.groupId === groupId);
    if (!group) return undefined;
    const contract = sight.contracts.find((c) => inScope({ groupId }, c, this.#o.file()));
    return { members: group.members, contract };
  }
}

const isMaterial = (said: Point, now: Point): boolean =>
  (['importMaxW', 'exportMaxW', 'neededW'] as const).some(
    (f) => Math.abs(now[f] - said[f]) > Math.max(MATERIAL_W, MATERIAL_PART * Math.abs(said[f])),
  );
