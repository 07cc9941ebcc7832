import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const SPEED = new URL('speed.ts', import.meta.url).pathname;

describe('the translation of a TransactionEvent', () => {
  it('costs at most ten times what it costs by hand (P8)', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [SPEED]);
    expect(Number(stdout)).toBeGreaterThan(1);
    expect(Number(stdout)).toBeLessThan(10);
  });
});
