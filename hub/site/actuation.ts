import { BoundedMap } from '../../core/bounded.ts';
import { type Clock, iso } from '../../core/clock.ts';
import type { Log } from '../../core/log.ts';
import { round3 } from '../../core/quantities.ts';
import type { Contract, FleetEntry, PowerCommand, SiteFile } from '../../model/index.ts';
import { type AllocationResult, availability, type EvseInput, type SiteInput } from '../allocation/index.ts';
import type { FleetTwin } from '../fleet/twin.ts';
import type { MeterBook } from '../meters/book.ts';
import { compareServices } from '../services/order.ts';
import { type PowerBand, type Preview, type Scope, scopeOf } from '../services/request.ts';
import { type Applied, absoluteW, type Service, type ServiceEntry, serviceKey } from '../services/service.ts';
import { steer } from '../services/target.ts';
import { appliedOf, offsetOf, passedOf, takenOf } from './applied.ts';
import type { EnvelopeKeeper } from './envelope-keeper.ts';
import { measuredOf } from './group.ts';
import { overfull } from './headroom.ts';
import { asking, contractFor, inContract, type LeadSources, type Leads, leadsOf, standing } from './leads.ts';
import type { LimitBook } from './limits.ts';
import type { Orders } from './orders.ts';
import { leftBy, type Passed, type Passes, runPasses } from './passes.ts';
import { type PlanSources, resourceBounds, siteInput } from './plan.ts';
import { commandIds, VALIDITY_MS } from './standing.ts';
import { unreachableText, type WarningNote } from './warnings.ts';

export interface ActuationOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly twin: FleetTwin;
  readonly limits: LimitBook;
  readonly meters: MeterBook;
  readonly orders: Orders;
  readonly envelope: EnvelopeKeeper;
  readonly file: () => SiteFile;
  /** The services that lead now, in the order of fo 6.3. */
  readonly led: () => readonly ServiceEntry[];
  /** {@link LeadSources.mayExport} */
  readonly mayExport: (contractId: string) => boolean;
  /** Where people hear of a limit that cannot be held. */
  readonly warn?: (note: WarningNote) => void;
}

export interface Run {
  readonly commands: readonly PowerCommand[];
  /** What became of each target, by key of the service. */
  readonly applied: ReadonlyMap<string, Applied>;
}

/** A target by itself; `passed` is missing where nobody can be led. */
interface Planned {
  readonly passed: Passed | undefined;
  readonly asideW: number;
}

type View = Pick<
  FleetEntry,
  'grantedW' | 'neededW' | 'wishedW' | 'lowestW' | 'importLimitW' | 'exportLimitW' | 'outcome' | 'outcomeCode' | 'shape'
>;

const MAX_RESOURCES = 20_000;
/** Alarms about limits wait this long after the start, until stations had time to come back. */
const QUIET_START_MS = 30_000;
/** Far beyond every site: asks for the bounds. */
const BEYOND_W = 1e9;

