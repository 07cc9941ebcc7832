import { BoundedMap } from '../../core/bounded.ts';
import { parseTime } from '../../core/clock.ts';
import type { OptChoice } from '../../model/index.ts';
import type { Service } from './service.ts';

const MAX_CHOICES = 50_000;

/** A standing opt-out of one resource by one actor. Times are epoch ms. */
export interface OptOut {
  readonly resourceId: string;
  readonly actor: OptChoice['actor'];
  /** Who said so: a party, `console`, or `station` (priority charging; ends with the session). */
  readonly by: string;
  readonly at: number;
  readonly effectiveAt: number;
  /** Absent: until it is taken back. */
  readonly until?: number;
  /** Only of this service; it ends with it. */
  readonly fsrId?: string;
  /** Said by this FO: it speaks about its own services only. */
  readonly foId?: string;
  readonly reason?: string;
  /** The session in which the button was pressed. */
  readonly sessionId?: string;
}

export const optKey = (o: Pick<OptOut, 'resourceId' | 'actor' | 'fsrId' | 'foId'>): string =>
  `${o.resourceId}/${o.actor}/${o.foId ?? ''}/${o.fsrId ?? ''}`;

/** True when an opt-out is about this service too. */
export const isAbout = (o: OptOut, { foId, fsr }: Service): boolean =>
  (o.fsrId ?? fsr.fsrId) === fsr.fsrId && (o.foId ?? foId) === foId;

/** True when it is about every service that there may be. */
export const isGeneral = (o: OptOut): boolean => o.fsrId === undefined && o.foId === undefined;

/** Who has opted out of what (fo 4.3 no. 13). One "out" is enough, whoever else is in. */
export class OptBook {
  readonly #outs = new BoundedMap<string, OptOut>({ name: 'hub.opt', max: MAX_CHOICES, overflow: 'refuse' });

  /** Who took an opt-out back last, of each resource: who said it need not be told (fo 4.3 no. 13). */
  readonly #ins = new BoundedMap<string, { readonly word: Pick<OptOut, 'actor' | 'by'>; readonly foId?: string }>({
    name: 'hub.optIns',
    max: MAX_CHOICES,
    overflow: 'dropOldest',
  });

  hasRoom(count: number): boolean {
    return this.#outs.size + count <= MAX_CHOICES;
  }

  set(o: OptOut): void {
    this.#outs.set(optKey(o), o);
    this.#ins.delete(o.resourceId);
  }

  /** `foId`: said by this FO, about its own services. */
  tookBack(resourceId: string, word: Pick<OptOut, 'actor' | 'by'>, foId: string | undefined): void {
    this.#ins.set(resourceId, { word, ...(foId === undefined ? {} : { foId }) });
  }

  /** Who took the last opt-out of a resource back, as far as it is about services of this FO. */
  saidIn(resourceId: string, foId: string): Pick<OptOut, 'actor' | 'by'> | undefined {
    const said = this.#ins.get(resourceId);
    return said !== undefined && (said.foId ?? foId) === foId ? said.word : undefined;
  }

  delete(key: string): void {
    this.#outs.delete(key);
  }

  /** Those of a resource that match; without `actor` of all. */
  of(resourceId: string, actor?: OptChoice['actor']): OptOut[] {
    return [...this.#outs.values()].filter((o) => o.resourceId === resourceId && (actor ?? o.actor) === o.actor);
  }

  all(): Iterable<OptOut> {
    return this.#outs.values();
  }

  /** In effect at `now`. */
  inEffect(now: number): OptOut[] {
    return [...this.#outs.values()].filter((o) => o.effectiveAt <= now && (o.until ?? now + 1) > now);
  }

  /** Keys of those that are over: by time, or with the service that they are about. */
  over(now: number, isKnown: (fsrId: string) => boolean): string[] {
    return [...this.#outs.values()]
      .filter((o) => (o.until ?? now + 1) <= now || (o.fsrId !== undefined && !isKnown(o.fsrId)))
      .map(optKey);
  }

  /** The next moment at which somebody comes or goes by time. */
  nextAt(now: number): number | undefined {
    let next: number | undefined;
    for (const { effectiveAt, until } of this.#outs.values())
      for (const t of [effectiveAt, until])
        if (t !== undefined && t > now && (next === undefined || t < next)) next = t;
    return next;
  }
}

/** When a choice takes effect: at its time, its window, and not before the notice that the contract asks for. */
export function effectiveAt(choice: OptChoice, noticeS: number, now: number): number {
  const asked = choice.effectiveAt ?? choice.scope.window?.start;
  return Math.max(asked === undefined ? now : parseTime(asked), now + noticeS * 1000);
}
