import { parseTime } from '../../core/clock.ts';
import type { Json } from '../../core/json.ts';
import { type QueryRecords, type ResultBody, SERVICE_ERRORS } from '../../model/index.ts';
import { refused } from '../services/results.ts';
import { type DocumentRef, type Documents, MAX_DOCUMENT_BYTES } from './documents.ts';

const PAGE_DOCUMENTS = 50;

/**
 * `QueryRecords` of a party: its own records and proofs, exactly as they were sent first (fo 4.3 no. 25). The page after
 * is named by the last key of this one, or by its place among the ids.
 */
export async function queryRecords(documents: Documents, foId: string, query: QueryRecords): Promise<ResultBody> {
  const { ids, window, page } = query;
  if (ids !== undefined) {
    const skip = page === undefined ? 0 : Number(page);
    if (!Number.isSafeInteger(skip) || skip < 0) return refused(badPage());
    const refs: DocumentRef[] = [];
    for (const id of ids) refs.push(...(await documents.find(foId, id)));
    return collect(documents, unique(refs).slice(skip), (taken) => String(skip + taken));
  }
  const folder = `doc/${foId}/`;
  const after = page === undefined ? '' : folder + page;
  const [fromMs, toMs] = window ? [parseTime(window.start), parseTime(window.end)] : [0, 0];
  const refs = await documents.window(foId, fromMs, toMs, after, PAGE_DOCUMENTS + 1);
  return collect(documents, refs, (_, last) => last.key.slice(folder.length));
}

async function collect(
  documents: Documents,
  refs: readonly DocumentRef[],
  next: (taken: number, last: DocumentRef) => string,
): Promise<ResultBody> {
  const found: { records: Json[]; proofs: Json[] } = { records: [], proofs: [] };
  let [bytes, taken] = [0, 0];
  let last: DocumentRef | undefined;
  for (const ref of refs) {
    const doc = await documents.read(ref);
    const size = doc ? Buffer.byteLength(doc.text) : 0;
    if (last && (bytes + size > MAX_DOCUMENT_BYTES || taken >= PAGE_DOCUMENTS))
      return { status: 'ok', data: { ...found, nextPage: next(taken, last) } };
    taken++;
    bytes += size;
    last = ref;
    if (doc) (doc.type === 'Proof' ? found.proofs : found.records).push(JSON.parse(doc.text) as Json);
  }
  return { status: 'ok', data: found };
}

function unique(refs: readonly DocumentRef[]): DocumentRef[] {
  const seen = new Map(refs.map((r) => [`${r.type} ${r.key}`, r])); // bounded by: the ids of one query
  return [...seen.values()];
}

const badPage = () =>
  SERVICE_ERRORS.fail('param.invalid', 'This page is not one that was offered.', {
    path: '/page',
    remedy: 'Send nextPage unchanged.',
  });
