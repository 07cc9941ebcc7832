import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readHeader } from '../../core/mapping/header.ts';
import {
  type Coverage,
  DEFAULT_LIMITS,
  type Description,
  describe,
  SLOW_CONSTRUCTS,
} from '../../core/mapping/index.ts';
import { mappingSchemas } from '../../gateway/mapping-schemas.ts';
import { cell, ROOT } from './markdown.ts';

interface Row {
  /** Relative to the folder of the language. */
  readonly name: string;
  readonly language: string;
  readonly when: string | undefined;
  readonly ref: string | undefined;
  readonly description: Description;
}

/** The mapping pack: one row per file, with what it sets and what it loses. */
export function mappingsPage(): string {
  const folder = join(ROOT, 'mappings');
  const schemas = mappingSchemas();
  const rows = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((n) => n.replaceAll('\\', '/'))
    .filter((n) => n.endsWith('.jsonata'))
    .sort()
    .map((name): Row => {
      const text = readFileSync(join(folder, name), 'utf8');
      const [language = '', ...rest] = name.split('/');
      const { when, ref } = readHeader(text).header;
      return { name: rest.join('/'), language, when, ref, description: describe({ source: text }, schemas) };
    });
  const languages = [...new Set(rows.map((r) => r.language))];
  return [
    '# Mappings',
    '',
    'A file of the same relative path in the folder `V2GATE_MAPPINGS` takes the place of a shipped one; how to write one:',
    '[mappings](../mappings.md). *Required* and *optional* say how many fields of the target a mapping sets; fields inside of',
    'an object count once it is written. *Carried* names what the bridge takes across by other means, *lost* what the target',
    'language cannot say; a test holds both against the schemas. `*.name` is every field of that name.',
    ...languages.flatMap((language) => section(language, rows)),
    '',
    ...limits(),
    '',
  ].join('\n');
}

function section(language: string, all: readonly Row[]): string[] {
  const rows = all.filter((r) => r.language === language);
  return [
    '',
    `## ${language}`,
    '',
    '| File | From | To | When | Required | Optional | Reference |',
    '|---|---|---|---|---|---|---|',
    ...rows.map(toLine),
    '',
    '| File | Carried | Lost |',
    '|---|---|---|',
    ...rows.map(({ name, description: { lost } }) => `| \`${name}\` | ${list(lost.carried)} | ${list(lost.stated)} |`),
  ];
}

function toLine({ name, when, ref, description: { from, to, coverage } }: Row): string {
  const share = (part: 'required' | 'optional') => (c: Coverage) => `${c[part].set} of ${c[part].of}`;
  const cells = [
    `\`${name}\``,
    `\`${from ?? '?'}\``,
    to.map((t) => `\`${t}\``).join('<br>'),
    when === undefined ? '–' : `\`${cell(when)}\``,
    coverage.map(share('required')).join('<br>'),
    coverage.map(share('optional')).join('<br>'),
    cell(ref ?? '–'),
  ];
  return `| ${cells.join(' | ')} |`;
}

const list = (names: readonly string[]): string => (names.length === 0 ? '–' : names.map((n) => `\`${n}\``).join(', '));

/** What of the language is different here, from the constants of the engine. */
function limits(): string[] {
  const n = (v: number): string => v.toLocaleString('en-US').replaceAll(',', ' ');
  return [
    '## Limits of the language here',
    '',
    'Mappings are written in JSONata and compiled. `$now`, `$millis`, `$random` and `$shuffle` are not available: the time is',
    '`$ctx.at`, ids are in `$ctx.ids`. Fields called `__proto__`, `constructor` or `prototype` can neither be read nor written.',
    `One run takes at most ${n(DEFAULT_LIMITS.steps)} steps, ${n(DEFAULT_LIMITS.depth)} calls inside each other, arrays of`,
    `${n(DEFAULT_LIMITS.sequence)} items and texts of ${n(DEFAULT_LIMITS.text)} characters. What follows is not compiled; a mapping`,
    'with it runs in the `map` node alone:',
    '',
    ...Object.values(SLOW_CONSTRUCTS).map(({ construct, when }) => `- ${construct}: ${when}`),
  ];
}
