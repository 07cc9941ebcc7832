import {
  anyObject,
  bool,
  id,
  int,
  message,
  type Of,
  obj,
  oneOf,
  opt,
  power,
  ref,
  semantic,
  text,
  time,
} from '../core/schema.ts';
import { Fallback } from './service.ts';

export const AmendService = message(
  'AmendService',
  {
    fsrId: id(),
    revision: int({ min: 2, max: 2_147_483_647, doc: 'The revision in force plus 1.' }),
    parameters: opt(anyObject({ doc: 'All parameters of its service type anew (fo 3.6); a series is never patched.' })),
    window: opt(obj({ start: time(), end: time() })),
    fallback: opt(ref(Fallback)),
  },
  {
    clause: 'fo 4.3 no. 14',
    doc: 'Changes a service, or confirms a partial decision with the same numbers. Refused, the old revision stays in force.',
    rules: (v) =>
      v.parameters === undefined && v.window === undefined
        ? [semantic('/parameters', 'give parameters or window; to confirm, repeat what was asked for')]
        : [],
    example: {
      fsrId: 'N-4711',
      revision: 2,
      window: { start: '2026-03-02T17:00:00Z', end: '2026-03-02T18:30:00Z' },
    },
  },
);
export type AmendService = Of<typeof AmendService>;

export const ActivateService = message(
  'ActivateService',
  {
    fsrId: id(),
    action: oneOf('arm', 'disarm', 'activate', 'deactivate'),
    at: time(),
    targetW: opt(power({ signed: true })),
    reason: opt(text({ max: 256 })),
    testMode: opt(bool()),
  },
  {
    clause: 'fo 4.3 no. 15',
    doc: 'Arms or activates a service that waits for it. The answer says the state and when full power is expected.',
    example: { fsrId: 'N-4711', action: 'activate', at: '2026-03-02T17:05:00Z', targetW: -10000 },
  },
);
export type ActivateService = Of<typeof ActivateService>;
