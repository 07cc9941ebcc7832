import { describe, expect, it } from 'vitest';
import { sameSecret } from '../../core/secrets.ts';

describe('a secret', () => {
  it('opens for what is the same, as text or as bytes', () => {
    expect(sameSecret('correct', 'correct')).toBe(true);
    expect(sameSecret('grün', new TextEncoder().encode('grün'))).toBe(true);
  });

  it.each([
    ['something else', 'correct', 'wrong'],
    ['its beginning', 'correct', 'corr'],
    ['nothing', 'correct', undefined],
    ['an empty text', 'correct', ''],
    ['an empty text where it is empty itself', '', ''],
    ['anything where it is missing', undefined, 'correct'],
  ])('does not open for %s', (_what, expected, given) => {
    expect(sameSecret(expected, given)).toBe(false);
  });
});
