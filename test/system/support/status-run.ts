import { afterAll, beforeAll, describe, it } from 'vitest';
import { type CaseId, ROWS, type Side, type Version } from './status-rows.ts';

/** What a row does with the world of its version; rejects where something is not as it should be. */
export type Checks<W> = Readonly<Record<CaseId, (world: W) => Promise<void>>>;

export interface StatusRun<W extends { readonly words: { readonly version: Version } }> {
  readonly title: string;
  readonly side: Side;
  /** Makes the worlds of all versions. */
  readonly open: () => Promise<readonly W[]>;
  readonly close: () => Promise<void>;
  readonly checks: Checks<W>;
  /** In this order, whatever that of the rows is. */
  readonly first: readonly CaseId[];
  /** Brings a world back to where rows begin: nothing runs, no car is there. */
  readonly settle: (world: W) => Promise<void>;
}

/** The rows of a side as tests. Those of a version run one after the other, and the versions beside each other. */
export function statusTests<W extends { readonly words: { readonly version: Version } }>(o: StatusRun<W>): void {
  const rows = ROWS.filter((r) => r.side === o.side);
  const isFirst = (caseId: CaseId): boolean => o.first.includes(caseId);
  const results = new Map<string, Promise<void>>();

  function start(world: W): void {
    const mine = rows.filter((r) => r.version === world.words.version);
    let before: Promise<unknown> = Promise.resolve();
    for (const row of [...mine.filter((r) => isFirst(r.caseId)), ...mine.filter((r) => !isFirst(r.caseId))]) {
      const result = before.then(async () => {
        if (!isFirst(row.caseId)) await o.settle(world);
        await o.checks[row.caseId](world);
      });
      // Its own test tells what went wrong; the next row begins all the same.
      before = result.catch(() => undefined);
      results.set(row.id, result);
    }
  }

  describe(o.title, () => {
    beforeAll(async () => {
      for (const world of await o.open()) start(world);
    });
    afterAll(() => o.close());

    it.each(rows)('$id', ({ id }) => results.get(id) ?? Promise.reject(new Error('There is no world for this row.')));
  });
}
