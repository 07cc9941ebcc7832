import type { NodeMessage } from 'node-red';
import { describeError } from '../../core/errors.ts';
import type { SimulatorProgram } from '../../hub/ports.ts';
import type { Site } from '../../hub/site/types.ts';
import { configHash, wordOf } from '../base/config.ts';
import { NODE_ERRORS } from '../base/errors.ts';
import type { NodeController, NodeHost } from '../base/host.ts';
import { LeaseHolder } from '../base/lease-holder.ts';
import type { LinkHolder } from '../base/link-holder.ts';
import type { SavedConfig } from '../base/migrate.ts';
import { following } from '../base/wire.ts';
import { type SimulatorEvent, Stage, type StageState, type Tally } from './stage.ts';

export interface VirtualOptions {
  readonly link: LinkHolder;
  readonly tally: Tally;
  /** What is to run, from the site as it is. Throws `nodes.config`. */
  readonly program: (site: Site, url: string) => SimulatorProgram;
  /** The order that a payload stands for. Throws `nodes.message`. */
  readonly orderOf: (payload: unknown) => object;
}

/** What a button may ask for. */
export type Switch = 'start' | 'stop' | 'toggle';

/** The controller of a node that runs a simulator. */
export class Virtual implements NodeController {
  readonly kind = 'virtual';
  readonly #host: NodeHost;
  readonly #o: VirtualOptions;
  readonly #hash: string;
  readonly #starts: boolean;
  readonly #undo: (() => void)[] = [];
  #lease: LeaseHolder<Stage> | undefined;
  #shown = '';

  constructor(host: NodeHost, config: SavedConfig, options: VirtualOptions) {
    this.#host = host;
    this.#o = options;
    this.#hash = configHash(config);
    const { runtime } = host;
    if (!runtime.programs) throw NODE_ERRORS.fail('nodes.noPrograms');
    const start = wordOf(config, 'start', ['demo', 'always', 'never']);
    this.#starts = start === 'always' || (start === 'demo' && runtime.settings.demo);
    host.status('waiting', 'waiting for the link');
    this.#undo.push(options.link.on('status', () => this.#look()));
    this.#look();
  }

  /** How it is, for the dialog. */
  now(): StageState {
    const stage = this.#lease?.resource;
    return stage ? stage.state() : { running: false, mood: 'waiting', words: this.#shown || 'waiting for the link' };
  }

  async input(message: NodeMessage): Promise<void> {
    const { payload } = message;
    if (payload === 'start' || payload === 'stop' || payload === 'toggle') return this.turn(payload);
    this.tell(this.#o.orderOf(payload));
  }

  /** Starts or stops it. Rejects with `nodes.notReady`, or with what is wrong with its settings. */
  async turn(to: Switch): Promise<void> {
    const stage = this.#stage();
    if (to === 'stop' || (to === 'toggle' && stage.state().running)) await stage.stop();
    else stage.start();
  }

  /** Throws `nodes.notReady` while it does not run. */
  tell(order: object): void {
    if (this.#stage().tell(order)) return;
    throw NODE_ERRORS.fail('nodes.notReady', 'The simulator does not run; start it first.');
  }

  async close(removed: boolean): Promise<void> {
    for (const undo of this.#undo.splice(0)) undo();
    await this.#lease?.close(removed);
  }

  #stage(): Stage {
    const stage = this.#lease?.resource;
    if (stage) return stage;
    throw NODE_ERRORS.fail('nodes.notReady', 'The link of this node is not running yet.');
  }

  /** The address of the link is known once it is up. A program that talks to another address is another one. */
  #look(): void {
    const { url } = this.#o.link;
    if (url === undefined || this.#lease) return;
    const { runtime, type, id } = this.#host;
    const { programs } = runtime;
    if (!programs) return;
    this.#lease = new LeaseHolder<Stage>({
      runtime,
      leaseId: `${type}:${id}`,
      hash: `${this.#hash} ${url}`,
      open: async () => this.#begun(new Stage({ programs, tally: this.#o.tally, program: () => this.#program(url) })),
      onReady: (stage) => this.#follow(stage),
      onFailed: (e) => this.#host.fail(e),
    });
    this.#lease.start();
  }

  #program(url: string): SimulatorProgram {
    return this.#o.program(this.#o.link.site.require(), url);
  }

  /** What cannot start says so in its status, and waits for somebody to mend it. */
  #begun(stage: Stage): Stage {
    if (!this.#starts) return stage;
    try {
      stage.start();
    } catch (e) {
      this.#host.runtime.log.warn('virtual.notStarted', { node: this.#host.name, ...describeError(e) });
    }
    return stage;
  }

  #follow(stage: Stage): void {
    this.#undo.push(stage.listen({ changed: () => this.#show(stage), event: (e) => this.#emit(e) }));
    this.#show(stage);
  }

  #show(stage: Stage): void {
    const { mood, words } = stage.state();
    if (this.#shown === words) return;
    this.#shown = words;
    this.#host.status(mood, words);
  }

  #emit(event: SimulatorEvent): void {
    const { clock } = this.#host.runtime;
    const topic = `${this.#host.type.replace(/^v2gate-/, '')}/${String(event.event)}`;
    this.#host.send({ topic, payload: event, v2gate: following(undefined, clock, this.#host.type) });
  }
}

/** Whether a controller is that of a virtual fleet or operator. */
export function isVirtual(x: unknown): x is Virtual {
  return typeof x === 'object' && x !== null && Reflect.get(x, 'kind') === 'virtual';
}
