import { EventEmitter, once } from 'node:events';
import type { Server } from 'node:net';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { manualClock, realClock } from '../../core/clock.ts';
import { makeCertificate } from '../../core/tls-files.ts';
import { paceHandshakes } from '../../protocols/ocpp/gate.ts';
import { createOcppServer } from '../../protocols/ocpp/index.ts';

class FakeSocket extends EventEmitter {
  readonly n: number;
  destroyed = false;

  constructor(n: number) {
    super();
    this.n = n;
  }

  destroy(): void {
    this.destroyed = true;
  }
}

function rig(max = 1_000) {
  const clock = manualClock();
  const server = new EventEmitter();
  const begun: number[] = [];
  server.on('connection', (s: FakeSocket) => void begun.push(s.n));
  const gate = paceHandshakes(server as Server, { clock, max });
  const come = (n: number): FakeSocket => {
    const socket = new FakeSocket(n);
    server.emit('connection', socket);
    return socket;
  };
  return { clock, gate, begun, come };
}

describe('handshakes', () => {
  const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

  it('begin at once where there is no rush', async () => {
    const { clock, begun, come } = rig();
    for (const n of upTo(16)) come(n);
    expect(begun).toEqual(upTo(16));
    await clock.advance(20);
    expect(clock.pending).toBe(0);
    come(16);
    expect(begun).toHaveLength(17);
  });

  it('of a rush begin two at a time, in the order in which they came', async () => {
    const { clock, gate, begun, come } = rig();
    for (const n of upTo(30)) come(n);
    expect(begun).toEqual(upTo(16));
    await clock.advance(1);
    expect(begun).toEqual(upTo(18));
    expect(gate.stats().size).toBe(12);
    await clock.advance(6);
    expect(begun).toEqual(upTo(30));
    await clock.advance(20);
    expect(clock.pending).toBe(0);
  });

  it('do not begin for who has gone, and an error of who waits harms nobody', async () => {
    const { clock, begun, come } = rig();
    const sockets = upTo(21).map(come);
    sockets[17]?.destroy();
    sockets[18]?.emit('error', new Error('reset'));
    await clock.advance(5);
    expect(begun).toEqual(upTo(21).filter((n) => n !== 17));
  });

  it('are refused when too many wait, and dropped when the server closes', async () => {
    const { clock, gate, begun, come } = rig(3);
    const sockets = upTo(20).map(come);
    expect(sockets.slice(16).map((s) => s.destroyed)).toEqual([false, false, false, true]);
    gate.close();
    expect(sockets.slice(16).every((s) => s.destroyed)).toBe(true);
    await clock.advance(10);
    expect(begun).toEqual(upTo(16));
    expect(clock.pending).toBe(0);
  });

  it('of thirty stations that come at once over TLS all succeed', async () => {
    const tls = await makeCertificate({ now: Date.now() });
    const server = await createOcppServer({ clock: realClock(), tls, onStation: (s) => s.handle(() => ({})) });
    const sockets = Array.from({ length: 30 }, (_, n) => {
      return new WebSocket(`${server.url}/S-${n}`, 'ocpp1.6', { rejectUnauthorized: false });
    });
    await Promise.all(sockets.map((ws) => once(ws, 'open')));
    expect(server.stationCount).toBe(30);
    expect(server.stats().find((s) => s.name === 'ocpp.handshakes')).toMatchObject({ size: 0, dropped: 0 });
    for (const ws of sockets) ws.terminate();
    await server.close(0);
  });
});
