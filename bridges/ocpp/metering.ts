/** What the path needs of the meter of a station. */
export interface MeterNeeds {
  /** At most so many seconds between two values. */
  readonly intervalS: number;
  /** It can give power back. */
  readonly exports: boolean;
  readonly current: 'ac' | 'dc';
}

/** Measured power is judged once per response time, 10 s where none is known (design 2.1). */
export const METER_INTERVAL_S = 10;

/** Measurands that the path needs, the most needed first. */
function wanted({ exports, current }: MeterNeeds): readonly string[] {
  return [
    'Power.Active.Import',
    ...(exports ? ['Power.Active.Export'] : []),
    'Energy.Active.Import.Register',
    ...(exports ? ['Energy.Active.Export.Register'] : []),
    current === 'dc' ? 'SoC' : 'Voltage',
  ];
}

/** Wanted measurands that the station does not sample yet. */
export const missing = (present: readonly string[], needs: MeterNeeds): readonly string[] =>
  wanted(needs).filter((m) => !present.includes(m));

/** Power can be told from these, at an AC outlet (ocpp 5.1). */
const AMPERES = ['Current.Import', 'Voltage'];

/**
 * Lists to try one after the other, each with what is sampled already: all that is wanted, then without the least
 * needed, and so on down to the power alone; where a station knows no power, its amperes. At most 6.
 */
export function meteringSteps(present: readonly string[], needs: MeterNeeds): readonly (readonly string[])[] {
  const lack = missing(present, needs);
  const steps = lack.map((_, i) => [...present, ...lack.slice(0, lack.length - i)]);
  const amperes = AMPERES.filter((m) => !present.includes(m));
  const hasPower = present.includes('Power.Active.Import');
  return needs.current === 'dc' || hasPower || amperes.length === 0 ? steps : [...steps, [...present, ...amperes]];
}
