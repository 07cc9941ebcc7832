import type { BoundStats } from '../../core/bounded.ts';
import type { OutcomeState } from '../../model/index.ts';

/** What an EVSE may be doing, W signed, load convention. */
export interface PowerRange {
  readonly minW: number;
  readonly maxW: number;
}

/** The first `count` commands of `gates[gate]` must be effective before this one may go (fo 8.3.8). */
export interface DispatchWait {
  readonly gate: number;
  readonly count: number;
}

export interface DispatchCommand {
  readonly evseId: string;
  readonly commandId: string;
  /** W signed. */
  readonly powerW: number;
  /** Epoch ms at which the command ends by itself at the station. */
  readonly validUntil: number;
  /** What the station falls back to at `validUntil`; absent: it stays where it is. */
  readonly afterwards?: PowerRange;
  /** Absent or empty: it may go at once. */
  readonly waitsFor?: readonly DispatchWait[];
}

/** The part of hub/CommandOutcome that the dispatcher reads. */
export interface DispatchOutcome {
  readonly commandId: string;
  readonly resourceId: string;
  readonly state: OutcomeState;
  readonly measuredW?: number;
  /** What was sent after clipping to the envelope. */
  readonly appliedW?: number;
}

/** What is known of the power of one EVSE. */
export interface PowerState {
  /** The last value there is evidence for, W signed; 0 before there is any. */
  readonly confirmedW: number;
  /** The newest command that is still open, W signed. */
  readonly pendingW?: number;
  /** Magnitudes ≥ 0: everything it may be doing, from evidence and commands that may have reached it. */
  readonly worstImportW: number;
  readonly worstExportW: number;
}

/** The same with the worst cases as one signed range (tighter where both ends are on one side of 0). */
export interface PresentPower extends PowerState, PowerRange {}

/** A command that lost its claim. */
export interface Lapsed {
  readonly evseId: string;
  readonly commandId: string;
  /** `notSent`: nobody said within 5 s that it was sent; `ended`: its `validUntil` passed; `waited`: while it waited. */
  readonly why: 'notSent' | 'ended' | 'waited';
}

export interface DispatchSnapshot extends PresentPower {
  readonly evseId: string;
}

export interface Dispatcher {
  /**
   * Takes the commands of one allocation run over. What has to wait is kept until {@link due}; what still waited from
   * earlier runs is dropped, for the new run has planned anew. Answers the ids of commands that found no room (they
   * must not be sent).
   */
  issue(commands: readonly DispatchCommand[], now: number, gates?: readonly (readonly string[])[]): string[];
  /** Takes note of an outcome; outcomes of unknown commands change nothing. */
  outcome(outcome: DispatchOutcome, now: number): void;
  /** The link to the station is gone: it may do anything between what it did and its offline profile (fo 6.4). */
  lost(evseId: string, offline: { readonly importW: number; readonly exportW: number }, now: number): void;
  /** Evidence from elsewhere (no session: 0 W; a meter). Replaces all that was assumed; open commands are forgotten. */
  assume(evseId: string, range: PowerRange, now: number): void;
  /**
   * Evidence while commands are on the way: beside those in `young` it can only be doing something within `range`, which
   * has to include what these ask for. All other claims are over.
   */
  narrow(evseId: string, range: PowerRange, young: readonly string[]): void;
  /** The EVSE is gone for good; commands to it that still wait are dropped. */
  forget(evseId: string): void;
  present(evseId: string): PresentPower;
  /** Takes claims back that ended; what may have happened meanwhile stays in the worst case. */
  expire(now: number): Lapsed[];
  /** Commands whose wait is over; they count as under way from now on and are not given twice. */
  due(now: number): DispatchCommand[];
  /** By evseId in byte order. */
  snapshot(): DispatchSnapshot[];
  stats(): BoundStats;
}
