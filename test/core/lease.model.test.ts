import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ManualClock, manualClock } from '../../core/clock.ts';
import { type Lease, LeaseRegistry } from '../../core/lease.ts';
import { silentLog } from '../../core/log.ts';

const HOLD_MS = 10_000;
const IDS = ['n1', 'n2', 'n3'];

/** What an editor can do with config nodes, a deploy at a time. */
type Step =
  | { readonly do: 'deploy'; readonly nodes: readonly { readonly id: string; readonly hash: string }[] }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'fail'; readonly next: boolean };

const node = fc.record({ id: fc.constantFrom(...IDS), hash: fc.constantFrom('a', 'b') });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc
      .uniqueArray(node, { selector: (n) => n.id, maxLength: 3 })
      .map((nodes) => ({ do: 'deploy' as const, nodes })),
  },
  {
    weight: 3,
    arbitrary: fc.constantFrom(1, 5_000, HOLD_MS - 1, HOLD_MS, 60_000).map((ms) => ({ do: 'wait' as const, ms })),
  },
  { weight: 1, arbitrary: fc.boolean().map((next) => ({ do: 'fail' as const, next })) },
);

interface Resource {
  readonly id: string;
  readonly hash: string;
  open: boolean;
  close(): Promise<void>;
}

/** Node-RED as it deploys: closes all nodes (removed or not), then makes those of the new flow. */
class Editor {
  readonly clock: ManualClock = manualClock();
  readonly leases = new LeaseRegistry({ clock: this.clock, log: silentLog, holdMs: HOLD_MS });
  readonly opened: Resource[] = [];
  readonly owners = new Map<string, { readonly hash: string; readonly lease: Lease<Resource> | undefined }>();
  failing = false;

  open(id: string, hash: string): () => Promise<Resource> {
    return async () => {
      if (this.failing) throw new Error('port taken');
      const same = this.opened.filter((r) => r.open && r.id === id);
      expect(same, `two links of ${id} at a time`).toEqual([]);
      const resource: Resource = {
        id,
        hash,
        open: true,
        async close() {
          expect(resource.open, 'closed twice').toBe(true);
          resource.open = false;
        },
      };
      this.opened.push(resource);
      return resource;
    };
  }

  async deploy(nodes: readonly { readonly id: string; readonly hash: string }[]): Promise<void> {
    const kept = new Map(nodes.map((n) => [n.id, n.hash]));
    const before = new Map(this.owners);
    this.owners.clear();
    const releases = [...before].map(([id, { lease }]) => lease?.release({ removed: !kept.has(id) }));
    const made = nodes.map(async ({ id, hash }) => {
      const lease = await this.leases.acquire(id, hash, this.open(id, hash)).catch(() => undefined);
      this.owners.set(id, { hash, lease });
      const was = before.get(id);
      if (!was?.lease || was.hash !== hash) return;
      expect(lease?.resource, `${id} has not changed`).toBe(was.lease.resource);
    });
    await Promise.all([...releases, ...made]);
  }
}

/** What must hold between deploys. */
function look({ owners, opened, leases }: Editor): void {
  for (const [id, { hash, lease }] of owners) {
    if (!lease) continue;
    expect(lease.resource).toMatchObject({ id, hash, open: true });
  }
  const owned = new Set([...owners.values()].flatMap((o) => (o.lease ? [o.lease.resource] : [])));
  expect(
    opened.filter((r) => r.open && !owned.has(r)),
    'nobody owns an open link',
  ).toEqual([]);
  expect(leases.stats()).toMatchObject({ size: owned.size, held: 0 });
}

describe('leases under random deploys (design 2)', () => {
  it('keep what has not changed, close what has, open nothing twice, and leave nothing behind', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const editor = new Editor();
        for (const s of steps) {
          if (s.do === 'deploy') await editor.deploy(s.nodes);
          else if (s.do === 'wait') await editor.clock.advance(s.ms);
          else editor.failing = s.next;
          look(editor);
        }
        await editor.leases.closeAll();
        expect(editor.opened.filter((r) => r.open)).toEqual([]);
        expect(editor.clock.pending).toBe(0);
      }),
      { numRuns: 200 },
    );
  });

  it('end by themselves when their owner is away for the time that they are held', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 3 * HOLD_MS }), async (awayMs) => {
        const editor = new Editor();
        const first = await editor.leases.acquire('n1', 'a', editor.open('n1', 'a'));
        await first.release({ removed: false });
        await editor.clock.advance(awayMs);
        expect(first.resource.open).toBe(awayMs < HOLD_MS);
        const again = await editor.leases.acquire('n1', 'a', editor.open('n1', 'a'));
        expect(again.adopted).toBe(awayMs < HOLD_MS);
        await editor.leases.closeAll();
      }),
      { numRuns: 60 },
    );
  });
});
