import type { AddressInfo } from 'node:net';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type ManualClock, manualClock } from '../../core/clock.ts';
import { codeOf, errorTable } from '../../core/errors.ts';
import { LeaseRegistry } from '../../core/lease.ts';
import { silentLog } from '../../core/log.ts';
import { LeaseHolder } from '../../nodes/base/lease-holder.ts';

const ERRORS = errorTable('test', {
  'test.busy': { what: 'Busy.', remedy: 'Wait.', retry: 'later' },
  'test.never': { what: 'Never.', remedy: 'Give up.', retry: 'no' },
});

const cleanups: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const step of cleanups.splice(0).reverse()) await step();
});

/** The smallest real link: a TCP server on loopback. */
interface TcpLink {
  readonly port: number;
  close(): Promise<void>;
}

async function openTcp(): Promise<TcpLink> {
  const sockets: Socket[] = [];
  const server: Server = createServer((s) => void sockets.push(s));
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      for (const s of sockets) s.destroy();
      return new Promise((done) => server.close(() => done()));
    },
  };
}

async function client(port: number): Promise<{ ends: () => number; ended: Promise<void> }> {
  const socket = connect(port, '127.0.0.1');
  cleanups.push(() => void socket.destroy());
  let ends = 0;
  const ended = new Promise<void>((done) => socket.on('close', () => done(void ends++)));
  await new Promise<void>((done, failed) => {
    socket.once('connect', done);
    socket.once('error', failed);
  });
  return { ends: () => ends, ended };
}

function world() {
  const clock = manualClock();
  const leases = new LeaseRegistry({ clock, log: silentLog });
  cleanups.push(() => leases.closeAll());
  return { clock, leases };
}

/** A node that holds a link: what a config node of a deploy is. */
function hold({ clock, leases }: { clock: ManualClock; leases: LeaseRegistry }, hash: string, open = openTcp) {
  const ready: TcpLink[] = [];
  const failures: unknown[] = [];
  const holder = new LeaseHolder({
    runtime: { clock, leases },
    leaseId: 'v2gate-test:1',
    hash,
    open,
    onReady: (link) => void ready.push(link),
    onFailed: (e) => void failures.push(e),
  });
  holder.start();
  return { holder, ready, failures };
}

const settle = () => new Promise((done) => setImmediate(done));

async function firstOf(ready: TcpLink[]): Promise<TcpLink> {
  await expect.poll(() => ready.length, { timeout: 8_000, interval: 5 }).toBe(1);
  const link = ready[0];
  if (!link) throw new Error('no link');
  return link;
}

describe('the lease of a config node', () => {
  it('a deploy with the same configuration takes the running link over', async () => {
    const w = world();
    const before = hold(w, 'same');
    const link = await firstOf(before.ready);
    const peer = await client(link.port);
    await before.holder.close(false);
    const after = hold(w, 'same');
    expect(await firstOf(after.ready)).toBe(link);
    await w.clock.advance(60_000);
    expect(peer.ends()).toBe(0);
  });

  it('another configuration closes the link and opens exactly one new', async () => {
    const w = world();
    const before = hold(w, 'old');
    const link = await firstOf(before.ready);
    const peer = await client(link.port);
    await before.holder.close(false);
    const after = hold(w, 'new');
    await peer.ended;
    expect((await firstOf(after.ready)).port).not.toBe(link.port);
    expect(w.leases.stats().size).toBe(1);
  });

  it('a removed node closes its link at once, an unused one after 10 s', async () => {
    const w = world();
    const removed = hold(w, 'x');
    const peer = await client((await firstOf(removed.ready)).port);
    await removed.holder.close(true);
    await peer.ended;
    const left = hold(w, 'x');
    const other = await client((await firstOf(left.ready)).port);
    await left.holder.close(false);
    await w.clock.advance(9_999);
    expect(other.ends()).toBe(0);
    await w.clock.advance(1);
    await other.ended;
    expect(w.clock.pending).toBe(0);
  });

  it('an opening that failed is repeated after 1, 2, 4 … seconds', async () => {
    const w = world();
    let tries = 0;
    const open = () => (++tries < 4 ? Promise.reject(ERRORS.fail('test.busy')) : openTcp());
    const { ready, failures } = hold(w, 'x', open);
    await settle();
    for (const [wait, expected] of [
      [999, 1],
      [1, 2],
      [1_999, 2],
      [1, 3],
      [4_000, 4],
    ] as const) {
      await w.clock.advance(wait);
      await settle();
      expect(tries).toBe(expected);
    }
    await firstOf(ready);
    expect(failures.map(codeOf)).toEqual(['test.busy', 'test.busy', 'test.busy']);
  });

  it('an error that repeating cannot help is told once', async () => {
    const w = world();
    const { failures } = hold(w, 'x', () => Promise.reject(ERRORS.fail('test.never')));
    await settle();
    await w.clock.advance(600_000);
    expect(failures.map(codeOf)).toEqual(['test.never']);
    expect(w.clock.pending).toBe(0);
  });

  it('a node that is closed while its link opens leaves nothing behind', async () => {
    const w = world();
    let opened: TcpLink | undefined;
    const { holder, ready } = hold(w, 'x', async () => {
      opened = await openTcp();
      return opened;
    });
    await holder.close(true);
    expect(ready).toEqual([]);
    expect(w.leases.stats().size).toBe(0);
    await expect(client(opened?.port ?? 1)).rejects.toThrow();
    expect(w.clock.pending).toBe(0);
  }, 5_000);
});
