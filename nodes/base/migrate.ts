import { NODE_ERRORS } from './errors.ts';

/** The values of a node as they were saved. */
export type SavedConfig = Readonly<Record<string, unknown>>;

/** Turns the values of one version into those of the next. Pure. */
export type MigrationStep = (config: SavedConfig) => SavedConfig;

/**
 * Brings saved values to the present version, which is one more than the number of `steps`; step 0 leads from version 1
 * to 2. A missing `version` counts as 1. Throws `nodes.version` for values of a later version.
 */
export function migrate(config: SavedConfig, steps: readonly MigrationStep[]): SavedConfig {
  const current = steps.length + 1;
  const saved = config.version === undefined ? 1 : Number(config.version);
  if (!Number.isInteger(saved) || saved < 1 || saved > current) {
    throw NODE_ERRORS.fail(
      'nodes.version',
      `This node has version ${String(config.version)}; this v2gate knows up to ${current}.`,
    );
  }
  return { ...steps.slice(saved - 1).reduce((values, step) => step(values), config), version: current };
}
