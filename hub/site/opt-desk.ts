import { type Clock, iso, parseTime, type TimerHandle } from '../../core/clock.ts';
import type { V2gateError } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import { HUB_MESSAGES, type OptChoice, type ResultBody, SERVICE_ERRORS, type SiteFile } from '../../model/index.ts';
import type { EventNote } from '../evidence/types.ts';
import { type FleetTwin, hasEv } from '../fleet/twin.ts';
import type { StoreOp } from '../ports.ts';
import type { ServiceBook } from '../services/book.ts';
import { contractOf, inScope, stands } from '../services/checks.ts';
import { effectiveAt, isAbout, isGeneral, type OptBook, type OptOut, optKey } from '../services/opt.ts';
import { endOf, holdsCapacity } from '../services/order.ts';
import { refused } from '../services/results.ts';
import type { Service } from '../services/service.ts';
import type { ServiceDesk } from './desk.ts';
import type { Ledger } from './ledger.ts';

const { fail } = SERVICE_ERRORS;
const TICK_MS = 1_000;
const STATION = 'station';

export interface OptDeskOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly opts: OptBook;
  readonly twin: FleetTwin;
  readonly book: ServiceBook;
  readonly desk: ServiceDesk;
  readonly ledger: Ledger;
  readonly file: () => SiteFile;
  readonly note: (event: EventNote) => void;
  /** Somebody came or went. */
  readonly changed: () => void;
}

/**
 * Takes choices of drivers, owners and operators (fo 4.3 no. 13, fo 6.4): from an FO, the console, or a station whose
 * button for priority charging was pressed. A choice is stored before it counts, and is back after a restart.
 */
export class OptDesk {
  readonly #o: OptDeskOptions;
  #timer: TimerHandle | undefined;
  /** Somebody was out when it was looked last. */
  #someOut = false;

  constructor(o: OptDeskOptions) {
    this.#o = o;
  }

