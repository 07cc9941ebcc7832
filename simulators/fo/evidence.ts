import { createHash } from 'node:crypto';
import { canonical } from '../../core/json.ts';
import { type KeyPoint, signingInput, verifySignature } from '../../core/signing.ts';
import {
  type EventEntry,
  type Proof,
  ProofEvent,
  type ServiceRecord,
  ServiceRecordEvent,
  type SignedDocument,
} from '../../model/index.ts';

/** Record and proof that a service of ours still owes. */
export interface AwaitedEvidence {
  readonly fsrId: string;
  /** Epoch ms. */
  readonly until: number;
  /** `recordId` and `issuerId` of what came. */
  readonly recordId?: string;
  readonly proofFor?: string;
  readonly complaints: readonly string[];
}

/** Relative difference that rounding may leave between a total and the sum of its parts. */
const TOLERANCE = 0.001;

/**
 * What is wrong with a service record, by its content; its signature is checked by the link. `us` is our party id,
 * undefined when nobody knows it here.
 */
export function recordComplaints(r: ServiceRecord, us?: string): string[] {
  return [
    ...(us !== undefined && r.foId !== undefined && r.foId !== us ? [`the record is for ${r.foId}`] : []),
    ...(r.eventRange.to < r.eventRange.from ? ['its range of events runs backwards'] : []),
    ...(/^[0-9a-f]{64}$/.test(r.headHash) ? [] : ['its head hash is none']),
    ...(asksFor(r) ? [] : ['it does not show what was requested']),
    ...r.resources.filter((x) => x.minPowerW > x.maxPowerW).map((x) => `${x.resourceId}: minimum above maximum`),
  ];
}

/** `requested` is the canonical JSON of the request as received. */
function asksFor(r: ServiceRecord): boolean {
  try {
    const asked: unknown = JSON.parse(r.requested);
    const fsr = typeof asked === 'object' && asked !== null && 'fsr' in asked ? asked.fsr : asked;
    return typeof fsr === 'object' && fsr !== null && 'fsrId' in fsr && fsr.fsrId === r.fsrId;
  } catch {
    return false;
  }
}

/** What is wrong with a proof, by its content: sums, order of the intervals. */
export function proofComplaints(p: Proof): string[] {
  const delivered = p.intervals.reduce((sum, x) => sum + (x.deliveredWh ?? 0), 0);
  const requested = p.intervals.reduce((sum, x) => sum + (x.requestedWh ?? 0), 0);
  const starts = p.intervals.map((x) => Date.parse(x.start));
  return [
    ...(near(delivered, p.totals.deliveredWh) ? [] : [`delivered ${delivered} Wh sums up to ${p.totals.deliveredWh}`]),
    ...(near(requested, p.totals.requestedWh) ? [] : [`requested ${requested} Wh sums up to ${p.totals.requestedWh}`]),
    ...(starts.some((t, i) => i > 0 && t <= (starts[i - 1] ?? 0)) ? ['its intervals are not in order'] : []),
  ];
}

const near = (a: number, b: number): boolean => Math.abs(a - b) <= Math.max(1, Math.abs(b)) * TOLERANCE;

/**
 * What is wrong with a document that was read again (fo 4.3 no. 25): its signature, if keys are known, its envelope and
 * its content.
 */
export function documentComplaints(d: SignedDocument, keys: readonly KeyPoint[] | undefined): string[] {
  const wrong = keys !== undefined && !verifySignature(keys, signingInput(d.type, d.messageId, d.body), d.signature);
  const signature = wrong ? ['its signature does not hold'] : [];
  const [issue] = (d.type === 'Proof' ? ProofEvent : ServiceRecordEvent).check(d.body);
  if (issue) return [...signature, `${issue.path} ${issue.message}`];
  if (d.type === 'Proof') return [...signature, ...proofComplaints(ProofEvent.parse(d.body).proof)];
  return [...signature, ...recordComplaints(ServiceRecordEvent.parse(d.body).record, d.to)];
}

/**
 * What breaks a chain of log entries (fo 9.4), by `logSeq`; undefined when it holds. The first entry is believed to
 * follow what went before.
 */
export function chainBreak(entries: readonly EventEntry[]): number | undefined {
  const broken = entries.find((entry, i) => {
    const { hash, ...rest } = entry;
    const before = entries[i - 1];
    const follows = !before || (entry.prevHash === before.hash && entry.logSeq === before.logSeq + 1);
    return !follows || createHash('sha256').update(canonical(rest)).digest('hex') !== hash;
  });
  return broken?.logSeq;
}
