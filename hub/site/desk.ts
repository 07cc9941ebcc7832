import { type Clock, iso } from '../../core/clock.ts';
import { failPoint } from '../../core/failpoint.ts';
import type { WireMessage } from '../../model/index.ts';
import { HUB_MESSAGES, type Setpoint } from '../../model/index.ts';
import type { StoreOp } from '../ports.ts';
import type { Decided, ServiceBook } from '../services/book.ts';
import { type WithdrawReason, withCancel, withoutNotices } from '../services/notices.ts';
import { type Notice, type Service, type ServiceEntry, serviceKey } from '../services/service.ts';
import type { Ledger } from './ledger.ts';
import type { Decision } from './types.ts';

/** Services that may still act or have something to tell, and those that are over. */
const LIVE = 'live/';
const ENDED = 'ended/';
/** What nobody has taken is told again after this. */
const TELL_AGAIN_MS = 60_000;

export interface DeskOptions {
  readonly clock: Clock;
  readonly book: ServiceBook;
  readonly ledger: Ledger;
  readonly tell: (notice: Notice, foId: string) => void;
  readonly changed: (reason: string) => void;
  /** What is stored in the same moment. */
  readonly alongside: (before: Service | undefined, after: Service) => readonly StoreOp[];
  /** A record has been stored. */
  readonly stored: (before: Service | undefined, after: Service) => void;
}

/**
 * Where services are changed: what a request or a move comes to is stored first, then put in force, then told (design 1).
 * When the store fails, nothing has happened. Changes of one service follow one another; setpoints have a lane of their
 * own, because they do not wait (fo 4.2).
 */
export class ServiceDesk {
  readonly #o: DeskOptions;
  #toldAgainAt: number;

  constructor(o: DeskOptions) {
    this.#o = o;
    this.#toldAgainAt = o.clock.now();
  }

  /** Requests follow one another, so that two for the same time are not both accepted. */
  request({ payload }: WireMessage, foId: string): Promise<Decision> {
    const body = HUB_MESSAGES.RequestService.accept(payload);
    const { book, ledger } = this.#o;
    return ledger.run('requests', async () => {
      const key = serviceKey(foId, body.fsr.fsrId);
      const earlier = book.get(key) ? undefined : await ledger.get('service', ENDED + key);
      return this.#carryOut(book.request(body, foId, earlier?.body as Service | undefined), foId);
    });
  }

  setpoint({ payload }: WireMessage, foId: string): Promise<Decision> {
    const body = HUB_MESSAGES.UpdateSetpoint.accept(payload);
    const lane = `setpoint/${serviceKey(foId, body.setpoint.fsrId)}`;
    return this.#o.ledger.run(lane, () => this.#carryOut(this.#o.book.setpoint(body, foId), foId));
  }

