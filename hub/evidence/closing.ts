import { BoundedMap } from '../../core/bounded.ts';
import { type Clock, parseTime } from '../../core/clock.ts';
import { describeError } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import type { Proof, ServiceRecord, SiteFile } from '../../model/index.ts';
import { type Service, serviceKey } from '../services/service.ts';
import type { Ledger } from '../site/ledger.ts';
import type { Cell, Delivery } from './delivery.ts';
import { type Documents, documentId, MAX_DOCUMENT_BYTES } from './documents.ts';
import type { EnergyBook } from './energy.ts';
import { forgetDelivery } from './energy-store.ts';
import type { EventLog } from './event-log.ts';
import { firstOf } from './log-query.ts';
import { baselineWh, congestionOf, limitsOf, mergeOf, metersOf, methodOf, scopeOf } from './plan.ts';
import { buildProof, type ProofFacts } from './proof.ts';
import { buildRecord } from './record.ts';
import type { AppliedPoint, EventNote, KeptDocument } from './types.ts';

/** Last values are waited for this long; then what is missing stays missing. */
const LAST_VALUES_MS = 120_000;
/** A failed attempt is repeated after this. */
const AGAIN_MS = 5_000;
const MAX_CLOSING = 2_000;

export interface ClosingOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly ledger: Ledger;
  readonly file: () => SiteFile;
  readonly energy: EnergyBook;
  readonly events: EventLog;
  readonly documents: Documents;
  readonly note: (event: EventNote) => void;
  readonly resources: () => Iterable<string>;
  readonly quiet: (resourceId: string) => 'good' | 'estimated' | undefined;
  /** Of the FO's clock against ours (fo 6.4). */
  readonly clockOf: (foId: string) => Proof['clock'];
}

interface Ended {
  readonly service: Service;
  readonly endedMs: number;
  readonly delivery: Delivery;
  tryAt: number;
  making: boolean;
}

/** Ended services wait here for their last meter values; then their record and proof are made, once (fo 4.3 no. 23, 24). */
export class Closing {
  readonly #o: ClosingOptions;
  readonly #ended = new BoundedMap<string, Ended>({ name: 'evidence.ended', max: MAX_CLOSING, overflow: 'refuse' });

  constructor(o: ClosingOptions) {
    this.#o = o;
  }

