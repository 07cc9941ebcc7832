/**
 * Input and output of the allocator (fo 8). All powers in W, load convention: positive = import = charging. Limits are
 * magnitudes ≥ 0 in separate import and export fields. Everything is plain, structured-clonable data.
 */

/** `none`: imports and exports are bounded separately; `measured`: their sum is bounded (fo 8.2). */
export type Netting = 'none' | 'measured';

/** The id by which results name the point of connection; no circuit may be called so. */
export const POC_ID = 'poc';

export interface Limits {
  readonly importLimitW: number;
  readonly exportLimitW: number;
}

export interface CircuitInput {
  readonly circuitId: string;
  /** Absent: directly below the POC. */
  readonly parentId?: string;
  readonly importLimitW: number;
  readonly exportLimitW: number;
  readonly netting: Netting;
  /**
   * The limits of this moment, where they are narrower because nobody knows yet what others do: shares are made for the
   * limits above, but no increase is sent beyond these (fo 8.3.8). Absent: the same.
   */
  readonly now?: Limits;
}

export interface FixedPower {
  /** Lowest power it may have, W signed. */
  readonly minW: number;
  /** Highest power it may have, W signed; equal to `minW` when the power is known (opted out: the driver's plan). */
  readonly maxW: number;
}

export interface EvseInput {
  readonly evseId: string;
  /** Absent: directly at the POC. */
  readonly circuitId?: string;
  /** `lo_i` of fo 8.1, ≤ 0: how far it may go down when limits collide with needs. */
  readonly loW: number;
  /** `P_needed` of fo 8.1. */
  readonly neededW: number;
  /** `P_wished` of fo 8.1, ≥ 0. */
  readonly wishedW: number;
  /** > 0 means "0 or at least this" (forbidden zone, fo 8.3.6). */
  readonly minImportW: number;
  readonly minExportW: number;
  /** Granularity, W > 0; absent: 1 W. */
  readonly stepW?: number;
  /** A station that takes only amperes: the higher of nominal and measured voltage; steps of 0.1 A per phase. */
  readonly amps?: { readonly voltageV: number; readonly phases: number };
  /**
   * Not ours to set: opted out, or offline with the range between its worst cases (fo 6.4). It leaves the target sum
   * but counts in every limit, `maxW` against import limits and `minW` against export limits.
   */
  readonly fixed?: FixedPower;
  /** Last granted or confirmed power, W signed. */
  readonly presentW: number;
  /** What it may be doing while earlier commands are under way; absent: exactly `presentW`. */
  readonly inFlight?: FixedPower;
  /** Greatest power of the EVSE in either direction, for the 1 % rule of fo 8.3.8. */
  readonly maxW: number;
  /** `minCommandIntervalS` is not over: the present value counts as fixed, unless a limit needs a reduction. */
  readonly commandRunning: boolean;
  /** Given by an earlier pass, for a target that stands above: told as it is, and counted in every limit, W signed. */
  readonly pinnedW?: number;
  /** `minOnS`/`minOffS` is not over: it stays on this side of its forbidden zone unless a limit demands otherwise. */
  readonly keepSide?: 'import' | 'zero' | 'export';
  /** False if any of driver, contract, conformity, site says no (G8). */
  readonly exportAllowed: boolean;
}

/** The point of connection with everything behind it that is no EVSE. */
export interface PocInput {
  readonly importLimitW: number;
  readonly exportLimitW: number;
  readonly netting: Netting;
  /** {@link CircuitInput.now} */
  readonly now?: Limits;
}

export interface EssInput {
  /** Present power, load convention: negative = discharging. */
  readonly powerW: number;
  readonly maxDischargeW: number;
  readonly availableWh: number;
  /** Below this it is not discharged (`E_min`). */
  readonly minWh: number;
}

export interface TargetInput {
  /** `S` of fo 8.3, W signed. */
  readonly setpointW: number;
  /** Where `setpointW` is counted (fo 2.3). */
  readonly referencePoint: 'evse' | 'group' | 'site';
  /** EVSEs that serve the target; absent: all. */
  readonly members?: readonly string[];
}

