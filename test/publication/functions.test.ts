import { describe, expect, it } from 'vitest';
import { skillsOf } from '../../hub/publication/functions.ts';
import type { StationCapabilities } from '../../model/index.ts';

const seen = (patch: Partial<StationCapabilities>): StationCapabilities => ({
  resourceId: 'R',
  at: '2026-01-01T00:00:00Z',
  protocol: 'ocpp2.1',
  source: 'probed',
  form: 'dynamic',
  functions: ['smartCharging', 'dynamic', 'setpoint', 'composite'],
  reasons: [],
  ...patch,
});

describe('functions of a resource that are published (fo 3.2: only what was verified)', () => {
  it.each([
    ['was never connected', undefined, undefined, undefined],
    ['was never asked', 'ocpp2.1', undefined, { protocol: 'ocpp2.1', functions: ['limit'] }],
    ['could not be asked', 'ocpp1.6', seen({ source: 'assumed' }), { protocol: 'ocpp2.1', functions: ['limit'] }],
    ['speaks something else', 'other', undefined, { protocol: 'other', functions: [] }],
    ['takes setpoints', 'ocpp2.1', seen({}), { protocol: 'ocpp2.1', functions: ['limit', 'setpoint'] }],
    ['was stepped down to limits', 'ocpp2.1', seen({ form: 'limitW' }), { protocol: 'ocpp2.1', functions: ['limit'] }],
    [
      'can only be switched',
      'ocpp1.6',
      seen({ protocol: 'ocpp1.6', form: 'onOff', functions: [] }),
      { protocol: 'ocpp1.6', functions: [] },
    ],
    [
      'declares more',
      'other',
      seen({
        protocol: 'iec61850',
        source: 'declared',
        form: 'setpoint',
        functions: ['setpoint', 'droopPf', 'nonsense'],
      }),
      { protocol: 'iec61850', functions: ['limit', 'setpoint', 'droopPf'] },
    ],
  ] as const)('of one that %s', (_what, protocol, capabilities, expected) => {
    expect(skillsOf(protocol, capabilities)).toEqual(expected);
  });
});
