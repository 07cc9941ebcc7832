import { createHash } from 'node:crypto';
import { BoundedMap } from '../../core/bounded.ts';
import { type Clock, iso } from '../../core/clock.ts';
import { failPoint } from '../../core/failpoint.ts';
import { uuidv7 } from '../../core/ids.ts';
import { canonical } from '../../core/json.ts';
import { detached } from '../../core/signing.ts';
import type { Proof, ServiceRecord, SignedDocument, WireMessage } from '../../model/index.ts';
import { FO_PROFILE } from '../../model/index.ts';
import type { RecordKind, Signer, StoredRecord, StoreOp } from '../ports.ts';
import type { Ledger } from '../site/ledger.ts';
import type { DocumentFilter, KeptDocument } from './types.ts';

/** A document fits into one message of 256 KiB (fo 4.2), also inside the answer to a query. */
export const MAX_DOCUMENT_BYTES = 240_000;
/** What nobody has taken is told again after this, a few at a time. */
const TELL_AGAIN_MS = 60_000;
const AT_ONCE = 10;
const MAX_OPEN = 10_000;
const PREFIX = { ServiceRecord: 'rec', Proof: 'prf' } as const;
const KIND = { ServiceRecord: 'record', Proof: 'proof' } as const satisfies Record<KeptDocument['type'], RecordKind>;
export const TYPES = ['ServiceRecord', 'Proof'] as const;

export interface DocumentsOptions {
  readonly clock: Clock;
  readonly ledger: Ledger;
  readonly siteId: string;
  readonly issuerId: () => string;
  readonly tell: (message: WireMessage) => void;
  readonly signer?: Signer;
}

/** What is stored of one document. */
interface Row {
  readonly fsrId: string;
  readonly foId: string;
  readonly id: string;
  readonly endedAt: number;
  readonly text: string;
}

/** Where a document lies. */
export interface DocumentRef {
  readonly type: KeptDocument['type'];
  readonly key: string;
}

/** `rec:N-4711`; what would be too long for an id is cut and told apart by its hash. */
export function documentId(type: KeptDocument['type'], fsrId: string): string {
  const plain = `${PREFIX[type]}:${fsrId}`;
  if (plain.length <= 64) return plain;
  return `${plain.slice(0, 55)}.${createHash('sha256').update(fsrId).digest('hex').slice(0, 8)}`;
}

/**
 * Records and proofs: signed, stored in class A exactly as they go out, told until a link has taken them, and found
 * again with the same bytes (fo 3.9, fo 4.3 no. 23–25, fo 9.4).
 */
