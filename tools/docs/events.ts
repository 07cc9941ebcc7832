import { EVENT_KINDS } from '../../hub/evidence/kinds.ts';
import { cell } from './markdown.ts';

/** The kinds of entries in the event log: one row per kind. */
export function eventsPage(): string {
  const rows = Object.entries(EVENT_KINDS).map(
    ([kind, { severity, meaning }]) => `| \`${kind}\` | ${severity} | ${cell(meaning)} |`,
  );
  return [
    '# Events',
    '',
    'Kinds of entries in the event log (fo 3.9). The log is a hash chain: one per operator with what concerns it, and',
    '`local` with everything. `GET /v2gate/api/sites/<siteId>/events?fo=<partyId>` exports one as JSON lines, and',
    '`npx v2gate verify <file>` checks it, also where no gateway runs. More kinds may come; an entry that weighs more or',
    'less than usual says so in its own severity.',
    '',
    '| Kind | Severity | Meaning |',
    '|---|---|---|',
    ...rows.sort(),
    '',
  ].join('\n');
}
