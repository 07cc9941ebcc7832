import { describe, expect, it } from 'vitest';
import { type ManualClock, manualClock } from '../../core/clock.ts';
import { codeOf } from '../../core/errors.ts';
import { LeaseRegistry } from '../../core/lease.ts';
import { silentLog } from '../../core/log.ts';

interface World {
  readonly clock: ManualClock;
  readonly leases: LeaseRegistry;
  readonly story: string[];
  open(name: string): () => Promise<Server>;
}

interface Server {
  readonly name: string;
  close(): Promise<void>;
}

function world(o: { max?: number; onClose?: (name: string) => Promise<void> } = {}): World {
  const clock = manualClock();
  const story: string[] = [];
  const leases = new LeaseRegistry({ clock, log: silentLog, ...(o.max === undefined ? {} : { max: o.max }) });
  const open = (name: string) => async (): Promise<Server> => {
    story.push(`open ${name}`);
    return {
      name,
      async close() {
        await o.onClose?.(name);
        story.push(`close ${name}`);
      },
    };
  };
  return { clock, leases, story, open };
}

describe('a lease', () => {
  it('is adopted by the re-created owner with the same configuration: nothing is closed or opened', async () => {
    const { clock, leases, story, open } = world();
    const first = await leases.acquire('n1', 'h1', open('a'));
    await first.release({ removed: false });
    await clock.advance(9_999);
    const second = await leases.acquire('n1', 'h1', open('b'));
    await clock.advance(60_000);
    expect(second.resource).toBe(first.resource);
    expect([first.adopted, second.adopted]).toEqual([false, true]);
    expect(story).toEqual(['open a']);
    expect(clock.pending).toBe(0);
  });

  it('with a changed configuration closes the old resource before it opens the new one', async () => {
    const { leases, story, open } = world();
    const first = await leases.acquire('n1', 'h1', open('a'));
    await first.release({ removed: false });
    const second = await leases.acquire('n1', 'h2', open('b'));
    expect(second.resource.name).toBe('b');
    expect(story).toEqual(['open a', 'close a', 'open b']);
  });

  it('closes at once when its owner is removed', async () => {
    const { clock, leases, story, open } = world();
    const lease = await leases.acquire('n1', 'h1', open('a'));
    await lease.release({ removed: true });
    expect(story).toEqual(['open a', 'close a']);
    expect(leases.stats()).toMatchObject({ size: 0, held: 0 });
    expect(clock.pending).toBe(0);
  });

  it('closes after the hold time when nobody comes back', async () => {
    const { clock, leases, story, open } = world();
    const lease = await leases.acquire('n1', 'h1', open('a'));
    await lease.release({ removed: false });
    expect(leases.stats()).toMatchObject({ size: 1, held: 1 });
    await clock.advance(9_999);
    expect(story).toEqual(['open a']);
    await clock.advance(1);
    expect(story).toEqual(['open a', 'close a']);
    expect(leases.stats()).toMatchObject({ size: 0, held: 0 });
    await leases.acquire('n1', 'h1', open('b'));
    expect(story).toEqual(['open a', 'close a', 'open b']);
  });

  it('of another owner is not touched', async () => {
    const { leases, story, open } = world();
    await leases.acquire('n1', 'h1', open('a'));
    const other = await leases.acquire('n2', 'h1', open('b'));
    await other.release({ removed: true });
    expect(story).toEqual(['open a', 'open b', 'close b']);
  });

  it('passes to the newest acquire; the old holder has no say any more', async () => {
    const { clock, leases, story, open } = world();
    const old = await leases.acquire('n1', 'h1', open('a'));
    const fresh = await leases.acquire('n1', 'h1', open('b'));
    await old.release({ removed: true });
    await old.release({ removed: false });
    await clock.advance(60_000);
    expect(story).toEqual(['open a']);
    expect(fresh.adopted).toBe(true);
    await fresh.release({ removed: true });
    expect(story).toEqual(['open a', 'close a']);
  });

  it('can be released twice without harm', async () => {
    const { clock, leases, story, open } = world();
    const lease = await leases.acquire('n1', 'h1', open('a'));
    await lease.release({ removed: false });
    await lease.release({ removed: false });
    expect(clock.pending).toBe(1);
    await lease.release({ removed: true });
    await lease.release({ removed: true });
    expect(story).toEqual(['open a', 'close a']);
    await clock.advance(60_000);
    expect(story).toEqual(['open a', 'close a']);
  });

  it('keeps one resource open and no timers behind through 100 deploys', async () => {
    const { clock, leases, story, open } = world();
    let lease = await leases.acquire('n1', 'h1', open('a'));
    for (let i = 0; i < 100; i++) {
      await lease.release({ removed: false });
      expect(clock.pending).toBe(1);
      await clock.advance(500);
      lease = await leases.acquire('n1', 'h1', open('again'));
      expect(clock.pending).toBe(0);
      expect(leases.stats()).toMatchObject({ size: 1, held: 0 });
    }
    expect(story).toEqual(['open a']);
  });
});

