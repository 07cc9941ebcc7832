import { describe, expect, it } from 'vitest';
import { type Message, suffixIssues } from '../../core/schema.ts';
import { HUB_MESSAGES, HUB_PARTS } from '../../model/index.ts';

const ALL: [string, Message<unknown>][] = Object.entries({ ...HUB_PARTS, ...HUB_MESSAGES });

describe('hub language', () => {
  it.each(ALL)('%s: its example is valid', (_name, message) => {
    expect(message.check(message.example)).toEqual([]);
  });

  it.each(ALL)('%s: field names carry their unit', (_name, message) => {
    expect(suffixIssues(message)).toEqual([]);
  });

  it.each(ALL)('%s: says where it comes from', (_name, message) => {
    expect(message.clause).toMatch(/^(fo|ocpp|design) \d/);
    expect(message.doc.length).toBeGreaterThan(10);
  });

  it.each(Object.entries(HUB_MESSAGES))('%s is registered under its own name', (name, message) => {
    expect(message.name).toBe(name);
  });
});
