import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SHAPE_NAMES, SHAPES } from '../../bridges/ocpp/ladder.ts';
import { API_ROUTES } from '../../gateway/api.ts';
import { verify } from '../../gateway/cli/verify.ts';
import { SETTINGS } from '../../gateway/settings.ts';
import { MeterReading, ResultBody, SiteFile, StationRecord } from '../../model/index.ts';
import { FO_CATALOGUE, isFoType } from '../../protocols/fo/catalogue.ts';
import { Envelope, Heartbeat, Hello, HelloResult } from '../../protocols/fo/envelope.ts';
import { FO_ERRORS } from '../../protocols/fo/errors.ts';
import { pairRoot, pairTopics } from '../../protocols/fo/mqtt/topics.ts';
import { ROOT } from '../../tools/docs/markdown.ts';
import { withPart, yard } from './guide-blocks.ts';
import { blocksOf, codesOf, commandOf, deadLinks, jsonOf, tableOf } from './guides.ts';
import { listFiles, loadSources, readText } from './rules/source.ts';

const files = listFiles();
const pages = files.filter((f) =>
  /^(README|CONTRIBUTING|docs\/[a-z-]+|simulators\/README|flows\/.*\/README)\.md$/.test(f),
);
const page = (path: string): string => readText(path);

describe('README and guides', () => {
  it('are all looked at', () => {
    for (const path of ['README.md', 'CONTRIBUTING.md', 'docs/tutorial.md', 'docs/concepts.md', 'docs/failures.md'])
      expect(pages).toContain(path);
  });

  it.each(pages)('%s has no dead link', (path) => {
    expect(deadLinks(path, new Set(files))).toEqual([]);
  });

  it.each(pages)('%s names only settings, API paths and codes that there are', (path) => {
    const text = page(path);
    const variables = Object.values(SETTINGS).map((s) => s.variable as string);
    const unknown = [...text.matchAll(/\bV2GATE_[A-Z_]+/g)].map((m) => m[0]);
    expect(
      unknown.filter((v) => !variables.includes(v) && !/^V2GATE_(SECRET_|BACKUP_PASSPHRASE$|SEED$|$)/.test(v)),
    ).toEqual([]);

    const routes = API_ROUTES.map((r) => r.path);
    const paths = [...text.matchAll(/\/v2gate\/api(\/[A-Za-z/<>:-]+)/g)].map((m) => m[1] ?? '');
    const route = (path: string): string =>
      path.replace('site:harbour', ':siteId').replaceAll('/<recordId>', '/:id').replaceAll('/<proofId>', '/:id');
    expect(paths.filter((p) => !routes.includes(route(p).replaceAll(/<(\w+)>/g, ':$1')))).toEqual([]);

    const codes = codesOf(text).filter((c) => /^[a-z][A-Za-z]*\.[a-z][A-Za-z]+$/.test(c) && !isFile(c));
    expect(codes.filter((code) => !known.has(code))).toEqual([]);
  });

  it.each(pages)('%s shows only commands that there are', (path) => {
    const lines = blocksOf(page(path))
      .filter((b) => b.language === 'sh')
      .flatMap((b) => b.text.split('\n'));
    expect(lines.map(complaint).filter((c) => c !== undefined)).toEqual([]);
  });
});

describe('README.md', () => {
  const text = page('README.md');
  const site = SiteFile.parse(yard());

  it('starts simulators that fit its site file', () => {
    const option = (name: string): string | undefined => new RegExp(` --${name} (\\S+)`).exec(text)?.[1];
    const [contract] = site.contracts ?? [];
    expect([option('party'), option('to')]).toEqual([contract?.foId, contract?.counterpartyId]);
    expect([option('contract'), option('group')]).toEqual([contract?.contractId, site.groups?.[0]?.groupId]);
  });

  it('is for a first read: no line is a wall, and it is short', () => {
    expect(text.split('\n').length).toBeLessThan(190);
  });

  it('checks evidence with a command that works', async () => {
    const golden = { 'record.json': 'record.signed', 'proof.json': 'proof.signed', 'events.jsonl': 'log.jsonl' };
    const at = (name: string): string => join(ROOT, 'test/evidence/golden', name);
    for (const path of ['docs/tutorial.md', 'docs/evidence.md']) {
      const words = /^ *npx v2gate verify (.*)$/m.exec(page(path))?.[1]?.split(' ') ?? [];
      const names = new Map(Object.entries(golden)); // bounded by: the files above
      const args = words.map((w) => (w === 'jwks.json' ? at(w) : names.has(w) ? at(names.get(w) ?? '') : w));
      const silent = { out: () => undefined, err: () => undefined, stdin: (async function* () {})() };
      expect(await verify(args, silent)).toBe(0);
    }
  });
});

