import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Scenario } from '../../simulators/fo/scenario-file.ts';
import { SiteScenario } from '../../simulators/site/index.ts';

const FOLDER = join(import.meta.dirname, '../../simulators/scenarios');

describe('the scenarios that come along', () => {
  it.each(readdirSync(FOLDER))('%s is valid', (name) => {
    const file: unknown = JSON.parse(readFileSync(join(FOLDER, name), 'utf8'));
    const issues = name.endsWith('-site.json') ? SiteScenario.check(file) : Scenario.check(file);
    expect(issues).toEqual([]);
  });
});
