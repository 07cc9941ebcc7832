import { BoundedMap, BoundedSet } from '../../core/bounded.ts';
import type { Clock } from '../../core/clock.ts';
import { uuidv7 } from '../../core/ids.ts';
import { canonical } from '../../core/json.ts';
import type { Log } from '../../core/log.ts';
import { HUB_MESSAGES, type ResultBody, type SiteFile } from '../../model/index.ts';
import type { FleetTwin } from '../fleet/twin.ts';
import type { Ledger } from '../site/ledger.ts';
import type { PlanSources } from '../site/plan.ts';
import { configurationsOf } from './config.ts';
import { type Skills, skillsOf, UNKNOWN_SKILLS } from './functions.ts';
import { type Item, NOTHING_PUBLISHED, type Published, published } from './ledger.ts';
import { configurationOf, publishMessages } from './messages.ts';
import { answerQuery } from './query.ts';
import { Reports } from './reports.ts';
import { contractFor, type Sight, sightOf } from './scope.ts';
import { stateOf } from './states.ts';

const FOLDER = 'published/';
const SKILLS_KEY = 'skills';
const MAX_PARTIES = 1_024;
const MAX_RESOURCES = 20_000;
/** Changes are told this often at most. */
const DELTA_MS = 10_000;

export interface PublicationOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly ledger: Ledger;
  readonly file: () => SiteFile;
  readonly twin: FleetTwin;
  readonly plan: PlanSources;
  /** Tells a party something; the id comes back through {@link PublicationBook.delivered}. */
  readonly tell: (topic: string, payload: unknown, foId: string, id: string) => void;
}

/** A party whose link is up. */
interface Present {
  /** The revision that it was told over this link, and when something was told last (epoch ms). */
  told: number;
  toldAt: number;
  /** The link has just come up: what is new replaces all that the party knew. */
  opening: boolean;
}

/**
 * What parties get to know of a site without asking: configuration of what their contracts cover, and what that could do
 * (fo 4.3 no. 6–8). Each party has revisions of its own, which survive a restart.
 */
