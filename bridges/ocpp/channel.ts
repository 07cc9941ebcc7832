import type { Resource } from '../../hub/fleet/resources.ts';
import type { MappingContext, StationStatus } from '../../model/index.ts';
import type { Version } from '../../protocols/ocpp/index.ts';
import type { TrackedCommand } from './outcome.ts';

/** The forms in which a power command can be expressed, most capable first. */
export type Shape = 'dynamic' | 'limitW' | 'limitA';

export const SHAPES: Readonly<Record<Version, readonly Shape[]>> = {
  'ocpp1.6': ['limitA', 'limitW'],
  'ocpp2.0.1': ['limitW', 'limitA'],
  'ocpp2.1': ['dynamic', 'limitW'],
};

/**
 * What the link knows of one EVSE. It outlives connections, so that a reconnect neither ends a session nor forgets a
 * command in force.
 */
export interface Channel {
  resource: Resource;
  /** Highest permitted import and export now, W ≥ 0 (design 2); absent until the site has pushed it. */
  envelope?: { readonly importLimitW: number; readonly exportLimitW: number };
  status?: StationStatus['state'];
  transactionId?: string | number;
  /** Highest `seqNo` of the transaction that was taken over (2.x). */
  seqNo: number;
  /** The newest command that was sent. */
  current?: TrackedCommand;
  /** Forms that the station has refused; tried again after its next boot. */
  readonly refused: Shape[];
  /** The transaction for which a dynamic profile is in place. */
  dynamicFor?: string | number;
  /** Import that the default profile at the station allows, W; set when the station has accepted it. */
  defaultW?: number;
  voltageV?: number;
  /** The last limit that the link sent by itself, so that it is not repeated while its answer is under way. */
  enforced?: { readonly at: number; readonly importLimitW: number; readonly exportLimitW: number };
}

/** Profile ids of one EVSE: the default below, and the one that carries commands (2.1: positive and stable). */
export const defaultProfileId = (evse: number): number => evse;
export const commandProfileId = (evse: number): number => 1000 + evse;

/** The context that mappings of a channel get (design 3). */
export function contextOf(
  channel: Channel,
  o: {
    readonly at: string;
    readonly version: Version;
    readonly identity: string;
    readonly vendor?: string;
    readonly model?: string;
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
      voltageV: Math.max(r.voltageV, channel.voltageV ?? 0),
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