  add(service: Service, delivery: Delivery, endedMs: number): void {
    const at = Math.min(endedMs, delivery.plan.endMs);
    delivery.endAt(at);
    this.#ended.set(serviceKey(service.foId, service.fsr.fsrId), {
      service,
      delivery,
      endedMs: at,
      tryAt: 0,
      making: false,
    });
  }

  has(key: string): boolean {
    return this.#ended.get(key) !== undefined;
  }

  tick(): void {
    const now = this.#o.clock.now();
    for (const [key, e] of this.#ended) {
      if (e.making || now < e.tryAt || !this.#isComplete(e, now)) continue;
      e.making = true;
      e.tryAt = now + AGAIN_MS;
      this.#make(key, e)
        .catch((error: unknown) => this.#o.log.warn('evidence.notMade', { service: key, ...describeError(error) }))
        .finally(() => {
          e.making = false;
        });
    }
  }

  /** Waits for what is being made. */
  async settled(): Promise<void> {
    while ([...this.#ended.values()].some((e) => e.making)) await new Promise<void>((next) => setImmediate(next));
  }

  /** All have reported after the end, or nobody waits any longer. */
  #isComplete({ delivery, endedMs }: Ended, now: number): boolean {
    if (now < endedMs || now - endedMs >= LAST_VALUES_MS) return now >= endedMs;
    if (endedMs <= delivery.plan.startMs) return true;
    const { energy } = this.#o;
    const silent = (m: string): boolean => (energy.lastMs(m) ?? 0) < endedMs || energy.isWaiting(m);
    if (delivery.plan.meters.some((m) => silent(m) && this.#o.quiet(m))) energy.quiet(now);
    return !delivery.plan.meters.some(silent);
  }

  async #make(key: string, e: Ended): Promise<void> {
    const { documents, energy, ledger, note } = this.#o;
    const { foId, fsr } = e.service;
    if (!(await documents.has('ServiceRecord', foId, fsr.fsrId))) {
      energy.settle(e.delivery.plan.meters);
      e.delivery.advance(e.endedMs);
      const made = await this.#documents(key, e);
      await documents.keep(
        made.map(({ type, id }) => ({ type, id, foId, fsrId: fsr.fsrId, endedAt: e.endedMs })),
        made.map((m) => m.text),
      );
      for (const { type, id } of made) {
        const kind = type === 'Proof' ? 'proof.made' : 'record.made';
        note({ kind, severity: 'info', subject: [id, fsr.fsrId], parties: [foId] });
      }
    }
    this.#ended.delete(key);
    energy.unfollow(key);
    await forgetDelivery(ledger, key);
  }

  async #documents(key: string, e: Ended): Promise<{ type: KeptDocument['type']; id: string; text: string }[]> {
    const { service } = e;
    const record = await this.#record(key, e);
    // Nothing was to be delivered where the window never began.
    if (service.state === 'aborted' && e.endedMs <= e.delivery.plan.startMs) return [record];
    return [record, this.#proof(e, record.id)];
  }

  async #record(key: string, e: Ended): Promise<{ type: 'ServiceRecord'; id: string; text: string }> {
    const { documents, energy, events, ledger, file } = this.#o;
    const { foId, fsr, members, acceptedAt } = e.service;
    await events.flush();
    const head = events.head(foId);
    const from = await firstOf({ ledger, events }, foId, fsr.fsrId, acceptedAt ?? e.endedMs);
    const curve: AppliedPoint[] = [];
    for await (const { body } of ledger.all('curve', `${key}/`)) curve.push(body as AppliedPoint);
    const id = documentId('ServiceRecord', fsr.fsrId);
    const make = (maxResources: number): string => {
      const record: ServiceRecord = buildRecord({
        ids: { recordId: id, foId, issuerId: file().operatorId },
        service: e.service,
        delivery: e.delivery,
        endedMs: e.endedMs,
        curve,
        headHash: head.hash,
        eventRange: { from: from ?? head.logSeq, to: head.logSeq },
        lastMs: (m) => energy.lastMs(m),
        maxResources,
      });
      return documents.seal('ServiceRecord', foId, { record });
    };
    const text = fitting(members.length, make);
    if (JSON.parse(text).body.record.unlistedResources)
      this.#o.note({ kind: 'record.shortened', severity: 'warning', subject: [id], parties: [foId] });
    return { type: 'ServiceRecord', id, text };
  }

  #proof(e: Ended, recordId: string): { type: 'Proof'; id: string; text: string } {
    const { foId, fsr } = e.service;
    const id = documentId('Proof', fsr.fsrId);
    const facts = this.#facts(e, {
      proofId: id,
      recordId,
      fsrId: fsr.fsrId,
      foId,
      issuerId: this.#o.file().operatorId,
    });
    for (let merge = facts.merge; ; merge *= 2) {
      const text = this.#o.documents.seal('Proof', foId, { proof: buildProof({ ...facts, merge }) });
      if (Buffer.byteLength(text) <= MAX_DOCUMENT_BYTES || merge >= facts.cells.length)
        return { type: 'Proof', id, text };
    }
  }

  #facts({ service, delivery, endedMs }: Ended, ids: ProofFacts['ids']): ProofFacts {
    const file = this.#o.file();
    const { plan } = delivery;
    const set = metersOf(scopeOf(service), file, this.#o.resources);
    const method = methodOf(service, file);
    const congestion = congestionOf(service);
    const limits = limitsOf(service, file);
    return {
      ids,
      formula: congestion ? 'limit' : 'setpoint',
      method,
      meterLevel: set.level,
      ...(set.meterRef === undefined ? {} : { meterRef: set.meterRef }),
      ...(set.besideW === undefined ? {} : { besideW: set.besideW }),
      clock: this.#o.clockOf(service.foId),
      startMs: plan.startMs,
      endMs: endedMs,
      stepMs: plan.stepMs,
      cells: withSilence(delivery, (m) => this.#o.energy.lastMs(m)),
      merge: mergeOf(service, plan, file),
      baselineWh: (from, to) => baselineWh(service, method, from, to),
      ...(congestion?.reduceByW === undefined ? {} : { requestedW: congestion.reduceByW }),
      ...(limits === undefined ? {} : { limits }),
    };
  }
}

/** When a service ended, epoch ms: by its record, else now. */
export const endOf = (service: Service, now: number): number =>
  Math.min(service.endedAt ?? now, parseTime(service.fsr.window.end));

/** The cells, with the time after the last value of each meter as a gap. */
function withSilence(delivery: Delivery, lastMs: (meter: string) => number | undefined): Cell[] {
  const { startMs, endMs, stepMs, meters } = delivery.plan;
  const cells = delivery.cells();
  for (const meter of meters) {
    const from = Math.max(lastMs(meter) ?? startMs, startMs);
    cells.forEach((cell, i) => {
      const begin = startMs + i * stepMs;
      cell.gapMs += Math.max(0, Math.min(begin + stepMs, endMs) - Math.max(begin, from));
    });
  }
  return cells;
}

/** The text with as many of `all` as fit into one message. */
function fitting(all: number, make: (listed: number) => string): string {
  for (let listed = all; ; ) {
    const text = make(listed);
    const bytes = Buffer.byteLength(text);
    if (listed === 0 || bytes <= MAX_DOCUMENT_BYTES) return text;
    listed = Math.floor(listed * Math.min(0.95, MAX_DOCUMENT_BYTES / bytes));
  }
}
