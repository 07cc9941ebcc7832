import { BoundedMap, type BoundStats } from '../../core/bounded.ts';
import type { Clock } from '../../core/clock.ts';
import type { Resource } from '../../hub/fleet/resources.ts';
import type { EnvelopeUpdate } from '../../model/index.ts';
import type { Channel, PowerLimits } from './channel.ts';

/** Exports that were commanded before our restart end by themselves within this time, ms. */
const BEFORE_MS = 600_000;

/** The channels of a link, by resource, with the envelope, also of EVSEs whose station has not come yet. */
export class ChannelBook {
  readonly #channels: BoundedMap<string, Channel>;
  readonly #limits: BoundedMap<string, PowerLimits>;

  readonly #clock: Clock;

  constructor(max: number, clock: Clock) {
    this.#clock = clock;
    this.#channels = new BoundedMap({ name: 'ocpp.channels', max, overflow: 'refuse' });
    this.#limits = new BoundedMap({ name: 'ocpp.limits', max, overflow: 'dropOldest' });
  }

  get(resourceId: string): Channel | undefined {
    return this.#channels.get(resourceId);
  }

  all(): IterableIterator<Channel> {
    return this.#channels.values();
  }

  /** The channels of these resources, made where they are missing. */
  of(resources: readonly Resource[]): readonly Channel[] {
    return resources.flatMap((resource) => {
      const known = this.#channels.get(resource.resourceId);
      if (known) {
        known.resource = resource;
        return [known];
      }
      const envelope = this.#limits.get(resource.resourceId);
      // What an earlier gateway commanded may still be in force.
      const before = { minW: -resource.maxExportW, maxW: 0, until: this.#clock.now() + BEFORE_MS, bound: false };
      const channel: Channel = {
        resource,
        steps: [],
        ...(envelope === undefined ? {} : { envelope }),
        ...(resource.maxExportW > 0 ? { doubt: before } : {}),
      };
      return this.#channels.set(resource.resourceId, channel) ? [channel] : [];
    });
  }

  /** Takes over an envelope; gives the channels whose limits have moved. */
  limit({ evses }: EnvelopeUpdate): readonly Channel[] {
    const moved: Channel[] = [];
    for (const { resourceId, importLimitW, exportLimitW } of evses) {
      const known = this.#limits.get(resourceId);
      if (known?.importLimitW === importLimitW && known.exportLimitW === exportLimitW) continue;
      const limits = { importLimitW, exportLimitW };
      this.#limits.set(resourceId, limits);
      const channel = this.#channels.get(resourceId);
      if (!channel) continue;
      channel.envelope = limits;
      moved.push(channel);
    }
    return moved;
  }

  /** Forgets channels whose resource is no longer in the site. */
  keep(still: (resource: Resource) => boolean): void {
    for (const [resourceId, { resource }] of [...this.#channels]) {
      if (!still(resource)) this.#channels.delete(resourceId);
    }
  }

  stats(): readonly BoundStats[] {
    return [this.#channels.stats(), this.#limits.stats()];
  }
}
