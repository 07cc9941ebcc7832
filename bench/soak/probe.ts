/**
 * Loaded into the gateway before everything else (`--import`): once per period it collects garbage and appends what the
 * process holds to a file, a JSON object a line. Needs `--expose-gc`, `SOAK_FILE` and `SOAK_PERIOD_MS`.
 */
import { appendFileSync, readdirSync } from 'node:fs';

/** What the process holds after a collection. */
export interface ProbeLine {
  /** Epoch ms. */
  readonly at: number;
  readonly heapUsedBytes: number;
  readonly rssBytes: number;
  /** What keeps the event loop alive, by kind, for example `Timeout` and `TCPSocketWrap`. */
  readonly resources: Readonly<Record<string, number>>;
  readonly fileDescriptors: number;
}

const { SOAK_FILE: file, SOAK_PERIOD_MS: periodMs } = process.env;

function line(): ProbeLine {
  globalThis.gc?.();
  const { heapUsed, rss } = process.memoryUsage();
  const resources: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) resources[kind] = (resources[kind] ?? 0) + 1;
  const fileDescriptors = readdirSync('/proc/self/fd').length;
  return { at: Date.now(), heapUsedBytes: heapUsed, rssBytes: rss, resources, fileDescriptors };
}

if (file !== undefined) {
  setInterval(() => appendFileSync(file, `${JSON.stringify(line())}\n`), Number(periodMs ?? 60_000)).unref();
}
