import { parseTime } from '../../core/clock.ts';
import {
  anyObject,
  bool,
  bySibling,
  duration,
  id,
  int,
  json,
  list,
  literal,
  message,
  num,
  obj,
  oneOf,
  opt,
  power,
  price,
  reactive,
  record,
  ref,
  semantic,
  text,
  time,
  unionOf,
  uuid,
} from '../../core/schema.ts';

export const Window = message(
  'Window',
  { start: time(), end: time() },
  {
    clause: 'fo 3.5',
    doc: 'Half-open interval.',
    example: { start: '2026-03-02T17:00:00Z', end: '2026-03-02T18:00:00Z' },
    rules: (v) => (parseTime(v.start) < parseTime(v.end) ? [] : [semantic('/end', 'end must be after start.')]),
  },
);

export const Setpoint = message(
  'Setpoint',
  {
    fsrId: id(),
    seq: int({ min: 0, doc: 'Only the highest counts.' }),
    targetW: power({ signed: true }),
    reactiveVar: opt(reactive()),
    validUntil: opt(time()),
  },
  { clause: 'fo 3.7', doc: 'What to deliver now.', example: { fsrId: 'N-4711', seq: 61, targetW: -8000 } },
);

export const Limit = message(
  'LimitService',
  { kind: literal('limit'), importLimitW: power() },
  { clause: 'fo 3.6', doc: 'A ceiling.', example: { kind: 'limit', importLimitW: 1000 } },
);
export const Reserve = message(
  'ReserveService',
  { kind: literal('reserve'), upW: opt(power()), blockS: duration({ above: 0 }) },
  {
    clause: 'fo 3.6',
    doc: 'A reserve.',
    example: { kind: 'reserve', blockS: 900 },
    rules: (v) => (v.upW === 0 ? [semantic('/upW', 'upW must be above 0.', 'param.range')] : []),
  },
);
export const Service = unionOf('Service', 'kind', { limit: Limit, reserve: Reserve });

export const Everything = message(
  'Everything',
  {
    messageId: uuid(),
    mode: oneOf('absolute', 'relative', { doc: 'Frame of the target.' }),
    on: bool(),
    window: ref(Window),
    service: opt(ref(Service)),
    serviceType: oneOf('limit', 'reserve'),
    parameters: bySibling('serviceType', { limit: Limit, reserve: Reserve }),
    pricePerKWh: opt(price()),
    name: opt(text({ min: 1, max: 10 })),
    points: list(obj({ offsetS: duration(), powerW: opt(power({ signed: true })) }), { min: 1, max: 5 }),
    levels: opt(record(num({ min: 0 }), { max: 2 })),
    extra: opt(json({ maxDepth: 2 })),
    terms: opt(anyObject()),
  },
  {
    clause: 'fo 3',
    doc: 'All builders.',
    example: {
      messageId: '0197f2c0-5b1e-7c34-9a51-2f6f0a4be001',
      mode: 'absolute',
      on: true,
      window: { start: '2026-03-02T17:00:00Z', end: '2026-03-02T18:00:00Z' },
      service: { kind: 'limit', importLimitW: 5 },
      serviceType: 'reserve',
      parameters: { kind: 'reserve', blockS: 900 },
      pricePerKWh: '-0.2875',
      name: 'a',
      points: [{ offsetS: 0, powerW: -1 }, { offsetS: 60 }],
      levels: { a: 1 },
      extra: [{ a: 1 }],
      terms: { ref: 'x' },
    },
  },
);
