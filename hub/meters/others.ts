import type { MeterValue, PowerSpan } from './types.ts';

/** Headroom shrinks at once, and comes back when the worst of so long is over, ms; readings that are kept for that. */
const HOLD_MS = 10_000;
const MAX_KEPT = 64;
/** Changes below this part of the limit do not widen headroom, and below so many W. */
const STILL_PART = 0.002;
const STILL_W = 50;
/** So long EVs that were told to do less may explain readings beyond the limit, ms, up to this part of it. */
const ON_THE_WAY_MS = 10_000;
const NOISE_PART = 0.02;
/** EVs that moved by more while the meter did not are a reason to doubt it, W. */
const DOUBT_W = 100;
/** EVs that moved by this part of the limit, or so many W, must show at a meter; after so many values and ms it hangs. */
const SHOWS_PART = 0.02;
const SHOWS_W = 1_000;
const HANGS_COUNT = 5;
const HANGS_MS = 15_000;

export interface Place {
  readonly importLimitW: number;
  readonly exportLimitW: number;
}

/** The same value over and over: between what EVs can have been all the time if the meter tells the truth, W. */
interface Repeats {
  readonly powerW: number;
  readonly since: number;
  count: number;
  lowW: number;
  highW: number;
}

/**
 * What flows at a metered place beside the EVs: `P_other = P_meter − Σ P_EV` (fo 8.2). Where the power of EVs at that
 * moment is only known as a span, so is the rest.
 *
 * `riseW` and `fallW` are the ends of that span: nobody gets more room than they leave. `upW` and `downW` are what was
 * known before, as far as the reading does not contradict it: down to there nobody loses what is in force. So EVs that
 * do as they were told are not taken for other loads, until their own values tell; a reading beyond the limit itself
 * leaves no doubt, then the worst counts at once. Unless it has not risen, and EVs that are still on their way down from
 * what they did before explain all of it: then that much they are given time for.
 */
export class Others {
  /** W, load convention; fall ≤ down ≤ up ≤ rise where nothing is held back. */
  upW = 0;
  downW = 0;
  riseW = 0;
  fallW = 0;
  /** The likely value, without margins. */
  netW = 0;
  readonly #spans = new Map<string, PowerSpan>(); // bounded by: the resources of the site
  #lowW = 0;
  #highW = 0;
  #value: MeterValue | undefined;
  /** The value before that, and the first of those that are beyond the limit. */
  #beforeW: number | undefined;
  #beyond: { readonly since: number; readonly powerW: number } | undefined;
  #repeats: Repeats | undefined;
  /** What the readings of the last seconds came to, the newest last. */
  #recent: { readonly at: number; readonly upW: number; readonly downW: number }[] = []; // bounded by: MAX_KEPT

