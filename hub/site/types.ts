import type {
  AllocationRequest,
  CommandBatch,
  CommandOutcome,
  FleetSnapshot,
  OptChoice,
  PendingStation,
  ResultBody,
  ServiceTarget,
  SetLimit,
  SiteFile,
  StationCapabilities,
  StationOrder,
  StationOrderOutcome,
  WireMessage,
} from '../../model/index.ts';
import type { Evidence } from '../evidence/types.ts';
import type { ActuatingLink, ReplyLink } from '../ports.ts';
import type { WithdrawReason } from '../services/notices.ts';
import type { StationAdmission } from './stations.ts';
import type { WarningNote } from './warnings.ts';

/** Takes back what a subscription or an attachment did. Safe to call twice. */
export type Detach = () => void;

/** What listeners of a site can hear. All payloads are plain data. */
export interface SiteEvents {
  /** Something moved that an allocation should look at again: arrival, meter, refusal, expiry, limit, confirmation. */
  readonly changed: { readonly reason: string; readonly at: number };
  /** A message for a party: ServiceDecision, ExecutionNotice, CancelService, Opt. `meta.peer` is the party. */
  readonly notice: WireMessage;
  /** Telemetry that is due for a subscription. `meta.peer` is the party. */
  readonly telemetry: WireMessage;
  /** Every observation after it entered the twin, and every command outcome. */
  readonly observed: WireMessage;
  /** One point of the power plot (requested, granted, measured), at most once a second. */
  readonly plot: PlotPoint;
  /** The same for the groups of the site, by groupId. */
  readonly groupPlots: Readonly<Record<string, PlotPoint>>;
  /** A station asks to be let in, was let in, or is none of the site any more. */
  readonly stations: { readonly kind: 'pending' | 'accepted' | 'removed'; readonly identity: string };
  /** What disturbs the site (a meter is lost, a clock is off), or that nothing does any more. */
  readonly condition: { readonly ok: boolean; readonly text: string };
  /** The site file was reloaded, or a reload was refused. */
  readonly reloaded: { readonly ok: boolean; readonly text: string };
}

/** A message of a link about one of its commands. Its payload is the link's own word: it is not checked again. */
export type OutcomeMessage = WireMessage & { readonly topic: 'hub/CommandOutcome'; readonly payload: CommandOutcome };

/** The answer to a request, and the new target where it brought one (for the wire to `allocate`). */
export interface Decision {
  /** With a target it takes a while to work out: read it when the target is on its way. */
  readonly result: ResultBody;
  readonly target?: ServiceTarget;
}

export interface PlotPoint {
  readonly at: number;
  /** What the party asked for, W, load convention; absent when no service is active. */
  readonly requestedW?: number;
  readonly grantedW: number;
  readonly measuredW: number;
  readonly importLimitW: number;
  readonly exportLimitW: number;
}

/**
 * One site of the gateway: fleet twin, services, allocation, dispatch and evidence behind one door. It knows no
 * protocol; bridges feed it observations and carry out its commands.
 */
export interface Site {
  readonly siteId: string;
  /** The site file in force. */
  file(): SiteFile;
  /** Checks and takes over a new site file; on any error the old one stays in force. Throws `site.invalid`. */
  reload(file: SiteFile): Promise<void>;
  /** Tells listeners that a changed site file was refused and why; nothing else changes. */
  reloadFailed(error: unknown): void;

  attach(link: ActuatingLink): Detach;
  attachReplies(link: ReplyLink): Detach;
  on<E extends keyof SiteEvents>(event: E, listener: (payload: SiteEvents[E]) => void): Detach;

  /**
   * Feeds one observation (hub/MeterReading, hub/ResourceState, hub/EvNeeds, hub/SessionEvent, hub/CommandOutcome). Never throws. With
   * `checked` its payload is known to have the form of its message: whoever translated it has looked.
   */
  observe(message: WireMessage, checked?: 'checked'): void;
  /** Feeds what became of commands, in the order in which it happened. Never throws. */
  outcomes(messages: readonly OutcomeMessage[]): void;
  /**
   * True when a resource is counted with just this power since the command was decided: then the word that it was sent, and
   * was accepted or replaced later, changes nothing that a limit depends on, and may come a little later.
   */
  isCounted(outcome: CommandOutcome): boolean;
  /** Settles when what was observed and said once (hub/EvNeeds) is stored; rejects when that has failed. Undefined: it is. */
  kept(): Promise<void> | undefined;
  /** Decides about a request of a party (hub/RequestService, UpdateSetpoint, CancelService, SubscribeTelemetry …). Never rejects. */
  decide(message: WireMessage): Promise<Decision>;
  /** Sends the answer of a decided request to the link that waits for it. False when nobody waits any more. */
  reply(replyTo: string, result: ResultBody): boolean;

  /** A party has come up on its link: what it has to know is told (PublishResources, fo 7 common opening). */
  partyUp(foId: string, facts: { readonly clockOffsetMs?: number }): void;
  partyDown(foId: string, reason: string): void;
  /** Opt-in or opt-out from console or station (fo 4.3 no. 13); a party's own comes through `decide`. Never rejects. */
  opt(choice: OptChoice, by: string): Promise<ResultBody>;
  /**
   * Takes a service back (fo 4.3 no. 17): the gateway may do so only for safety, a fault or a mandate of a grid operator.
   * The FO is told, the record keeps the reason. Never rejects.
   */
  withdraw(foId: string, fsrId: string, reason: WithdrawReason): Promise<ResultBody>;
  /** True while a driver charges with priority by a choice at the station, in this session where one is named (fo 6.4). */
  hasPriority(resourceId: string, sessionId?: string): boolean;
  /** What was seen of the station of a resource; undefined before it connected. */
  capabilities(resourceId: string): StationCapabilities | undefined;
  readonly evidence: Evidence;

  /** A notice has been taken over by the outbox of the link that serves its party. */
  delivered(noticeId: string): void;
  /** Tells what no link has taken yet: the wires may be other ones now. A link takes each notice once. */
  tellAgain(): void;

  /** Only one allocator may act for a site. Throws `site.allocatorTaken` naming the holder. */
  claimAllocator(holder: string): Detach;
  /** One allocation run (fo 8.3). Undefined when no command may or need go out now. */
  allocate(request: AllocationRequest): CommandBatch | undefined;
  /** Settles when the commands of the last run are stored, or the store has failed: then they may go. Never rejects. */
  recorded(): Promise<void>;
  /** A limit from outside the site file: operator, EMS, grid. Stored, pushed to every link at once. Throws `limit.unknownNode`. */
  setLimit(limit: SetLimit): Promise<void>;

  /** Admission of a station at connect and boot. */
  readonly stations: StationAdmission;
  /**
   * What a resource may draw without word from the gateway, W ≥ 0: its share of all limits when everybody draws at once.
   * Links install it at the station as the profile below every command.
   */
  safeImportW(resourceId: string): number;
  snapshot(): FleetSnapshot;
  pendingStations(): readonly PendingStation[];
  /** Recent plot points of the site or of a group, oldest first, at most 900. */
  plot(groupId?: string): readonly PlotPoint[];
  /** The groups that have a plot. */
  groups(): readonly string[];
  /** Orders a station to do something beside its power; `by` is who wants it. The answer is what the station said. Never rejects. */
  order(order: StationOrder, by: string): Promise<StationOrderOutcome>;
  /** Takes over what a link finds wrong, or that it is over; the snapshot shows it. */
  warn(note: WarningNote): void;
  /** True once stored services were read back and new control may be admitted. */
  readonly ready: boolean;
  close(): Promise<void>;
}
