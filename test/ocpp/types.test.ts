import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { typesOf, writeOcppTypes } from '../../tools/generate-ocpp-types.ts';
import { ALL } from './kit.ts';

describe('generated types', () => {
  it.each(ALL)('%s: the same text each time, without any', (version) => {
    const text = typesOf(version);
    expect(typesOf(version)).toBe(text);
    expect(text).not.toMatch(/\bany\b/);
    expect(text).toMatch(
      /BootNotification: \{ request: BootNotificationRequest; response: BootNotificationResponse \};/,
    );
  });

  it('files are written only when their text changes', () => {
    const folder = mkdtempSync(join(tmpdir(), 'ocpp-types-'));
    try {
      expect(writeOcppTypes(folder)).toHaveLength(3);
      expect(writeOcppTypes(folder)).toEqual([]);
      expect(readFileSync(join(folder, 'ocpp21.ts'), 'utf8')).toBe(typesOf('ocpp2.1'));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('required, optional, enumerated and open fields', () => {
    const text = typesOf('ocpp2.1');
    expect(text).toContain('export interface CustomDataType {\n  vendorId: string;\n  [key: string]: unknown;\n}');
    expect(text).toContain("export type GenericStatusEnumType = 'Accepted' | 'Rejected';");
    expect(text).toMatch(/interface ChargingSchedulePeriodType \{[^}]*startPeriod: number;[^}]*limit\?: number;/);
    expect(text).toContain('NotifyPeriodicEventStream: NotifyPeriodicEventStream;');
  });
});
