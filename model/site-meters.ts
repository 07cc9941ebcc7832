import { semantic } from '../core/schema.ts';
import type { Meter } from './evcs.ts';

/** What meters of a site may refer to. */
export interface MeterSubjects {
  readonly circuits: ReadonlySet<string>;
  readonly resources: ReadonlySet<string>;
  readonly ess: ReadonlySet<string>;
  readonly generation: ReadonlySet<string>;
}

type MeterFacts = Pick<Meter, 'meterId' | 'at' | 'subjectRef'>;

const NAMES = {
  circuit: { of: 'circuits', what: 'circuit', field: 'a circuitId' },
  evse: { of: 'resources', what: 'resource', field: 'a resourceId' },
  ess: { of: 'ess', what: 'storage', field: 'an essId' },
  gen: { of: 'generation', what: 'generation', field: 'a genId' },
} as const;

/** Rules for the meters of a site: ids are unique, subjects exist, and no place has two meters (fo 3.2). */
export function meterIssues(meters: readonly MeterFacts[], subjects: MeterSubjects): ReturnType<typeof semantic>[] {
  const ids = new Set<string>();
  const places = new Map<string, string>();
  return meters.flatMap((m, i) => {
    const issues = [];
    if (ids.has(m.meterId)) issues.push(semantic(`/meters/${i}/meterId`, `${m.meterId} is declared twice; rename one`));
    ids.add(m.meterId);
    const subject = subjectIssue(m, subjects);
    if (subject !== undefined) issues.push(semantic(`/meters/${i}/subjectRef`, subject));
    const place = m.at === 'poc' ? 'the POC' : `${m.at} ${m.subjectRef}`;
    const other = places.get(place);
    if (other !== undefined)
      issues.push(semantic(`/meters/${i}/at`, `${place} has the meter ${other} already; keep one of them`));
    else places.set(place, m.meterId);
    return issues;
  });
}

function subjectIssue(m: MeterFacts, subjects: MeterSubjects): string | undefined {
  if (m.at === 'poc') return undefined;
  const { of, what, field } = NAMES[m.at];
  if (m.subjectRef === undefined) return `${m.meterId} measures a ${what}; give ${field} of this file`;
  return subjects[of].has(m.subjectRef)
    ? undefined
    : `no ${what} is called ${m.subjectRef}; give ${field} of this file`;
}
