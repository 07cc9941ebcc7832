/** The stations of the way from a request to what the meter shows, in this order. */
export const TRACE_STAGES = ['fo', 'service', 'allocate', 'command', 'ocpp', 'meter', 'limit', 'record'] as const;
export type TraceStage = (typeof TRACE_STAGES)[number];

/** As the gateway sees it: from a peer, to a peer, or between its own parts. */
export type TraceDirection = 'in' | 'out' | 'inside';

/** Something that passes, as its place in the code knows it. */
export interface TraceNote {
  readonly stage: TraceStage;
  readonly direction: TraceDirection;
  /** `<language>/<Message>` */
  readonly topic: string;
  /** Decoded. It is only looked at when somebody asks, so it must not change any more (see {@link TraceNote.passedOn}). */
  readonly payload: unknown;
  readonly id?: string | undefined;
  /** Id of what led to it. */
  readonly cause?: string | undefined;
  readonly link?: string | undefined;
  readonly peer?: string | undefined;
  /** The services that it is about. */
  readonly fsrIds?: readonly string[] | undefined;
  /** The resources that it is about; a function is asked only when the note is kept. */
  readonly resourceIds?: readonly string[] | (() => readonly string[]) | undefined;
  /** Name of a series, where one sample in a while is enough: meter values, heartbeats. */
  readonly series?: string | undefined;
  /** A station was told something: its next samples are kept. */
  readonly awaits?: boolean | undefined;
  /** A flow gets the same object and may change it: it is written down at once. */
  readonly passedOn?: boolean | undefined;
}

/** One entry as it is shown: secrets taken out, payload decoded. */
export interface TraceEntry {
  /** Counts up by one over everything that was kept since the start. */
  readonly seq: number;
  /** Epoch ms. */
  readonly at: number;
  readonly stage: TraceStage;
  readonly direction: TraceDirection;
  readonly link?: string;
  readonly peer?: string;
  readonly topic: string;
  readonly id: string;
  readonly cause?: string;
  /** The service; the first one where it is about several. */
  readonly fsrId?: string;
  readonly fsrIds?: readonly string[];
  readonly resourceIds?: readonly string[];
  /** One line for people. */
  readonly summary: string;
  readonly payload: unknown;
}

/** Where everything that passes is noted. Costs next to nothing and never throws. */
export interface TracePort {
  note(note: TraceNote): void;
  /**
   * True when a sample of this series would not be kept now, and then it counts as left out: it is asked before a note is
   * made of what comes all the time. `subject`: what may be waited for, `meter <resource>` or `ocpp <station>`.
   */
  leavesOut(series: string, subject: string): boolean;
  /** True when {@link leavesOut} would say so of any series, which then counts as left out: asked first, it needs no words. */
  leavesOutAny(): boolean;
}

/** Which entries somebody wants; all given conditions must hold. */
export interface TraceFilter {
  /** A message, command, batch or OCPP message by its id, or a service: everything that led to it and that it led to. */
  readonly follow?: string | undefined;
  readonly stages?: readonly TraceStage[] | undefined;
  readonly peer?: string | undefined;
  /** A part of the topic, in any case. */
  readonly topic?: string | undefined;
  readonly resource?: string | undefined;
}

/** What the ring held when it was asked. */
export interface TracePage {
  readonly entries: readonly TraceEntry[];
  /** Of the oldest entry that is still there; 0 where there is none. */
  readonly oldestSeq: number;
  readonly newestSeq: number;
  /** Entries that had to give way since the start. */
  readonly dropped: number;
  /** Samples of meter values and the like that were left out since the start. */
  readonly sampled: number;
}