export interface SiteInput {
  readonly poc: PocInput;
  /** Base load `P_used` at the POC, ≥ 0. */
  readonly usedW: number;
  /** Generation `P_gen` at the POC, ≥ 0. */
  readonly generationW: number;
  readonly ess?: EssInput;
  /** Planning step Δt, s > 0. */
  readonly stepS: number;
  readonly circuits: readonly CircuitInput[];
  readonly evses: readonly EvseInput[];
  /** The caller sends only what may go at once, and plans anew for the rest: nobody moves for increases that wait. */
  readonly onlyNow?: boolean;
  /** Absent: no service runs, everyone gets what is wished within the limits and nobody exports. */
  readonly target?: TargetInput;
}

/**
 * Why an EVSE got what it got. `fixed`/`held`: not ours to move now; `zone`: 0 because of its forbidden zone; `needed`,
 * `wished`: at that bound; `shortfall`: below what it needs; `share`: its share of the target or limit.
 */
export type Basis = 'fixed' | 'held' | 'zone' | 'needed' | 'wished' | 'shortfall' | 'share';

export interface Grant {
  readonly evseId: string;
  /** Rounded to what the station can be told (fo 8.3.7). */
  readonly grantedW: number;
  /** Before rounding. */
  readonly plannedW: number;
  readonly neededW: number;
  readonly wishedW: number;
  readonly basis: Basis;
}

export type LimitedBy = 'needed' | 'wished' | 'fuse' | 'poc';

export interface LimitAlarm {
  readonly code: 'limit.unreachable';
  /** A circuitId or {@link POC_ID}. */
  readonly nodeId: string;
  readonly direction: 'import' | 'export';
  /** Magnitude, of the EVSEs alone (base load and generation taken off). May be negative at the POC. */
  readonly limitW: number;
  readonly valueW: number;
}

/** The first `count` commands of `gates[gate]` must be confirmed before the increase may be sent. */
export interface Wait {
  readonly gate: number;
  readonly count: number;
}

/**
 * `reduction`: nearer to 0 than now, goes first; `free`: an increase that fits whatever happens in flight; `waits`: see
 * `waitsFor`.
 */
export type CommandPhase = 'reduction' | 'free' | 'waits';

export interface AllocationCommand {
  readonly evseId: string;
  readonly powerW: number;
  readonly phase: CommandPhase;
  readonly waitsFor: readonly Wait[];
}

export interface AllocationResult {
  /** By evseId in byte order. */
  readonly grants: readonly Grant[];
  /** `T` of fo 8.3.4 for the sum of those that serve the target (without target: the sum that limits and wishes allow). */
  readonly targetW: number;
  /** Σ granted of the same EVSEs. */
  readonly sumW: number;
  /** The bound that decided; absent when the target is met as asked. */
  readonly limitedBy?: LimitedBy;
  /** Σ(needed − granted) over EVSEs that miss more than one step of what they need (fo 8.2). */
  readonly shortfallW: number;
  /** Power the ESS must have, load convention (fo 3.2.6.3). */
  readonly essW: number;
  readonly alarms: readonly LimitAlarm[];
  /** Circuits without netting whose bounds were scaled (fo 8.3.5a). */
  readonly scaled: readonly { readonly nodeId: string; readonly direction: 'import' | 'export' }[];
  /** In the order in which they should be sent; an EVSE that crosses 0 may be told twice. */
  readonly commands: readonly AllocationCommand[];
  /** Indices into `commands`, in the order in which the waiting increases count them. */
  readonly gates: readonly (readonly number[])[];
  /** Nodes with `measured` netting that may be beyond a limit until these commands have arrived: no order avoids it. */
  readonly transient: readonly string[];
  /** EVSEs whose change is too small to be sent (fo 8.3.8). */
  readonly skipped: readonly string[];
  /**
   * EVSEs whose increase is in no command, because earlier commands that cannot be repeated now may still take the room.
   * A later run, after their outcome, brings it.
   */
  readonly deferred: readonly string[];
}
