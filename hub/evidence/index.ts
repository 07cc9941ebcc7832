import type { Clock } from '../../core/clock.ts';
import type { Log } from '../../core/log.ts';
import type { SiteFile, WireMessage } from '../../model/index.ts';
import type { Signer } from '../ports.ts';
import type { Service } from '../services/service.ts';
import type { Ledger } from '../site/ledger.ts';
import { SiteEvidence } from './evidence.ts';
import type { Evidence } from './types.ts';

export { EVENT_KINDS, type KnownEventKind, severityOf } from './kinds.ts';
export type * from './types.ts';

export interface EvidenceOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly ledger: Ledger;
  /** The site file in force. */
  readonly file: () => SiteFile;
  /** Services that the site holds, running or not. */
  readonly services: () => Iterable<Service>;
  /** How well it is known that a resource draws nothing although its meter says nothing; undefined: it may draw. */
  readonly quiet: (resourceId: string) => 'good' | 'estimated' | undefined;
  /** All resources of the site. */
  readonly resources: () => Iterable<string>;
  /** What a resource could do at most, W; undefined for one that is not known. */
  readonly ratedW: (resourceId: string) => { readonly importW: number; readonly exportW: number } | undefined;
  /** Told every clock offset of a party as well, ms. */
  readonly onClockOffset?: (foId: string, offsetMs: number) => void;
  /** A signed document for a party: `meta.id`, `meta.at` and `meta.signature` must reach the wire unchanged. */
  readonly tell: (message: WireMessage) => void;
  /** Without it documents stay unsigned (tests). */
  readonly signer?: Signer;
}

/** Opens the evidence of a site. Nothing is written before it was restored. */
export function openEvidence(o: EvidenceOptions): Evidence {
  return new SiteEvidence(o);
}
