import { describe, expect, it } from 'vitest';
import { describe as describeMapping, type Schemas } from '../../core/mapping/index.ts';
import { bool, int, list, message, num, obj, oneOf, opt, power, text } from '../../core/schema.ts';

const Source = message(
  'Source',
  {
    id: text({ max: 10 }),
    powerW: opt(power()),
    kind: oneOf('a', 'b'),
    note: opt(text({ max: 10 })),
    samples: list(obj({ value: num(), unit: opt(text({ max: 5 })), phase: opt(text({ max: 5 })) }), { max: 10 }),
    place: opt(obj({ street: text({ max: 10 }), town: text({ max: 10 }), extra: opt(text({ max: 5 })) })),
  },
  { clause: 'test', doc: 'A source.', example: { id: 'x', kind: 'a', samples: [] } },
);
const Target = message(
  'Target',
  {
    name: text({ max: 10 }),
    on: opt(bool()),
    profile: opt(obj({ level: int({ min: 0, max: 9 }), limitW: opt(power()), note: opt(text({ max: 10 })) })),
    points: opt(list(obj({ v: num(), p: opt(text({ max: 5 })) }), { max: 10 })),
  },
  { clause: 'test', doc: 'A target.', example: { name: 'x' } },
);
const schemas: Schemas = {
  message: (topic) => (topic === 'hub/Source' ? Source : topic === 'x/Target' ? Target : undefined),
};

const of = (body: string, head = '') =>
  describeMapping({ source: `/* from: hub/Source   to: x/Target ${head} */ ${body}` }, schemas);
const reads = (body: string): string[] => of(body).reads.map((r) => r.path + (r.whole ? '!' : ''));

describe('what a mapping reads', () => {
  it.each([
    ['id', 'id!'],
    ['$.id & $$.note', 'id! note!'],
    ['samples.value', 'samples samples.value!'],
    ['samples[phase = "L1"].value', 'samples samples.value! samples.phase!'],
    ['samples^(value).unit', 'samples samples.value! samples.unit!'],
    ['samples{phase: value}', 'samples samples.value! samples.phase!'],
    ['samples@$s[$s.phase = "L1"].{"v": $s.value}', 'samples samples.value! samples.phase!'],
    ['$map(samples, function($s) { $s.value })', 'samples samples.value!'],
    ['($f := function($s) { $s.value }; samples.$f($))', 'samples samples.value!'],
    ['($f := function($s) { $s.value }; $g := $f; samples ~> $map($g))', 'samples samples.value!'],
    ['$reduce(samples, function($sum, $s) { $sum + $s.value }, 0)', 'samples samples.value!'],
    ['$filter(samples, function($s) { $exists($s.phase) }).value', 'samples samples.value! samples.phase!'],
    ['$count(samples)', 'samples!'],
    ['$string(place)', 'place!'],
    ['{"a": place}', 'place!'],
    ['{"a": place.town}', 'place place.town!'],
    ['place.*', 'place!'],
    ['$merge([place, {"x": 1}]).street', 'place!'],
    ['($p := place; $p.street)', 'place place.street!'],
    ['kind = "a" ? id : powerW', 'id! powerW! kind!'],
    ['$eval("id")', ''],
  ])('%s', (body, expected) => {
    expect(reads(body).join(' ')).toBe(expected);
  });

  it('the condition of the header counts, and $ctx is listed by itself', () => {
    const d = of('{"name": $ctx.resource.evseId & $ctx.at}', "when: kind = 'a' and $ctx.settings.shape = 'x'");
    expect(d.reads.map((r) => r.path)).toEqual(['kind']);
    expect(d.context).toEqual([
      '$ctx.at',
      '$ctx.resource',
      '$ctx.resource.evseId',
      '$ctx.settings',
      '$ctx.settings.shape',
    ]);
  });
});

