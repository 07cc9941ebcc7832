import { followed, totalsOf } from '../../hub/evidence/formulas.ts';
import { performanceOf, trackingOf } from '../../hub/evidence/proof.ts';
import type { Proof } from '../../model/index.ts';
import { type Finding, open, verdict } from './verify-findings.ts';

type Interval = Proof['intervals'][number];

/** Recomputes a proof from its own intervals (fo 3.9). */
export function checkNumbers(proof: Proof): Finding[] {
  const { intervals, formula } = proof;
  const last = intervals.length;
  return [
    ...verdict(`intervals 1–${last} follow one another without gap`, sequence(intervals)),
    ...(formula === undefined
      ? [open('the document does not say by which formula its intervals were made; they are taken as they are')]
      : verdict(
          `requested and delivered energy of each interval follow from its own numbers (${formula})`,
          rows(proof),
        )),
    ...verdict(`totals and performance follow from the intervals: ${proof.performancePct} %`, sums(proof)),
  ];
}

function sequence(intervals: readonly Interval[]): string[] {
  return intervals.slice(1).flatMap((next, i) => {
    const { start, durationS } = intervals[i] ?? next;
    const end = Date.parse(start) + Math.round(durationS * 1000);
    return end === Date.parse(next.start)
      ? []
      : [`interval ${i + 2} begins at ${next.start}, the one before ends elsewhere`];
  });
}

function rows({ intervals, formula }: Proof): string[] {
  return intervals.flatMap((interval, i) => {
    const due = dueOf(interval, formula);
    return (['requestedWh', 'deliveredWh'] as const).flatMap((name) => {
      if (!(name in due) || due[name] === interval[name]) return [];
      return [`interval ${i + 1} says ${name} ${interval[name]}, and ${due[name]} follows from its numbers`];
    });
  });
}

/** What follows from the other numbers of an interval; what does not follow is left out. */
function dueOf(i: Interval, formula: Proof['formula']): Pick<Interval, 'requestedWh' | 'deliveredWh'> {
  const isMissing = i.quality === 'missing';
  const measured = i.importWh === undefined || i.exportWh === undefined ? undefined : i.importWh - i.exportWh;
  if (i.baselineWh === undefined) return {};
  if (formula === 'setpoint') {
    if (i.targetWh === undefined) return {};
    const { requestedWh, deliveredWh } = followed(i.targetWh, i.baselineWh, measured ?? i.targetWh);
    return { requestedWh, deliveredWh: isMissing || measured === undefined ? 0 : deliveredWh };
  }
  if (i.requestedWh === undefined) return {};
  if (isMissing || measured === undefined) return { deliveredWh: 0 };
  const up = Math.round(i.baselineWh * 1000) - Math.round(measured * 1000);
  return { deliveredWh: (formula === 'down' ? 0 - up : up) / 1000 };
}

function sums({ intervals, formula, totals, performancePct, trackingErrorPct }: Proof): string[] {
  const due = totalsOf(intervals);
  const pct = performanceOf(formula, intervals);
  const tracking = formula === 'setpoint' ? trackingOf(intervals) : undefined;
  return [
    ...(['requestedWh', 'deliveredWh'] as const).flatMap((name) =>
      due[name] === totals[name]
        ? []
        : [`totals/${name} is ${totals[name]}, and ${due[name]} follows from the intervals`],
    ),
    ...(pct === performancePct ? [] : [`performancePct is ${performancePct}, and ${pct} follows from the intervals`]),
    ...(tracking === trackingErrorPct
      ? []
      : [`trackingErrorPct is ${trackingErrorPct}, and ${tracking} follows from the intervals`]),
  ];
}
