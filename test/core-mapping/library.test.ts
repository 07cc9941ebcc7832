import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { silentLog } from '../../core/log.ts';
import { checkExamples } from '../../core/mapping/examples.ts';
import type { FileSource } from '../../core/mapping/files.ts';
import { parseHeader, parsePath } from '../../core/mapping/header.ts';
import { createMappingLibrary, type MappingLibrary } from '../../core/mapping/library.ts';
import { fileSource } from '../../gateway/mapping-files.ts';

/** Files in memory, as `root/path`. */
function memory(files: Record<string, string>): FileSource {
  return {
    list: (dir) =>
      Object.keys(files)
        .filter((f) => f.startsWith(`${dir}/`))
        .map((f) => f.slice(dir.length + 1)),
    read(path) {
      const text = files[path];
      if (text === undefined) throw new Error(`${path} is missing.`);
      return text;
    },
  };
}

const head = (extra = '', variant = ''): string =>
  `/* from: hub/PowerCommand   to: ocpp2.1/SetChargingProfileRequest${variant && `   variant: ${variant}`}\n   ${extra} */\n`;
const PATH = 'ocpp2.1/from-hub/PowerCommand';

function library(files: Record<string, string>, roots = ['pack', 'own']): MappingLibrary {
  return createMappingLibrary({ roots, files: memory(files), log: silentLog });
}

const ctx = (session: object = {}, settings: object = {}): object => ({
  session: { identity: 'CP-1', ...session },
  settings,
});

const choose = (l: MappingLibrary, payload: unknown = {}, context: unknown = ctx()): string =>
  l.choose('hub/PowerCommand', 'ocpp2.1', 'from-hub', payload, context).path;

describe('header comments', () => {
  it('are read over several lines', () => {
    const text = `/* from: hub/PowerCommand   to: [ocpp2.1/A, ocpp2.1/B]
      variant: setpoint   when: shape = 'setpoint' and
      $ctx.session.hasDynamic = false   lost: [rampWPerS, level]   ref: ocpp 2.2 */ 1`;
    expect(parseHeader(text, 'x')).toEqual({
      from: 'hub/PowerCommand',
      to: ['ocpp2.1/A', 'ocpp2.1/B'],
      variant: 'setpoint',
      when: "shape = 'setpoint' and $ctx.session.hasDynamic = false",
      lost: ['rampWPerS', 'level'],
      carried: [],
      ref: 'ocpp 2.2',
    });
  });

  it.each([
    ['{"a": 1}', 'no header comment'],
    ['/* to: ocpp2.1/A */ 1', 'does not say `from:'],
    ['/* from: hub/A */ 1', 'does not say `to:'],
    ['/* from: hub/A to: hub/B from: hub/C */ 1', 'twice'],
    ['/* from: nothing to: hub/B */ 1', 'does not say `from:'],
  ])('%s is refused', (text, why) => {
    expect(() => parseHeader(text, 'x')).toThrowError(
      expect.objectContaining({ code: 'mapping.header', message: expect.stringContaining(why) }),
    );
  });
});

describe('file names', () => {
  it('say language, direction, message, variant and for whom', () => {
    expect(parsePath('ocpp2.1/from-hub/PowerCommand.limitA@ABB-Terra 54.jsonata')).toEqual({
      language: 'ocpp2.1',
      direction: 'from-hub',
      message: 'PowerCommand',
      variant: 'limitA',
      only: { model: 'abb-terra-54' },
    });
    expect(parsePath('openadr3.0/to-hub/Event@station=CP:1.jsonata').only).toEqual({ station: 'CP:1' });
  });

  it.each([
    'PowerCommand.jsonata',
    'ocpp2.1/PowerCommand.jsonata',
    'ocpp2.1/up/X.jsonata',
    'ocpp2.1/from-hub/a b.jsonata',
    'OCPP/to-hub/X.jsonata',
  ])('%s is refused', (path) => {
    expect(() => parsePath(path)).toThrowError(expect.objectContaining({ code: 'mapping.path' }));
  });

  it('must agree with the header', () => {
    const l = library({
      [`pack/${PATH}.jsonata`]: head('', 'x'),
      [`pack/${PATH}.limitA.jsonata`]: `${head('', 'limitW')}1`,
      'pack/ocpp1.6/from-hub/PowerCommand.jsonata': `${head()}1`,
      'pack/ocpp2.1/from-hub/Other.jsonata': `${head()}1`,
    });
    expect(l.entries()).toEqual([]);
    expect(l.broken().map((b) => b.code)).toEqual([
      'mapping.header',
      'mapping.header',
      'mapping.header',
      'mapping.header',
    ]);
  });
});

