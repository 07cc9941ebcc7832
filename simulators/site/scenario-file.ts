import type { Issue } from '../../core/errors.ts';
import {
  duration,
  energy,
  id,
  list,
  message,
  type Of,
  obj,
  opt,
  pct,
  power,
  semantic,
  text,
} from '../../core/schema.ts';

const signed = (doc: string) => power({ signed: true, doc });

const LoadPoint = obj({
  atS: duration({ doc: 'Seconds after the start of the profile; the first is 0, strictly rising.' }),
  powerW: power({ doc: 'Reached here; in between on a straight line.' }),
});

const BaseLoad = obj({
  points: list(LoadPoint, { min: 1, max: 1000 }),
  repeatS: opt(duration({ min: 1, max: 604_800, doc: 'The profile starts over after this. Default 86400.' })),
  noisePct: opt(pct({ doc: 'Flicker of the load, ± this much. Default 2.' })),
});

const Pv = obj({
  peakW: power({ above: 0 }),
  dayS: opt(
    duration({ min: 10, max: 604_800, doc: 'Length of a day; shorter shows a day in minutes. Default 86400.' }),
  ),
  startS: opt(duration({ max: 604_800, doc: 'Time of day at the start; 0 = midnight. Default half a day.' })),
  cloudPct: opt(pct({ doc: 'What clouds take away at most. Default 60.' })),
  cloudS: opt(duration({ min: 1, max: 3600, doc: 'Time that a cloud takes to pass, about. Default 30.' })),
});

const Ess = obj({
  capacityWh: energy({ above: 0 }),
  maxW: power({ above: 0, doc: 'In both directions.' }),
  startPct: opt(pct({ doc: 'State of charge at the start. Default 50.' })),
  targetW: opt(signed('Holds the net power of the site here as far as it can. Default 0: own consumption.')),
});

const MeterOf = obj({
  meterId: id({ doc: 'As the site file of the gateway names it.' }),
  intervalS: opt(duration({ min: 0.2, max: 3600, doc: 'Default 1.' })),
});

const CircuitMeter = obj({
  meterId: id(),
  stations: list(text({ max: 40, doc: 'Identity of a station; a trailing * stands for any ending.' }), { max: 1000 }),
  basePct: opt(pct({ doc: 'Share of the base load that hangs here. Default 0.' })),
  intervalS: opt(duration({ min: 0.2, max: 3600, doc: 'Default 1.' })),
});

/** What stands around the stations of a site, and which meters tell of it. */
export const SiteScenario = message(
  'SiteScenario',
  {
    base: BaseLoad,
    pv: opt(Pv),
    ess: opt(Ess),
    poc: MeterOf,
    circuits: opt(list(CircuitMeter, { max: 60 })),
    pvMeter: opt(MeterOf),
    essMeter: opt(MeterOf),
  },
  {
    clause: 'simulators',
    doc: 'Base load, photovoltaics, storage and meters of the site simulator. Power in load convention, time from the start.',
    rules: (s) => [...pointIssues(s.base), ...meterIssues(s)],
    example: {
      base: { points: [{ atS: 0, powerW: 15_000 }] },
      pv: { peakW: 20_000 },
      poc: { meterId: 'm:poc' },
      circuits: [{ meterId: 'm:ac', stations: ['DEMO-AC-*'] }],
    },
  },
);
export type SiteScenario = Of<typeof SiteScenario>;

interface Profile {
  readonly points: readonly { readonly atS: number }[];
  readonly repeatS?: number;
}

function pointIssues({ points, repeatS = 86_400 }: Profile): Issue[] {
  return points.flatMap(({ atS }, k) => {
    const at = `/base/points/${k}/atS`;
    if (k === 0) return atS === 0 ? [] : [semantic(at, 'The first point is at 0 s.')];
    const before = points[k - 1]?.atS ?? 0;
    if (atS <= before) return [semantic(at, `${atS} s does not come after ${before} s.`)];
    return atS < repeatS ? [] : [semantic(at, `The profile starts over after ${repeatS} s already.`)];
  });
}

interface Named {
  readonly meterId: string;
}

interface Meters {
  readonly poc: Named;
  readonly circuits?: readonly Named[];
  readonly pv?: unknown;
  readonly pvMeter?: Named;
  readonly ess?: unknown;
  readonly essMeter?: Named;
}

function meterIssues(s: Meters): Issue[] {
  const ids = [s.poc, ...(s.circuits ?? []), s.pvMeter, s.essMeter].flatMap((m) => (m ? [m.meterId] : []));
  const twice = ids.find((one, i) => ids.indexOf(one) < i);
  return [
    ...(twice === undefined ? [] : [semantic('/poc', `The meter ${twice} is named twice.`)]),
    ...(s.pvMeter && !s.pv ? [semantic('/pvMeter', 'There is no pv to be measured.')] : []),
    ...(s.essMeter && !s.ess ? [semantic('/essMeter', 'There is no ess to be measured.')] : []),
  ];
}

/** The depot of the demo: ten minutes hold a day, so that sun and load come and go while one watches. */
export const DEMO_SITE: SiteScenario = {
  base: {
    repeatS: 600,
    points: [
      { atS: 0, powerW: 14_000 },
      { atS: 180, powerW: 22_000 },
      { atS: 300, powerW: 28_000 },
      { atS: 420, powerW: 18_000 },
    ],
  },
  pv: { peakW: 20_000, dayS: 600, startS: 240 },
  poc: { meterId: 'm:poc' },
  circuits: [
    { meterId: 'm:ac', stations: ['DEMO-AC-*'] },
    { meterId: 'm:dc', stations: ['DEMO-V2G-*'] },
  ],
};
