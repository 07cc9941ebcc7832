import { once } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import type { Request, Response, Router } from 'express';
import { TRACE_STAGES, type Trace, type TraceFilter, type TraceStage } from '../hub/trace/index.ts';
import { GATEWAY_ERRORS } from './errors.ts';
import type { Gate } from './gate.ts';
import { handled, mountRoutes, numberParam, textParam } from './routes.ts';
import type { TimelineStreams } from './timeline-streams.ts';

export interface TimelineApiOptions {
  readonly trace: Trace;
  readonly streams: TimelineStreams;
  readonly gate: Gate;
}

const FILTERS =
  '`?follow=<id of a message, command, batch or service>` gives everything that led to it and that it led to; `stage=` (several with commas), `peer=`, `resource=`, `topic=` (a part of it) choose';

/** Rows of {@link addTimelineRoutes} in the list of routes. */
export const TIMELINE_ROUTES = [
  {
    method: 'GET',
    path: '/timeline',
    role: 'viewer',
    what: `What passed from operators to meters, decoded and without secrets: \`{entries, oldestSeq, newestSeq, dropped, sampled}\`. ${FILTERS}; \`after=<seq>\` gives what came later, \`limit=\` (1–2000) at most so many. \`format=jsonl\` gives all of it as a file.`,
  },
  {
    method: 'GET',
    path: '/timeline/stream',
    role: 'viewer',
    what: 'The same as server-sent events, as it passes: `entry` with one entry each, `gap` with `{missed}` where a slow client missed some. `after=` or `Last-Event-ID` begins there.',
  },
] as const;

const DEFAULT_LIMIT = 200;
const MAX_LIMIT = 2_000;
const MAX_TEXT = 128;

export function addTimelineRoutes(api: Router, { trace, streams, gate }: TimelineApiOptions): void {
  mountRoutes(
    api,
    TIMELINE_ROUTES,
    {
      'GET /timeline': handled(async (req, res) => {
        const filter = filterOf(req);
        const after = numberParam(req, 'after', 0, Number.MAX_SAFE_INTEGER);
        if (textParam(req, 'format') === 'jsonl') return sendLines(trace, filter, after, res);
        const limit = numberParam(req, 'limit', 1, MAX_LIMIT) ?? DEFAULT_LIMIT;
        return sendPage(trace, filter, { after, limit }, res);
      }),
      'GET /timeline/stream': handled(async (req, res) => {
        const given = req.headers['last-event-id'];
        const seen = typeof given === 'string' && /^\d{1,15}$/.test(given) ? Number(given) : undefined;
        const after = seen ?? numberParam(req, 'after', 0, Number.MAX_SAFE_INTEGER);
        const name = gate.required ? (await gate.who(req))?.name : undefined;
        streams.open(req, res, { filter: filterOf(req), after, name });
      }),
    },
    gate,
  );
}

/** Entries that are made and written before others have their turn: about a millisecond, ten where they are large. */
const AT_ONCE = 25;

/** A page is written piece by piece: 2 000 large entries in one go would hold up all links for half a second. */
async function sendPage(
  trace: Trace,
  filter: TraceFilter,
  range: { readonly after: number | undefined; readonly limit: number },
  res: Response,
): Promise<void> {
  const { entries, ...about } = trace.slowPage(filter, range);
  res.type('json');
  let made = 0;
  for (const entry of entries) {
    if (made > 0 && made % AT_ONCE === 0) await setImmediate();
    if (res.destroyed) return;
    const drained = res.write(`${made++ === 0 ? '{"entries":[' : ','}${JSON.stringify(entry)}`);
    if (!drained) await Promise.race([once(res, 'drain'), once(res, 'close')]);
  }
  res.end(`${made === 0 ? '{"entries":[' : ''}],${JSON.stringify(about).slice(1)}`);
}

async function sendLines(trace: Trace, filter: TraceFilter, after: number | undefined, res: Response): Promise<void> {
  // The file name would set another type.
  res.attachment('timeline.jsonl').type('application/x-ndjson');
  for (const entry of trace.export(filter, after)) {
    if (res.destroyed) return;
    if (!res.write(`${JSON.stringify(entry)}\n`)) await Promise.race([once(res, 'drain'), once(res, 'close')]);
  }
  res.end();
}

function filterOf(req: Request): TraceFilter {
  const stages = textParam(req, 'stage', MAX_TEXT)
    ?.split(',')
    .filter((s) => s !== '')
    .map(stageOf);
  const given = (name: string): string | undefined => textParam(req, name, MAX_TEXT) || undefined;
  return {
    follow: given('follow'),
    stages: stages?.length === 0 ? undefined : stages,
    peer: given('peer'),
    topic: given('topic'),
    resource: given('resource'),
  };
}

function stageOf(text: string): TraceStage {
  const stage = TRACE_STAGES.find((s) => s === text);
  if (stage) return stage;
  throw GATEWAY_ERRORS.fail('api.badRequest', `“stage” must be one or more of ${TRACE_STAGES.join(', ')}.`);
}
