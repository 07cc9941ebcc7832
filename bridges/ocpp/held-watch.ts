import { BoundedSet } from '../../core/bounded.ts';
import type { WarningNote } from '../../hub/site/warnings.ts';
import type { Channel } from './channel.ts';
import { isNotHeld } from './enforcement.ts';

/** Tells the site of EVSEs that do not take a limit that must hold, and when they do again. */
export class HeldWatch {
  readonly #told: BoundedSet<string>;
  readonly #warn: (note: WarningNote) => void;

  constructor(max: number, warn: (note: WarningNote) => void) {
    this.#told = new BoundedSet({ name: 'ocpp.notHeld', max, overflow: 'refuse' });
    this.#warn = warn;
  }

  look(channel: Channel): void {
    const { resourceId } = channel.resource;
    const notHeld = isNotHeld(channel);
    if (notHeld === this.#told.has(resourceId)) return;
    if (notHeld && !this.#told.add(resourceId)) return;
    if (!notHeld) this.#told.delete(resourceId);
    const limitW = channel.envelope?.importLimitW;
    const limit = limitW === undefined ? 'its limit' : `the limit of ${(limitW / 1_000).toFixed(1)} kW`;
    this.#warn({
      code: 'limit.notHeld',
      subject: resourceId,
      text: notHeld
        ? `${resourceId} refuses ${limit}: it may draw more. Look at the station, or switch it off.`
        : undefined,
    });
  }

  /** The link is closed: nobody knows any more. */
  clear(): void {
    for (const subject of [...this.#told]) this.#warn({ code: 'limit.notHeld', subject });
    this.#told.clear();
  }
}
