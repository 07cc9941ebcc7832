import { BoundedMap, BoundedSet } from '../../core/bounded.ts';
import { isId } from '../../core/ids.ts';
import type { ResultBody } from '../../model/index.ts';
import { FO_ERRORS, FO_LINK_ERRORS } from './errors.ts';
import { createFoSession } from './session/session.ts';
import type { FoPartiesOptions, FoSession } from './types.ts';

/** Parties that a server knows at a time unless told otherwise. */
export const DEFAULT_PARTIES = 64;

/** The sessions of all known parties. */
export class Parties {
  readonly #o: FoPartiesOptions;
  readonly #max: number;
  readonly #sessions: BoundedMap<string, FoSession>;
  /** Known by their Hello alone: they give way when room is needed. */
  readonly #passing: BoundedSet<string>;

  constructor(o: FoPartiesOptions) {
    this.#o = o;
    this.#max = o.maxParties ?? DEFAULT_PARTIES;
    this.#sessions = new BoundedMap({ name: 'fo.parties', max: this.#max, overflow: 'refuse' });
    this.#passing = new BoundedSet({ name: 'fo.passingParties', max: this.#max, overflow: 'dropOldest' });
  }

  /** Made if needed; `passing`: by its Hello alone. Throws `fo.full`, `schema.invalid`. */
  session(peer: string, passing = false): FoSession {
    const known = this.#sessions.get(peer);
    if (known) {
      if (!passing) this.#passing.delete(peer);
      return known;
    }
    if (this.#sessions.size >= this.#max) this.#makeRoom();
    if (!isId(peer)) throw FO_ERRORS.fail('schema.invalid', 'A party id has 1–64 of A–Z a–z 0–9 . _ : -.');
    const { persistence, signatures, maxParties: _, ...shared } = this.#o;
    const session = createFoSession({
      ...shared,
      role: shared.role ?? 'fcsbe',
      peer,
      ...(persistence ? { persistence: persistence.call(this.#o, peer) } : {}),
      ...(signatures ? { signatures: signatures.call(this.#o, peer) } : {}),
    });
    this.#sessions.set(peer, session);
    if (passing) this.#passing.add(peer);
    return session;
  }

  #makeRoom(): void {
    for (const peer of this.#passing) {
      const session = this.#sessions.get(peer);
      if (session?.state !== 'down') continue;
      session.close();
      this.#sessions.delete(peer);
      this.#passing.delete(peer);
      return;
    }
    throw FO_LINK_ERRORS.fail('fo.full', `${this.#max} parties are known already.`);
  }

  up(): string[] {
    return [...this.#sessions.values()].filter((s) => s.state === 'up').map((s) => s.peer);
  }

  answer(replyTo: string, result: ResultBody): boolean {
    const session = this.#sessions.get(replyTo.slice(0, Math.max(0, replyTo.indexOf('/'))));
    return session ? session.answer(replyTo, result) : false;
  }

  close(): void {
    for (const session of this.#sessions.values()) session.close();
  }
}