describe('while a resource is being opened', () => {
  it('a second acquire of the same id waits and adopts', async () => {
    const { leases, story, open } = world();
    let finish = (): void => undefined;
    const gate = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const first = leases.acquire('n1', 'h1', async () => {
      await gate;
      return open('a')();
    });
    const second = leases.acquire('n1', 'h1', open('b'));
    finish();
    const [a, b] = await Promise.all([first, second]);
    expect(b.resource).toBe(a.resource);
    expect(story).toEqual(['open a']);
    await a.release({ removed: true });
    expect(story).toEqual(['open a']);
    await b.release({ removed: true });
    expect(story).toEqual(['open a', 'close a']);
  });

  it('a second acquire with another configuration waits, closes it and opens its own', async () => {
    const { leases, story, open } = world();
    const both = await Promise.all([leases.acquire('n1', 'h1', open('a')), leases.acquire('n1', 'h2', open('b'))]);
    expect(both[1].resource.name).toBe('b');
    expect(story).toEqual(['open a', 'close a', 'open b']);
    expect(leases.stats().size).toBe(1);
  });

  it('closeAll waits for it and closes it', async () => {
    const { leases, story, open } = world();
    const opening = leases.acquire('n1', 'h1', open('a'));
    await leases.closeAll();
    await opening;
    expect(story).toEqual(['open a', 'close a']);
    expect(leases.stats().size).toBe(0);
  });

  it('a failure rejects the acquire, leaves nothing, and the next one tries again', async () => {
    const { clock, leases, story, open } = world();
    const failing = leases.acquire('n1', 'h1', () => Promise.reject(new Error('EADDRINUSE')));
    const next = leases.acquire('n1', 'h1', open('a'));
    await expect(failing).rejects.toThrow('EADDRINUSE');
    expect((await next).resource.name).toBe('a');
    await expect(
      leases.acquire('n2', 'h1', () => {
        throw new Error('at once');
      }),
    ).rejects.toThrow('at once');
    expect(leases.stats()).toMatchObject({ size: 1, held: 0 });
    expect(story).toEqual(['open a']);
    expect(clock.pending).toBe(0);
  });
});

describe('a resource that does not close properly', () => {
  it('is given up after a while, so that a deploy does not hang', async () => {
    const { clock, leases, story, open } = world({
      onClose: (name) => (name === 'a' ? new Promise(() => undefined) : Promise.resolve()),
    });
    await leases.acquire('n1', 'h1', open('a'));
    const next = leases.acquire('n1', 'h2', open('b'));
    await clock.advance(4_999);
    expect(story).toEqual(['open a']);
    await clock.advance(1);
    expect((await next).resource.name).toBe('b');
    expect(clock.pending).toBe(0);
  });

  it('may even throw', async () => {
    const { leases, open } = world({ onClose: () => Promise.reject(new Error('boom')) });
    const lease = await leases.acquire('n1', 'h1', open('a'));
    await expect(lease.release({ removed: true })).resolves.toBeUndefined();
    await leases.acquire('n1', 'h1', open('b'));
    await expect(leases.closeAll()).resolves.toBeUndefined();
  });
});

describe('the registry', () => {
  it('refuses more than its bound and has room again after a close', async () => {
    const { leases, open } = world({ max: 1 });
    const lease = await leases.acquire('n1', 'h1', open('a'));
    const refused = await leases.acquire('n2', 'h1', open('b')).catch((e: unknown) => codeOf(e));
    expect(refused).toBe('lease.full');
    expect(leases.stats()).toMatchObject({ size: 1, max: 1, dropped: 1 });
    await lease.release({ removed: true });
    await expect(leases.acquire('n2', 'h1', open('b'))).resolves.toBeDefined();
  });

  it('closes held and active resources at the end, and their leases have no say afterwards', async () => {
    const { clock, leases, story, open } = world();
    const held = await leases.acquire('n1', 'h', open('a'));
    await held.release({ removed: false });
    const active = await leases.acquire('n2', 'h', open('b'));
    await leases.closeAll();
    expect(story.slice(2).sort()).toEqual(['close a', 'close b']);
    await active.release({ removed: false });
    expect(clock.pending).toBe(0);
    expect(leases.stats()).toMatchObject({ size: 0, held: 0 });
  });
});
