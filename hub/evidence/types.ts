import type {
  CommandBatch,
  EventEntry,
  MeterReading,
  QueryEvents,
  QueryRecords,
  ResultBody,
} from '../../model/index.ts';
import type { Scope } from '../services/request.ts';
import type { Service } from '../services/service.ts';

/** Something worth an entry in the event log (fo 3.9). */
export interface EventNote {
  /** For example `service.active`, `setpoint.clipped`, `resource.lost`, `meter.lost`, `gateway.restart`. */
  readonly kind: string;
  readonly severity: EventEntry['severity'];
  /** Ids it is about: service, resource, meter, party. */
  readonly subject: readonly string[];
  readonly cause?: string;
  readonly text?: string;
  /** FOs in whose chain it stands too; `all`: every FO with a contract here. The local chain has every entry (fo 3.9). */
  readonly parties?: readonly string[] | 'all';
}

/** What the site made of a target at one moment, W, load convention, at the reference point of the service. */
export interface AppliedPoint {
  /** Epoch ms. */
  readonly at: number;
  /** As asked for and in force; absent in a fallback without target. */
  readonly requestedW?: number;
  readonly appliedW?: number;
  readonly limitedBy?: string;
}

/** Mean power over a span with how far it can be trusted (fo 3.8, fo 8.6). */
export interface MeanPower {
  /** W, load convention; absent with quality `missing`. */
  readonly powerW?: number;
  readonly quality: 'good' | 'estimated' | 'substituted' | 'missing';
}

/** A signed record or proof as it is kept. */
export interface KeptDocument {
  readonly type: 'ServiceRecord' | 'Proof';
  /** recordId or proofId. */
  readonly id: string;
  readonly foId: string;
  readonly fsrId: string;
  /** Epoch ms of the end of the service. */
  readonly endedAt: number;
  /** The envelope exactly as it was signed: canonical JSON (fo 9.4). */
  readonly text: string;
}

export interface DocumentFilter {
  readonly foId?: string;
  /** recordId, proofId or fsrId. */
  readonly id?: string;
  /** Newest first; 1–1 000, default 100. */
  readonly limit?: number;
}

/** What consoles and exports read. */
export interface EvidenceReader {
  /** Chains that have entries: `local` and the ids of FOs. */
  chains(): readonly string[];
  /** Number of the newest entry of a chain; 0 where it has none. */
  newest(chain: string): number;
  /** A whole chain, or from a number on, in order. */
  events(chain: string, fromLogSeq?: number): AsyncIterable<EventEntry>;
  documents(type: KeptDocument['type'], filter?: DocumentFilter): Promise<readonly KeptDocument[]>;
}

/**
 * Evidence of one site: hash-chained event logs, energy per interval, service records and proofs (fo 3.8, fo 3.9, fo 9.4).
 * Nothing here ever throws into the path of a command; what cannot be stored is logged and retried.
 */
export interface Evidence {
  note(event: EventNote): void;
  /** A stored change of a service record; makes the record and the proof when it has ended. */
  serviceChanged(before: Service | undefined, after: Service): void;
  /** The applied curve of an active service, at every allocation run that changed it. `key` is {@link serviceKey}. */
  applied(key: string, point: AppliedPoint): void;
  /** A meter value of a resource or of a meter of the site, after it was taken over: it is kept, and its energy counts. */
  measured(reading: MeterReading): void;
  /** Mean of the measured power over `[fromMs, toMs)`, from the energy intervals that are kept (epoch ms). */
  mean(scope: Scope, fromMs: number, toMs: number): MeanPower;
  /** Difference of a peer's clock to ours, ms, from its `sentAt` (fo 6.4 clock). */
  clockOffset(foId: string, offsetMs: number): void;
  queryEvents(foId: string, query: QueryEvents): Promise<ResultBody>;
  queryRecords(foId: string, query: QueryRecords): Promise<ResultBody>;
  /** Commands that leave the site: after a restart those without an outcome are stated as unknown (design 5). */
  commanded(batch: CommandBatch): Promise<void>;
  /** A notice has reached the outbox of its link. False when it is none of the evidence. */
  delivered(noticeId: string): boolean;
  /** Tells what no link has taken yet. */
  tellAgain(): void;
  readonly reader: EvidenceReader;
  /** Goes on where it was before a restart. Called when services are back. */
  restore(): Promise<void>;
  /** Once a second. */
  tick(): void;
  /** Settles when everything noted so far is written, or the store has failed. */
  flush(): Promise<void>;
  close(): Promise<void>;
}