describe('what is lost', () => {
  it('is every field that nothing reads; below unread objects nothing is listed', () => {
    expect(of('{"name": id, "on": place.town = "x"}').lost.unread).toEqual([
      'powerW',
      'kind',
      'note',
      'samples',
      'place.street',
      'place.extra',
    ]);
  });

  it('what the header says is held against it', () => {
    const { lost } = of('{"name": id}', 'carried: [kind]   lost: [powerW, id, samples, place, nothing, place.nothing]');
    expect(lost).toMatchObject({ unstated: ['note'], read: ['id'], unknown: ['nothing', 'place.nothing'] });
  });

  it('*.name stands for every field of that name', () => {
    const { lost } = of(
      '{"name": place.town & samples.value}',
      'lost: [id, powerW, kind, note, *.extra, samples.unit, samples.phase, *.street]',
    );
    expect(lost).toMatchObject({ unstated: [], read: [], unknown: [] });
    expect(of('place', 'lost: [*.nowhere]').lost.unknown).toEqual(['*.nowhere']);
  });
});

describe('what a mapping writes', () => {
  const set = (body: string): string[] =>
    of(body)
      .writes.filter((w) => w.set !== 'never')
      .map((w) => `${w.path} ${w.set} ${w.from.join('+')}`);

  it.each([
    ['{"name": id}', ['name always id']],
    ['{"name": note}', ['name sometimes note']],
    ['kind = "a" ? {"name": id} : {"name": id, "on": true}', ['name always id', 'on sometimes ']],
    [
      '{"name": id, "profile": {"level": 1, "limitW": powerW}}',
      ['name always id', 'profile always powerW', 'profile.level always ', 'profile.limitW sometimes powerW'],
    ],
    ['{"points": samples.{"v": value}}', ['points sometimes samples.value', 'points.v always samples.value']],
    [
      '{"points": [$map(samples, function($s) {{"v": $s.value, "p": $s.phase}})]}',
      [
        'points always samples+samples.value+samples.phase',
        'points.v always samples.value',
        'points.p sometimes samples.phase',
      ],
    ],
    ['$merge([{"name": id}, $exists(note) ? {"on": true}])', ['name always id', 'on sometimes ']],
    ['($r := {"name": id}; $r)', ['name always id']],
    ['{"messages": [{"topic": "x/Target", "payload": {"name": id}}]}', ['name always id']],
  ])('%s', (body, expected) => {
    expect(set(body).map((l) => l.trim())).toEqual(expected.map((l) => l.trim()));
  });

  it('coverage counts fields inside of objects once the object is written', () => {
    expect(of('{"name": id}').coverage).toEqual([
      {
        topic: 'x/Target',
        required: { set: 1, of: 1, percent: 100, missing: [] },
        optional: { set: 0, of: 3, percent: 0, missing: ['on', 'profile', 'points'] },
      },
    ]);
    expect(of('{"profile": {"limitW": 1}}').coverage[0]).toMatchObject({
      required: { set: 0, of: 2, missing: ['name', 'profile.level'] },
      optional: { set: 1, of: 4, percent: 25, missing: ['on', 'profile.note', 'points'] },
    });
  });
});

describe('texts of any kind', () => {
  it('without header, schema or sense give empty parts', () => {
    const none: Schemas = { message: () => undefined };
    expect(describeMapping({ source: '{"a": b.c & $ctx.x}' }, none)).toMatchObject({
      to: [],
      reads: [{ path: 'b' }, { path: 'b.c' }],
      context: ['$ctx.x'],
      writes: [],
      coverage: [],
      lost: { unread: [] },
    });
    expect(describeMapping({ source: '{"a": ' }, schemas).reads).toEqual([]);
    expect(
      describeMapping({ source: '{"name": id}' }, schemas, { from: 'hub/Source', to: ['x/Target'] }).coverage[0]
        ?.required.percent,
    ).toBe(100);
  });

  it('functions that call themselves, and very many, come to an end', () => {
    expect(reads('($f := function($s) { $s.value > 1 ? $f($s) : $s.phase }; samples.$f($))').join(' ')).toBe(
      'samples samples.value! samples.phase!',
    );
    const doubling = Array.from(
      { length: 20 },
      (_, i) => `$f${i + 1} := function($x) { $f${i}($x) + $f${i}($x) };`,
    ).join(' ');
    expect(reads(`($f0 := function($x) { $x }; ${doubling} $f20(id))`)).toEqual(['id!']);
  });
});
