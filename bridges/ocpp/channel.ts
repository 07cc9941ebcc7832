import type { Resource } from '../../hub/fleet/resources.ts';
import type { MappingContext, PowerCommand, StationStatus } from '../../model/index.ts';
import type { Version } from '../../protocols/ocpp/index.ts';
import type { TrackedCommand } from './outcome.ts';

/** The forms in which a power command can be expressed. */
export type Shape = 'dynamic' | 'setpoint' | 'limitW' | 'limitA';

/** What a mapping is chosen by: a shape, new values for an installed dynamic profile, or the profile below all others. */
export type Form = Shape | 'update' | 'defaultW' | 'defaultA';

/** Shapes per version, the most capable first (fo 6.4: a refusal leads to the next simpler one). */
export const SHAPES: Readonly<Record<Version, readonly Shape[]>> = {
  'ocpp1.6': ['limitA', 'limitW'],
  'ocpp2.0.1': ['limitW', 'limitA'],
  'ocpp2.1': ['dynamic', 'setpoint', 'limitW', 'limitA'],
};

/** Highest permitted import and export, W ≥ 0. */
export interface PowerLimits {
  readonly importLimitW: number;
  readonly exportLimitW: number;
}

/** A command on its way to the station. */
export interface Attempt {
  readonly command: PowerCommand;
  /** W after clipping, load convention. */
  appliedW: number;
}

/**
 * What the link knows of one EVSE. It outlives connections, so that a reconnect neither ends a session nor forgets a
 * command in force. Times are epoch ms.
 */
export interface Channel {
  resource: Resource;
  /** The envelope (design 2); absent until the site has pushed it. */
  envelope?: PowerLimits;
  status?: StationStatus['state'];
  /** Until when a state that was asked for may come. */
  statusBy?: number;
  transactionId?: string | number;
  /** Transaction of 1.6 whose idTag was refused: the hub does not hear of it. */
  unwanted?: string | number;
  /** Transaction that ended last. */
  ended?: string | number;
  /** How far the events of a transaction of 2.x were taken over. */
  events?: { readonly transactionId: string; readonly seqNo: number; readonly ended: boolean };
  /** The command in force: the newest that the station has accepted. */
  current?: TrackedCommand;
  /** The newest command that is under way. */
  newest?: Attempt;
  /** Powers that may be in force because an answer never came. */
  doubt?: { readonly minW: number; readonly maxW: number; readonly until: number };
  /** Shapes that the station does not take; tried again after its next boot. */
  readonly refused: Shape[];
  /** The dynamic profile that is in place; each update starts its duration anew (K28.FR.13). */
  dynamic?: { readonly transactionId: string | number; readonly durationS: number };
  /** Import that the default profile at the station allows, W; set when the station has accepted it. */
  defaultW?: number;
  /** When the default profile was last tried, and whether that was complained about. */
  defaultTriedAt?: number;
  defaultRefused?: boolean;
  voltageV?: number;
  /** The last limit that the link sent by itself, and whether it failed. */
  enforced?: PowerLimits & { readonly at: number };
  notHeld?: boolean;
}

/** Profile ids of one EVSE: the default below, and the one that carries commands (2.1: positive and stable). */
export const defaultProfileId = (evse: number): number => evse;
export const commandProfileId = (evse: number): number => 1000 + evse;

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
    session: {
      identity: o.identity,
      ...(o.vendor === undefined ? {} : { vendor: o.vendor }),
      ...(o.model === undefined ? {} : { model: o.model }),
      ...(channel.transactionId === undefined ? {} : { transactionId: channel.transactionId }),
    },
    settings: o.settings ?? {},
  };
}
