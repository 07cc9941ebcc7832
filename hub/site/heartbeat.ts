import { BoundedQueue } from '../../core/bounded.ts';
import type { Clock } from '../../core/clock.ts';
import type { SiteFile } from '../../model/index.ts';
import { groupSample, requestedOf } from './group.ts';
import type { GroupPlots } from './group-plots.ts';
import type { Rooms } from './rooms.ts';
import type { PlotPoint, SiteEvents } from './types.ts';
import type { WarningBook } from './warnings.ts';

const PLOT_POINTS = 900;

export interface HeartbeatOptions {
  readonly clock: Clock;
  readonly rooms: Rooms;
  readonly file: () => SiteFile;
  readonly groups: GroupPlots;
  readonly warnings: WarningBook;
  readonly emit: <E extends keyof SiteEvents>(event: E, payload: SiteEvents[E]) => void;
}

/** What a site does every second: looks after all rooms, says why an allocation should look, and plots a point. */
export class Heartbeat {
  readonly #o: HeartbeatOptions;
  readonly #plot = new BoundedQueue<PlotPoint>({ name: 'hub.plot', max: PLOT_POINTS, overflow: 'dropOldest' });
  #problem: string | undefined;

  constructor(o: HeartbeatOptions) {
    this.#o = o;
  }

  plot(): readonly PlotPoint[] {
    return [...this.#plot];
  }

  tick(): void {
    const { clock, emit, groups, rooms } = this.#o;
    rooms.limitDesk.tick();
    if (rooms.meters.tick()) {
      rooms.envelope.refresh();
      rooms.changes.cause('meter');
    }
    rooms.congestion.look();
    rooms.optDesk.tick();
    rooms.supervisor.tick();
    if (rooms.useDesk.tick()) rooms.changes.cause('contract');
    rooms.desk.tidy();
    rooms.evidence.tick();
    rooms.publication.tick();
    this.#tellCondition();
    const now = clock.now();
    const why = this.#dueReason(now);
    if (why !== undefined) rooms.changes.cause(why);
    const point = this.#point(now);
    this.#plot.push(point);
    emit('plot', point);
    emit('groupPlots', groups.sample(now));
  }

  /** Why an allocation could bring something now, without that anything was heard. */
  #dueReason(now: number): string | undefined {
    const { actuation, book, envelope, orders } = this.#o.rooms;
    if (orders.tick(now)) {
      envelope.touch();
      return 'expiry';
    }
    if (actuation.again) return 'continue';
    if (actuation.isDue()) return 'renewal';
    return book.leading(now) ? 'second' : undefined;
  }

  #tellCondition(): void {
    const { emit, file, rooms, warnings } = this.#o;
    const problem = rooms.meters.problem() ?? rooms.clocks.problem();
    if (problem === this.#problem) return;
    this.#problem = problem;
    warnings.take({ code: 'site.condition', text: problem });
    emit('condition', { ok: problem === undefined, text: problem ?? `${file().siteId} · open` });
  }

  #point(now: number): PlotPoint {
    const { file, rooms } = this.#o;
    const { importLimitW, exportLimitW } = rooms.limits.effective('poc', file().poc);
    const requestedW = requestedOf(rooms.book.all(), now);
    return {
      at: now,
      ...(requestedW === undefined ? {} : { requestedW }),
      grantedW: rooms.actuation.grantedW(),
      measuredW: groupSample(rooms.twin, now).powerW ?? 0,
      importLimitW,
      exportLimitW,
    };
  }
}
