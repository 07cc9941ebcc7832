import { createServer, request as httpRequest, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { afterEach, describe, expect, it } from 'vitest';
import { manualClock } from '../../core/clock.ts';
import { createMetrics } from '../../core/metrics.ts';
import { errorResponse } from '../../gateway/api.ts';
import { EventStreams, eventFrame } from '../../gateway/event-streams.ts';

const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const step of cleanups.splice(0).reverse()) await step();
});

async function serve(max: number) {
  const clock = manualClock();
  const metrics = createMetrics();
  const streams = new EventStreams({ clock, metrics, max, greet: () => [eventFrame('hello', { n: 1 })] });
  const app = express();
  app.get('/events', (req, res) => streams.open(req, res, req.query.name ? String(req.query.name) : undefined));
  app.use(errorResponse);
  const server = createServer(app);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/events`;
  cleanups.push(
    () => streams.close(),
    () => new Promise<void>((done) => void server.close(() => done()).closeAllConnections()),
  );
  return { clock, metrics, streams, url };
}

function connect(url: string): Promise<{ res: IncomingMessage; until(text: string): Promise<string>; close(): void }> {
  return new Promise((done, failed) => {
    const req = httpRequest(url, (res) => {
      let seen = '';
      const waiting = new Set<() => void>();
      res.setEncoding('utf8');
      res.on('data', (chunk: string) => {
        seen += chunk;
        for (const look of [...waiting]) look();
      });
      done({
        res,
        until: (text) =>
          new Promise((found) => {
            const look = () => {
              if (!seen.includes(text)) return;
              waiting.delete(look);
              found(seen);
            };
            waiting.add(look);
            look();
          }),
        close: () => req.destroy(),
      });
    });
    req.on('error', failed);
    cleanups.push(() => void req.destroy());
    req.end();
  });
}

describe('event streams', () => {
  it('a client is greeted and hears what is broadcast', async () => {
    const { streams, url } = await serve(4);
    const client = await connect(url);
    expect(client.res.headers['content-type']).toContain('text/event-stream');
    await client.until('event: hello\ndata: {"n":1}\n\n');
    streams.broadcast('plot', { w: 5 });
    await client.until('event: plot\ndata: {"w":5}\n\n');
  });

  it('the number of clients is bounded, and a client that left makes room', async () => {
    const { streams, url } = await serve(1);
    const first = await connect(url);
    await first.until('hello');
    const refused = await fetch(url);
    expect(refused.status).toBe(503);
    expect(await refused.json()).toMatchObject({ error: { code: 'api.tooManyClients', retry: 'later' } });
    first.close();
    while (streams.size > 0) await new Promise((next) => setImmediate(next));
    const next = await connect(url);
    await next.until('hello');
  });

  it('nobody takes more than half of the places for themselves', async () => {
    const { url } = await serve(3);
    for (const _ of [1, 2]) await (await connect(`${url}?name=vera`)).until('hello');
    expect((await fetch(`${url}?name=vera`)).status).toBe(503);
    await (await connect(`${url}?name=otto`)).until('hello');
  });

  it('those who may not look any more lose theirs', async () => {
    const { streams, url } = await serve(2);
    const [lost, kept] = [await connect(`${url}?name=vera`), await connect(`${url}?name=otto`)];
    const ended = new Promise<void>((done) => lost.res.on('end', done));
    streams.recheck((req) => req.query.name === 'otto');
    await ended;
    while (streams.size > 1) await new Promise((next) => setImmediate(next));
    streams.broadcast('plot', { w: 5 });
    await kept.until('"w":5');
  });

  it('a client that takes nothing misses events, is cut off, and slows nobody', async () => {
    const { clock, streams, metrics, url } = await serve(2);
    const stuck = await connect(url);
    stuck.res.pause();
    const lively = await connect(url);
    const big = 'x'.repeat(1 << 20);
    for (let i = 0; i < 12; i++) {
      streams.broadcast('plot', { i, big });
      await lively.until(`{"i":${i},`);
      await new Promise((next) => setImmediate(next));
    }
    await clock.advance(60_000);
    streams.broadcast('plot', { end: true });
    await lively.until('"end":true');
    while (streams.size > 1) await new Promise((next) => setImmediate(next));
    expect(metrics.render()).toMatch(/v2gate_event_frames_dropped_total [1-9]/);
  });

  it('a silent stream is kept open by comments', async () => {
    const { clock, url } = await serve(1);
    const client = await connect(url);
    await client.until('hello');
    await clock.advance(15_000);
    await client.until(': keep-alive');
  });
});
