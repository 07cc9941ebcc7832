import type { Proof, ServiceRecord } from '../../model/index.ts';
import { type AwaitedEvidence, proofComplaints, recordComplaints } from './evidence.ts';

/** Services whose record and proof are waited for at a time. */
const MAX_AWAITED = 16;

type Tell = (event: string, fsrId: string, fields: Readonly<Record<string, unknown>>) => void;

/** Waits for record and proof of services that are over, and says what is wrong with them. */
export class EvidenceDesk {
  readonly #tell: Tell;
  #awaited: readonly AwaitedEvidence[];

  constructor(awaited: readonly AwaitedEvidence[], tell: Tell) {
    this.#awaited = awaited;
    this.#tell = tell;
  }

  get awaited(): readonly AwaitedEvidence[] {
    return this.#awaited;
  }

  /** Epoch ms. */
  get nextExpiry(): number | undefined {
    return this.#awaited.length === 0 ? undefined : Math.min(...this.#awaited.map((a) => a.until));
  }

  expect(fsrId: string, until: number): void {
    this.#awaited = [...this.#awaited, { fsrId, until, complaints: [] }].slice(-MAX_AWAITED);
  }

  /** `keyId`: the key of a signature that the link has checked. */
  record(r: ServiceRecord, keyId: string | undefined): void {
    const complaints = [...recordComplaints(r), ...unsigned('record', keyId)];
    const { recordId, outcome } = r;
    this.#tell('record', r.fsrId, { recordId, outcome, resources: r.resources.length, keyId, complaints });
    this.#note(r.fsrId, { recordId }, complaints);
  }

  proof(p: Proof, keyId: string | undefined): void {
    const complaints = [...proofComplaints(p), ...unsigned('proof', keyId)];
    const { proofId, recordId, method, totals, performancePct } = p;
    this.#tell('proof', p.fsrId, { proofId, recordId, method, ...totals, performancePct, keyId, complaints });
    this.#note(p.fsrId, { proofFor: recordId }, complaints);
  }

  expire(now: number): void {
    const late = this.#awaited.filter((a) => now >= a.until);
    this.#awaited = this.#awaited.filter((a) => now < a.until);
    for (const { fsrId, recordId, proofFor } of late) {
      this.#tell('evidenceMissing', fsrId, { record: recordId !== undefined, proof: proofFor !== undefined });
    }
  }

  #note(fsrId: string, part: Partial<AwaitedEvidence>, complaints: readonly string[]): void {
    const old = this.#awaited.find((a) => a.fsrId === fsrId);
    if (!old) return;
    const now = { ...old, ...part, complaints: [...old.complaints, ...complaints] };
    const whole = now.recordId !== undefined && now.proofFor !== undefined;
    this.#awaited = this.#awaited.flatMap((a) => (a === old ? (whole ? [] : [now]) : [a]));
    if (!whole) return;
    const apart = now.recordId === now.proofFor ? [] : ['the proof is about another record'];
    this.#tell('evidence', fsrId, { complaints: [...now.complaints, ...apart] });
  }
}

const unsigned = (what: string, keyId: string | undefined): string[] =>
  keyId === undefined ? [`the ${what} is not signed`] : [];
