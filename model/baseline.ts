import { bool, duration, int, message, type Of, oneOf, opt, pct } from '../core/schema.ts';
import { powerSeries } from './common.ts';

export const Baseline = message(
  'Baseline',
  {
    method: oneOf('declared', 'priorWindow', 'highXofY', 'zero'),
    series: opt(powerSeries()),
    windowS: opt(duration({ doc: 'priorWindow: length of the averaged window.' })),
    gapS: opt(duration({ doc: 'priorWindow: gap between window and service start.' })),
    x: opt(int({ min: 1, max: 365 })),
    y: opt(int({ min: 1, max: 365 })),
    sameDayAdjust: opt(bool()),
    capPct: opt(pct({ doc: 'highXofY: cap of the same-day adjustment, default 20.' })),
  },
  {
    clause: 'fo 3.8',
    doc: 'Rule by which the power without the service is determined. A baseline that cannot be computed is missing, not zero.',
    rules: (v) => {
      const need = (ok: boolean, path: string, text: string) =>
        ok ? [] : [{ path, code: 'schema.semantic', message: text }];
      if (v.method === 'priorWindow') return need(v.windowS !== undefined, '/windowS', 'priorWindow needs windowS');
      if (v.method === 'highXofY') {
        return need(v.x !== undefined && v.y !== undefined && v.x <= v.y, '/x', 'highXofY needs x and y with x ≤ y');
      }
      return [];
    },
    example: { method: 'priorWindow', windowS: 900, gapS: 60 },
  },
);
export type Baseline = Of<typeof Baseline>;
