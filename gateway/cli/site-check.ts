import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { codeOf, describeError, type Issue } from '../../core/errors.ts';
import { silentLog } from '../../core/log.ts';
import { parseSiteFile } from '../../hub/site/registry.ts';
import type { SiteFile } from '../../model/index.ts';
import { readSecrets, secretVariable } from '../secrets.ts';
import type { Settings } from '../settings.ts';
import type { Command, Terminal } from './command.ts';
import { settingsFor } from './places.ts';

const USAGE = `Usage: npx v2gate site check [file]

Checks a site file as the gateway does, and whether the secrets that it names are there. Default: V2GATE_SITE, else
site.json in the data folder.`;

/** `npx v2gate site check`: 0 the gateway would take it, 1 it would not. */
export const site: Command = async ([sub, ...names], terminal) => {
  if (sub !== 'check' || names.length > 1 || names[0]?.startsWith('-')) {
    terminal.err(USAGE);
    return 2;
  }
  const settings = settingsFor(process.env, undefined);
  const named = names[0] ?? settings.siteFile;
  if (named === '') {
    terminal.err(USAGE);
    return 2;
  }
  const path = resolve(named);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (e) {
    terminal.err(`${path} cannot be read (${codeOf(e) ?? 'unknown'}).`);
    return 2;
  }
  try {
    const file = parseSiteFile(path, text);
    tellSite(terminal, path, file);
    await tellSecrets(terminal, file, settings);
    return 0;
  } catch (e) {
    tellIssues(terminal, path, e);
    return 1;
  }
};

function tellSite(terminal: Terminal, path: string, f: SiteFile): void {
  const evses = f.stations.reduce((sum, s) => sum + s.evses.length, 0);
  const counts: readonly (readonly [number, string])[] = [
    [f.stations.length, 'station'],
    [evses, 'EVSE'],
    [f.circuits?.length ?? 0, 'circuit'],
    [f.groups?.length ?? 0, 'group'],
    [f.contracts?.length ?? 0, 'contract'],
  ];
  const shown = counts.filter(([n]) => n > 0).map(([n, what]) => `${n} ${what}${n === 1 ? '' : 's'}`);
  terminal.out(`${path} is good: ${f.siteId}, ${shown.join(', ')}.`);
}

/** Every name behind which the file expects a secret; a missing one locks somebody out, and nothing else. */
async function tellSecrets(terminal: Terminal, file: SiteFile, settings: Settings): Promise<void> {
  const refs = [...new Set(refsIn(file))];
  if (refs.length === 0) return;
  const secret = await readSecrets(settings.secretsFile, process.env, silentLog);
  const missing = refs.filter((ref) => !secret(ref));
  for (const ref of missing)
    terminal.out(`The secret ${ref} is missing: give it in ${settings.secretsFile} or as ${secretVariable(ref)}.`);
  if (missing.length === 0) terminal.out(`All ${refs.length} secrets that it names are there.`);
}

function refsIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, v]: [string, unknown]) =>
    /^(password|token)Ref$/.test(key) && typeof v === 'string' ? [v] : refsIn(v),
  );
}

function tellIssues(terminal: Terminal, path: string, e: unknown): void {
  const issues = issuesOf(e);
  if (issues.length === 0) terminal.err(describeError(e).what);
  for (const issue of issues) terminal.err(`${path}: ${issue.path || '/'} ${issue.message}`);
  terminal.err(`The gateway would not take this file: ${issues.length || 1} problem${issues.length > 1 ? 's' : ''}.`);
}

function issuesOf(e: unknown): readonly Issue[] {
  const cause: unknown = e instanceof Error ? e.cause : undefined;
  const details: unknown = typeof cause === 'object' && cause !== null ? Reflect.get(cause, 'details') : undefined;
  return Array.isArray(details) ? details : [];
}