describe('choice', () => {
  it('takes the file whose condition holds', () => {
    const l = library({
      [`pack/${PATH}.limitA.jsonata`]: `${head("when: $ctx.session.rateUnit = 'A' and kind = 'limit'", 'limitA')}1`,
      [`pack/${PATH}.limitW.jsonata`]: `${head("when: $ctx.session.rateUnit = 'W'", 'limitW')}1`,
    });
    expect(choose(l, { kind: 'limit' }, ctx({ rateUnit: 'A' }))).toBe(`${PATH}.limitA.jsonata`);
    expect(choose(l, { kind: 'limit' }, ctx({ rateUnit: 'W' }))).toBe(`${PATH}.limitW.jsonata`);
    expect(() => choose(l, { kind: 'setpoint' }, ctx({ rateUnit: 'A' }))).toThrowError(
      expect.objectContaining({ code: 'capability.unsupported' }),
    );
  });

  it('prefers the station, then the model, then the vendor, then the language', () => {
    const text = `${head()}1`;
    const files: Record<string, string> = {
      [`pack/${PATH}.jsonata`]: text,
      [`pack/${PATH}@acme.jsonata`]: text,
      [`pack/${PATH}@acme-fast-50.jsonata`]: text,
      [`pack/${PATH}@station=CP-1.jsonata`]: text,
    };
    const acme = ctx({ vendor: 'ACME', model: 'Fast 50' });
    expect(choose(library(files), {}, acme)).toBe(`${PATH}@station=CP-1.jsonata`);
    delete files[`pack/${PATH}@station=CP-1.jsonata`];
    expect(choose(library(files), {}, acme)).toBe(`${PATH}@acme-fast-50.jsonata`);
    expect(choose(library(files), {}, ctx({ vendor: 'Acme', model: 'Slow' }))).toBe(`${PATH}@acme.jsonata`);
    expect(choose(library(files))).toBe(`${PATH}.jsonata`);
  });

  it('prefers a condition that holds to no condition', () => {
    const l = library({
      [`pack/${PATH}.a.jsonata`]: `${head('', 'a')}1`,
      [`pack/${PATH}.b.jsonata`]: `${head("when: kind = 'limit'", 'b')}1`,
    });
    expect(choose(l, { kind: 'limit' })).toBe(`${PATH}.b.jsonata`);
    expect(choose(l, { kind: 'onOff' })).toBe(`${PATH}.a.jsonata`);
    expect(l.candidates('hub/PowerCommand', 'ocpp2.1', 'from-hub', { kind: 'limit' }, ctx()).length).toBe(2);
  });

  it('takes a condition that fails for one that does not hold', () => {
    const l = library({ [`pack/${PATH}.jsonata`]: `${head('when: $number(kind) = 1')}1` });
    expect(() => choose(l, { kind: 'x' })).toThrowError(expect.objectContaining({ code: 'capability.unsupported' }));
  });
});

describe('overrides', () => {
  it('replace the file of the same relative path', () => {
    const l = library({ [`pack/${PATH}.jsonata`]: `${head()}{"v": 1}`, [`own/${PATH}.jsonata`]: `${head()}{"v": 2}` });
    expect(l.entries().map((e) => [e.root, e.mapping.run({}, {})])).toEqual([['own', { v: 2 }]]);
  });

  it('that are broken leave the shipped version in force and are listed', () => {
    const l = library({
      [`pack/${PATH}.jsonata`]: `${head()}{"v": 1}`,
      [`own/${PATH}.jsonata`]: `${head()}{"v": $nope()}`,
    });
    expect(l.entries().map((e) => e.mapping.run({}, {}))).toEqual([{ v: 1 }]);
    expect(l.broken()).toEqual([
      expect.objectContaining({
        path: `${PATH}.jsonata`,
        root: 'own',
        code: 'mapping.broken',
        covered: true,
        message: expect.stringContaining('line 3, column 7'),
        diagnostics: [expect.objectContaining({ code: 'mapping.unknownFunction' })],
      }),
    ]);
  });

  it('are picked up by reload; the last good version outlives a broken edit', () => {
    const files: Record<string, string> = { [`pack/${PATH}.jsonata`]: `${head()}{"v": 1}` };
    const l = library(files);
    const value = (): unknown => l.choose('hub/PowerCommand', 'ocpp2.1', 'from-hub', {}, ctx()).mapping.run({}, {});
    expect(l.reload()).toEqual({ changed: [], broken: [] });
    files[`own/${PATH}.jsonata`] = `${head()}{"v": 2}`;
    expect(l.reload().changed).toEqual([`${PATH}.jsonata`]);
    expect(value()).toEqual({ v: 2 });
    files[`own/${PATH}.jsonata`] = `${head()}{"v": `;
    expect(l.reload().broken.map((b) => b.covered)).toEqual([true]);
    expect(value()).toEqual({ v: 2 });
    expect(l.reload().changed).toEqual([]);
    files[`own/${PATH}.jsonata`] = `${head()}{"v": 3}`;
    l.reload();
    expect([value(), l.broken()]).toEqual([{ v: 3 }, []]);
    delete files[`own/${PATH}.jsonata`];
    l.reload();
    expect(value()).toEqual({ v: 1 });
  });

  it('keep unchanged mappings compiled', () => {
    const files: Record<string, string> = {
      [`pack/${PATH}.jsonata`]: `${head()}1`,
      [`pack/${PATH}.b.jsonata`]: `${head('', 'b')}2`,
    };
    const l = library(files);
    const entry = () => l.entries().find((e) => e.path === `${PATH}.jsonata`);
    const before = entry();
    files[`pack/${PATH}.b.jsonata`] = `${head('', 'b')}3`;
    l.reload();
    expect(before).toBeDefined();
    expect(entry()).toBe(before);
  });
});

