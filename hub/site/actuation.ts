import { BoundedMap } from '../../core/bounded.ts';
import { type Clock, iso, parseTime } from '../../core/clock.ts';
import { uuidv7 } from '../../core/ids.ts';
import type { Log } from '../../core/log.ts';
import type { CommandOutcome, EnvelopeUpdate, FleetEntry, PowerCommand, SiteFile } from '../../model/index.ts';
import {
  type AllocationResult,
  allocate,
  type EvseInput,
  type SiteInput,
  type TargetInput,
} from '../allocation/index.ts';
import { createDispatcher } from '../dispatch/index.ts';
import { envelope } from '../envelope/index.ts';
import type { FleetTwin, TwinEntry } from '../fleet/twin.ts';
import type { Applied, Service } from '../services/service.ts';
import { effectiveTarget } from '../services/target.ts';
import { envelopeInput } from './envelope-input.ts';
import type { LimitBook } from './limits.ts';
import { type PlanSources, resourceBounds, siteInput } from './plan.ts';

export interface ActuationOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly siteId: string;
  readonly twin: FleetTwin;
  readonly limits: LimitBook;
  readonly file: () => SiteFile;
  readonly push: (update: EnvelopeUpdate) => void;
}

/** What was last told to a resource. */
interface Told {
  readonly commandId: string;
  readonly powerW: number;
  readonly at: number;
  readonly validUntil: number;
  /** How the plan counts it, W. */
  readonly kind: PowerCommand['kind'];
}

export interface Run {
  readonly commands: PowerCommand[];
  readonly applied?: Applied;
}

const MAX_RESOURCES = 20_000;
/** A command ends by itself at the station after this, unless it is renewed (design 2). */
const VALIDITY_MS = 120_000;
const RENEW_MS = 60_000;
/** Outcomes after which a station is bound by the command (design 2.1). */
const ANSWERED: readonly CommandOutcome['state'][] = ['accepted', 'effective', 'notEffective', 'unknown'];
/** A station that refused is left alone this long. */
const REFUSED_MS = 30_000;

