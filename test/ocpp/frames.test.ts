import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Frame } from '../../protocols/ocpp/frames.ts';
import { decode, encodeCall, encodeError, encodeResult, encodeSend } from '../../protocols/ocpp/frames.ts';

const LIMITS = { maxChars: 262_144, maxDepth: 32, openMark: 'ata"' };
const read = (text: string): Frame => decode(text, LIMITS);

describe('frames are read as ocpp 1.2 lays them out', () => {
  const golden: readonly [string, Frame][] = [
    ['[2,"19223201","Heartbeat",{}]', { type: 2, id: '19223201', action: 'Heartbeat', payload: {} }],
    ['[3,"19223201",{"currentTime":"x"}]', { type: 3, id: '19223201', payload: { currentTime: 'x' } }],
    [
      '[4,"162376037","NotSupported","no","no details"]',
      { type: 4, id: '162376037', code: 'NotSupported', description: 'no' },
    ],
    [
      '[5,"1","TypeConstraintViolation","t",{"a":1}]',
      { type: 5, id: '1', code: 'TypeConstraintViolation', description: 't' },
    ],
    [
      '[6,"7","NotifyPeriodicEventStream",{"id":1}]',
      { type: 6, id: '7', action: 'NotifyPeriodicEventStream', payload: { id: 1 } },
    ],
    [' [ 2 , "a" , "Heartbeat" , null ] ', { type: 2, id: 'a', action: 'Heartbeat', payload: {} }],
    ['[3,"a",null]', { type: 3, id: 'a', payload: {} }],
    ['[4,"a","X"]', { type: 4, id: 'a', code: 'X', description: '' }],
    ['[9,"a",{}]', { type: 'unknown', id: 'a' }],
    ['[9]', { type: 'unknown', id: undefined }],
  ];
  it.each(golden)('%s', (text, frame) => {
    expect(read(text)).toEqual(frame);
  });
});

