import { describe, expect, it } from 'vitest';
import { HUB_MESSAGES, HUB_PARTS } from '../../model/index.ts';

/** The same value with a field that nobody knows in every object that is not free in its fields. */
function withNews(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withNews);
  if (typeof value !== 'object' || value === null) return value;
  return { ...Object.fromEntries(Object.entries(value).map(([k, v]) => [k, withNews(v)])), 'x-news': 'new' };
}

describe('accept', () => {
  it.each(Object.entries({ ...HUB_PARTS, ...HUB_MESSAGES }))('%s keeps fields that nobody declared', (_, message) => {
    const value = withNews(message.example);
    expect(message.accept(value)).toBe(value);
    expect(message.accept(message.example)).toBe(message.example);
  });

  it('still refuses what is wrong, and says the same as without them', () => {
    const { RequestService } = HUB_MESSAGES;
    const wrong = structuredClone(RequestService.example);
    Reflect.set(wrong.fsr.window, 'end', 'never');
    const told = (act: () => unknown): unknown => {
      try {
        return act();
      } catch (e) {
        return Reflect.get(Object(e), 'cause');
      }
    };
    expect(told(() => RequestService.accept(withNews(wrong)))).toEqual(told(() => RequestService.parse(wrong)));
    expect(() => RequestService.accept({ 'x-news': 1 })).toThrow('fsr');
    expect(() => RequestService.accept(null)).toThrow();
  });
});
