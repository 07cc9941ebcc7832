import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { NodeAPI } from 'node-red';
import { codeOf, describeError } from '../../../core/errors.ts';
import { NODE_ERRORS } from '../../base/errors.ts';
import { controllerOf, runtimeOf } from '../../base/host.ts';
import type { RecentMessage } from '../recent.ts';
import { type CheckRequest, checkMapping } from './check.ts';
import { libraryOf, mappingOf, newMapping, samplesOf } from './library.ts';
import { oneAtATime } from './turns.ts';

type Handler = ReturnType<NodeAPI['auth']['needsPermission']>;
type Request = Parameters<Handler>[0];
type Response = Parameters<Handler>[1];

const FILES = join(import.meta.dirname, '..', 'editor');
const TYPES: Readonly<Record<string, string>> = { js: 'text/javascript', css: 'text/css' };
const STATUS: Readonly<Record<string, number>> = { 'nodes.tooLarge': 413, 'nodes.busy': 429 };
/** Checks that run or wait for their turn. */
const MAX_CHECKS = 8;
const MAX_NAME = 300;

/** Serves the workbench of the `map` node to the editor, below `v2gate/map/`, to those who may use the editor. */
export function serveWorkbench(RED: Pick<NodeAPI, 'httpAdmin' | 'auth' | 'nodes' | 'settings'>): void {
  const { httpAdmin, auth } = RED;
  const look = auth.needsPermission('v2gate-map.read');
  const work = auth.needsPermission('v2gate-map.write');
  const check = oneAtATime(MAX_CHECKS, async (request: CheckRequest) => {
    const { mappings, clock, stopwatch } = runtimeOf(RED);
    return checkMapping(request, mappings.schemas, stopwatch ?? (() => clock.now()), () => setImmediate());
  });
  // Code and styles are the same for everybody; script elements could not bring a token.
  httpAdmin.get('/v2gate/map/editor/:file', (req, res) => void sendFile(String(req.params.file), res));
  httpAdmin.get(
    '/v2gate/map/library',
    look,
    answer(() => libraryOf(runtimeOf(RED))),
  );
  httpAdmin.get(
    '/v2gate/map/mapping',
    look,
    answer((req) => mappingOf(runtimeOf(RED), queried(req, 'path'))),
  );
  httpAdmin.get(
    '/v2gate/map/skeleton',
    look,
    answer((req) => newMapping(runtimeOf(RED), queried(req, 'from'), queried(req, 'to'))),
  );
  httpAdmin.get(
    '/v2gate/map/samples',
    look,
    answer((req) => ({ samples: samplesOf(runtimeOf(RED), queried(req, 'from'), queried(req, 'path')) })),
  );
  httpAdmin.get(
    '/v2gate/map/messages/:id',
    look,
    answer((req) => ({ messages: recentOf(controllerOf(RED, req.params.id)) })),
  );
  httpAdmin.post(
    '/v2gate/map/check',
    work,
    answer((req) => check(requestOf(req.body))),
  );
}

async function sendFile(name: string, res: Response): Promise<void> {
  const ending = /^[a-z][a-z-]*\.(js|css)$/.exec(name)?.[1];
  const type = ending === undefined ? undefined : TYPES[ending];
  try {
    if (type === undefined) throw NODE_ERRORS.fail('nodes.request');
    const content = await readFile(join(FILES, name), 'utf8');
    res.set('cache-control', 'no-cache').type(type).send(content);
  } catch {
    res.status(404).end();
  }
}

/** Whatever `make` throws becomes a JSON answer with code, what and remedy. */
function answer(make: (req: Request) => unknown): Handler {
  return (req, res) => {
    Promise.resolve()
      .then(() => make(req))
      .then((body) => {
        res.set('cache-control', 'no-store').json(body);
      })
      .catch((e: unknown) => {
        const { code, what, remedy } = describeError(e);
        res.status(STATUS[codeOf(e) ?? ''] ?? 400).json({ code, what, remedy });
      });
  };
}

function queried(req: Request, name: string): string {
  const value: unknown = req.query[name];
  if (typeof value === 'string' && value.length <= MAX_NAME) return value;
  throw NODE_ERRORS.fail('nodes.request', `The request must name ${name} with at most ${MAX_NAME} characters.`);
}

function requestOf(body: unknown): CheckRequest {
  const text = (name: string): string | undefined => {
    const value: unknown = typeof body === 'object' && body !== null ? Reflect.get(body, name) : undefined;
    if (value === undefined || typeof value === 'string') return value;
    throw NODE_ERRORS.fail('nodes.request', `${name} must be a text.`);
  };
  const [from, to] = [text('from'), text('to')];
  return {
    text: text('text') ?? '',
    input: text('input') ?? 'null',
    ctx: text('ctx') ?? '',
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    runSlow: text('runSlow') === 'yes',
  };
}

/** The node may be new (not deployed yet), of another kind, or broken. */
function recentOf(controller: unknown): readonly RecentMessage[] {
  const recent: unknown =
    typeof controller === 'object' && controller !== null ? Reflect.get(controller, 'recent') : [];
  return typeof recent === 'function' ? (recent.call(controller) as readonly RecentMessage[]) : [];
}
