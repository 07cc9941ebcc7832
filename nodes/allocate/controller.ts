import type { TimerHandle } from '../../core/clock.ts';
import { codeOf, describeError } from '../../core/errors.ts';
import type { Site } from '../../hub/site/types.ts';
import { CommandBatch, type MessageMeta, ServiceTarget } from '../../model/index.ts';
import { NODE_ERRORS } from '../base/errors.ts';
import type { NodeController, NodeHost } from '../base/host.ts';
import type { SavedConfig } from '../base/migrate.ts';
import { siteOf } from '../base/site-holder.ts';
import { useSite } from '../base/site-nodes.ts';
import { following, fromWire, toWire } from '../base/wire.ts';

/**
 * Splits the target of the running services over the fleet (fo 8). Runs on its input and, at most once a tick, whenever
 * the site changed. Only one `allocate` may act for a site; another one says so in its status and does nothing.
 */
export function createAllocate(host: NodeHost, config: SavedConfig): NodeController {
  return new Allocate(host, config);
}

class Allocate implements NodeController {
  readonly #host: NodeHost;
  readonly #close: () => void;
  #acting: Site | undefined;
  #claim: (() => void) | undefined;
  #tick: TimerHandle | undefined;

  constructor(host: NodeHost, config: SavedConfig) {
    this.#host = host;
    this.#close = useSite(host, siteOf(host, config.site), (site) => {
      this.#take(site);
      return [
        site.on('changed', ({ reason }) => this.#runSoon(reason)),
        host.onFlowsStarted(() => this.#take(site)),
        () => this.#release(),
      ];
    });
  }

  input(message: Parameters<NonNullable<NodeController['input']>>[0]): void {
    const wire = toWire(message, this.#host.runtime.clock);
    if (wire.topic !== `hub/${ServiceTarget.name}`) {
      throw NODE_ERRORS.fail('nodes.message', `This node takes hub/${ServiceTarget.name}, not ${wire.topic}.`);
    }
    const target = ServiceTarget.parse(wire.payload);
    if (!this.#acting) throw NODE_ERRORS.fail('nodes.notReady', 'This node does not act for its site; see its status.');
    this.#run(this.#acting, 'target', target, wire.v2gate);
  }

  close(): void {
    this.#close();
  }

  /** Claims the site, again after each deploy, because the other allocator may be gone by then. */
  #take(site: Site): void {
    if (this.#acting) return;
    try {
      this.#claim = site.claimAllocator(`${this.#host.name} (${this.#host.id})`);
      this.#acting = site;
      this.#host.status('good', `ready · ${site.siteId}`);
      this.#runSoon('started');
    } catch (e) {
      this.#host.status('bad', describeError(e).what);
      if (codeOf(e) !== 'site.allocatorTaken') this.#host.fail(e);
    }
  }

  #release(): void {
    this.#tick?.cancel();
    this.#tick = undefined;
    this.#acting = undefined;
    this.#claim?.();
    this.#claim = undefined;
  }

  #runSoon(reason: string): void {
    const site = this.#acting;
    if (!site || this.#tick) return;
    this.#tick = this.#host.runtime.clock.after(0, () => {
      this.#tick = undefined;
      try {
        this.#run(site, reason);
      } catch (e) {
        this.#host.fail(e);
      }
    });
  }

  #run(site: Site, reason: string, target?: ServiceTarget, cause?: MessageMeta): void {
    // The wire may have changed the target, and messages of its own stand between it and the service.
    if (target && cause) {
      const { id, peer } = cause;
      const { trace } = this.#host.runtime;
      trace?.note({
        stage: 'allocate',
        direction: 'in',
        topic: 'hub/ServiceTarget',
        payload: target,
        id,
        cause: cause.cause,
        peer,
        fsrIds: [target.fsrId],
      });
    }
    const batch = site.allocate({ reason, ...(target ? { target } : {}), ...(cause ? { cause: cause.id } : {}) });
    if (!batch) return;
    const n = batch.commands.length;
    this.#host.status('good', `${n} command${n === 1 ? '' : 's'} · ${reason}`);
    const v2gate = following(cause, this.#host.runtime.clock, site.siteId);
    const message = fromWire({ topic: `hub/${CommandBatch.name}`, payload: batch, v2gate });
    // Nothing goes out that a restart would not know of (design 1).
    site.recorded().then(
      () => this.#host.send(message),
      (e: unknown) => this.#host.fail(e),
    );
  }
}
