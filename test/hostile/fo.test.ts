import { describe, expect, it } from 'vitest';
import { iso } from '../../core/clock.ts';
import { greetOperator, type OperatorPeer } from './peers.ts';
import { REMEDY, rivalService, setpoint, useWorld } from './world.ts';

const world = useWorld();
const now = (): number => world().clock.now();
const rival = (): Promise<OperatorPeer> => greetOperator(world().fo, 'fo:rival', world().clock.now);
const ago = (s: number): string => iso(now() - s * 1_000);
const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)]);
const service = (patch: object = {}) => rivalService(now(), patch);

interface Bad {
  readonly name: string;
  readonly frame: (o: OperatorPeer) => Record<string, unknown>;
  /** Changes the text of the frame. */
  readonly text?: (text: string) => string;
  /** Default: either. */
  readonly status?: 'error' | 'rejected';
  readonly code: string;
  /** What the message must say, apart from the remedy. */
  readonly says: RegExp;
  /** The field that `details` must name. */
  readonly path?: string;
}

const request =
  (type: string, body: () => unknown, more: () => object = () => ({})) =>
  (o: OperatorPeer) =>
    o.envelope(type, body(), more());

const TABLE: readonly Bad[] = [
  {
    name: 'a field that is missing',
    frame: request('RequestService', () => ({})),
    status: 'error',
    code: 'schema.invalid',
    says: /fsr/,
    path: '/fsr',
  },
  {
    name: 'a text where a number belongs',
    frame: request('UpdateSetpoint', () => setpoint('R-1', 1, 'much', now())),
    status: 'error',
    code: 'schema.invalid',
    says: /targetW/,
    path: '/setpoint/targetW',
  },
  {
    name: 'a list as body',
    frame: request('UpdateSetpoint', () => []),
    status: 'error',
    code: 'schema.invalid',
    says: /body/,
    path: '/body',
  },
  {
    name: 'a number beyond all numbers',
    frame: request('UpdateSetpoint', () => setpoint('R-1', 1, 7.25, now())),
    text: (t) => t.replace('7.25', '1e999'),
    status: 'error',
    code: 'schema.invalid',
    says: /Infinity/,
    path: '/body',
  },
  {
    name: 'a power of a thousand suns',
    frame: request('UpdateSetpoint', () => setpoint('R-1', 1, 1e300, now())),
    status: 'error',
    code: 'schema.invalid',
    says: /targetW/,
    path: '/setpoint/targetW',
  },
  {
    name: 'an unknown type',
    frame: request('FlyToTheMoon', () => ({})),
    status: 'error',
    code: 'type.unknown',
    says: /FlyToTheMoon/,
  },
  ...['__proto__', 'constructor', 'toString'].map((type) => ({
    name: `the type ${type}`,
    frame: request(type, () => ({})),
    status: 'error' as const,
    code: 'type.unknown',
    says: /not spoken/,
  })),
  {
    name: 'an envelope without time',
    frame: request(
      'UpdateSetpoint',
      () => ({}),
      () => ({ sentAt: undefined }),
    ),
    status: 'error',
    code: 'schema.invalid',
    says: /sentAt/,
    path: '/sentAt',
  },
  {
    name: 'another profile',
    frame: request(
      'UpdateSetpoint',
      () => ({}),
      () => ({ profile: 'v2gate-fo/9' }),
    ),
    status: 'error',
    code: 'profile.unsupported',
    says: /profile/,
  },
  {
    name: 'a clock that is an hour off',
    frame: request(
      'RequestService',
      () => service(),
      () => ({ sentAt: ago(3_600) }),
    ),
    status: 'error',
    code: 'time.skew',
    says: /3600 s/,
  },
  {
    name: 'a lapsed envelope',
    frame: request(
      'RequestService',
      () => service(),
      () => ({ expiresAt: ago(1) }),
    ),
    status: 'rejected',
    code: 'time.expired',
    says: /./,
  },
  {
    name: 'an expired setpoint',
    frame: request('UpdateSetpoint', () => setpoint('R-1', 1, 1_000, now(), { validUntil: ago(1) })),
    status: 'rejected',
    code: 'time.expired',
    says: /./,
  },
  {
    name: 'a window in the past',
    frame: request('RequestService', () => service({ window: { start: ago(60), end: ago(30) } })),
    status: 'rejected',
    code: 'time.past',
    says: /./,
  },
  {
    name: 'an unknown contract',
    frame: request('RequestService', () => service({ contractId: 'C-404' })),
    status: 'rejected',
    code: 'contract.unknown',
    says: /C-404/,
    path: '/fsr/contractId',
  },
  {
    name: 'the contract of somebody else',
    frame: request('RequestService', () => service({ contractId: 'C-9' })),
    status: 'rejected',
    code: 'contract.unknown',
    says: /C-9/,
    path: '/fsr/contractId',
  },
  {
    name: 'a target outside its contract',
    frame: request('RequestService', () => service({ target: { groupId: 'g:depot', referencePoint: 'group' } })),
    status: 'rejected',
    code: 'contract.scope',
    says: /scope/,
    path: '/fsr/target',
  },
  {
    name: 'a resource that is not there',
    frame: request('RequestService', () =>
      service({ target: { resourceIds: ['NOWHERE.1'], referencePoint: 'group' } }),
    ),
    status: 'rejected',
    code: 'contract.scope',
    says: /scope/,
    path: '/fsr/target',
  },
  {
    name: 'a service while the site is held',
    frame: request('RequestService', () => service()),
    status: 'rejected',
    code: 'conflict.overlap',
    says: /held/,
    path: '/fsr/window',
  },
  {
    name: 'a setpoint for no service',
    frame: request('UpdateSetpoint', () => setpoint('R-404', 1, 0, now())),
    code: 'id.unknown',
    says: /R-404/,
  },
  {
    name: 'a setpoint for the service of somebody else',
    frame: request('UpdateSetpoint', () => setpoint('N-1', 900, 0, now())),
    code: 'id.unknown',
    says: /N-1/,
  },
  {
    name: 'the end of the service of somebody else',
    frame: request('CancelService', () => ({ fsrId: 'N-1', reason: 'mine', at: iso(now()) })),
    code: 'id.unknown',
    says: /N-1/,
  },
  {
    name: 'another sender',
    frame: request(
      'CancelService',
      () => ({ fsrId: 'N-1', reason: 'mine', at: iso(now()) }),
      () => ({ from: 'fo:north' }),
    ),
    status: 'error',
    code: 'auth.forbidden',
    says: /fo:rival/,
  },
  {
    name: 'another receiver',
    frame: request(
      'RequestService',
      () => service(),
      () => ({ to: 'cso:elsewhere' }),
    ),
    status: 'error',
    code: 'auth.forbidden',
    says: /cso:harbour/,
  },
  {
    name: 'a message of the other direction',
    frame: request('ServiceDecision', () => ({})),
    status: 'error',
    code: 'auth.forbidden',
    says: /other side/,
  },
];