describe('frames that cannot be read', () => {
  it.each([
    ['', undefined, false],
    ['{', undefined, false],
    ['"x"', undefined, false],
    ['null', undefined, false],
    ['[]', undefined, false],
    ['["2","a","Heartbeat",{}]', 'a', false],
    ['[2]', undefined, false],
    ['[2,7,"Heartbeat",{}]', undefined, false],
    ['[2,"","Heartbeat",{}]', undefined, false],
    ['[2,"a",5,{}]', 'a', false],
    ['[2,"a","Heartbeat",{},{}]', 'a', false],
    [`[2,"${'a'.repeat(256)}","Heartbeat",{}]`, undefined, false],
    ['[3,7,{}]', undefined, true],
    ['[4,null]', undefined, true],
    ['[5]', undefined, true],
    ['[6,"a"]', 'a', true],
  ])('%s → id %s, an answer: %s', (text, id, answers) => {
    expect(read(text)).toMatchObject({ type: 'bad', id, answers, tooLarge: false });
  });

  it('an oversized frame is not parsed, but its id is found', () => {
    const text = `[2,"big","DataTransfer",{"data":"${'x'.repeat(300_000)}"}]`;
    expect(read(text)).toMatchObject({ type: 'bad', tooLarge: true, id: 'big', answers: false });
    expect(read(`[3${text.slice(2)}`)).toMatchObject({ tooLarge: true, answers: true });
  });

  it('nesting counts brackets outside of strings only', () => {
    const nested = (n: number): string => `[2,"a","X",${'{"data":['.repeat(n)}${']}'.repeat(n)}]`;
    expect(read(nested(15))).toMatchObject({ type: 2 });
    expect(read(nested(16))).toMatchObject({ type: 'bad', tooLarge: true, id: 'a' });
    expect(read(`[2,"a","X",{"data":"${'['.repeat(500)}"}]`)).toMatchObject({ type: 2 });
    expect(read(`[2,"a","X",{"data":"\\\\\\"${'['.repeat(500)}"}]`)).toMatchObject({ type: 2 });
    expect(read(`[2,"a","X",{"data":"\\\\","u":${'['.repeat(500)}]`)).toMatchObject({ type: 'bad', tooLarge: true });
  });

  it('no text makes decoding throw, and only valid JSON arrays become messages', () => {
    const text = fc.oneof(
      fc.string(),
      fc.json(),
      fc.json().map((j) => `[2,"a","X",${j}]`),
      fc.array(fc.jsonValue(), { maxLength: 6 }).map((a) => JSON.stringify(a)),
      fc
        .tuple(fc.integer({ min: 0, max: 9 }), fc.array(fc.jsonValue(), { maxLength: 5 }))
        .map(([t, a]) => JSON.stringify([t, ...a])),
      fc.constantFrom('[[[[', '[2,"a', '[2,"a\\', '[2,"\ud800","X",{}]'),
    );
    fc.assert(
      fc.property(text, (t) => {
        const frame = read(t);
        if (frame.type === 'bad') return;
        const parsed: unknown = JSON.parse(t);
        expect(Array.isArray(parsed) && typeof parsed[0] === 'number').toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  it('only frames that name an open member are walked, also if the name is escaped', () => {
    const deep = '['.repeat(100) + ']'.repeat(100);
    expect(read(`[2,"a","X",{"other":${deep}}]`)).toMatchObject({ type: 2 });
    expect(read(`[2,"a","X",{"data":${deep}}]`)).toMatchObject({ type: 'bad', tooLarge: true });
    expect(read(`[2,"a","X",{"d\\u0061ta":${deep}}]`)).toMatchObject({ type: 'bad', tooLarge: true });
  });

  it('the depth check agrees with a walk over the parsed value', () => {
    const depth = (x: unknown): number =>
      typeof x === 'object' && x !== null ? 1 + Math.max(0, ...Object.values(x).map(depth)) : 0;
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 8 }), fc.integer({ min: 1, max: 8 }), (value, maxDepth) => {
        const text = JSON.stringify([2, 'data', 'X', value]);
        const frame = decode(text, { ...LIMITS, maxDepth });
        expect(frame.type === 'bad').toBe(1 + depth(value) > maxDepth && text.length >= 2 * maxDepth);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('frames are written so that they can be read again', () => {
  it('golden texts', () => {
    expect(encodeCall('1', 'Reset', { type: 'Soft' })).toBe('[2,"1","Reset",{"type":"Soft"}]');
    expect(encodeResult('1', undefined)).toBe('[3,"1",{}]');
    expect(encodeError(4, '-1', 'RpcFrameworkError', 'no')).toBe('[4,"-1","RpcFrameworkError","no",{}]');
    expect(encodeError(5, '1', 'TypeConstraintViolation', 'no')).toBe('[5,"1","TypeConstraintViolation","no",{}]');
    expect(encodeSend('1', 'NotifyPeriodicEventStream', { id: 1 })).toBe(
      '[6,"1","NotifyPeriodicEventStream",{"id":1}]',
    );
  });

  it('descriptions are cut to 255 characters', () => {
    const frame = read(encodeError(4, 'a', 'GenericError', 'x'.repeat(1000)));
    expect(frame).toMatchObject({ type: 4, description: `${'x'.repeat(254)}…` });
  });

  it('any id, action and payload survive the round trip', () => {
    const id = fc.string({ minLength: 1, maxLength: 36 });
    const object = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 }), { maxKeys: 4 });
    const json = (x: unknown): unknown => JSON.parse(JSON.stringify(x));
    fc.assert(
      fc.property(id, fc.string(), object, fc.string({ maxLength: 255 }), (i, action, payload, text) => {
        expect(read(encodeCall(i, action, payload))).toEqual({ type: 2, id: i, action, payload: json(payload) });
        expect(read(encodeSend(i, action, payload))).toEqual({ type: 6, id: i, action, payload: json(payload) });
        expect(read(encodeResult(i, payload))).toEqual({ type: 3, id: i, payload: json(payload) });
        expect(read(encodeError(4, i, 'GenericError', text))).toMatchObject({ type: 4, id: i, description: text });
      }),
    );
  });
});
