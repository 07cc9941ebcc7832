import { setTimeout as sleep } from 'node:timers/promises';
import { iso, realClock } from '../../../core/clock.ts';
import { silentLog } from '../../../core/log.ts';
import type { FleetSnapshot, PendingStation, ResultBody } from '../../../model/index.ts';
import {
  createFoClient,
  type FoBodies,
  type FoClient,
  type FoInbound,
  type FoType,
} from '../../../protocols/fo/index.ts';
import { type RunningFleet, runFleet, type StationEvent } from '../../../simulators/stations/index.ts';
import { eventually } from './child.ts';
import { GatewayProcess } from './gateway.ts';
import { FO, GATEWAY, RECOVERY_FLEET, RECOVERY_SITE } from './recovery-site.ts';

const clock = realClock();

/** What `/v2gate/api/site` shows. */
export interface SiteView {
  readonly snapshot: FleetSnapshot;
  readonly pending: readonly PendingStation[];
}

/** What had been acknowledged when the process died. */
export interface Acknowledged {
  readonly services: Readonly<Record<string, 'requested' | 'cancelled'>>;
  /** The newest one of each service, and one that is on its way. */
  readonly targetsW: Readonly<Record<string, number>>;
  readonly askedW: Readonly<Record<string, number>>;
  readonly optedOut: readonly string[];
  readonly limitW: number | undefined;
}

export interface Death {
  readonly at: number;
  readonly acknowledged: Acknowledged;
  readonly transactions: Readonly<Record<string, string>>;
}

/**
 * A gateway that kills itself at a point and is started again on the same folder and ports, with stations and an
 * operator on real sockets who live through it.
 */
export class Rig {
  readonly events: FoInbound[] = [];
  readonly gaps: unknown[] = [];
  readonly stationEvents: StationEvent[] = [];
  readonly client: FoClient;
  readonly fleet: RunningFleet;
  readonly startedAt: number[] = [];
  death: Death | undefined;
  /** How the armed process ended, and what it said last. */
  ended: string | undefined;
  services: Record<string, 'requested' | 'cancelled'> = {};
  targetsW: Record<string, number> = {};
  askedW: Record<string, number> = {};
  optedOut: string[] = [];
  limitW: number | undefined;
  #gateway: GatewayProcess;
  #up: Promise<void>;
  readonly #env: NodeJS.ProcessEnv;
  readonly #onDeath: (rig: Rig) => Promise<void>;
  readonly #onBack: (rig: Rig) => Promise<void>;
  readonly #restartAfterMs: () => number;
  #closed = false;

