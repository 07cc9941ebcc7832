import type { DispatchCommand, DispatchOutcome, PowerRange, PresentPower } from './types.ts';

/** A command that nobody reports as sent within this time loses its claim, ms. */
export const UNSENT_MS = 5_000;
/** More commands than this are never open for one EVSE; the oldest then melt into what is assumed. */
const MAX_CLAIMS = 8;

interface Claim {
  readonly commandId: string;
  powerW: number;
  readonly at: number;
  readonly validUntil: number;
  readonly afterwards: PowerRange | undefined;
  /** Somebody said that it was sent (or more). */
  sent: boolean;
  /** Still counted as what the EVSE shall do; afterwards only as what it may do. */
  open: boolean;
  /** Its `validUntil` passed. */
  ended: boolean;
}

/** What one EVSE may be doing: evidence, and the commands that came after it, oldest first. */
export class Entry {
  #confirmedW = 0;
  #range: PowerRange = { minW: 0, maxW: 0 };
  #claims: Claim[] = []; // bounded by: MAX_CLAIMS
  /** When what is confirmed ends at the station, and what follows. */
  #end: { readonly at: number; readonly afterwards: PowerRange } | undefined;

  claim(command: DispatchCommand, now: number): void {
    const { commandId, powerW, validUntil, afterwards } = command;
    this.#claims.push({ commandId, powerW, at: now, validUntil, afterwards, sent: false, open: true, ended: false });
    if (this.#claims.length <= MAX_CLAIMS) return;
    const oldest = this.#claims.shift();
    if (oldest) this.#widen(at(oldest.powerW));
  }

  outcome(o: DispatchOutcome): void {
    const index = this.#claims.findIndex((c) => c.commandId === o.commandId);
    const claim = this.#claims[index];
    if (!claim) return;
    if (o.appliedW !== undefined) {
      // A clipped command replaces what was asked, unless the station might have had that already.
      if (claim.sent) this.#widen(at(claim.powerW));
      claim.powerW = o.appliedW;
    }
    if (o.state === 'refused') this.#claims.splice(index, 1);
    else if (o.state === 'effective') this.#confirm(claim, index);
    else if (o.state === 'sent' || o.state === 'accepted') claim.sent = true;
    else if (!claim.sent && (o.state === 'superseded' || o.state === 'expired')) this.#claims.splice(index, 1);
    else {
      claim.open = false;
      if (o.state === 'notEffective' && o.measuredW !== undefined) this.#widen(at(o.measuredW));
    }
  }

  /** Ids of claims that ended, by reason. */
  expire(now: number): { readonly commandId: string; readonly why: 'notSent' | 'ended' }[] {
    const lapsed: { commandId: string; why: 'notSent' | 'ended' }[] = [];
    for (const claim of this.#claims) {
      if (now >= claim.validUntil && !claim.ended) {
        claim.ended = true;
        if (claim.afterwards) this.#widen(claim.afterwards);
      }
      if (!claim.open || (!claim.ended && (claim.sent || now - claim.at < UNSENT_MS))) continue;
      claim.open = false;
      lapsed.push({ commandId: claim.commandId, why: claim.ended ? 'ended' : 'notSent' });
    }
    if (this.#end && now >= this.#end.at) {
      this.#widen(this.#end.afterwards);
      this.#end = undefined;
    }
    return lapsed;
  }

  lost(offline: PowerRange): void {
    this.#widen(offline);
    for (const claim of this.#claims) claim.open = false;
  }

  assume(range: PowerRange): void {
    this.narrow(range, []);
  }

  narrow(range: PowerRange, young: readonly string[]): void {
    this.#claims = this.#claims.filter(({ commandId }) => young.includes(commandId));
    this.#end = undefined;
    this.#range = range;
    this.#confirmedW = Math.min(Math.max(this.#confirmedW, range.minW), range.maxW);
  }

  present(): PresentPower {
    let { minW, maxW } = this.#range;
    let pendingW: number | undefined;
    for (const { powerW, open } of this.#claims) {
      minW = Math.min(minW, powerW);
      maxW = Math.max(maxW, powerW);
      if (open) pendingW = powerW;
    }
    // Asked for several times per outcome: put together without a spread.
    const [confirmedW, worstImportW, worstExportW] = [this.#confirmedW, Math.max(0, maxW), Math.max(0, 0 - minW)];
    return pendingW === undefined
      ? { confirmedW, worstImportW, worstExportW, minW, maxW }
      : { confirmedW, pendingW, worstImportW, worstExportW, minW, maxW };
  }

  /** Evidence: what was commanded before no longer matters. */
  #confirm(claim: Claim, index: number): void {
    this.#claims.splice(0, index + 1);
    this.#confirmedW = claim.powerW;
    this.#range = at(claim.powerW);
    this.#end = claim.afterwards && { at: claim.validUntil, afterwards: claim.afterwards };
  }

  #widen({ minW, maxW }: PowerRange): void {
    this.#range = { minW: Math.min(this.#range.minW, minW), maxW: Math.max(this.#range.maxW, maxW) };
  }
}

function at(power: number): PowerRange {
  return { minW: power, maxW: power };
}