describe('docs/operators.md', () => {
  const text = page('docs/operators.md');
  const blocks = blocksOf(text);
  const session = { Hello, HelloResult, Heartbeat };

  it('shows every message of the catalogue under its number, as the model gives it', () => {
    for (const [type, { no, message }] of Object.entries(FO_CATALOGUE)) {
      expect(text).toContain(`### ${no} ${type}\n`);
      expect(jsonOf(text, `body: ${type}`)).toEqual(message.example);
    }
    for (const [name, { example }] of Object.entries(session)) expect(jsonOf(text, `body: ${name}`)).toEqual(example);
  });

  it('shows nothing that is not valid', () => {
    const bodies = blocks.filter((b) => b.mark?.startsWith('body: '));
    expect(bodies.length).toBe(Object.keys(FO_CATALOGUE).length + Object.keys(session).length + 1);
    for (const { mark = '', text: json } of bodies) {
      const type = mark.slice('body: '.length);
      if (isFoType(type)) expect(FO_CATALOGUE[type].message.check(JSON.parse(json))).toEqual([]);
    }
    for (const { text: json } of blocks.filter((b) => b.mark === 'envelope')) {
      const { type, body } = Envelope.parse(JSON.parse(json));
      expect((isFoType(type) ? FO_CATALOGUE[type].message : ResultBody).check(body)).toEqual([]);
    }
    expect(blocks.filter((b) => b.language === 'json' && b.mark === undefined)).toEqual([]);
  });

  it('names error codes of fo 4.4 only', () => {
    const codes = tableOf(text, 'codes').flatMap(([cell = '']) => codesOf(cell));
    expect(codes.filter((c) => !Object.hasOwn(FO_ERRORS.kinds, c))).toEqual([]);
    expect(codes.length).toBeGreaterThan(30);
  });

  it('names the topics of MQTT', () => {
    const written = tableOf(text, 'topics').map(([cell = '']) => codesOf(cell)[0] ?? '');
    const { own: up, other: dn } = pairTopics('up', 'F', 'G');
    const root = pairRoot('F', 'G');
    expect(text).toContain(pairRoot('<foId>', '<gwId>'));
    const topics = [...Object.values(up), ...Object.values(dn)].map((t) => t.slice(root.length + 1));
    expect(written.filter((t) => !topics.includes(t.replace(/<.*>$/, '')))).toEqual([]);
  });
});

describe('docs/stations.md', () => {
  const text = page('docs/stations.md');

  it('shows a station that may stand in a site file', () => {
    expect(StationRecord.check(jsonOf(text, 'station'))).toEqual([]);
  });

  it('shows the ladder of each version as it is', () => {
    const told = tableOf(text, 'ladder').map(([version = '', forms]) => [version.replaceAll('`', ''), forms]);
    const is = Object.entries(SHAPES).map(([v, shapes]) => [v, shapes.map((s) => SHAPE_NAMES[s]).join(' → ')]);
    expect(told).toEqual(is);
  });
});