  cancel({ payload }: WireMessage, foId: string): Promise<Decision> {
    const body = HUB_MESSAGES.CancelService.accept(payload);
    return this.#o.ledger.run(serviceKey(foId, body.fsrId), async () => {
      const decision = await this.#carryOut(this.#o.book.cancel(body, foId), foId);
      if (decision.result.status === 'ok') this.#o.changed('cancel');
      return decision;
    });
  }

  /** The gateway takes the service back; its FO is told before the phase it comes to (fo 4.3 no. 17). */
  withdraw(foId: string, fsrId: string, reason: WithdrawReason): Promise<Decision> {
    const { book, clock, ledger, changed } = this.#o;
    return ledger.run(serviceKey(foId, fsrId), async () => {
      const cancel = { fsrId, reason, at: iso(clock.now()) };
      const decision = await this.#carryOut(
        book.cancel(cancel, foId, (s) => withCancel(s, clock, reason)),
        foId,
      );
      if (decision.result.status === 'ok') changed('cancel');
      return decision;
    });
  }

  /** In the lane of requests as well, for it may ask for more than before. */
  amend({ payload }: WireMessage, foId: string): Promise<Decision> {
    const body = HUB_MESSAGES.AmendService.accept(payload);
    const { book, ledger, changed } = this.#o;
    const key = serviceKey(foId, body.fsrId);
    return ledger.run('requests', () =>
      ledger.run(key, async () => {
        const decision = await this.#carryOut(book.amend(body, foId), foId);
        if (decision.result.status === 'ok') changed('amend');
        return decision;
      }),
    );
  }

  activate({ payload }: WireMessage, foId: string): Promise<Decision> {
    const body = HUB_MESSAGES.ActivateService.accept(payload);
    return this.#o.ledger.run(serviceKey(foId, body.fsrId), () =>
      this.#carryOut(this.#o.book.activate(body, foId), foId),
    );
  }

  /** True while a change of this service is being written. */
  busy(entry: ServiceEntry): boolean {
    return this.#o.ledger.busy(entry.key);
  }

  /**
   * Changes a record from inside: `make` sees it as it is when its turn has come, and answers undefined when nothing is
   * to be done. When it is stored `then` is called. A failing store leaves all as it was; the next look tries again.
   */
  change(key: string, make: (entry: ServiceEntry) => Service | undefined, then?: (entry: ServiceEntry) => void): void {
    const { book, ledger } = this.#o;
    const task = async (): Promise<boolean> => {
      const entry = book.get(key);
      const next = entry && make(entry);
      if (next) await this.#put(next);
      return next !== undefined;
    };
    ledger
      .run(key, task)
      .then((done) => {
        const now = done ? book.get(key) : undefined;
        if (now) then?.(now);
      })
      .catch(() => undefined);
  }

  /** A notice has reached the outbox of its link. */
  delivered(noticeId: string): void {
    const owing = this.#o.book.owing(noticeId);
    if (owing) this.change(owing.key, ({ service }) => withoutNotices(service, (n) => n.id === noticeId));
  }

  /** Tells again what nobody took, and forgets what is over. */
  tidy(): void {
    const { clock, book } = this.#o;
    const now = clock.now();
    for (const { key } of book.over()) this.#forget(key);
    if (Math.abs(now - this.#toldAgainAt) < TELL_AGAIN_MS) return;
    for (const { key, service } of book.all())
      if (service.outgoing.length > 0) this.change(key, (e) => book.withoutOldNotices(e.service));
    this.tellAgain(TELL_AGAIN_MS);
  }

  /** Tells what nobody has taken for so long, ms: links take each notice once. */
  tellAgain(olderMs = 0): void {
    const { clock, book, tell } = this.#o;
    const now = clock.now();
    this.#toldAgainAt = now;
    for (const { service } of book.all())
      for (const n of service.outgoing) if (now - n.at >= olderMs) tell(n, service.foId);
  }

  /** Reads back what was there before a restart and tells what is still owed. */
  async restore(): Promise<void> {
    const { book, ledger, tell } = this.#o;
    for await (const row of ledger.all('service', LIVE)) {
      const service = row.body as Service;
      const newest = await ledger.get('setpoint', serviceKey(service.foId, service.fsr.fsrId));
      book.restore(service, newest?.body as Setpoint | undefined);
      for (const n of service.outgoing) tell(n, service.foId);
    }
  }

  /** Stores what was decided, puts it in force, and only then answers. */
  async #carryOut(decided: Decided, foId: string): Promise<Decision> {
    const { service, setpoint } = decided;
    failPoint('request.decided');
    if (service) await this.#put(service);
    if (setpoint) {
      const key = serviceKey(foId, setpoint.fsrId);
      await this.#o.ledger.write([{ op: 'put', kind: 'setpoint', key, at: this.#o.clock.now(), body: setpoint }]);
      this.#o.book.commitSetpoint(setpoint, foId);
    }
    return decided;
  }

  async #put(next: Service): Promise<void> {
    const { book, clock, ledger, tell } = this.#o;
    const key = serviceKey(next.foId, next.fsr.fsrId);
    const before = book.get(key)?.service;
    const old = new Set(before?.outgoing.map((n) => n.id)); // bounded by: the notices of one service
    const op: StoreOp = { op: 'put', kind: 'service', key: LIVE + key, at: clock.now(), body: next };
    await ledger.write([op, ...this.#o.alongside(before, next)]);
    book.commit(next);
    this.#o.stored(before, next);
    for (const n of next.outgoing) if (!old.has(n.id)) tell(n, next.foId);
  }

  #forget(key: string): void {
    const { book, clock, ledger } = this.#o;
    const task = async () => {
      const entry = book.get(key);
      if (!entry) return;
      await ledger.write([
        { op: 'put', kind: 'service', key: ENDED + key, at: clock.now(), body: entry.service },
        { op: 'delete', kind: 'service', key: LIVE + key },
      ]);
      book.forget(key);
    };
    if (!ledger.busy(key)) ledger.run(key, task).catch(() => undefined);
  }
}