describe('the list for people', () => {
  const UP = `/* from: hub/PowerCommand   to: ocpp2.1/SetChargingProfileRequest   lost: [level] */\n`;
  const states = (l: MappingLibrary): string[] =>
    l.list().map((s) => [s.root, s.state, s.inForce, ...s.diagnostics.map((d) => d.code)].join(' '));

  it('says of every file whether it is in force, and shows a broken one as it stands', () => {
    const files: Record<string, string> = { [`pack/${PATH}.jsonata`]: `${UP}{"v": 1}` };
    const l = library(files);
    expect(states(l)).toEqual(['pack ok this']);
    files[`own/${PATH}.jsonata`] = `${UP}{"v": `;
    l.reload();
    expect(states(l)).toEqual(['pack ok this', 'own broken other mapping.syntax']);
    files[`own/${PATH}.jsonata`] = `${UP}{"v": 2}`;
    l.reload();
    expect(states(l)).toEqual(['pack overridden other', 'own ok this']);
    files[`own/${PATH}.jsonata`] = `${UP}{"v": $nope()}`;
    l.reload();
    expect(states(l)).toEqual(['pack overridden other', 'own broken earlier mapping.unknownFunction']);
    expect(l.list()[1]).toMatchObject({
      path: `${PATH}.jsonata`,
      language: 'ocpp2.1',
      direction: 'from-hub',
      source: 'hub/PowerCommand',
      target: ['ocpp2.1/SetChargingProfileRequest'],
      message: expect.stringContaining('$nope'),
      diagnostics: [{ line: 2, column: 7, file: `${PATH}.jsonata` }],
    });
    delete files[`pack/${PATH}.jsonata`];
    files[`own/${PATH}.x.jsonata`] = 'no header';
    l.reload();
    expect(states(l)).toEqual([
      'own broken earlier mapping.unknownFunction',
      'own broken none mapping.header mapping.headerPath mapping.syntax',
    ]);
  });

  it('names files that are in no place for mappings', () => {
    const l = library({ 'pack/notes/x.jsonata': `${UP}1` });
    expect(l.list()).toMatchObject([{ path: 'notes/x.jsonata', state: 'broken', inForce: 'none' }]);
    expect(l.list()[0]).not.toHaveProperty('language');
  });

  it('holds mappings against schemas where it is given some', () => {
    const schema = {
      name: 'PowerCommand',
      schema: { type: 'object', additionalProperties: false, properties: { v: {} } },
    };
    const l = createMappingLibrary({
      roots: ['pack'],
      files: memory({ [`pack/${PATH}.jsonata`]: `${UP}{"v": w}` }),
      log: silentLog,
      schemas: { message: (topic) => (topic === 'hub/PowerCommand' ? schema : undefined) },
    });
    expect(states(l)).toEqual(['pack ok this mapping.lostMissing mapping.lostUnknown mapping.unknownSource']);
    expect(l.entries()[0]?.diagnostics).toEqual([]);
  });

  it('certain failures make an override broken, though it could be compiled', () => {
    const files = { [`pack/${PATH}.jsonata`]: `${UP}{"v": 1}`, [`own/${PATH}.jsonata`]: `${UP}{"v": 1, "v": 2}` };
    const l = library(files);
    expect(states(l)).toEqual(['pack ok this', 'own broken other mapping.duplicateKey']);
  });
});

