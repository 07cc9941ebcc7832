import { describe, expect, it } from 'vitest';
import { CORPUS, CTX, STATION } from './corpus.ts';
import { agrees, compiled, interpreted, type Outcome } from './oracle.ts';

const INPUTS: readonly unknown[] = [STATION, [STATION, STATION], [], 'text', null, undefined];

function expectAgreement(expression: string, got: Outcome | undefined, expected: Outcome): void {
  if (!got || !agrees(expression, got, expected)) expect([expression, got]).toEqual([expression, expected]);
}

describe('compiled mappings equal interpreted ones', () => {
  for (const [group, expressions] of Object.entries(CORPUS)) {
    it(group, async () => {
      for (const expression of expressions) {
        for (const input of INPUTS) {
          const expected = await interpreted(expression, input, { ctx: CTX });
          // Where the interpreter itself breaks, there is nothing to equal.
          if ('error' in expected && expected.error === undefined) continue;
          expectAgreement(expression, compiled(expression, input, { ctx: CTX }), expected);
        }
      }
    });
  }

  it('has a corpus worth the name', () => {
    expect(Object.values(CORPUS).flat().length).toBeGreaterThan(150);
  });
});

const NUMBERS = [0, 1, -1, 12, 0.5, 1234.5678, -98765.4321, 1e10, 0.000123];
const NUMBER_PICTURES = [
  '0',
  '#',
  '#,##0',
  '#,##0.00',
  '000.000#',
  '##0.0###',
  '0%',
  "0.0'‰'",
  '#,##0;(#,##0)',
  '0.00e0',
  '##0.##e00',
  '#,#,##0.0',
  '$#,##0.00 left',
  '0.#,#',
  '.00',
  '00,00.0',
  'abc',
  '0.0.0',
  '#0#',
  '0,',
  '%0‰',
  '0e',
];
const INTEGERS = [0, 1, 4, 11, 21, 99, 112, 1984, 12345, 1234567, -5, 3.9];
const INTEGER_PICTURES = [
  '0',
  '000',
  '#,##0',
  '#,##,#0',
  '1;o',
  'I',
  'i',
  'A',
  'a',
  'w',
  'W',
  'Ww',
  'w;o',
  'Ww;o',
  '٠',
  '*',
  "#'##0",
];
const MOMENTS = [0, 1, 951782400000, 1700000000123, 1772323199999, -1, 4102444800000];
const DATE_PICTURES = [
  '[Y0001]-[M01]-[D01]',
  '[Y]-[M]-[D]',
  '[Y,2-2] [M,2-2]',
  '[D1o] [MNn] [Y]',
  '[FNn,3-3], [D] [MN,3-3]',
  '[d] [W] [w] [X] [x]',
  '[H01]:[m01]:[s01].[f001]',
  '[h]:[m] [P] [PN]',
  '[Z] [z] [Z0] [Z0101t]',
  '[[x]] [C] [E]',
  '[Yw] [DW]',
  '[YI]',
  '[Y',
  '[q]',
  '[YN]',
  '[ D ]',
  '[H1]h[m1]',
];
const ZONES = [undefined, '+0000', '+0200', '-0530', '+1245'];

describe('picture texts', () => {
  const same = async (expression: string): Promise<void> => {
    const expected = await interpreted(expression, undefined, {});
    if ('error' in expected && expected.error === undefined) return;
    expectAgreement(expression, compiled(expression, undefined, {}), expected);
  };
  const quoted = (v: string | undefined): string => (v === undefined ? '' : `, ${JSON.stringify(v)}`);

  it('format numbers as the interpreter does', async () => {
    for (const p of NUMBER_PICTURES) for (const n of NUMBERS) await same(`$formatNumber(${n}${quoted(p)})`);
    await same('$formatNumber(-1234.5, "#.##0,00", {"decimal-separator": ",", "grouping-separator": "."})');
    await same('$formatNumber(120, "٠", {"zero-digit": "٠", "minus-sign": "~"})');
  });

  it('format and read integers as the interpreter does', async () => {
    for (const p of INTEGER_PICTURES) {
      for (const n of INTEGERS) {
        await same(`$formatInteger(${n}${quoted(p)})`);
        await same(`$parseInteger($formatInteger(${n}${quoted(p)})${quoted(p)})`);
      }
    }
  });

  it('format and read dates as the interpreter does', async () => {
    for (const p of DATE_PICTURES) {
      for (const ms of MOMENTS) {
        for (const zone of ZONES) await same(`$fromMillis(${ms}${quoted(p)}${quoted(zone)})`);
      }
    }
    for (const text of [
      '2026-02-28',
      '28 February 2026',
      '2026-059',
      '12:30',
      '2026-11-20 3:04 pm +02:00',
      '20261120',
    ]) {
      for (const p of [
        '[Y]-[M]-[D]',
        '[D] [MNn] [Y]',
        '[Y]-[d]',
        '[Y]-[M]-[D] [h]:[m] [P] [Z]',
        '[Y0001][M01][D01]',
        '[Y] [D]',
      ]) {
        await same(`$toMillis("${text}"${quoted(p)})`);
      }
    }
  });

  it('refuse a date that would need the current time', () => {
    expect(compiled('$toMillis("12:30", "[H]:[m]")', undefined, {})).toMatchObject({ error: 'X0003' });
  });
});