  /** A reading of the place, and what each EVSE below it may have had at that time. */
  read(value: MeterValue, spans: Iterable<readonly [string, PowerSpan]>, place: Place, now: number): void {
    this.#spans.clear();
    [this.#lowW, this.#highW] = [0, 0];
    for (const [id, span] of spans) {
      this.#spans.set(id, span);
      this.#lowW += span.lowW;
      this.#highW += span.highW;
    }
    this.#beforeW = this.#value?.powerW;
    this.#value = value;
    const isBeyond = value.powerW > place.importLimitW || -value.powerW > place.exportLimitW;
    this.#beyond = isBeyond ? (this.#beyond ?? { since: now, powerW: value.powerW }) : undefined;
    this.#compare(value, now);
    this.#track(place, now, this.#recent.at(-1));
  }

  /** When the place was read last, epoch ms. */
  get readAt(): number | undefined {
    return this.#value?.at;
  }

  /** The meter shows the same value although EVs below it have moved: it cannot be true any more (fo 6.4). */
  hangs(place: Place, now: number): boolean {
    const r = this.#repeats;
    if (!r || r.count < HANGS_COUNT || now - r.since < HANGS_MS) return false;
    return r.lowW - r.highW > Math.max(SHOWS_W, SHOWS_PART * Math.max(place.importLimitW, place.exportLimitW));
  }

  /**
   * A value of an EVSE that came later tells more about its power at the time of the last reading. True when that takes
   * room away.
   */
  narrow(id: string, by: PowerSpan, place: Place, now: number): boolean {
    const old = this.#spans.get(id);
    if (!old || !this.#value || (by.lowW <= old.lowW && by.highW >= old.highW)) return false;
    const { upW, downW } = this;
    const lowW = clip(by.lowW, old.lowW, old.highW);
    const highW = clip(by.highW, lowW, old.highW);
    this.#spans.set(id, { lowW, highW });
    this.#lowW += lowW - old.lowW;
    this.#highW += highW - old.highW;
    this.#recent.pop();
    this.#track(place, now, this.#recent.at(-1));
    return this.upW > upW || this.downW < downW;
  }

  #compare({ powerW }: MeterValue, now: number): void {
    const r = this.#repeats;
    if (r?.powerW !== powerW) this.#repeats = { powerW, since: now, count: 1, lowW: this.#lowW, highW: this.#highW };
    else {
      r.count++;
      r.lowW = Math.max(r.lowW, this.#lowW);
      r.highW = Math.min(r.highW, this.#highW);
    }
  }

  #track(place: Place, now: number, before: { readonly upW: number; readonly downW: number } | undefined): void {
    const v = this.#value;
    if (!v) return;
    const [low, high] = [v.powerW - this.#highW, v.powerW - this.#lowW];
    [this.fallW, this.riseW] = [low, high];
    let upW = before ? clip(before.upW, low, high) : high;
    let downW = before ? clip(before.downW, low, high) : low;
    this.netW = before ? clip(this.netW, low, high) : high;
    // A meter that may hang must not make room.
    if (before && this.#repeats && this.#repeats.lowW - this.#repeats.highW > DOUBT_W)
      [upW, downW] = [Math.max(upW, this.upW), Math.min(downW, this.downW)];
    const recent = this.#recent.filter((r) => now - r.at < HOLD_MS && r.at <= now);
    this.#recent = [...recent, { at: now, upW, downW }].slice(-MAX_KEPT);
    // Beyond the limit the worst counts, for this reading: the next one shows what came of it.
    const overUp = v.powerW > place.importLimitW && !this.#isExplained(v.powerW, before?.upW, place.importLimitW, now);
    const overDown =
      -v.powerW > place.exportLimitW && !this.#isExplained(v.powerW, before?.downW, -place.exportLimitW, now);
    const worstUpW = Math.max(...this.#recent.map((r) => r.upW), overUp ? high : low);
    const worstDownW = Math.min(...this.#recent.map((r) => r.downW), overDown ? low : high);
    this.upW = before ? steady(this.upW, worstUpW, 1, place.importLimitW) : worstUpW;
    this.downW = before ? steady(this.downW, worstDownW, -1, place.exportLimitW) : worstDownW;
  }

  /**
   * Beyond the limit (W signed), but no further than before and than when it began, and just as if others did what they
   * did (`otherW`).
   */
  #isExplained(powerW: number, otherW: number | undefined, limitW: number, now: number): boolean {
    if (otherW === undefined || this.#beforeW === undefined || this.#beyond === undefined) return false;
    const noiseW = Math.max(STILL_W, NOISE_PART * Math.abs(limitW));
    const roseW = Math.max(...[this.#beforeW, this.#beyond.powerW].map((w) => Math.sign(powerW) * (powerW - w)));
    if (now - this.#beyond.since >= ON_THE_WAY_MS || roseW > noiseW) return false;
    return otherW >= powerW - this.#highW - noiseW && otherW <= powerW - this.#lowW + noiseW;
  }
}

/** Not less than before for trifles. `side` 1: more is worse. */
function steady(old: number, now: number, side: 1 | -1, limitW: number): number {
  const better = side * (old - now);
  return better > 0 && better <= Math.max(STILL_W, STILL_PART * limitW) ? old : now;
}

const clip = (value: number, low: number, high: number): number => Math.min(Math.max(value, low), high);