describe('an override that cannot be read', () => {
  it('is logged once and shown, and what was in force stays', () => {
    const files: Record<string, string> = { [`pack/${PATH}.jsonata`]: `${head()}{"v": 1}` };
    let locked = false;
    const source = memory(files);
    const told: string[] = [];
    const log = { ...silentLog, warn: (event: string) => told.push(event) };
    const l = createMappingLibrary({
      roots: ['pack', 'own'],
      log,
      files: {
        list: source.list,
        read(path) {
          if (locked && path.startsWith('own/')) throw new Error('permission denied');
          return source.read(path);
        },
      },
    });
    locked = true;
    files[`own/${PATH}.jsonata`] = `${head()}{"v": 2}`;
    expect(l.reload().changed).toEqual([`${PATH}.jsonata`]);
    expect(told).toEqual(['mapping.broken']);
    expect(l.list()).toMatchObject([{ state: 'ok' }, { state: 'broken', inForce: 'other', diagnostics: [] }]);
    expect(l.reload().changed).toEqual([]);
    expect(told).toEqual(['mapping.broken']);
    locked = false;
    expect(l.reload().changed).toEqual([`${PATH}.jsonata`]);
    expect(l.entries().map((e) => e.mapping.run({}, {}))).toEqual([{ v: 2 }]);
    locked = true;
    l.reload();
    expect(l.list()[1]).toMatchObject({ state: 'broken', inForce: 'earlier', message: expect.any(String) });
    expect(l.entries().map((e) => e.mapping.run({}, {}))).toEqual([{ v: 2 }]);
  });
});

describe('what bridges cannot use', () => {
  it('slow mappings and slow conditions are broken', () => {
    const l = library({
      [`pack/${PATH}.jsonata`]: `${head()}{"a": $x := 1, "b": $x}`,
      [`pack/${PATH}.b.jsonata`]: `${head('when: [$x := 1, $x]', 'b')}1`,
    });
    expect(l.entries()).toEqual([]);
    expect(l.broken().map((b) => b.code)).toEqual(['mapping.slow', 'mapping.slow']);
  });

  it('a folder that cannot be read is empty', () => {
    expect(createMappingLibrary({ roots: ['/nowhere/at/all'], files: fileSource(), log: silentLog }).entries()).toEqual(
      [],
    );
  });
});

describe('examples', () => {
  const EXAMPLES = {
    examples: [
      { name: 'doubles', ctx: {}, input: { a: 2 }, output: { v: 4 } },
      { name: 'refuses texts', input: { a: 'x' }, error: 'T2001' },
      { name: 'is wrong', input: { a: 3 }, output: { v: 7 } },
      { name: 'should fail', input: { a: 3 }, error: 'mapping.type' },
    ],
  };

  it('are held against the mapping', () => {
    const l = library({
      [`pack/${PATH}.jsonata`]: `${head()}{"v": a * 2}`,
      [`pack/${PATH}.examples.json`]: JSON.stringify(EXAMPLES),
    });
    const [entry] = l.entries();
    if (!entry) throw new Error('no entry');
    expect(checkExamples(entry).map((r) => [r.name, r.ok, r.difference])).toEqual([
      ['doubles', true, ''],
      ['refuses texts', true, ''],
      ['is wrong', false, '/v: expected 7, got 6.'],
      ['should fail', false, 'It should fail with mapping.type and gave a result.'],
    ]);
  });

  it('that are not well-formed are named', () => {
    for (const text of ['{', '{"examples": {}}', '{"examples": [{"input": 1}]}', '{"examples": [{"name": "x"}]}']) {
      const l = library({ [`pack/${PATH}.jsonata`]: `${head()}1`, [`pack/${PATH}.examples.json`]: text });
      expect(() => l.entries()[0]?.examples()).toThrowError(expect.objectContaining({ code: 'mapping.broken' }));
    }
  });
});

it('reads real folders', () => {
  const root = mkdtempSync(join(tmpdir(), 'mappings-'));
  try {
    const file = join(root, `${PATH}.jsonata`);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, `${head()}{"v": 1}`);
    writeFileSync(join(root, 'notes.txt'), 'not a mapping');
    const l = createMappingLibrary({ roots: [root], files: fileSource(), log: silentLog });
    expect(l.entries().map((e) => e.path)).toEqual([`${PATH}.jsonata`]);
  } finally {
    rmSync(root, { recursive: true });
  }
});
