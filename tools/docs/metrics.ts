import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cell, ROOT } from './markdown.ts';

const ROOMS = ['hub', 'protocols', 'bridges', 'nodes', 'gateway'];
/** A declaration: kind, name, meaning, then labels. Buckets of a histogram stand between. */
const DECLARED = /\.(counter|gauge|histogram)\(\s*'(\w+)',\s*'((?:[^'\\]|\\.)*)'(?:,\s*[A-Z_]+)?(?:,\s*\[([^\]]*)\])?/g;
const COLLECTED = /\.collect\('(\w+)'/g;

/** A metric as its declaration in the code says it. */
export interface MetricRow {
  readonly name: string;
  readonly kind: string;
  readonly help: string;
  readonly labels: readonly string[];
}

/** What the values of a label say. A label without a row here ends the generation. */
const LABELS: Readonly<Record<string, string>> = {
  class: 'durability: `A` is committed before the acknowledgement, `B` with its group, `C` every second',
  code: 'code of the error',
  component: 'part of the gateway, as in `/health`',
  direction: '`in`, `out`',
  quantile: '`0.5`, `0.99`',
  sync: 'how SQLite synchronises: `full`, `normal`',
  type: 'type of the message, `other` for unknown ones',
  what: '`timeouts`, `queueDrops`, `lateAnswers`, `badFrames`, `replaced`, `refusedHandshakes`',
};

/** Whose bounds a family shows. A family without a row here ends the generation. */
const FAMILIES: Readonly<Record<string, string>> = {
  v2gate_bound: 'the gateway itself: leases of links, event streams, sessions, the wire timeline',
  v2gate_fo_bound: 'sessions of operators: send queues, open requests, results that are kept for repeated messages',
  v2gate_ocpp: 'the OCPP server: stations, sockets, calls that wait or are open',
  v2gate_ocpp_link: 'the OCPP bridge: what is kept for each station, answers that a flow owes',
  v2gate_store_queue: 'entries that wait for their commit',
};

/** Every metric that the code declares, by name. */
export function metricRows(): MetricRow[] {
  const rows = sources().flatMap((text) =>
    [...text.matchAll(DECLARED)].map(([, kind = '', name = '', help = '', labels = '']) => ({
      name,
      kind,
      help,
      labels: [...labels.matchAll(/'(\w+)'/g)].map((m) => m[1] ?? ''),
    })),
  );
  return rows.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Families of bounds: each has `<name>_size`, `_max` and `_dropped_total`. */
export function boundFamilies(): string[] {
  return [...new Set(sources().flatMap((text) => [...text.matchAll(COLLECTED)].map((m) => m[1] ?? '')))].sort();
}

/** Every metric at `/metrics`, with unit and labels. */
export function metricsPage(): string {
  return [
    '# Metrics',
    '',
    '`/metrics` serves them in the text format of Prometheus. Beyond loopback it asks for a login of the role viewer.',
    'Inside your own Node-RED it is `/v2gate/metrics`.',
    '',
    '| Metric | Kind | Unit | Meaning | Labels |',
    '|---|---|---|---|---|',
    ...metricRows().map(
      ({ name, kind, help, labels }) =>
        `| \`${name}\` | ${kind} | ${unitOf(name)} | ${cell(help.replace(/\.$/, ''))} | ${labels.map((l) => `\`${l}\``).join(', ')} |`,
    ),
    '',
    '| Label | Values |',
    '|---|---|',
    ...[...new Set(metricRows().flatMap((r) => r.labels))].sort().map((l) => `| \`${l}\` | ${known(LABELS, l)} |`),
    '',
    'A metric keeps at most 64 combinations of labels; further ones count as `other`.',
    '',
    '## Bounds',
    '',
    'Every queue, map and cache that outlives a call has a bound. The families below show, by the label `name`, how many',
    'items it holds (`_size`), how many it can hold (`_max`), and how many were dropped or refused because it was full',
    '(`_dropped_total`).',
    '',
    '| Family | What |',
    '|---|---|',
    ...boundFamilies().map((f) => `| \`${f}_…\` | ${known(FAMILIES, f)} |`),
    '',
    '## What to watch',
    '',
    '| Alarm | Why |',
    '|---|---|',
    '| `v2gate_component_up < 1` | a part is degraded or down; `/health` says what and why |',
    '| `v2gate_event_loop_delay_seconds{quantile="0.99"} > 0.25` | too busy for fast setpoints; also in `/health` |',
    '| `increase(v2gate_store_failures_total[5m]) > 0` | the disk refuses: requests are not acknowledged then |',
    '| `increase(v2gate_ocpp_events_total{what="timeouts"}[5m]) > 10` | stations do not answer |',
    '| `v2gate_bound_size / v2gate_bound_max > 0.8` | something fills up; so for the other families |',
  ].join('\n');
}

/** By the ending of the name, as Prometheus has it. */
function unitOf(name: string): string {
  if (name.endsWith('_seconds')) return 's';
  if (name.endsWith('_bytes')) return 'byte';
  return name.endsWith('_total') ? 'count' : '1';
}

function known(table: Readonly<Record<string, string>>, key: string): string {
  const text = table[key];
  if (text === undefined) throw new Error(`tools/docs/metrics.ts does not say what ${key} means.`);
  return text;
}

function sources(): string[] {
  return ROOMS.flatMap((room) =>
    readdirSync(join(ROOT, room), { recursive: true, withFileTypes: true })
      .filter((e) => e.isFile() && e.name.endsWith('.ts') && !e.parentPath.includes('node_modules'))
      .map((e) => readFileSync(join(e.parentPath, e.name), 'utf8')),
  );
}