  /** `by`: `console`, `station`, or an FO (then `foId` too, which limits the choice to its own services). */
  async choose(payload: unknown, by: string, foId?: string): Promise<ResultBody> {
    const choice = HUB_MESSAGES.OptChoice.accept(payload);
    const affected = this.#affected(choice, foId);
    const error = this.#error(choice, affected, foId);
    if (error) {
      this.#refuse(choice, by, error.code, foId);
      return refused(error);
    }
    const now = this.#o.clock.now();
    const noticeS = Math.max(0, ...affected.map((s) => this.#policyOf(s)?.optOutNoticeS ?? 0));
    const at = choice.choice === 'out' ? effectiveAt(choice, noticeS, now) : now;
    await this.#o.ledger.run('opt', async () => {
      const ops = choice.choice === 'out' ? this.#out(choice, by, at, foId) : this.#in(choice, by, foId);
      await this.#o.ledger.write(ops);
      for (const op of ops) {
        if (op.op === 'delete') this.#o.opts.delete(op.key);
        else this.#o.opts.set(op.body as OptOut);
      }
    });
    if (choice.choice === 'in') {
      for (const id of choice.scope.resources) this.#o.opts.tookBack(id, { actor: choice.actor, by }, foId);
      this.#rememberIn(choice, affected);
    }
    this.#o.log.info('opt.chosen', {
      choice: choice.choice,
      actor: choice.actor,
      by,
      resources: choice.scope.resources.length,
    });
    this.refresh(true);
    return { status: 'ok', data: { effectiveAt: iso(at) } };
  }

  /** Opt-outs in effect that are about a service. */
  outs(service: Service): readonly OptOut[] {
    return this.#o.opts.inEffect(this.#o.clock.now()).filter((out) => isAbout(out, service));
  }

  /** True while a choice that was made at the station stands, of this session where one is named. */
  stands(resourceId: string, sessionId?: string): boolean {
    return this.#o.opts
      .of(resourceId)
      .some((o) => o.by === STATION && (sessionId === undefined || (o.sessionId ?? sessionId) === sessionId));
  }

  async restore(): Promise<void> {
    for await (const { body } of this.#o.ledger.all('opt')) this.#o.opts.set(body as OptOut);
    this.refresh();
  }

  /** Sets who is out now, and a timer for who comes or goes before the next tick. */
  refresh(isNew = false): void {
    const { clock, opts, twin, changed } = this.#o;
    const now = clock.now();
    this.#endStationOnes();
    const out = new Map<string, OptOut[]>(); // bounded by: the resources of the site
    for (const o of opts.inEffect(now)) out.set(o.resourceId, [...(out.get(o.resourceId) ?? []), o]);
    let any = false;
    // Where nobody is or was out, a fleet that comes back costs no look at all others per station.
    if (out.size > 0 || this.#someOut) {
      this.#someOut = false;
      for (const entry of twin.all()) {
        const { resourceId } = entry.resource;
        const isOut = this.#isOut(resourceId, out.get(resourceId) ?? []);
        any ||= isOut !== entry.optOut;
        entry.optOut = isOut;
        this.#someOut ||= isOut;
      }
    }
    const next = opts.nextAt(now);
    this.#timer?.cancel();
    this.#timer =
      next !== undefined && next < now + TICK_MS ? clock.after(next - now, () => this.refresh()) : undefined;
    if (any || isNew) changed();
  }

  tick(): void {
    const { book, opts } = this.#o;
    const known = new Set(book.live().map((e) => e.service.fsr.fsrId)); // bounded by: the services of the book
    this.#forget(opts.over(this.#o.clock.now(), (fsrId) => known.has(fsrId)));
    this.refresh();
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** Out for everybody, or for all that could lead it now: then the driver's plan counts (fo 8.3.1). */
  #isOut(resourceId: string, outs: readonly OptOut[]): boolean {
    if (outs.length === 0) return false;
    if (outs.some(isGeneral)) return !this.#isMandatory(resourceId);
    const leading = this.#o.book
      .running()
      .map((e) => e.service)
      .filter((s) => s.state === 'active' && s.members.includes(resourceId));
    return leading.length > 0 && leading.every((s) => !s.fsr.mandatory && outs.some((o) => isAbout(o, s)));
  }

  /** A mandatory service leads whoever opted out before it (fo 6.4). */
  #isMandatory(resourceId: string): boolean {
    return this.#o.book
      .running()
      .some(({ service: s }) => s.state === 'active' && s.fsr.mandatory && s.members.includes(resourceId));
  }

  /** Services whose members choose. */
  #affected({ scope }: OptChoice, foId: string | undefined): Service[] {
    const ids = new Set(scope.resources); // bounded by: one message
    return this.#o.book
      .all()
      .map((e) => e.service)
      .filter(
        (s) =>
          holdsCapacity(s) &&
          (foId ?? s.foId) === s.foId &&
          (scope.fsrId ?? s.fsr.fsrId) === s.fsr.fsrId &&
          s.members.some((m) => ids.has(m)) &&
          (scope.window === undefined ||
            (parseTime(scope.window.start) < endOf(s) && parseTime(scope.window.end) > parseTime(s.fsr.window.start))),
      );
  }

  #error(choice: OptChoice, affected: readonly Service[], foId: string | undefined): V2gateError | undefined {
    const { twin, opts } = this.#o;
    const { scope } = choice;
    const unknown = scope.resources.findIndex((r) => !twin.get(r) || (foId !== undefined && !this.#covers(foId, r)));
    if (unknown >= 0)
      return fail(
        'resource.unknown',
        `There is no resource ${scope.resources[unknown]}, or no contract that covers it.`,
        {
          path: `/scope/resources/${unknown}`,
        },
      );
    if (scope.fsrId !== undefined && affected.length === 0)
      return fail('id.unknown', `No service ${scope.fsrId} runs with these resources.`, { path: '/scope/fsrId' });
    if (choice.choice === 'in') return undefined;
    if (affected.some((s) => s.fsr.mandatory))
      return fail(
        'mandatory.noOptOut',
        'A mandatory service allows no opt-out; unplugging and stopping at the station stay possible.',
      );
    if (affected.some((s) => this.#policyOf(s)?.optOutAllowed === false))
      return fail('contract.limit', 'The contract of the running service allows no opt-out.', { path: '/choice' });
    return opts.hasRoom(scope.resources.length)
      ? undefined
      : fail('contract.limit', 'Too many choices are kept already.');
  }

  #policyOf = (s: Service) => contractOf(s.fsr.contractId, s.foId, this.#o.file())?.optPolicy;

  #covers(foId: string, resourceId: string): boolean {
    const file = this.#o.file();
    const now = this.#o.clock.now();
    return (file.contracts ?? []).some(
      (c) => c.foId === foId && stands(c, now) && inScope({ resourceIds: [resourceId] }, c, file),
    );
  }

  #out({ actor, scope, reason }: OptChoice, by: string, at: number, foId: string | undefined): StoreOp[] {
    const now = this.#o.clock.now();
    return [...new Set(scope.resources)].map((resourceId) => {
      const sessionId = by === STATION ? this.#o.twin.get(resourceId)?.session?.id : undefined;
      const body: OptOut = {
        resourceId,
        actor,
        by,
        at: now,
        effectiveAt: at,
        ...(scope.window === undefined ? {} : { until: parseTime(scope.window.end) }),
        ...(scope.fsrId === undefined ? {} : { fsrId: scope.fsrId }),
        ...(foId === undefined ? {} : { foId }),
        ...(reason === undefined ? {} : { reason }),
        ...(sessionId === undefined ? {} : { sessionId }),
      };
      return { op: 'put', kind: 'opt', key: optKey(body), at: now, body };
    });
  }

  /** Takes back what the same actor has said; with a service only what was about that one, at a station what was pressed. */
  #in({ actor, scope }: OptChoice, by: string, foId: string | undefined): StoreOp[] {
    return scope.resources.flatMap((r) =>
      this.#o.opts
        .of(r, actor)
        .filter(
          (o) =>
            (scope.fsrId === undefined || o.fsrId === scope.fsrId) &&
            (foId === undefined || o.foId === foId) &&
            (by !== STATION || o.by === STATION),
        )
        .map((o): StoreOp => ({ op: 'delete', kind: 'opt', key: optKey(o) })),
    );
  }

  /** A service that asks has an answer. */
  #rememberIn({ actor }: OptChoice, affected: readonly Service[]): void {
    const { book, clock, desk } = this.#o;
    for (const { foId, fsr } of affected) {
      const key = `${foId}/${fsr.fsrId}`;
      if (book.get(key)?.service.pending?.why !== 'opt') continue;
      desk.change(key, ({ service }) => ({
        ...service,
        optEvents: [...(service.optEvents ?? []), { at: clock.now(), actor, choice: 'in' as const }],
      }));
    }
  }

  #refuse({ actor, choice, scope }: OptChoice, by: string, cause: string, foId: string | undefined): void {
    this.#o.log.info('opt.refused', { actor, choice, by, code: cause });
    const subject = [...(scope.fsrId === undefined ? [] : [scope.fsrId]), ...scope.resources].slice(0, 16);
    const parties = foId === undefined ? {} : { parties: [foId] };
    this.#o.note({ kind: 'opt.refused', severity: 'warning', subject, cause, text: `${actor}: ${choice}`, ...parties });
  }

  /** What was pressed at a station ends with the session. */
  #endStationOnes(): void {
    const keys: string[] = [];
    for (const o of this.#o.opts.all()) {
      const entry = o.by === STATION ? this.#o.twin.get(o.resourceId) : undefined;
      // Who was never seen since the start may still be in that session.
      if (!entry?.online) continue;
      const other = entry.session !== undefined && o.sessionId !== undefined && entry.session.id !== o.sessionId;
      if (other || !hasEv(entry)) keys.push(optKey(o));
    }
    this.#forget(keys);
  }

  #forget(keys: readonly string[]): void {
    for (const key of keys) {
      this.#o.opts.delete(key);
      this.#o.ledger.later({ op: 'delete', kind: 'opt', key });
    }
  }
}