describe('docs/site.md', () => {
  const text = page('docs/site.md');
  const parts = blocksOf(text).filter((b) => b.mark === 'site part');

  it('shows parts that name the secrets which it gives, and a meter with a value of it', () => {
    const site = SiteFile.parse(parts.reduce((all, b) => withPart(all, JSON.parse(b.text)), yard()));
    const refs = [
      ...site.stations.flatMap((s) => s.passwordRef ?? []),
      ...(site.partySecrets ?? []).map((s) => s.tokenRef),
    ];
    expect(jsonOf(text, 'secrets')).toEqual(Object.fromEntries(refs.map((ref) => [ref, expect.any(String)])));
    const secrets = JSON.stringify(jsonOf(text, 'secrets'));
    for (const variable of ['SIMULATOR_PASSWORD', 'FO_SIMULATOR_TOKEN'])
      expect(secrets).toContain(`"${new RegExp(`\\b${variable}=(\\S+)`).exec(text)?.[1]}"`);
    const reading = MeterReading.parse(JSON.parse(/api\/meter .* -d '(.*)'/.exec(text)?.[1] ?? ''));
    expect(site.meters?.map((m) => m.meterId)).toEqual([reading.meterId]);
  });
});

it('docs/security.md shows secrets that are texts', () => {
  for (const secret of Object.values(Object(jsonOf(page('docs/security.md'), 'secrets'))))
    expect(secret).toEqual(expect.any(String));
});

it('docs/failures.md names a test for every line, and each test is there', () => {
  const rows = page('docs/failures.md')
    .split('\n')
    .filter((l) => l.startsWith('| ') && !l.startsWith('| What fails'))
    .map((l) => l.split(' | ').at(-1) ?? '');
  expect(rows.length).toBeGreaterThan(30);
  for (const shown of rows) {
    let file = '';
    const parts = [...shown.matchAll(/`(test\/[^`]+)`|“(.*?)”(?=<br>| \|)/g)];
    expect(parts.length).toBeGreaterThan(1);
    for (const [, path, title = ''] of parts) {
      if (path !== undefined) file = readText(path);
      else expect(file).toContain(title);
    }
  }
});

const isFile = (code: string): boolean => /\.(js|json|jsonl|pem|ts|md|signed)$|^msg\./.test(code);

/** Texts of the sources: error codes, kinds of events and lines of the log are among them. */
const known = new Set(
  loadSources(files.filter((f) => /^(core|model|hub|protocols|bridges|nodes|gateway|simulators)\//.test(f))).flatMap(
    (s) => s.strings.map((t) => t.value),
  ),
); // bounded by: the sources

/** What is wrong with a line of a shell block; undefined when nothing is. */
function complaint(line: string): string | undefined {
  const { words } = commandOf(line);
  const [program, first = '', second = ''] = words;
  const scripts: Readonly<Record<string, string>> = JSON.parse(
    readFileSync(join(ROOT, 'package.json'), 'utf8'),
  ).scripts;
  switch (program) {
    case undefined:
    case 'export':
    case 'openssl':
    case 'cd':
    case 'mkdir':
    case 'cp':
    case 'docker':
      return undefined;
    case 'npm':
      if (first === 'install') return undefined;
      return Object.hasOwn(scripts, first === 'run' ? second : first) ? undefined : `${line}: no such script`;
    case 'bash':
      return exists(first) ? undefined : `${line}: no such file`;
    case 'curl':
      return words.some((w) => /^'?https?:\/\/(127\.0\.0\.1|localhost):1880\//.test(w)) ? undefined : `${line}: not us`;
    case 'npx':
      return npxComplaint(words, line);
    default:
      return `${line}: unknown program`;
  }
}

function npxComplaint([, program = '', path = '', ...more]: readonly string[], line: string): string | undefined {
  if (program === 'v2gate')
    return ['mappings', 'verify', 'backup', 'restore', 'site', 'users'].includes(path)
      ? undefined
      : `${line}: no such command`;
  if (program === 'vitest') {
    const tests = more.filter((w) => w.startsWith('test/'));
    return tests.length > 0 && tests.every(exists) ? undefined : `${line}: no such test`;
  }
  if (program !== 'node') return `${line}: unknown program`;
  if (!exists(path)) return `${line}: no such program`;
  const sources = files.filter((f) => f.startsWith(`${dirname(path)}/`) && f.endsWith('.ts')).map(readText);
  const options = more.filter((w) => w.startsWith('--')).map((w) => `${w} `);
  const missing = options.filter((o) => o !== '--help ' && !sources.some((s) => s.includes(o)));
  return missing.length > 0 ? `${line}: ${missing.join(', ')} are no options` : undefined;
}

const exists = (path: string): boolean => files.some((f) => f === path || f.startsWith(`${path}/`));
