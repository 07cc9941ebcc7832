import { once } from 'node:events';
import type { Request, Response, Router } from 'express';
import { canonical } from '../core/json.ts';
import type { PublicJwk } from '../core/signing.ts';
import type { KeptDocument } from '../hub/evidence/types.ts';
import type { Site } from '../hub/site/types.ts';
import { GATEWAY_ERRORS } from './errors.ts';
import type { Gate } from './gate.ts';
import { handled, mountRoutes, numberParam, textParam } from './routes.ts';

export interface EvidenceApiOptions {
  readonly site: (siteId: string) => Site;
  readonly publicKeys: () => readonly PublicJwk[];
  readonly gate: Gate;
}

/** Rows of {@link addEvidenceRoutes} in the list of routes. */
export const EVIDENCE_ROUTES = [
  {
    method: 'GET',
    path: '/jwks.json',
    role: 'open',
    what: 'The public keys with which records and proofs are signed (JWKS).',
  },
  {
    method: 'GET',
    path: '/sites/:siteId/chains',
    role: 'viewer',
    what: 'The event logs of a site: one per operator, and `local`.',
  },
  {
    method: 'GET',
    path: '/sites/:siteId/events',
    role: 'viewer',
    what: 'An event log as JSON lines; `?fo=<partyId>` takes the one of an operator, `?from=<logSeq>` begins later, `?last=<n>` gives the newest.',
  },
  {
    method: 'GET',
    path: '/sites/:siteId/records',
    role: 'viewer',
    what: 'The newest service records; `?fo=`, `?id=` (recordId or fsrId) and `?limit=` (1–1000) choose.',
  },
  {
    method: 'GET',
    path: '/sites/:siteId/records/:id',
    role: 'viewer',
    what: 'One service record: the signed envelope as it was sent.',
  },
  {
    method: 'GET',
    path: '/sites/:siteId/proofs',
    role: 'viewer',
    what: 'The newest proofs; chosen as records are.',
  },
  {
    method: 'GET',
    path: '/sites/:siteId/proofs/:id',
    role: 'viewer',
    what: 'One proof: the signed envelope as it was sent.',
  },
] as const;

const MAX_LISTED = 1_000;

/** Event logs, records and proofs, for consoles, auditors and `npx v2gate verify`. */
export function addEvidenceRoutes(api: Router, o: EvidenceApiOptions): void {
  const site = (req: Request): Site => o.site(String(req.params.siteId));
  const listed = (path: 'records' | 'proofs', type: KeptDocument['type']) =>
    handled(async (req, res) => res.json({ [path]: await list(site(req), type, req) }));
  const shown = (type: KeptDocument['type']) =>
    handled(async (req, res) => sendDocument(res, await one(site(req), type, req)));
  mountRoutes(
    api,
    EVIDENCE_ROUTES,
    {
      'GET /jwks.json': (_req, res) => sendJwks(res, o.publicKeys()),
      'GET /sites/:siteId/chains': (req, res) => void res.json({ chains: site(req).evidence.reader.chains() }),
      'GET /sites/:siteId/events': (req, res, next) => {
        sendLog(site(req), req, res).catch((e: unknown) => (res.headersSent ? res.destroy() : next(e)));
      },
      'GET /sites/:siteId/records': listed('records', 'ServiceRecord'),
      'GET /sites/:siteId/records/:id': shown('ServiceRecord'),
      'GET /sites/:siteId/proofs': listed('proofs', 'Proof'),
      'GET /sites/:siteId/proofs/:id': shown('Proof'),
    },
    o.gate,
  );
}

/** RFC 7517; caches may keep it for a while, keys change seldom. */
export function sendJwks(res: Response, keys: readonly PublicJwk[]): void {
  res.set('cache-control', 'public, max-age=300').type('application/jwk-set+json').send(JSON.stringify({ keys }));
}

async function sendLog(site: Site, req: Request, res: Response): Promise<void> {
  const chain = textParam(req, 'fo') ?? 'local';
  const last = numberParam(req, 'last', 1, Number.MAX_SAFE_INTEGER);
  await site.evidence.flush();
  const start = last === undefined ? 1 : Math.max(1, site.evidence.reader.newest(chain) - last + 1);
  const from = numberParam(req, 'from', 1, Number.MAX_SAFE_INTEGER) ?? start;
  // The file name would set another type.
  res.attachment(`${site.siteId}-${chain}-events.jsonl`.replaceAll(':', '_')).type('application/x-ndjson');
  for await (const entry of site.evidence.reader.events(chain, from)) {
    if (res.destroyed) return;
    if (!res.write(`${canonical(entry)}\n`)) await Promise.race([once(res, 'drain'), once(res, 'close')]);
  }
  res.end();
}

async function list(site: Site, type: KeptDocument['type'], req: Request): Promise<object[]> {
  const foId = textParam(req, 'fo');
  const id = textParam(req, 'id');
  const documents = await site.evidence.reader.documents(type, {
    limit: numberParam(req, 'limit', 1, MAX_LISTED) ?? 100,
    ...(foId === undefined ? {} : { foId }),
    ...(id === undefined ? {} : { id }),
  });
  return documents.map(({ text, ...about }) => ({ ...about, document: JSON.parse(text) as object }));
}

/** Ids are unique for one operator; where two have the same, one must be named. */
async function one(site: Site, type: KeptDocument['type'], req: Request): Promise<KeptDocument> {
  const foId = textParam(req, 'fo');
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
