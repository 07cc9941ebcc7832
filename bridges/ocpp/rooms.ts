import type { Clock } from '../../core/clock.ts';
import type { Log } from '../../core/log.ts';
import type { MappingLibrary } from '../../core/mapping/library.ts';
import type { Site } from '../../hub/site/types.ts';
import type { CommandOutcome, PowerCommand, StationCapabilities, StationOrderOutcome } from '../../model/index.ts';
import type { Channel } from './channel.ts';
import { Commander } from './commander.ts';
import { Enforcer } from './enforcement.ts';
import type { OcppLinkConfig } from './index.ts';
import { NativeDoor } from './native.ts';
import { OrderDesk } from './orders.ts';
import { Preparer } from './prepare.ts';
import type { StationBridge } from './station.ts';

export interface RoomOptions {
  readonly config: Pick<OcppLinkConfig, 'speaks' | 'flowAnswers'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly library: MappingLibrary;
  readonly site: Pick<Site, 'safeImportW'>;
  readonly bridge: (identity: string) => StationBridge | undefined;
  readonly channel: (resourceId: string) => Channel | undefined;
  readonly onOutcome: (outcome: CommandOutcome, identity: string) => void;
  readonly onOrder: (outcome: StationOrderOutcome, cause: string) => void;
  readonly onCapabilities: (channel: Channel, told: StationCapabilities) => void;
  /** A limit goes to a station that no flow has asked for. */
  readonly onEnforce: (channel: Channel, command: PowerCommand) => void;
  /** Another form is in use, or for another reason. */
  readonly onStep: (channel: Channel) => void;
  /** What an EVSE may do without us has changed, or its state is known now. */
  readonly onStatus: (channel: Channel) => void;
}

/** Everything that acts on the stations of a link. */
export interface Rooms {
  readonly commander: Commander;
  readonly enforcer: Enforcer;
  readonly preparer: Preparer;
  readonly native: NativeDoor;
  readonly orders: OrderDesk;
}

/** Makes the rooms of a link and tells them of each other. */
export function makeRooms(o: RoomOptions): Rooms {
  const { config, clock, log, library, site, bridge, onStatus } = o;
  const commander = new Commander({
    clock,
    log,
    library,
    target: bridge,
    report: o.onOutcome,
    onStep: o.onStep,
  });
  const enforcer = new Enforcer({
    clock,
    log,
    commander,
    target: bridge,
    safeImportW: (resourceId) => site.safeImportW(resourceId),
    onEnforce: o.onEnforce,
    onDefault: onStatus,
  });
  const preparer = new Preparer({ clock, log, enforcer, onStatus, onCapabilities: o.onCapabilities });
  const native = new NativeDoor({
    clock,
    log,
    bridge,
    belowW: (channel) => enforcer.belowW(channel),
    report: o.onOutcome,
    onCleared: (channel) => commander.followup.cleared(channel),
    onChange: (channel) => {
      enforcer.check(channel);
      void enforcer.keepDefault(channel);
    },
    flowAnswers: config.speaks === 'native' ? (config.flowAnswers ?? []) : [],
  });
  const orders = new OrderDesk({ clock, bridge, channel: o.channel, report: o.onOrder });
  return { commander, enforcer, preparer, native, orders };
}
