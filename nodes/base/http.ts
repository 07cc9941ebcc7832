import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { NodeAPI } from 'node-red';
import { codeOf, describeError } from '../../core/errors.ts';
import { NODE_ERRORS } from './errors.ts';

export type Handler = ReturnType<NodeAPI['auth']['needsPermission']>;
export type Request = Parameters<Handler>[0];
type Response = Parameters<Handler>[1];

const TYPES: Readonly<Record<string, string>> = { js: 'text/javascript', css: 'text/css' };
const STATUS: Readonly<Record<string, number>> = {
  'nodes.tooLarge': 413,
  'nodes.busy': 429,
  'nodes.notRunning': 404,
};

/** Serves code and styles of dialogs. They are the same for everybody; script elements could not bring a token. */
export function sendFiles(folder: string): Handler {
  return (req, res) => void sendFile(folder, String(req.params.file), res);
}

async function sendFile(folder: string, name: string, res: Response): Promise<void> {
  const ending = /^[a-z][a-z-]*\.(js|css)$/.exec(name)?.[1];
  const type = ending === undefined ? undefined : TYPES[ending];
  try {
    if (type === undefined) throw NODE_ERRORS.fail('nodes.request');
    const content = await readFile(join(folder, name), 'utf8');
    res.set('cache-control', 'no-cache').type(type).send(content);
  } catch {
    res.status(404).end();
  }
}

/** Whatever `make` throws becomes a JSON answer with code, what and remedy. */
export function answer(make: (req: Request) => unknown): Handler {
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
