import { readdirSync, readFileSync } from 'node:fs';
import { createServer, request as httpRequest, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import express, { Router } from 'express';
import { afterEach, describe, expect, it } from 'vitest';
import { manualClock } from '../../core/clock.ts';
import { API_ROUTES, errorResponse } from '../../gateway/api.ts';
import { AREAS, type Gate } from '../../gateway/gate.ts';
import { isRole } from '../../gateway/roles.ts';
import { mountRoutes } from '../../gateway/routes.ts';
import { addTimelineRoutes } from '../../gateway/timeline-api.ts';
import { TimelineStreams } from '../../gateway/timeline-streams.ts';
import { Trace } from '../../hub/trace/index.ts';

const PATIENT = { timeout: 8_000, interval: 20 };

const GATEWAY = join(import.meta.dirname, '../../gateway');
const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const step of cleanups.splice(0).reverse()) await step();
});

async function served(app: express.Express): Promise<string> {
  const server = createServer(app);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  cleanups.push(() => new Promise<void>((done) => void server.close(() => done()).closeAllConnections()));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('the table of routes', () => {
  it('gives every route one role, and every path once', () => {
    for (const { path, role } of API_ROUTES)
      expect(isRole(role) || role === 'open' || role === 'token', path).toBe(true);
    const keys = API_ROUTES.map((r) => `${r.method} ${r.path}`);
    expect(new Set(keys).size).toBe(keys.length);
    expect(AREAS.at(-1)).toMatchObject({ path: '/', role: 'engineer' });
  });

  it('is the only way into the API', () => {
    const files = readdirSync(GATEWAY).filter((f) => /^(api|.*-api)\.ts$/.test(f));
    expect(files.length).toBeGreaterThan(6);
    for (const file of files)
      expect(readFileSync(join(GATEWAY, file), 'utf8'), file).not.toMatch(
        /\bapi\.(get|post|put|patch|delete|all|route)\(/,
      );
  });

  it('asks the gate before anything else happens', async () => {
    const api = Router();
    const asked: string[] = [];
    const rows = [{ method: 'POST', path: '/x', role: 'operator', what: 'A test.' }] as const;
    const gate = {
      needs: (role: string) => (_req: express.Request, res: express.Response) => {
        asked.push(role);
        res.status(418).end();
      },
    };
    mountRoutes(api, rows, { 'POST /x': () => void asked.push('handled') }, gate);
    const url = await served(express().use(api));
    const res = await fetch(`${url}/x`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{' });
    expect([res.status, asked]).toEqual([418, ['operator']]);
  });
});

describe('a page of the timeline', () => {
  it('is whole and in order, and others have their turn while a large one is made', async () => {
    const clock = manualClock();
    const trace = new Trace(clock);
    const streams = new TimelineStreams(clock, trace);
    cleanups.push(() => streams.close());
    const payload = { values: Array.from({ length: 20 }, (_, i) => ({ offsetS: i, powerW: i })) };
    for (let i = 0; i < 500; i++)
      trace.note({ stage: 'fo', direction: 'in', topic: 'fo1/Hello', id: `m-${i}`, payload });
    const api = Router();
    const gate: Gate = {
      required: false,
      who: () => Promise.resolve(undefined),
      needs: () => (_req, _res, next) => next(),
    };
    addTimelineRoutes(api, { trace, streams, gate });
    const url = await served(express().use(api));
    let turns = 0;
    let during: number | undefined;
    const take = trace.slowPage.bind(trace);
    trace.slowPage = (...given) => {
      const page = take(...given);
      function* counted() {
        const from = turns;
        yield* page.entries;
        during = turns - from;
      }
      return { ...page, entries: counted() };
    };
    const loop = async (): Promise<void> => {
      for (; during === undefined; turns++) await setImmediate();
    };
    const [body] = await Promise.all([fetch(`${url}/timeline?limit=2000`).then((res) => res.json()), loop()]);
    expect(during).toBeGreaterThanOrEqual(15);
    expect(body).toEqual(JSON.parse(JSON.stringify(trace.page({}, { limit: 2_000 }))));
    expect(await (await fetch(`${url}/timeline?topic=nothing`)).json()).toMatchObject({ entries: [], newestSeq: 500 });
  });
});

describe('streams of the timeline', () => {
  async function world() {
    const clock = manualClock();
    const trace = new Trace(clock);
    const streams = new TimelineStreams(clock, trace);
    cleanups.push(() => streams.close());
    const app = express();
    app.get('/', (req, res) =>
      streams.open(req, res, { filter: { peer: 'A' }, ...(req.query.after ? { after: Number(req.query.after) } : {}) }),
    );
    app.use(errorResponse);
    const url = await served(app);
    const note = (peer: string): void =>
      trace.note({ stage: 'ocpp', direction: 'in', topic: 'x/Y', payload: {}, peer });
    const open = (query = ''): Promise<{ res: IncomingMessage; text(): string }> =>
      new Promise((done) => {
        const req = httpRequest(`${url}/${query}`, (res) => {
          let text = '';
          res.setEncoding('utf8').on('data', (chunk: string) => {
            text += chunk;
          });
          done({ res, text: () => text });
        });
        cleanups.push(() => void req.destroy());
        req.end();
      });
    const until = (client: { text(): string }, what: RegExp) =>
      expect
        .poll(async () => {
          await clock.advance(250);
          return client.text();
        }, PATIENT)
        .toMatch(what);
    return { clock, trace, streams, note, open, until };
  }

  it('bring what passes from now on, filtered, each with its number', async () => {
    const { note, open, until } = await world();
    note('A');
    const client = await open();
    note('B');
    note('A');
    await until(client, /id: 3\nevent: entry\ndata: \{"seq":3,/);
    expect(client.text()).not.toMatch(/"seq":[12],/);
  });

  it('go on where a client was, and say what it has missed', async () => {
    const { note, open, until } = await world();
    for (let i = 1; i <= 7_600; i++) note(i === 40 || i === 101 || i === 7_600 ? 'A' : 'B');
    const client = await open('?after=50');
    await until(client, /event: gap\ndata: \{"missed":50\}/);
    await until(client, /"seq":7600,/);
    expect(client.text()).toContain('"seq":101,');
    expect(client.text()).not.toContain('"seq":40,');
    const ahead = await open('?after=999999');
    note('A');
    await until(ahead, /"seq":7601,/);
  });

  it('stay open without news, are bounded, and end when they are told to', async () => {
    const { clock, streams, open, until } = await world();
    const clients = await Promise.all(Array.from({ length: 16 }, () => open()));
    const [first] = clients;
    const more = await open();
    expect(more.res.statusCode).toBe(503);
    await clock.advance(15_000);
    if (first) await until(first, /: keep-alive/);
    const ended = Promise.all(clients.map(({ res }) => new Promise((done) => res.on('end', done))));
    streams.disconnect();
    await ended;
    expect(streams.stats().size).toBe(0);
  });
});