  private constructor(gateway: GatewayProcess, o: RigOptions, links: { ocpp: string; fo: string }) {
    this.#gateway = gateway;
    this.#onDeath = o.onDeath ?? (async () => undefined);
    this.#onBack = o.onBack;
    this.#restartAfterMs = o.restartAfterMs ?? (() => 0);
    this.startedAt.push(clock.now());
    this.#env = {
      V2GATE_HTTP_PORT: new URL(gateway.url).port,
      V2GATE_OCPP_PORT: new URL(links.ocpp).port,
      V2GATE_FO_PORT: new URL(links.fo).port,
    };
    this.#up = Promise.resolve();
    this.client = createFoClient({
      url: links.fo,
      partyId: FO,
      to: GATEWAY,
      clock,
      log: silentLog,
      handlers: {
        onMessage: (m) => this.#heard(m),
        onGap: (_, gap) => this.gaps.push(gap),
      },
    });
    this.fleet = runFleet({
      fleet: RECOVERY_FLEET,
      url: links.ocpp,
      clock,
      seed: 1,
      onEvent: (e) => this.stationEvents.push(e),
    });
    this.#watch();
  }

  static async start(o: RigOptions): Promise<Rig> {
    const env = {
      V2GATE_HTTP_PORT: String(o.port),
      V2GATE_OCPP_PORT: String(o.port + 1),
      V2GATE_FO_PORT: String(o.port + 2),
      ...(o.point === undefined ? {} : { V2GATE_TEST: '1', V2GATE_FAIL_POINT: o.point }),
    };
    const gateway = await GatewayProcess.start({ site: RECOVERY_SITE, env });
    const [ocpp, fo] = await Promise.all([gateway.link('stations'), gateway.link('operators')]);
    return new Rig(gateway, o, { ocpp, fo });
  }

  get dataDir(): string {
    return this.#gateway.dataDir;
  }

  /** The lines of the process that runs now. */
  get lines(): readonly string[] {
    return this.#gateway.child.lines;
  }

  /** Resolves while a gateway runs. */
  async up(): Promise<void> {
    for (let seen: Promise<void> | undefined; seen !== this.#up; ) {
      seen = this.#up;
      await seen;
    }
  }

  async site(): Promise<SiteView> {
    return (await this.#gateway.get('/v2gate/api/site')) as SiteView;
  }

  /** Repeats it across the death of the gateway until it answers. */
  until<T>(what: string, probe: () => Promise<T | undefined> | T | undefined, ms = 40_000): Promise<T> {
    return eventually(what, probe, ms, 100);
  }

  /** An answer of the operator's session, which repeats the request by itself with the same id. */
  async ask<T extends FoType>(type: T, body: FoBodies[T], forMs = 90_000): Promise<ResultBody> {
    await this.up();
    return this.client.request(type, body, { expiresAt: clock.now() + forMs });
  }

  async post(path: string, body: unknown): Promise<boolean> {
    const response = await fetch(`${this.#gateway.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(5_000),
    });
    return response.ok;
  }

  /** The transaction of each station as the station knows it. */
  transactions(): Record<string, string> {
    return Object.fromEntries(
      this.fleet.stations.flatMap(({ spec, units }) =>
        units.flatMap(({ tx }) => {
          const id = spec.version === 'ocpp1.6' ? tx?.wireId : tx?.id;
          return id === undefined ? [] : [[`${spec.identity}.1`, String(id)]];
        }),
      ),
    );
  }

  /** Where operators connect to. */
  operators(): Promise<string> {
    return this.#gateway.link('operators');
  }

  /** What there is to see when something does not come true. */
  async describe(): Promise<string> {
    const { snapshot } = await this.site();
    const shown = (x: unknown): string => JSON.stringify(x);
    const told = this.events.map((e) => `${e.eventSeq} ${e.type}`).join(', ');
    const words = this.stationEvents.slice(-20).map(shown);
    return [...snapshot.services, ...snapshot.resources]
      .map(shown)
      .concat(told, words, this.lines.slice(-30))
      .join('\n');
  }

  /** Stops the gateway in order and keeps its folder. */
  async halt(): Promise<string> {
    this.#closed = true;
    await this.client.close();
    this.fleet.stop();
    return this.#gateway.child.stop();
  }

  async close(): Promise<void> {
    if (!this.#closed) await this.halt();
    await this.#gateway.stop();
  }

  async #ready(): Promise<true | undefined> {
    const { sites } = (await this.#gateway.get('/v2gate/api/sites')) as { sites: readonly { ready: boolean }[] };
    return sites.length > 0 && sites.every((s) => s.ready) ? true : undefined;
  }

  #heard(m: FoInbound): void {
    this.events.push(m);
    if (m.replyTo !== undefined) this.client.answer(m.replyTo, { status: 'ok' });
  }

  #watch(): void {
    const { child } = this.#gateway;
    const gone = async (): Promise<void> => {
      while (child.running) await sleep(5);
      this.ended ??= child.exit;
      if (this.#closed || this.death !== undefined) return;
      this.#up = this.#again();
      // Whoever waits for it hears of the failure.
      this.#up.catch(() => undefined);
    };
    void gone();
  }

  async #again(): Promise<void> {
    const { services, targetsW, askedW, optedOut, limitW } = this;
    this.death = {
      at: clock.now(),
      acknowledged: structuredClone({ services, targetsW, askedW, optedOut, limitW }),
      transactions: this.transactions(),
    };
    await this.#onDeath(this);
    await sleep(this.#restartAfterMs());
    this.startedAt.push(clock.now());
    const { dataDir } = this.#gateway;
    this.#gateway = await GatewayProcess.start({ dataDir, site: RECOVERY_SITE, env: this.#env });
    await this.until('the site is open again', () => this.#ready(), 20_000);
    await this.#onBack(this);
  }
}

export interface RigOptions {
  /** First of three ports. */
  readonly port: number;
  /** `V2GATE_FAIL_POINT` of the first process. */
  readonly point?: string;
  /** Looks at what it left before it is started again. */
  readonly onDeath?: (rig: Rig) => Promise<void>;
  /** What has to be so as soon as the site is open again. */
  readonly onBack: (rig: Rig) => Promise<void>;
  readonly restartAfterMs?: () => number;
}

export const inMs = (ms: number): string => iso(clock.now() + ms);
