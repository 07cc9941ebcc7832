import { createHash } from 'node:crypto';
import { canonical, type Json } from '../../core/json.ts';
import { NODE_ERRORS } from './errors.ts';
import type { SavedConfig } from './migrate.ts';

/** What a node says about itself, without any effect on what runs. */
const COSMETIC: readonly string[] = [
  'id',
  'type',
  'name',
  'info',
  'x',
  'y',
  'z',
  'g',
  'l',
  'd',
  'wires',
  'env',
  'inputLabels',
  'outputLabels',
  'icon',
];

/** Hash of everything in a node's values that has an effect, plus `context` (what they refer to). */
export function configHash(config: SavedConfig, context: Json = null): string {
  const effective = Object.entries(config).filter(
    ([key, value]) => !COSMETIC.includes(key) && !key.startsWith('_') && isPlain(value),
  );
  return createHash('sha256')
    .update(canonical([Object.fromEntries(effective), context]))
    .digest('hex');
}

function isPlain(value: unknown): boolean {
  return ['string', 'number', 'boolean', 'object'].includes(typeof value);
}

/** A text of the node's values; blank counts as absent. */
export function textOf(config: SavedConfig, key: string): string | undefined {
  const value = config[key];
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;
}

/** A text that must be one of `words`; anything else gives the first. */
export function wordOf<const T extends string>(config: SavedConfig, key: string, words: readonly [T, ...T[]]): T {
  return words.find((w) => w === config[key]) ?? words[0];
}

/** A TCP port; blank counts as absent. Throws `nodes.config`. */
export function portOf(config: SavedConfig, key: string): number | undefined {
  const value = config[key];
  if (value === undefined || value === null || value === '') return undefined;
  const port = Number(value);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw NODE_ERRORS.fail(
    'nodes.config',
    `The port must be a whole number from 0 to 65535, or empty; it is “${String(value)}”.`,
  );
}
