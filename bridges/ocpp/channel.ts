import type { Resource } from '../../hub/fleet/resources.ts';
import type { MappingContext, PowerCommand, StationStatus } from '../../model/index.ts';
import type { Version } from '../../protocols/ocpp/index.ts';
import type { Capabilities } from './capabilities.ts';
import type { PowerRange } from './effective.ts';
import type { Step } from './ladder.ts';
import type { TrackedCommand } from './outcome.ts';

/** The forms in which a power command can be expressed. */
export type Shape = 'dynamic' | 'setpoint' | 'limitW' | 'limitA' | 'onOff';

/** What a mapping is chosen by: a shape, new values for an installed dynamic profile, or the profile below all others. */
export type Form = Exclude<Shape, 'onOff'> | 'update' | 'defaultW' | 'defaultA';

/** Highest permitted import and export, W ≥ 0. */
export interface PowerLimits {
  readonly importLimitW: number;
  readonly exportLimitW: number;
}

/** A command on its way to the station. */
export interface Attempt {
  readonly command: PowerCommand;
  /** `validUntil` of the command, epoch ms. */
  readonly endsAt: number;
  /** W after clipping, load convention. */
  appliedW: number;
  /** It goes before all others; so does what comes after it, or this one would stay in the queue beside it. */
  readonly urgent: boolean;
}

/** A token as 2.x names it; 1.6 knows its text only. */
export interface Token {
  readonly idToken: string;
  readonly type: string;
}

/**
 * What the link knows of one EVSE. It outlives connections, so that a reconnect neither ends a session nor forgets a
 * command in force. Times are epoch ms.
 */
export interface Channel {
  resource: Resource;
  /** The envelope (design 2); absent until the site has pushed it. */
  envelope?: PowerLimits;
  /** What was seen of the station; absent until it was probed. */
  capabilities?: Capabilities;
  /** What its station speaks. */
  version?: Version;
  status?: StationStatus['state'];
  /** Until when a state that was asked for may come. */
  statusBy?: number;
  transactionId?: string | number;
  /** Settles when the station has learned the id of its transaction (1.6). */
  answering?: Promise<void>;
  /** Transaction that the station says it does not have (any more), although its end was not told yet. */
  over?: string | number;
  /** Transaction of 1.6 whose idTag was refused: the hub does not hear of it. */
  unwanted?: string | number;
  /** Transaction that ended last. */
  ended?: string | number;
  /** The EV of the last transaction has been unplugged since: its token is no word of whoever comes next. */
  left?: true;
  /** Token of the last transaction that was let in. */
  idToken?: Token;
  /** How far the events of a transaction of 2.x were taken over. */
  events?: { readonly transactionId: string; readonly seqNo: number; readonly ended: boolean };
  /** The command in force: the newest that the station has accepted. */
  current?: TrackedCommand;
  /** The newest command that is under way. */
  newest?: Attempt;
  /** Powers that may be in force because an answer never came, W; `bound`: they end with the transaction. */
  doubt?: PowerRange & { readonly until: number; readonly bound: boolean };
  /** Steps that were taken down from the best form, oldest first: which form is left out, and why. */
  readonly steps: Step[];
  /** A simpler form was tried because a command was ignored, and did not help: the fault is not the form (fo 6.4). */
  retried?: boolean;
  /** The dynamic profile that is in place; each update starts its duration anew (K28.FR.13). */
  dynamic?: { readonly transactionId: string | number; readonly durationS: number };
  /** Import that the default profile at the station allows, W; set when the station has accepted it. */
  defaultW?: number;
  /** When the default profile was last tried, and whether that was complained about. */
  defaultTriedAt?: number;
  defaultRefused?: boolean;
  /** What the composite schedule showed below all commands, W. */
  shownW?: number;
  voltageV?: number;
  /** The last limit that the link sent by itself, and how often it failed in a row. */
  enforced?: PowerLimits & { readonly at: number; readonly commandId?: string };
  /** The command that was tried last. */
  lastId?: string;
  failures?: number;
  /** The EVSE shall stay off until then: the session was stopped because no profile can lower it. */
  off?: { readonly until: number; readonly saidAt?: number };
  /** What a flow has told the station past the hub, and until when that may hold; told again at `toldAt`. */
  native?: PowerRange & { readonly until: number; readonly toldAt: number };
  /** Who limits it from outside, as the station tells: 8 and the rest. */
  externalSources?: readonly string[];
  /** The driver has chosen to charge with priority, since then; profiles of the CSMS do not count (K21, K22). */
  prioritySince?: number;
}

/** Profile ids of one EVSE: the default below, and the one that carries commands (2.1: positive and stable). */
export const defaultProfileId = (evse: number): number => evse;
export const commandProfileId = (evse: number): number => 1000 + evse;

/** The transaction that a command can be bound to. */
export const runningOf = (channel: Channel): string | number | undefined =>
  channel.over !== undefined && channel.over === channel.transactionId ? undefined : channel.transactionId;

/** What belonged to the transaction that has ended. */
export function forgetSession(channel: Channel): void {
  delete channel.enforced;
  delete channel.failures;
  delete channel.native;
  delete channel.prioritySince;
}

/** What a station no longer has, or may no longer have, after a restart. */
export function forgetBoot(channel: Channel): void {
  delete channel.capabilities;
  delete channel.defaultW;
  delete channel.defaultTriedAt;
  delete channel.defaultRefused;
  delete channel.enforced;
  delete channel.native;
}

/** What belonged to the OCPP version that the station spoke before: ids of transactions are numbers or texts. */
export function forgetVersion(channel: Channel): void {
  forgetSession(channel);
  delete channel.transactionId;
  delete channel.answering;
  delete channel.ended;
  delete channel.unwanted;
  delete channel.over;
  delete channel.events;
}

/** A measured voltage counts when it is within this part of the nominal one. */
const VOLTAGE_BAND = 0.2;

/** Line to neutral, V: the higher of nominal and last measured (fo 8.3.7). */
export function voltageOf({ resource, voltageV }: Channel): number {
  const plausible = voltageV !== undefined && voltageV <= resource.voltageV * (1 + VOLTAGE_BAND);
  return plausible ? Math.max(resource.voltageV, voltageV) : resource.voltageV;
}

/** The context that mappings of a channel get (design 3). */
export function contextOf(
  channel: Channel,
  o: {
    readonly at: string;
    readonly version: Version;
    readonly identity: string;
    readonly vendor?: string | undefined;
    readonly model?: string | undefined;
    readonly ids?: MappingContext['ids'];
    readonly settings?: MappingContext['settings'];
  },
): MappingContext {
  const r = channel.resource;
  const session: MappingContext['session'] = { identity: o.identity };
  if (o.vendor !== undefined) session.vendor = o.vendor;
  if (o.model !== undefined) session.model = o.model;
  if (channel.transactionId !== undefined) session.transactionId = channel.transactionId;
  return {
    at: o.at,
    ids: o.ids ?? {},
    resource: {
      evseId: r.resourceId,
      current: r.current,
      protocol: o.version,
      evse: r.evse,
      phases: r.phases,
      voltageV: voltageOf(channel),
      maxImportW: r.maxImportW,
      maxExportW: r.maxExportW,
    },
    session,
    settings: o.settings ?? {},
  };
}