/** From targets to commands: allocation runs, what is under way, and the envelope that holds whatever the wires do. */
export class Actuation {
  readonly sources: PlanSources;
  readonly #o: ActuationOptions;
  readonly #dispatcher = createDispatcher({ max: MAX_RESOURCES });
  readonly #told = new BoundedMap<string, Told>({ name: 'hub.told', max: MAX_RESOURCES, overflow: 'dropOldest' });
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
  readonly #outcomes = new BoundedMap<string, CommandOutcome>({
    name: 'hub.outcomes',
    max: MAX_RESOURCES,
    overflow: 'dropOldest',
  });
  readonly #refusedUntil = new BoundedMap<string, number>({
    name: 'hub.refused',
    max: MAX_RESOURCES,
    overflow: 'dropOldest',
  });
  readonly #envelope = new BoundedMap<string, { importLimitW: number; exportLimitW: number }>({
    name: 'hub.envelope',
    max: MAX_RESOURCES,
    overflow: 'dropOldest',
  });
  readonly #safe = new BoundedMap<string, number>({ name: 'hub.safe', max: MAX_RESOURCES, overflow: 'dropOldest' });
  #revision = 0;
  #alarms: ReadonlySet<string> = new Set(); // bounded by: the nodes of the site, twice
  /** A later run could do more than the last one: a command interval or a reduction was in the way. */
  #again = false;

  constructor(o: ActuationOptions) {
    this.#o = o;
    this.sources = {
      get file() {
        return o.file();
      },
      twin: o.twin,
      limits: o.limits,
      clock: o.clock,
      power: (id) => this.#dispatcher.present(id),
      told: (id) => this.#told.get(id)?.powerW ?? this.#unledPower(id),
      commandedAt: (id) => this.#commandedAt(id),
      sideSince: (id) => this.#sides.get(id),
    };
  }

  /** One allocation run (fo 8.3): what may go out now. Increases that wait come in a later run. */
  run(service: Service | undefined, now: number): Run {
    const goal = service === undefined ? undefined : effectiveTarget(service, now);
    const target: TargetInput | undefined =
      service === undefined || goal?.targetW === undefined
        ? undefined
        : { setpointW: goal.targetW, referencePoint: service.fsr.target.referencePoint, members: service.members };
    const input = siteInput(this.sources, target);
    const result = allocate(input);
    this.#raise(result.alarms);
    for (const g of result.grants) this.#grant(g.evseId, g.grantedW, now);
    const commands = this.#commands(result, input, service, target, now);
    this.#dispatcher.issue(
      commands.map((c) => ({
        evseId: c.resourceId,
        commandId: c.commandId,
        powerW: powerOf(c),
        validUntil: parseTime(c.validUntil),
      })),
      now,
    );
    for (const c of commands) {
      this.#told.set(c.resourceId, {
        commandId: c.commandId,
        powerW: powerOf(c),
        at: now,
        validUntil: parseTime(c.validUntil),
        kind: c.kind,
      });
    }
    this.#again = result.commands.some((c) => c.phase === 'waits') || heldBack(result, input);
    this.refresh();
    if (goal?.targetW === undefined) return { commands };
    const applied: Applied = {
      targetW: result.targetW,
      ...(result.limitedBy === undefined ? {} : { limitedBy: result.limitedBy }),
      shortfallW: result.shortfallW,
      at: now,
    };
    return { commands, applied };
  }

  /** What a setpoint would become, by the bounds of now (fo 8.3.4). */
  preview(service: Service, targetW: number): { appliedW: number; limitedBy?: string } {
    const input = siteInput(this.sources, {
      setpointW: targetW,
      referencePoint: service.fsr.target.referencePoint,
      members: service.members,
    });
    const { targetW: appliedW, limitedBy } = allocate({ ...input, evses: input.evses.map(released) });
    return { appliedW: Math.round(appliedW * 1000) / 1000, ...(limitedBy === undefined ? {} : { limitedBy }) };
  }

  /** What the members could do with an able EV at each, inside all limits. */
  installed(members: readonly string[]): { lowW: number; highW: number } {
    const { twin } = this.#o;
    const input = siteInput(this.sources, undefined);
    const able = input.evses.map((e): EvseInput => {
      const r = twin.get(e.evseId)?.resource;
      if (!r || !members.includes(e.evseId)) return { ...released(e), loW: 0, neededW: 0, wishedW: 0 };
      const loW = r.exportAllowed ? -r.maxExportW : 0;
      const { fixed: _, ...rest } = released(e);
      return { ...rest, loW, neededW: loW, wishedW: r.maxImportW, exportAllowed: r.exportAllowed, presentW: 0 };
    });
    const at = (setpointW: number): number =>
      allocate({ ...input, evses: able.map(withoutFlight), target: { setpointW, referencePoint: 'group', members } })
        .targetW;
    return { lowW: at(-1e9), highW: at(1e9) };
  }

  /** A command's outcome. True when an allocation should look. */
  outcome(o: CommandOutcome): boolean {
    const now = this.#o.clock.now();
    this.#outcomes.set(o.resourceId, o);
    if (o.state === 'refused') this.#refusedUntil.set(o.resourceId, now + REFUSED_MS);
    const failed = o.state === 'refused' || o.state === 'expired' || o.state === 'superseded';
    if (failed && this.#told.get(o.resourceId)?.commandId === o.commandId) this.#told.delete(o.resourceId);
    const before = this.#dispatcher.present(o.resourceId);
    this.#dispatcher.outcome(o, now);
    const after = this.#dispatcher.present(o.resourceId);
    const moved =
      before.worstImportW !== after.worstImportW ||
      before.worstExportW !== after.worstExportW ||
      before.confirmedW !== after.confirmedW;
    if (moved) this.refresh();
    return moved && this.#again;
  }

  /** A station came, went, or its session began or ended: what it may be doing now is different. */
  stationChanged(resourceId: string): void {
    const entry = this.#o.twin.get(resourceId);
    if (!entry) return;
    const now = this.#o.clock.now();
    const belowW = entry.offlineImportW ?? entry.resource.offlineImportW;
    if (!entry.online)
      this.#dispatcher.lost(resourceId, { importW: belowW, exportW: entry.resource.offlineExportW }, now);
    else if (entry.session === undefined) {
      this.#dispatcher.assume(resourceId, { minW: 0, maxW: 0 }, now);
      this.#told.delete(resourceId);
    } else if (this.#told.get(resourceId) === undefined)
      this.#dispatcher.assume(resourceId, { minW: 0, maxW: belowW }, now);
    this.refresh();
  }

  /**
   * A meter value is evidence: once the station has accepted the newest command, it can only be between what it does
   * and what it was told. The twin learns from it what the EV takes of what it is given (fo 8.1).
   */
  measured(resourceId: string): void {
    const entry = this.#o.twin.get(resourceId);
    const told = this.#told.get(resourceId);
    const powerW = entry?.reading?.powerW;
    if (!entry || powerW === undefined) return;
    if (!told) {
      // Nobody leads it: it may go on as it does, or do what its profile below allows.
      if (entry.session) this.#dispatcher.assume(resourceId, this.#unledRange(entry, powerW), this.#o.clock.now());
      return;
    }
    this.#o.twin.learn(resourceId, told.powerW, told.at, (entry.resource.responseTimeS ?? 10) * 1000);
    const outcome = this.#outcomes.get(resourceId);
    if (outcome?.commandId !== told.commandId || !ANSWERED.includes(outcome.state)) return;
    const boundW = outcome.appliedW ?? told.powerW;
    const range = { minW: Math.min(boundW, powerW), maxW: Math.max(boundW, powerW) };
    this.#dispatcher.assume(resourceId, range, this.#o.clock.now());
  }

  /** Why an allocation should run now, if it should: something lapsed, must be renewed, or can go on. */
  tick(now: number): string | undefined {
    if (this.#dispatcher.expire(now).length > 0) {
      this.refresh();
      return 'expiry';
    }
    if (this.#again) return 'continue';
    for (const [id, t] of this.#told.entries()) {
      if (t.validUntil - now < RENEW_MS && this.#o.twin.get(id)?.session) return 'renewal';
    }
    return undefined;
  }

  /** Computes the envelope anew and pushes it where it changed (design 2). */
  refresh(): void {
    const { twin, limits } = this.#o;
    const results = envelope(envelopeInput(this.#o.file(), twin, limits, (id) => this.#dispatcher.present(id)));
    const changed = results.filter((e) => {
      const known = this.#envelope.get(e.evseId);
      return known === undefined || known.importLimitW !== e.importLimitW || known.exportLimitW !== e.exportLimitW;
    });
    if (this.#safe.size !== twin.size) this.#computeSafe();
    if (changed.length === 0) return;
    for (const e of changed) {
      this.#envelope.set(e.evseId, { importLimitW: e.importLimitW, exportLimitW: e.exportLimitW });
    }
    this.#revision++;
    this.#o.push(this.envelopeNow());
  }

  /** The envelope in force, for a link that has just come. */
  envelopeNow(): EnvelopeUpdate {
    return {
      siteId: this.#o.siteId,
      at: iso(this.#o.clock.now()),
      revision: this.#revision,
      evses: [...this.#envelope.entries()].map(([resourceId, limits]) => ({ resourceId, ...limits })),
    };
  }

  safeImportW(resourceId: string): number {
    return this.#safe.get(resourceId) ?? 0;
  }

  grantedW(): number {
    let sum = 0;
    for (const e of this.#o.twin.all()) if (e.online) sum += this.#granted.get(e.resource.resourceId) ?? 0;
    return sum;
  }

  /** The part of a fleet row that this room knows. */
  view(
    resourceId: string,
  ): Pick<
    FleetEntry,
    | 'grantedW'
    | 'neededW'
    | 'wishedW'
    | 'lowestW'
    | 'importLimitW'
    | 'exportLimitW'
    | 'outcome'
    | 'outcomeCode'
    | 'shape'
  > {
    const entry = this.#o.twin.get(resourceId);
    const b = entry ? resourceBounds(this.sources, entry) : { loW: 0, neededW: 0, wishedW: 0 };
    const grantedW = this.#granted.get(resourceId);
    const o = this.#outcomes.get(resourceId);
    return {
      neededW: b.neededW,
      wishedW: b.wishedW,
      lowestW: b.loW,
      ...(grantedW === undefined ? {} : { grantedW }),
      ...this.#envelope.get(resourceId),
      ...(o === undefined ? {} : { outcome: o.state }),
      ...(o?.code === undefined ? {} : { outcomeCode: o.code }),
      ...(o?.shape === undefined ? {} : { shape: o.shape }),
    };
  }

  #commands(
    result: AllocationResult,
    input: SiteInput,
    service: Service | undefined,
    target: TargetInput | undefined,
    now: number,
  ): PowerCommand[] {
    const members = new Set(target === undefined ? [] : (service?.members ?? []));
    const level = service?.fsr.mandatory ? 4 : 6;
    const make = (resourceId: string, powerW: number): PowerCommand => ({
      commandId: uuidv7(this.#o.clock),
      resourceId,
      validUntil: iso(now + VALIDITY_MS),
      ...(members.has(resourceId)
        ? { kind: 'setpoint', powerW, level }
        : { kind: 'limit', importLimitW: Math.max(powerW, 0), exportLimitW: 0, level: 7 }),
    });
    const sent = result.commands.filter((c) => c.phase !== 'waits').map((c) => make(c.evseId, c.powerW));
    const moving = new Set(result.commands.map((c) => c.evseId));
    const renewed = input.evses.flatMap((e) => {
      const t = this.#told.get(e.evseId);
      const due = t !== undefined && t.validUntil - now < RENEW_MS && !moving.has(e.evseId) && e.fixed === undefined;
      return due ? [make(e.evseId, t.powerW)] : [];
    });
    return [...sent, ...renewed];
  }

  /** Alarms are told when they begin and when they end, not at every run. */
  #raise(alarms: AllocationResult['alarms']): void {
    const now = new Set(alarms.map((a) => `${a.nodeId} ${a.direction}`));
    for (const a of alarms)
      if (!this.#alarms.has(`${a.nodeId} ${a.direction}`)) this.#o.log.warn('limit.unreachable', { ...a });
    for (const a of this.#alarms) if (!now.has(a)) this.#o.log.info('limit.reachable', { node: a });
    this.#alarms = now;
  }

  #grant(resourceId: string, grantedW: number, now: number): void {
    this.#granted.set(resourceId, grantedW);
    const side = grantedW > 0 ? 'import' : grantedW < 0 ? 'export' : 'zero';
    if (this.#sides.get(resourceId)?.side !== side) this.#sides.set(resourceId, { side, since: now });
  }

  /** What a resource does that follows no command: refused, or not told anything yet. */
  #unledPower(resourceId: string): number | undefined {
    const entry = this.#o.twin.get(resourceId);
    return entry?.session && entry.online ? entry.reading?.powerW : undefined;
  }

  #unledRange(entry: TwinEntry, powerW: number): { minW: number; maxW: number } {
    const belowW = entry.offlineImportW ?? entry.resource.offlineImportW;
    return { minW: Math.min(powerW, 0), maxW: Math.max(powerW, belowW) };
  }

  /** A station that refused counts as just commanded until it is tried again. */
  #commandedAt(resourceId: string): number | undefined {
    const until = this.#refusedUntil.get(resourceId);
    const now = this.#o.clock.now();
    if (until !== undefined && until > now) return now;
    return this.#told.get(resourceId)?.at;
  }

  #computeSafe(): void {
    const { twin, limits } = this.#o;
    for (const e of envelope(envelopeInput(this.#o.file(), twin, limits)))
      this.#safe.set(e.evseId, Math.floor(e.importLimitW));
  }
}

const powerOf = (c: PowerCommand): number => (c.kind === 'limit' ? (c.importLimitW ?? 0) : (c.powerW ?? 0));

/** Without what only this moment holds back: command intervals and minimum on and off times. */
function released(e: EvseInput): EvseInput {
  const { keepSide: _, ...rest } = e;
  return { ...rest, commandRunning: false };
}

function withoutFlight(e: EvseInput): EvseInput {
  const { inFlight: _, ...rest } = e;
  return rest;
}

/** True when an EVSE is held at its present value by its command interval and would get something else. */
function heldBack(result: AllocationResult, input: SiteInput): boolean {
  const running = new Set(input.evses.filter((e) => e.commandRunning).map((e) => e.evseId));
  return result.grants.some((g) => running.has(g.evseId) && g.basis === 'held');
}
