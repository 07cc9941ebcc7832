import { once } from 'node:events';
import { type Request, type Response, Router } from 'express';
import { canonical } from '../core/json.ts';
import type { PublicJwk } from '../core/signing.ts';
import type { KeptDocument } from '../hub/evidence/types.ts';
import type { Site } from '../hub/site/types.ts';
import { GATEWAY_ERRORS } from './errors.ts';

export interface EvidenceApiOptions {
  readonly site: (siteId: string) => Site;
  readonly publicKeys: () => readonly PublicJwk[];
}

/** Rows of {@link evidenceApi} in the list of routes. */
export const EVIDENCE_ROUTES = [
  { method: 'GET', path: '/jwks.json', what: 'The public keys with which records and proofs are signed (JWKS).' },
  { method: 'GET', path: '/sites/:siteId/chains', what: 'The event logs of a site: one per operator, and `local`.' },
  {
    method: 'GET',
    path: '/sites/:siteId/events',
    what: 'An event log as JSON lines; `?fo=<partyId>` takes the one of an operator, `?from=<logSeq>` begins later, `?last=<n>` gives the newest.',
  },
  {
    method: 'GET',
    path: '/sites/:siteId/records',
    what: 'The newest service records; `?fo=`, `?id=` (recordId or fsrId) and `?limit=` (1–1000) choose.',
  },
  {
    method: 'GET',
    path: '/sites/:siteId/records/:id',
    what: 'One service record: the signed envelope as it was sent.',
  },
  { method: 'GET', path: '/sites/:siteId/proofs', what: 'The newest proofs; chosen as records are.' },
  { method: 'GET', path: '/sites/:siteId/proofs/:id', what: 'One proof: the signed envelope as it was sent.' },
] as const;

const MAX_LISTED = 1_000;

/** Event logs, records and proofs, for consoles, auditors and `npx v2gate verify`. */
export function evidenceApi(o: EvidenceApiOptions): Router {
  const api = Router();
  const site = (req: Request): Site => o.site(String(req.params.siteId));
  api.get('/jwks.json', (_req, res) => sendJwks(res, o.publicKeys()));
  api.get('/sites/:siteId/chains', (req, res) => void res.json({ chains: site(req).evidence.reader.chains() }));
  api.get('/sites/:siteId/events', (req, res, next) => {
    sendLog(site(req), req, res).catch((e: unknown) => (res.headersSent ? res.destroy() : next(e)));
  });
  for (const [path, type] of [
    ['records', 'ServiceRecord'],
    ['proofs', 'Proof'],
  ] as const) {
    api.get(`/sites/:siteId/${path}`, (req, res, next) => {
      list(site(req), type, req).then((documents) => void res.json({ [path]: documents }), next);
    });
    api.get(`/sites/:siteId/${path}/:id`, (req, res, next) => {
      one(site(req), type, req).then((doc) => sendDocument(res, doc), next);
    });
  }
  return api;
}

/** RFC 7517; caches may keep it for a while, keys change seldom. */
export function sendJwks(res: Response, keys: readonly PublicJwk[]): void {
  res.set('cache-control', 'public, max-age=300').type('application/jwk-set+json').send(JSON.stringify({ keys }));
}

async function sendLog(site: Site, req: Request, res: Response): Promise<void> {
  const chain = textOf(req, 'fo') ?? 'local';
  const last = numberOf(req, 'last', 1, Number.MAX_SAFE_INTEGER);
  await site.evidence.flush();
  const start = last === undefined ? 1 : Math.max(1, site.evidence.reader.newest(chain) - last + 1);
  const from = numberOf(req, 'from', 1, Number.MAX_SAFE_INTEGER) ?? start;
  // The file name would set another type.
  res.attachment(`${site.siteId}-${chain}-events.jsonl`.replaceAll(':', '_')).type('application/x-ndjson');
  for await (const entry of site.evidence.reader.events(chain, from)) {
    if (res.destroyed) return;
    if (!res.write(`${canonical(entry)}\n`)) await Promise.race([once(res, 'drain'), once(res, 'close')]);
  }
  res.end();
}

async function list(site: Site, type: KeptDocument['type'], req: Request): Promise<object[]> {
  const foId = textOf(req, 'fo');
  const id = textOf(req, 'id');
  const documents = await site.evidence.reader.documents(type, {
    limit: numberOf(req, 'limit', 1, MAX_LISTED) ?? 100,
    ...(foId === undefined ? {} : { foId }),
    ...(id === undefined ? {} : { id }),
  });
  return documents.map(({ text, ...about }) => ({ ...about, document: JSON.parse(text) as object }));
}

/** Ids are unique for one operator; where two have the same, one must be named. */
async function one(site: Site, type: KeptDocument['type'], req: Request): Promise<KeptDocument> {
  const foId = textOf(req, 'fo');
  const id = String(req.params.id);
  const documents = await site.evidence.reader.documents(type, { id, ...(foId === undefined ? {} : { foId }) });
  const [found, other] = documents.filter((d) => d.id === id);
  if (other)
    throw GATEWAY_ERRORS.fail('api.badRequest', 'Several operators have a document of this id; name one with ?fo=.');
  if (found) return found;
  throw GATEWAY_ERRORS.fail('api.notFound', 'There is no document of this id.', {
    remedy: 'Look at the list; ids begin with rec: or prf:.',
  });
}

function sendDocument(res: Response, { id, text }: KeptDocument): void {
  res
    .attachment(`${id.replaceAll(':', '_')}.json`)
    .type('application/json')
    .send(text);
}

function textOf(req: Request, name: string): string | undefined {
  const value: unknown = req.query[name];
  if (value === undefined || (typeof value === 'string' && value.length <= 64)) return value;
  throw GATEWAY_ERRORS.fail('api.badRequest', `“${name}” must be given once, with at most 64 characters.`);
}

function numberOf(req: Request, name: string, min: number, max: number): number | undefined {
  const text = textOf(req, name);
  if (text === undefined) return undefined;
  const n = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (n >= min && n <= max) return n;
  throw GATEWAY_ERRORS.fail('api.badRequest', `“${name}” must be a whole number from ${min} to ${max}.`);
}