/** From targets to commands: allocation runs over what is known, told and limited. */
export class Actuation {
  readonly sources: PlanSources;
  readonly #o: ActuationOptions;
  readonly #granted = new BoundedMap<string, number>({
    name: 'hub.granted',
    max: MAX_RESOURCES,
    overflow: 'dropOldest',
  });
  readonly #sides = new BoundedMap<string, { side: 'import' | 'zero' | 'export'; since: number }>({
    name: 'hub.sides',
    max: MAX_RESOURCES,
    overflow: 'dropOldest',
  });
  readonly #leadSources: LeadSources;
  /** What the last run has made of all targets. */
  #newest: (Pick<Passes, 'by'> & Pick<Leads, 'asideW' | 'askedW'> & { readonly held: boolean }) | undefined;
  readonly #startedAt: number;
  readonly #commandId: () => string;
  #alarms: ReadonlySet<string> = new Set(); // bounded by: the nodes of the site, twice
  /** A later run could do more than the last one: a command interval, a ramp or a reduction was in the way. */
  #again = false;

  constructor(o: ActuationOptions) {
    this.#o = o;
    this.#startedAt = o.clock.now();
    this.#commandId = commandIds(o.clock);
    const { orders } = o;
    this.sources = {
      get file() {
        return o.file();
      },
      twin: o.twin,
      limits: o.limits,
      meters: o.meters,
      clock: o.clock,
      known: (id) => orders.known(id),
      told: (id) => orders.told(id),
      isUncertain: (id) => orders.isUncertain(id),
      sideSince: (id) => this.#sides.get(id),
    };
    this.#leadSources = { plan: this.sources, file: o.file, twin: o.twin, mayExport: o.mayExport };
  }

  /** One allocation run (fo 8.3), for services in the order of fo 6.3: what may go out now. Increases that wait come later. */
  run(led: readonly ServiceEntry[]): Run {
    const { clock, orders, envelope } = this.#o;
    const now = clock.now();
    let moving = false;
    const leads = leadsOf(this.#leadSources, led, ({ service, course }) => {
      const goal = steer(service, course, now, () => this.measured(scopeOf(service)));
      moving ||= goal.moving;
      return goal.targetW;
    });
    const input = siteInput(this.sources, leads);
    const { by, last } = runPasses(input, leads.passes);
    this.#newest = { by, asideW: leads.asideW, askedW: leads.askedW, held: input.evses.some(isHeld) };
    this.#raise(last.result.alarms);
    for (const g of last.result.grants) this.#grant(g.evseId, g.grantedW, now);
    const { commands: steps, deferred } = last.result;
    this.#again = moving || deferred.length > 0 || steps.some((c) => c.phase === 'waits') || heldBack(last);
    const commands = orders.issue(this.#commands(last, leads));
    // The links clip to the envelope, so it has to know of the commands before they go.
    if (commands.length > 0) envelope.refresh();
    const applied = new Map<string, Applied>(); // bounded by: the services of one run
    for (const [key, passed] of by) {
      const askedW = leads.askedW.get(key);
      const of = appliedOf(passed, leads.asideW.get(key) ?? 0, now);
      applied.set(key, { ...of, ...(askedW === undefined ? {} : { askedW }), ...takenOf(passed) });
    }
    return { commands, applied };
  }

  /** What a run would grant now, W signed by resource, without telling anybody anything. */
  goal(): ReadonlyMap<string, number> {
    const leads = leadsOf(this.#leadSources, this.#o.led(), standing(this.#o.clock.now()));
    const { last } = runPasses(siteInput(this.sources, leads), leads.passes);
    return new Map(last.result.grants.map((g) => [g.evseId, g.grantedW])); // bounded by: the resources of the site
  }

  /**
   * What a setpoint would become, by the bounds of now and beside all others (fo 8.3.4). `targetW` as the FO says it;
   * `done`: the newest run has followed it.
   */
  preview(service: Service, targetW: number, done = false): Preview {
    const setpointW = absoluteW(service, targetW, this.#o.clock.now());
    const key = serviceKey(service.foId, service.fsr.fsrId);
    const { passed, asideW } = (done && this.#known(service, key, setpointW)) || this.#planned(service, key, targetW);
    // Nobody of its members can be led now.
    if (!passed) return { appliedW: targetW - setpointW, limitedBy: setpointW > 0 ? 'wished' : 'needed' };
    const { targetW: appliedW, limitedBy } = appliedOf(passed, asideW, 0);
    const clippedW = round3(appliedW - setpointW + targetW);
    return {
      appliedW: clippedW,
      ...(limitedBy === undefined ? {} : { limitedBy }),
      ...(passed.taken.length > 0 && limitedBy !== undefined ? { cause: 'priority' as const } : {}),
    };
  }

  /** What the newest run has made of just this; not where a ramp, or what rests for the moment, stood in the way. */
  #known(service: Service, key: string, setpointW: number): Planned | undefined {
    const wantedW = inContract(setpointW, contractFor(this.#leadSources, service));
    const newest = this.#newest;
    if (!newest || newest.held || newest.askedW.get(key) !== wantedW) return undefined;
    return { passed: newest.by.get(key), asideW: newest.asideW.get(key) ?? 0 };
  }

  #planned(service: Service, key: string, targetW: number): Planned {
    const leads = leadsOf(this.#leadSources, this.#beside(service, key), asking(key, targetW, this.#o.clock.now()));
    const { by } = runPasses(rested(siteInput(this.sources, leads)), leads.passes);
    return { passed: by.get(key), asideW: leads.asideW.get(key) ?? 0 };
  }

  /** What the members can do now, at their reference point, beside what other services lead. */
  availableNow(scope: Scope, contract: Contract | undefined): PowerBand {
    const now = this.#o.clock.now();
    const leads = leadsOf(this.#leadSources, this.#o.led(), standing(now));
    const members = new Set(scope.members); // bounded by: the members of one request
    const contractOf = (id: string): Contract | undefined =>
      leads.contractOf(id) ?? (members.has(id) ? contract : undefined);
    const left = leftBy(rested(siteInput(this.sources, { contractOf })), leads.passes);
    const input: SiteInput = { ...left, target: { setpointW: 0, ...scope } };
    const { total } = availability(input);
    const offsetW = offsetOf(input);
    return { lowW: total.neededW + offsetW, highW: total.wishedW + offsetW };
  }

  /** What the members could do with an able EV at each, inside all limits. */
  installed(scope: Scope): PowerBand {
    const { twin } = this.#o;
    const members = new Set(scope.members); // bounded by: the members of one request
    const input = siteInput(this.sources, { target: { setpointW: 0, ...scope }, contractOf: () => undefined });
    const evses = input.evses.map((e): EvseInput => {
      const r = twin.get(e.evseId)?.resource;
      const { fixed: _, inFlight: __, ...rest } = released(e);
      if (!r || !members.has(e.evseId)) return { ...rest, loW: 0, neededW: 0, wishedW: 0, presentW: 0 };
      const loW = 0 - r.limits.exportLimitW;
      return { ...rest, loW, neededW: loW, wishedW: r.maxImportW, exportAllowed: r.exportAllowed, presentW: 0 };
    });
    const at = (setpointW: number): number =>
      appliedOf(passedOf({ ...input, evses, target: { ...scope, setpointW } }), 0, 0).targetW;
    return { lowW: at(-BEYOND_W), highW: at(BEYOND_W) };
  }

  /** Measured power at a reference point, W; undefined when it cannot be told. */
  measured(scope: Scope): number | undefined {
    return measuredOf(this.#o.twin, this.#o.meters, this.#o.clock.now(), scope);
  }

  /** A run could bring something, without that anything has moved outside. */
  get again(): boolean {
    return this.#again;
  }

  /** True when a command has to be said again before it ends. */
  isDue(): boolean {
    for (const entry of this.#o.twin.all()) if (this.#o.orders.dueW(entry) !== undefined) return true;
    return false;
  }

  /** What a resource was granted last, W. */
  grantedOf(resourceId: string): number | undefined {
    return this.#granted.get(resourceId);
  }

  grantedW(): number {
    let sum = 0;
    for (const e of this.#o.twin.all()) if (e.online) sum += this.#granted.get(e.resource.resourceId) ?? 0;
    return sum;
  }

  /** Forgets what was granted to resources that are gone. */
  configure(): void {
    for (const map of [this.#granted, this.#sides])
      for (const id of [...map.keys()]) if (!this.#o.twin.get(id)) map.delete(id);
  }

  /** The part of a fleet row that this room knows. */
  view(resourceId: string): View {
    const entry = this.#o.twin.get(resourceId);
    const b = entry ? resourceBounds(this.sources, entry, true) : { loW: 0, neededW: 0, wishedW: 0 };
    const grantedW = this.#granted.get(resourceId);
    const o = this.#o.orders.outcomeOf(resourceId);
    return {
      neededW: round3(b.neededW),
      wishedW: round3(b.wishedW),
      lowestW: round3(b.loW),
      ...(grantedW === undefined ? {} : { grantedW: round3(grantedW) }),
      ...this.#o.envelope.of(resourceId),
      ...(o === undefined ? {} : { outcome: o.state }),
      ...(o?.code === undefined ? {} : { outcomeCode: o.code }),
      ...(o?.shape === undefined ? {} : { shape: o.shape }),
    };
  }

  /** The services that lead, with this one at its place, as if it had begun. */
  #beside(service: Service, key: string): ServiceEntry[] {
    const led = this.#o.led();
    if (led.some((e) => e.key === key)) return [...led];
    return [...led, { key, service, course: { lost: [] } }].sort((a, b) => compareServices(a.service, b.service));
  }

  /** What goes out: changes that need not wait and were not told yet, and renewals. */
  #commands({ result, input }: Passed, leads: Leads): PowerCommand[] {
    const { clock, orders, twin } = this.#o;
    const validUntil = iso(clock.now() + VALIDITY_MS);
    const make = (resourceId: string, powerW: number): PowerCommand => {
      const { kind, level } = leads.orderOf(resourceId);
      const what: Pick<PowerCommand, 'powerW' | 'importLimitW' | 'exportLimitW'> =
        kind === 'setpoint' ? { powerW } : { importLimitW: Math.max(powerW, 0), exportLimitW: 0 };
      return { commandId: this.#commandId(), resourceId, validUntil, kind, level, ...what };
    };
    const moving = new Set<string>(); // bounded by: the EVSEs of this run
    const commands: PowerCommand[] = [];
    const mustWait = this.#mustWait(input);
    for (const { evseId, powerW, phase } of result.commands) {
      const toldW = round3(powerW);
      if (phase === 'waits' || moving.has(evseId) || orders.isIdle(evseId, toldW) || mustWait(evseId, toldW)) continue;
      moving.add(evseId);
      commands.push(make(evseId, toldW));
    }
    for (const { evseId } of input.evses) {
      const entry = moving.has(evseId) ? undefined : twin.get(evseId);
      const dueW = entry && orders.dueW(entry, this.#granted.get(evseId));
      if (dueW !== undefined && !mustWait(evseId, dueW)) commands.push(make(evseId, dueW));
    }
    return commands;
  }

  /** Below a node that may be beyond its limit nobody is told more than it has. Later runs bring what waits. */
  #mustWait(input: SiteInput): (resourceId: string, powerW: number) => boolean {
    const { orders, twin } = this.#o;
    const isFull = overfull(input);
    if (isFull === undefined) return () => false;
    return (resourceId, powerW) => {
      const circuitId = twin.get(resourceId)?.resource.circuitId;
      const more = (['import', 'export'] as const).some(
        (direction) => isFull(circuitId, direction) && orders.isMore(resourceId, powerW, direction),
      );
      this.#again ||= more;
      return more;
    };
  }

  /** Alarms are told when they begin and when they end, not at every run. */
  #raise(alarms: AllocationResult['alarms']): void {
    const now = new Set(alarms.map((a) => `${a.nodeId} ${a.direction}`)); // bounded by: the nodes of the site, twice
    // Right after the start nobody has connected yet, and every station counts with its worst case.
    if (this.#o.clock.now() - this.#startedAt < QUIET_START_MS) return;
    for (const a of alarms) {
      if (!this.#alarms.has(`${a.nodeId} ${a.direction}`)) this.#o.log.warn('limit.unreachable', { ...a });
      this.#o.warn?.({ code: 'limit.unreachable', subject: `${a.nodeId} ${a.direction}`, text: unreachableText(a) });
    }
    for (const a of this.#alarms) {
      if (now.has(a)) continue;
      this.#o.log.info('limit.reachable', { node: a });
      this.#o.warn?.({ code: 'limit.unreachable', subject: a });
    }
    this.#alarms = now;
  }

  #grant(resourceId: string, grantedW: number, now: number): void {
    this.#granted.set(resourceId, grantedW);
    const side = grantedW > 0 ? 'import' : grantedW < 0 ? 'export' : 'zero';
    if (this.#sides.get(resourceId)?.side !== side) this.#sides.set(resourceId, { side, since: now });
  }
}

/** The input as if nothing of this moment held it back: command intervals, minimum on and off times. */
const rested = (input: SiteInput): SiteInput => ({ ...input, evses: input.evses.map(released) });

const isHeld = (e: EvseInput): boolean => e.commandRunning || e.keepSide !== undefined;

function released(e: EvseInput): EvseInput {
  const { keepSide: _, ...rest } = e;
  return { ...rest, commandRunning: false };
}

/** True when an EVSE is held at its present value by its command interval and would get something else. */
function heldBack({ result, input }: Passed): boolean {
  const running = new Set(input.evses.filter((e) => e.commandRunning).map((e) => e.evseId)); // bounded by: one run
  return result.grants.some((g) => running.has(g.evseId) && g.basis === 'held');
}
