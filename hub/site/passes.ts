import {
  type AllocationResult,
  allocate,
  type EvseInput,
  type Grant,
  type SiteInput,
  type TargetInput,
} from '../allocation/index.ts';
import { hasRoomForAll } from './room.ts';

/**
 * What one service asks of the allocator. `lead`: its members give this power. `cap`: they stay at or below it as far as
 * needs allow, and services below it may lead them further down.
 */
export interface Pass {
  /** {@link serviceKey} */
  readonly key: string;
  readonly kind: 'lead' | 'cap';
  readonly target: TargetInput & { readonly members: readonly string[] };
  /** With `cap`: the most that members may give together, W ≥ 0. */
  readonly exportCapW?: number;
  /** With `cap`: the limit is one for each member, and not for their sum; W ≥ 0. */
  readonly eachW?: number;
}

export interface Passed {
  readonly input: SiteInput;
  readonly result: AllocationResult;
  /** Members that a service above it leads. */
  readonly taken: readonly string[];
}

export interface Passes {
  readonly by: ReadonlyMap<string, Passed>;
  /** Has everything that was granted, and the commands. */
  readonly last: Passed;
}

interface Cap {
  readonly wishedW: number;
  readonly loW: number;
}

/**
 * Several targets one after the other in the order of fo 6.3: each pass gives to its members beside what all others need,
 * and what it gave stays for those below. Every pass keeps all limits; the last one has the commands. A target at the POC
 * counts what everybody does: those below only get what it leaves, and its members are led when all others are known.
 */
export function runPasses(base: SiteInput, passes: readonly Pass[], apart = mayPlanApart(base, passes)): Passes {
  const state = new PassState(base);
  const by = new Map<string, Passed>(); // bounded by: the passes of one run
  let last: Passed | undefined;
  for (const pass of passes) {
    if (pass.eachW !== undefined) {
      state.capEach(pass, pass.eachW);
      last = undefined;
      continue;
    }
    const isLast = pass === passes.at(-1);
    const passed = state.run(pass, apart && !isLast);
    by.set(pass.key, passed);
    last = apart && !isLast ? undefined : passed;
  }
  const atPoc = passes.find(isLedAtPoc);
  if (atPoc && by.get(atPoc.key) !== last) {
    last = state.again(atPoc);
    by.set(atPoc.key, last);
  }
  return { by, last: last ?? state.rest() };
}

/**
 * Where no limit is in anybody's way, what a service gives to its members does not depend on all others: then only the
 * last pass, which has the commands, looks at the whole site.
 */
const mayPlanApart = (base: SiteInput, passes: readonly Pass[]): boolean =>
  passes.length > 1 && !passes.some((p) => p.target.referencePoint === 'site') && hasRoomForAll(base);

const isLedAtPoc = ({ kind, target }: Pass): boolean => kind === 'lead' && target.referencePoint === 'site';

/** The same input with what was given as bounds that cannot be moved, for a look at what is left. */
export function leftBy(input: SiteInput, passes: readonly Pass[]): SiteInput {
  const { last } = runPasses(input, passes);
  const led = new Set(passes.flatMap((p) => (p.kind === 'lead' ? p.target.members : []))); // bounded by: one run
  const granted = new Map(last.result.grants.map((g) => [g.evseId, g.grantedW])); // bounded by: one run
  const evses = input.evses.map((e): EvseInput => {
    const powerW = led.has(e.evseId) && !e.fixed ? granted.get(e.evseId) : undefined;
    return powerW === undefined ? e : { ...e, fixed: { minW: powerW, maxW: powerW } };
  });
  return { ...input, evses };
}

/** An import that was given, as a bound that limits may cut. */
function cuttable(e: EvseInput): EvseInput {
  if (e.pinnedW === undefined || e.pinnedW < 0) return e;
  const { pinnedW, keepSide: _, ...rest } = e;
  return { ...rest, loW: 0, neededW: pinnedW, wishedW: pinnedW };
}

class PassState {
  readonly #base: SiteInput;
  readonly #pins = new Map<string, number>(); // bounded by: the EVSEs of one run
  /** Led by a service above, also those that are held by their command interval now. */
  readonly #led = new Set<string>(); // bounded by: the EVSEs of one run
  readonly #caps = new Map<string, Cap>(); // bounded by: the EVSEs of one run
  /** What a target at the POC has left for those below it, W signed; never less than what is needed. */
  #pocW: number | undefined;

  constructor(base: SiteInput) {
    this.#base = base;
  }

