/**
 * Records and proofs in the form in which people compare them.
 * @import { Proof, ServiceRecord, SignedDocument } from '../../model/index.ts'
 */
import { energy, percent, UNKNOWN } from './format.js';

/** @typedef {{ id: string, foId: string, fsrId: string, endedAt: number, document: SignedDocument }} Kept as the API lists it */

/** A record with its newest proof. @typedef {{ foId: string, fsrId: string, endedAt: number, outcome: string, record: Kept | undefined, proof: Kept | undefined }} Pairing */

/**
 * Each record with the proof that is about it, the newest end first.
 * @param {readonly Kept[]} records
 * @param {readonly Kept[]} proofs newest first
 * @returns {Pairing[]}
 */
export function pairDocuments(records, proofs) {
  const left = [...proofs];
  const paired = records.map((record) => {
    const i = left.findIndex((p) => p.foId === record.foId && proofOf(p)?.recordId === record.id);
    const [proof] = i < 0 ? [] : left.splice(i, 1);
    return pairing(record, proof);
  });
  return [...paired, ...left.map((p) => pairing(undefined, p))].sort((a, b) => b.endedAt - a.endedAt);
}

/** @param {Kept | undefined} record @param {Kept | undefined} proof @returns {Pairing} */
function pairing(record, proof) {
  const { foId = '', fsrId = '', endedAt = Number.NaN } = record ?? proof ?? {};
  return { foId, fsrId, endedAt, outcome: recordOf(record)?.outcome ?? '', record, proof };
}

/** The message 23 says one record, 24 one proof (fo 4.3). @param {Kept | undefined} kept @returns {Partial<ServiceRecord> | undefined} */
export const recordOf = (kept) => /** @type {Partial<ServiceRecord> | undefined} */ (kept?.document.body.record);

/** @param {Kept | undefined} kept @returns {Partial<Proof> | undefined} */
const proofOf = (kept) => /** @type {Partial<Proof> | undefined} */ (kept?.document.body.proof);

/** @type {Readonly<Record<string, string>>} */
const METHODS = {
  declared: 'declared baseline',
  priorWindow: 'baseline of the time before',
  highXofY: 'baseline of earlier days',
  zero: 'no baseline',
};

/**
 * Totals of a proof in words; of an interval that is not `good` is told, for it counts against the delivery.
 * @param {Kept | undefined} kept
 */
export function proofFigures(kept) {
  const proof = proofOf(kept);
  if (proof === undefined) return { requested: UNKNOWN, delivered: UNKNOWN, performance: UNKNOWN, how: '' };
  const { totals, performancePct, trackingErrorPct, method, intervals = [] } = proof;
  const doubtful = intervals.filter((i) => i.quality !== 'good').length;
  const how = [
    method === undefined ? undefined : (METHODS[method] ?? method),
    trackingErrorPct === undefined ? undefined : `${percent(trackingErrorPct)} tracking error`,
    doubtful === 0 ? undefined : `${doubtful} of ${intervals.length} intervals not fully measured`,
  ];
  return {
    requested: energy(totals?.requestedWh),
    delivered: energy(totals?.deliveredWh),
    performance: percent(performancePct),
    how: how.filter(Boolean).join(' · '),
  };
}
