import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Clock, iso } from '../core/clock.ts';
import type { ProcessFacts } from './about-api.ts';

/** What the process tells of itself. `clock` is the machine's. */
export function processFacts(clock: Clock): () => ProcessFacts {
  const startedAt = clock.now();
  const version = ownVersion();
  return () => ({
    version,
    node: process.version,
    startedAt: iso(startedAt),
    uptimeS: Math.round((clock.now() - startedAt) / 1_000),
    memoryBytes: process.memoryUsage.rss(),
  });
}

function ownVersion(): string {
  try {
    const content: unknown = JSON.parse(readFileSync(join(import.meta.dirname, '..', 'package.json'), 'utf8'));
    const version: unknown = typeof content === 'object' && content !== null ? Reflect.get(content, 'version') : '';
    return typeof version === 'string' ? version : 'unknown';
  } catch {
    return 'unknown';
  }
}