  /** `alone`: with its members only. */
  run(pass: Pass, alone: boolean): Passed {
    const taken = pass.target.members.filter((m) => this.#led.has(m));
    const { input, result } = this.#allocate(pass.target, this.#pocW, alone);
    this.#keep(pass, result);
    return { input, result, taken };
  }

  capEach({ target, exportCapW }: Pass, eachW: number): void {
    const members = new Set(target.members); // bounded by: the members of one service
    const share = (exportCapW ?? Number.POSITIVE_INFINITY) / members.size;
    for (const e of this.#base.evses)
      if (members.has(e.evseId)) this.#cap(e.evseId, Math.max(eachW, e.neededW, 0), Math.max(e.loW, -share));
  }

  /** Everybody without a further target. */
  rest(): Passed {
    return { ...this.#allocate(undefined, this.#pocW), taken: [] };
  }

  /** The target at the POC, when all others are known. */
  again(pass: Pass): Passed {
    const taken = pass.target.members.filter((m) => this.#led.has(m));
    return { ...this.#allocate(pass.target, undefined), taken };
  }

  /** Where what was given stands in the way of a limit, imports that were given may be cut (fo 6.3: limits win). */
  #allocate(target: TargetInput | undefined, pocW: number | undefined, alone = false): Omit<Passed, 'taken'> {
    const input = this.#input(target, pocW, alone);
    const result = allocate(input);
    if (result.alarms.length === 0 || this.#pins.size === 0) return { input, result };
    const softer = { ...input, evses: input.evses.map(cuttable) };
    const cut = allocate(softer);
    if (cut.alarms.length >= result.alarms.length) return { input, result };
    for (const g of cut.grants) if (this.#pins.has(g.evseId)) this.#pins.set(g.evseId, g.grantedW);
    return { input: softer, result: cut };
  }

  #input(target: TargetInput | undefined, pocW: number | undefined, alone: boolean): SiteInput {
    const { poc } = this.#base;
    const evses = alone ? this.#members(target) : this.#base.evses;
    const importLimitW = pocW === undefined ? poc.importLimitW : Math.min(poc.importLimitW, pocW);
    const { target: _, ...rest } = this.#base;
    const given = target === undefined ? {} : { target };
    return { ...rest, poc: { ...poc, importLimitW }, evses: evses.map((e) => this.#evse(e)), ...given };
  }

  #members(target: TargetInput | undefined): readonly EvseInput[] {
    const members = new Set(target?.members); // bounded by: the members of one service
    return this.#base.evses.filter((e) => members.has(e.evseId));
  }

  #evse(e: EvseInput): EvseInput {
    const pinnedW = this.#pins.get(e.evseId);
    if (pinnedW !== undefined) return { ...e, pinnedW };
    const cap = this.#caps.get(e.evseId);
    if (!cap) return e;
    const wishedW = Math.min(e.wishedW, cap.wishedW);
    return { ...e, wishedW, neededW: Math.min(e.neededW, wishedW), loW: Math.max(e.loW, cap.loW) };
  }

  /** What was given stays, for those below. */
  #keep(pass: Pass, result: AllocationResult): void {
    const members = new Set(pass.target.members); // bounded by: the members of one service
    const inputs = new Map(this.#base.evses.map((e) => [e.evseId, e])); // bounded by: the EVSEs of one run
    if (isLedAtPoc(pass)) {
      const { usedW, generationW } = this.#base;
      // What nobody leads counts with its worst case, as it does in the limits.
      const mostW = (g: Grant): number => inputs.get(g.evseId)?.fixed?.maxW ?? g.grantedW;
      const othersW = usedW - generationW;
      const leftW = result.grants.reduce((sum, g) => sum + mostW(g), othersW);
      // Its members count with what they need, until they are led below that.
      const lowerW = this.#base.evses.reduce(
        (sum, e) => sum + (members.has(e.evseId) ? Math.max(0, -e.neededW) : 0),
        0,
      );
      const neededW = this.#base.evses.reduce(
        (sum, e) => sum + (e.fixed?.maxW ?? Math.max(0, this.#pins.get(e.evseId) ?? e.neededW)),
        othersW,
      );
      this.#pocW = Math.max(leftW + lowerW, neededW);
      return;
    }
    const mine = result.grants.filter((g) => members.has(g.evseId));
    const lowestW = mine.reduce((sum, g) => sum - Math.min(0, inputs.get(g.evseId)?.loW ?? 0), 0);
    const capW = pass.exportCapW ?? Number.POSITIVE_INFINITY;
    const share = lowestW <= capW ? 1 : capW / lowestW;
    for (const g of mine) {
      if (pass.kind === 'lead' && g.basis !== 'fixed') this.#led.add(g.evseId);
      if (g.basis === 'fixed' || g.basis === 'held' || this.#pins.has(g.evseId)) continue;
      if (pass.kind === 'lead') this.#pins.set(g.evseId, g.grantedW);
      else this.#cap(g.evseId, Math.max(g.grantedW, g.neededW, 0), (inputs.get(g.evseId)?.loW ?? 0) * share);
    }
  }

  #cap(evseId: string, wishedW: number, loW: number): void {
    const known = this.#caps.get(evseId);
    this.#caps.set(evseId, {
      wishedW: Math.min(wishedW, known?.wishedW ?? wishedW),
      loW: Math.max(loW, known?.loW ?? loW),
    });
  }
}