export class Documents {
  readonly #o: DocumentsOptions;
  /** Not taken by a link yet: messageId, and where it lies. */
  readonly #open = new BoundedMap<string, DocumentRef>({
    name: 'evidence.open',
    max: MAX_OPEN,
    overflow: 'dropOldest',
  });
  #toldAt: number;

  constructor(o: DocumentsOptions) {
    this.#o = o;
    this.#toldAt = o.clock.now();
  }

  /** The envelope as it will be sent. Its id carries the time of sending, so that the signature covers that too. */
  seal(type: KeptDocument['type'], foId: string, body: { record: ServiceRecord } | { proof: Proof }): string {
    const { clock, signer, issuerId } = this.#o;
    const messageId = uuidv7(clock);
    const envelope = {
      profile: FO_PROFILE,
      messageId,
      type,
      from: issuerId(),
      to: foId,
      sentAt: iso(Number.parseInt(messageId.slice(0, 13).replace('-', ''), 16)),
      body,
      ...(signer ? { signature: detached(signer, type, messageId, body) } : {}),
    };
    return canonical(envelope);
  }

  /** Stores the documents of one service in one write, then tells them. */
  async keep(docs: readonly Omit<KeptDocument, 'text'>[], texts: readonly string[]): Promise<void> {
    const at = this.#o.clock.now();
    const rows = docs.map((d, i): Row & { type: KeptDocument['type'] } => ({ ...d, text: texts[i] ?? '' }));
    const ops = rows.flatMap((row): StoreOp[] => {
      const { type, ...body } = row;
      const ref: DocumentRef = { type, key: keyOf(row) };
      const put = (kind: RecordKind, key: string, content: unknown): StoreOp => ({
        op: 'put',
        kind,
        key,
        at,
        body: content,
      });
      return [
        put(KIND[type], ref.key, body),
        put(KIND[type], `id/${row.foId}/${row.id}`, ref),
        put(KIND[type], `fsr/${row.foId}/${row.fsrId}/${row.id}`, ref),
        put('record', `open/${envelopeOf(row.text).messageId}`, ref),
      ];
    });
    failPoint('record.signed');
    await this.#o.ledger.write(ops);
    for (const row of rows) {
      const { messageId } = envelopeOf(row.text);
      this.#open.set(messageId, { type: row.type, key: keyOf(row) });
      this.#tell(row.text);
    }
  }

  /** A link has taken it. False when it is none of ours. */
  delivered(messageId: string): boolean {
    if (!this.#open.delete(messageId)) return false;
    this.#o.ledger.later({ op: 'delete', kind: 'record', key: `open/${messageId}` });
    return true;
  }

  /** True when the document of that service was made already. */
  async has(type: KeptDocument['type'], foId: string, fsrId: string): Promise<boolean> {
    return (await this.#o.ledger.get(KIND[type], `id/${foId}/${documentId(type, fsrId)}`)) !== undefined;
  }

  /** Finds what nobody has taken before a restart, and tells it. */
  async restore(): Promise<void> {
    const open: [string, DocumentRef][] = [];
    for await (const { key, body } of this.#o.ledger.all('record', 'open/'))
      open.push([key.slice('open/'.length), body as DocumentRef]);
    // By the end of the services, and the record before the proof that names it.
    const place = ({ key, type }: DocumentRef): string => `${key.split('/')[2]}/${TYPES.indexOf(type)}`;
    open.sort(([, a], [, b]) => (place(a) < place(b) ? -1 : 1));
    for (const [messageId, ref] of open) this.#open.set(messageId, ref);
    await this.#tellOpen();
  }

  tick(): void {
    const now = this.#o.clock.now();
    if (Math.abs(now - this.#toldAt) >= TELL_AGAIN_MS) this.tellAgain();
  }

  /** Tells what nobody has taken. */
  tellAgain(): void {
    this.#tellOpen().catch(() => undefined);
  }

  async #tellOpen(): Promise<void> {
    this.#toldAt = this.#o.clock.now();
    for (const [messageId, ref] of [...this.#open].slice(0, AT_ONCE)) {
      const doc = await this.read(ref);
      // Its time has passed, and it was deleted.
      if (!doc) this.delivered(messageId);
      // To the end of the queue, so that all have their turn.
      else if (this.#open.has(messageId) && this.#open.set(messageId, ref)) this.#tell(doc.text);
    }
  }

  #tell(text: string): void {
    const { messageId, sentAt, to, type, body, signature } = envelopeOf(text);
    this.#o.tell({
      topic: type === 'Proof' ? 'hub/ProofEvent' : 'hub/ServiceRecordEvent',
      payload: body,
      v2gate: {
        id: messageId,
        at: sentAt,
        link: `site:${this.#o.siteId}`.slice(0, 128),
        peer: to,
        ...(signature ? { signature } : {}),
      },
    });
  }

  async read(ref: DocumentRef): Promise<KeptDocument | undefined> {
    const row = await this.#o.ledger.get(KIND[ref.type], ref.key);
    return row && { ...(row.body as Row), type: ref.type };
  }

  /** Newest first. */
  async list(type: KeptDocument['type'], { foId, id, limit = 100 }: DocumentFilter = {}): Promise<KeptDocument[]> {
    if (id !== undefined && foId !== undefined) return this.#all(await this.find(foId, id, [type]), limit);
    const folder = foId === undefined ? 'doc/' : `doc/${foId}/`;
    const rows = await this.#o.ledger.page(KIND[type], { folder, after: '', limit, newestFirst: true });
    return rows.map((row) => ({ ...(row.body as Row), type }));
  }

  /** Documents of a party by recordId, proofId or fsrId. */
  async find(foId: string, id: string, types: readonly KeptDocument['type'][] = TYPES): Promise<DocumentRef[]> {
    const found: DocumentRef[] = [];
    for (const type of types) {
      const direct = await this.#o.ledger.get(KIND[type], `id/${foId}/${id}`);
      const ofService = await this.#o.ledger.page(KIND[type], { folder: `fsr/${foId}/${id}/`, after: '', limit: 100 });
      const rows: StoredRecord[] = direct ? [direct, ...ofService] : ofService;
      found.push(...rows.map((row) => row.body as DocumentRef));
    }
    return found;
  }

  /** Documents of services that ended in `[fromMs, toMs)`, by time, after a key of an earlier page. */
  async window(foId: string, fromMs: number, toMs: number, after = '', limit = 100): Promise<DocumentRef[]> {
    const folder = `doc/${foId}/`;
    const first = `${folder}${padded(fromMs)}`;
    const found: DocumentRef[] = [];
    for (const type of TYPES) {
      const from = after > first ? after : first;
      const rows = await this.#o.ledger.page(KIND[type], { folder, after: from, limit });
      found.push(...rows.filter((r) => (r.body as Row).endedAt < toMs).map((r) => ({ type, key: r.key })));
    }
    return found.sort((a, b) => (a.key < b.key ? -1 : 1)).slice(0, limit);
  }

  async #all(refs: readonly DocumentRef[], limit: number): Promise<KeptDocument[]> {
    const docs: KeptDocument[] = [];
    for (const ref of refs.slice(0, limit)) {
      const doc = await this.read(ref);
      if (doc) docs.push(doc);
    }
    return docs;
  }
}

/** The envelope in a stored text, which was checked when it was made. */
export const envelopeOf = (
  text: string,
): Omit<SignedDocument, 'signature'> & Partial<Pick<SignedDocument, 'signature'>> => JSON.parse(text);

const padded = (ms: number): string => String(Math.max(0, Math.floor(ms))).padStart(15, '0');

const keyOf = (row: Pick<Row, 'foId' | 'endedAt' | 'id'>): string => `doc/${row.foId}/${padded(row.endedAt)}/${row.id}`;