export class PublicationBook {
  readonly #o: PublicationOptions;
  readonly #reports: Reports;
  readonly #records = new BoundedMap<string, Published>({
    name: 'hub.published',
    max: MAX_PARTIES,
    overflow: 'refuse',
  });
  readonly #present = new BoundedMap<string, Present>({ name: 'hub.partiesUp', max: MAX_PARTIES, overflow: 'refuse' });
  /** What resources were last seen to do; a restart must not look like a change. */
  readonly #skills = new BoundedMap<string, Skills>({ name: 'hub.skills', max: MAX_RESOURCES, overflow: 'refuse' });
  /** Last messages of publications that no link has taken over yet: which revision the party has then. */
  readonly #owing = new BoundedMap<string, { foId: string; revision: number }>({
    name: 'hub.publicationsOwed',
    max: MAX_PARTIES,
    overflow: 'dropOldest',
  });
  readonly #busy = new BoundedSet<string>({ name: 'hub.publishing', max: MAX_PARTIES, overflow: 'refuse' });
  #lookedAt: number;

  constructor(o: PublicationOptions) {
    this.#o = o;
    this.#lookedAt = o.clock.now();
    this.#reports = new Reports({ ...o, sight: (foId) => this.#sight(foId) });
  }

  /** Reads back what parties know. */
  async restore(): Promise<void> {
    const { ledger } = this.#o;
    for await (const { key, body } of ledger.all('sequence', FOLDER))
      this.#records.set(key.slice(FOLDER.length), body as Published);
    const row = await ledger.get('sequence', SKILLS_KEY);
    for (const [id, skills] of (row?.body ?? []) as [string, Skills][]) this.#skills.set(id, skills);
  }

  /** The link of a party is up: it gets everything when it does not know the present revision (fo 7 common opening). */
  up(foId: string): void {
    this.#present.set(foId, { told: this.#records.get(foId)?.got ?? 0, toldAt: this.#o.clock.now(), opening: true });
    this.#look();
    this.#publish(foId);
    this.#reports.begin(foId);
  }

  down(foId: string): void {
    this.#present.delete(foId);
    this.#reports.end(foId);
  }

  /** What no link has taken is told again, as on a new link. */
  tellAgain(): void {
    for (const [foId, present] of this.#present) {
      const got = this.#records.get(foId)?.got ?? 0;
      if (got >= present.told) continue;
      present.told = got;
      present.opening = true;
      this.#publish(foId);
    }
  }

  /** A message has reached the outbox of the link. False when it is none of ours. */
  delivered(noticeId: string): boolean {
    const owed = this.#owing.get(noticeId);
    if (!owed) return false;
    this.#owing.delete(noticeId);
    const record = this.#records.get(owed.foId);
    if (record && owed.revision > record.got) {
      const next = { ...record, got: owed.revision };
      this.#records.set(owed.foId, next);
      this.#o.ledger.later(this.#op(owed.foId, next));
    }
    return true;
  }

  /** Every second: what has changed is told, not more often than every 10 s. */
  tick(): void {
    const now = this.#o.clock.now();
    this.#reports.tick();
    if (Math.abs(now - this.#lookedAt) < DELTA_MS) return;
    this.#lookedAt = now;
    this.#look();
    for (const [foId, { toldAt }] of this.#present) {
      if (Math.abs(now - toldAt) >= DELTA_MS) this.#publish(foId);
      this.#reports.discover(foId);
    }
  }

  /** `QueryResources` as it came. Throws `schema.invalid`. */
  query(payload: unknown, foId: string): ResultBody {
    const query = HUB_MESSAGES.QueryResources.accept(payload);
    const { file, twin, plan } = this.#o;
    this.#look();
    const sight = this.#sight(foId);
    const items = this.#items(sight);
    const record = published(this.#records.get(foId) ?? NOTHING_PUBLISHED, items);
    // Whoever asks shall not be told a number that is not stored.
    if (record !== this.#records.get(foId)) this.#publish(foId);
    return answerQuery(
      {
        file: file(),
        sight,
        revision: record.revision,
        evcs: items.flatMap((i) => configurationOf(i, record) ?? []),
        skills: (id) => this.#skillsOf(id),
        state: (id) => {
          const entry = twin.get(id);
          return entry && stateOf(plan, entry, contractFor(sight, id, file()));
        },
      },
      query,
    );
  }

  close(): void {
    this.#reports.close();
  }

  /** Stores what is new, then tells it. One after the other for each party. */
  #publish(foId: string): void {
    const { ledger, log } = this.#o;
    if (this.#busy.has(foId)) return;
    this.#busy.add(foId);
    ledger
      .run(`publication/${foId}`, async () => {
        const items = this.#items(this.#sight(foId));
        const before = this.#records.get(foId) ?? NOTHING_PUBLISHED;
        const now = published(before, items);
        if (now !== before) {
          await ledger.write([this.#op(foId, now)]);
          // Meanwhile a link may have taken over what was told before.
          this.#records.set(foId, { ...now, got: this.#records.get(foId)?.got ?? now.got });
        }
        this.#tell(foId, items, now);
      })
      .catch(() => log.warn('publication.failed', { fo: foId }))
      .finally(() => this.#busy.delete(foId));
  }

  #tell(foId: string, items: readonly Item[], record: Published): void {
    const present = this.#present.get(foId);
    if (!present) return;
    const isFull = present.opening || present.told === 0;
    present.opening = false;
    if (record.revision <= present.told) return;
    const messages = publishMessages(items, record, present.told, isFull);
    present.told = record.revision;
    present.toldAt = this.#o.clock.now();
    for (const [i, payload] of messages.entries()) {
      const id = uuidv7(this.#o.clock);
      if (i === messages.length - 1) this.#owing.set(id, { foId, revision: record.revision });
      this.#o.tell('hub/PublishResources', payload, foId, id);
    }
  }

  #op(foId: string, body: Published) {
    return { op: 'put', kind: 'sequence', key: FOLDER + foId, at: this.#o.clock.now(), body } as const;
  }

  #sight(foId: string): Sight {
    const { clock, file, twin } = this.#o;
    return sightOf(
      foId,
      file(),
      Array.from(twin.all(), (e) => e.resource.resourceId),
      clock.now(),
    );
  }

  #items(sight: Sight): Item[] {
    const { file, twin } = this.#o;
    const resources = Array.from(twin.all(), (e) => e.resource);
    const sources = { file: file(), resources, skills: (id: string) => this.#skillsOf(id) };
    return [
      ...configurationsOf(sources, sight).map((evcs) => ({ id: evcs.evcsId, evcs })),
      ...sight.groups.map((group) => ({ id: group.groupId, group })),
    ];
  }

  #skillsOf(resourceId: string): Skills {
    return this.#skills.get(resourceId) ?? UNKNOWN_SKILLS;
  }

  /** Takes over what stations were seen to do since the last look. */
  #look(): void {
    const { clock, twin, ledger } = this.#o;
    let changed = false;
    for (const id of [...this.#skills.keys()]) if (!twin.get(id)) this.#skills.delete(id);
    for (const { resource, protocol, capabilities } of twin.all()) {
      const now = skillsOf(protocol, capabilities);
      if (!now || canonical(now) === canonical(this.#skillsOf(resource.resourceId))) continue;
      this.#skills.set(resource.resourceId, now);
      changed = true;
    }
    if (changed)
      ledger.later({ op: 'put', kind: 'sequence', key: SKILLS_KEY, at: clock.now(), body: [...this.#skills] });
  }
}