/** Frames without a message id that could be read. */
const UNREADABLE: readonly { readonly name: string; readonly text: string; readonly says: RegExp }[] = [
  { name: 'text that is no JSON', text: '{"half":', says: /not valid JSON at position 8/ },
  { name: 'a list instead of an object', text: '[]', says: /object/ },
  { name: 'a null', text: 'null', says: /object/ },
  { name: 'the same key twice', text: '{"profile":"v2gate-fo/1","profile":"v2gate-fo/1"}', says: /same key twice/ },
  { name: 'a key __proto__', text: '{"__proto__":{"polluted":1}}', says: /__proto__/ },
  { name: 'an escaped key __proto__', text: '{"\\u005f_proto__":{"polluted":1}}', says: /__proto__/ },
  { name: '100 000 levels', text: '['.repeat(100_000), says: /nested too deep/ },
];

describe('an operator that sends nonsense', () => {
  it.each(TABLE)('$name is answered with $code, what and remedy', async ({ frame, text, status, code, says, path }) => {
    const operator = await rival();
    const envelope = frame(operator);
    const json = JSON.stringify(envelope);
    operator.send(text?.(json) ?? json);
    const result = await operator.result(envelope.messageId);
    expect(result).toMatchObject({
      status: status ?? expect.stringMatching(/error|rejected/),
      code,
      message: expect.stringMatching(says),
    });
    expect(result.message).toMatch(REMEDY);
    if (path !== undefined) expect(result.details?.map((d) => d.path)).toContain(path);
    await world().unharmed();
  });

  it.each(UNREADABLE)('$name is answered with schema.invalid and the place', async ({ text, says }) => {
    const operator = await rival();
    operator.send(text);
    const answer = JSON.parse(await operator.take('Result', (t) => t.includes('"Result"'))) as Record<string, unknown>;
    expect(answer).not.toHaveProperty('correlationId');
    expect(answer.body).toMatchObject({
      status: 'error',
      code: 'schema.invalid',
      message: expect.stringMatching(says),
    });
    expect(await operator.request('RequestService', service())).toMatchObject({ code: 'conflict.overlap' });
    expect(Reflect.get({}, 'polluted')).toBeUndefined();
    await world().unharmed();
  });

  it('a body nested 40 levels deep is answered with schema.invalid', async () => {
    const operator = await rival();
    operator.say(operator.envelope('RequestService', { deep: nested(40) }));
    const answer = JSON.parse(await operator.take('Result', (t) => t.includes('"Result"'))) as Record<string, unknown>;
    expect(answer.body).toMatchObject({ code: 'schema.invalid', message: expect.stringMatching(/too deep/) });
    await world().unharmed();
  });

  it('a message of more than 256 KiB ends its connection with 1009', async () => {
    const operator = await rival();
    operator.say(operator.envelope('RequestService', { text: 'x'.repeat(300_000) }));
    expect(await operator.closed()).toBe(1009);
    await world().unharmed();
  });
});
