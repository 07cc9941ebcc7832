import type { IncomingMessage } from 'node:http';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { manualClock } from '../../core/clock.ts';
import { codeOf, describeError } from '../../core/errors.ts';
import { Access } from '../../gateway/access.ts';
import { Attempts } from '../../gateway/attempts.ts';
import { areaRole, refusal } from '../../gateway/gate.ts';
import { createGuard } from '../../gateway/guard.ts';
import { checkPassword, hashPassword, isPasswordHash, passwordProblem } from '../../gateway/passwords.ts';
import { mayDo, ROLES, type Role } from '../../gateway/roles.ts';
import { SESSION_MS } from '../../gateway/sessions.ts';
import { parseUsers, type User } from '../../gateway/users.ts';

/** As cheap as a hash can be. */
const COST = { n: 2, r: 1, p: 1 };
const PASSWORD = 'a password of anna';
const GATEWAY = 'that of the gateway';

const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;
const request = (headers: Record<string, string>, remoteAddress = '10.0.0.1', url = '/', method = 'GET') =>
  ({ headers, url, method, socket: { remoteAddress } }) as IncomingMessage;
const code = (asked: Promise<unknown>): Promise<unknown> => asked.then(() => 'passed', codeOf);

async function world(
  o: { users?: readonly (readonly [string, Role])[]; password?: string; trusting?: boolean; proxy?: string } = {},
) {
  const clock = manualClock();
  const users: User[] = [];
  for (const [name, role] of o.users ?? [])
    users.push({ name, role, hash: await hashPassword(`a password of ${name}`, COST) });
  const { password, trusting = true, proxy } = o;
  const access = new Access({ clock, users: () => users, password, trusting, proxy, cost: COST });
  const who = async (headers: Record<string, string>, from?: string) => {
    const principal = await access.identify(request(headers, from));
    return principal && `${principal.name} ${principal.role}`;
  };
  return { clock, users, access, who };
}

describe('who asks', () => {
  it('on loopback without users and password, everybody is engineer', async () => {
    const { access, who } = await world();
    expect(access.required).toBe(false);
    expect(await who({})).toBe('anybody engineer');
  });

  it('elsewhere, nobody gets in as long as there are no users', async () => {
    const { access, who } = await world({ trusting: false });
    expect(access.required).toBe(true);
    expect(await who({})).toBeUndefined();
    expect(await who({ authorization: basic('anna:') })).toBeUndefined();
  });

  it('users show name and password; the role is that of now', async () => {
    const { users, who } = await world({ users: [['anna', 'viewer']] });
    const authorization = basic(`anna:${PASSWORD}`);
    expect(await who({})).toBeUndefined();
    expect(await who({ authorization })).toBe('anna viewer');
    users[0] = { name: 'anna', hash: users[0]?.hash ?? '', role: 'operator' };
    expect(await who({ authorization })).toBe('anna operator');
    for (const wrong of [`bob:${PASSWORD}`, 'anna:a password of bob', 'anna', `anna:${PASSWORD} `, `:${PASSWORD}`])
      expect(await who({ authorization: basic(wrong) }, `10.1.0.${wrong.length}`)).toBeUndefined();
    for (const wrong of ['Basic', 'Basic !!', `Bearer ${PASSWORD}`, '', basic('x'.repeat(5_000))])
      expect(await who({ authorization: wrong })).toBeUndefined();
  });

  it('the password of the gateway opens everything, with any name', async () => {
    const { who } = await world({ password: GATEWAY, users: [['anna', 'viewer']] });
    expect(await who({ authorization: basic(`me:${GATEWAY}`) })).toBe('me engineer');
    expect(await who({ authorization: basic(`anna:${GATEWAY}`) })).toBe('anna engineer');
    expect(await who({ authorization: basic(`anna:${PASSWORD}`) })).toBe('anna viewer');
    expect(await who({ authorization: basic('open sesame, please:') })).toBeUndefined();
  });

  it('the last user that is removed does not open the gateway', async () => {
    const { users, access, who } = await world({ users: [['anna', 'engineer']] });
    // Also where nobody has asked for anything before.
    users.length = 0;
    expect(access.required).toBe(true);
    expect(await who({})).toBeUndefined();
  });
});

describe('sessions', () => {
  it('a cookie stands for the login, for 12 hours, until the logout', async () => {
    const { clock, access, who } = await world({ users: [['anna', 'operator']] });
    const { token, principal } = await access.login('anna', PASSWORD, request({}));
    expect([token.length, principal]).toEqual([43, { name: 'anna', role: 'operator' }]);
    const cookie = `theme=dark; v2gate_session=${token}`;
    expect(await who({ cookie })).toBe('anna operator');
    expect(await who({ cookie: `v2gate_session=${token.slice(1)}` })).toBeUndefined();
    await clock.advance(SESSION_MS - 1);
    expect(await who({ cookie })).toBe('anna operator');
    await clock.advance(1);
    expect(await who({ cookie })).toBeUndefined();
    const again = await access.login('anna', PASSWORD, request({}));
    const other = { cookie: `v2gate_session=${again.token}` };
    access.logout(request(other));
    expect(await who(other)).toBeUndefined();
  });

  it('another password and a removed user end it at once', async () => {
    const { users, access, who } = await world({ users: [['anna', 'operator']] });
    const cookie = `v2gate_session=${(await access.login('anna', PASSWORD, request({}))).token}`;
    const authorization = basic(`anna:${PASSWORD}`);
    expect(await who({ authorization })).toBe('anna operator');
    users[0] = { name: 'anna', role: 'operator', hash: await hashPassword('quite another one', COST) };
    expect([await who({ cookie }), await who({ authorization })]).toEqual([undefined, undefined]);
  });

  it('a wrong login says nothing about what was wrong', async () => {
    const { access } = await world({ users: [['anna', 'operator']] });
    const wrong = [access.login('anna', 'wrong', request({})), access.login('bob', PASSWORD, request({}))];
    const told = await Promise.all(wrong.map((w) => w.catch((e: unknown) => JSON.stringify(describeError(e)))));
    expect(told[0]).toContain('api.badLogin');
    expect(told[0]).toBe(told[1]);
  });

  it('upgrades know sessions, and passwords that were shown lately', async () => {
    const { clock, access } = await world({ users: [['anna', 'engineer']] });
    const req = request({ authorization: basic(`anna:${PASSWORD}`) });
    expect(access.identifyNow(req)).toBeUndefined();
    await access.identify(req);
    expect(access.identifyNow(req)).toEqual({ name: 'anna', role: 'engineer' });
    await clock.advance(300_000);
    expect(access.identifyNow(req)).toBeUndefined();
  });
});

describe('many wrong passwords', () => {
  const wrong = { authorization: basic('anna:nope') };

  it('make their address wait, longer each time, and nobody else', async () => {
    const { clock, access, who } = await world({ users: [['anna', 'engineer']] });
    const right = { authorization: basic(`anna:${PASSWORD}`) };
    for (let i = 0; i < 5; i++) expect(await who(wrong)).toBeUndefined();
    expect(await code(who(wrong))).toBe('api.tooManyAttempts');
    expect(await code(who(right))).toBe('api.tooManyAttempts');
    expect(await code(access.login('anna', PASSWORD, request({})))).toBe('api.tooManyAttempts');
    expect(await who(right, '10.0.0.2')).toBe('anna engineer');
    expect(await who(right)).toBe('anna engineer');
    await clock.advance(1_000);
    expect(await who(wrong)).toBeUndefined();
    await clock.advance(1_999);
    expect(await code(who(wrong))).toBe('api.tooManyAttempts');
  });

  it('behind the trusted proxy count for the address that it adds, which nobody else can write', async () => {
    const { who } = await world({ users: [['anna', 'engineer']], proxy: '10.0.0.1' });
    const via = (forwarded: string, from = '::ffff:10.0.0.1') => who({ ...wrong, 'x-forwarded-for': forwarded }, from);
    for (let i = 0; i < 5; i++) expect(await via(`198.51.100.${i}, 203.0.113.7`)).toBeUndefined();
    expect(await code(via('198.51.100.9, 203.0.113.7'))).toBe('api.tooManyAttempts');
    expect(await via('203.0.113.7, 203.0.113.8')).toBeUndefined();
    for (let i = 0; i < 5; i++) expect(await via(`203.0.113.${i}`, '10.0.0.2')).toBeUndefined();
    expect(await code(via('203.0.113.9', '10.0.0.2'))).toBe('api.tooManyAttempts');
    for (const nonsense of ['', 'unknown', '203.0.113.9, ', 'x'.repeat(9_000), '1.2.3.4:5'])
      expect(await via(nonsense)).toBeUndefined();
    expect(await code(via('nobody'))).toBe('api.tooManyAttempts');
  });

  it('are forgotten after a right one, and after a while', async () => {
    const { clock, access, who } = await world({ users: [['anna', 'engineer']] });
    for (let i = 0; i < 4; i++) await who(wrong);
    await access.login('anna', PASSWORD, request({}));
    for (let i = 0; i < 5; i++) expect(await who(wrong)).toBeUndefined();
    await clock.advance(15 * 60_000);
    for (let i = 0; i < 5; i++) expect(await who(wrong)).toBeUndefined();
  });

  it('a right one of somebody does not make guessing the one of somebody else free', async () => {
    const { access, who } = await world({
      users: [
        ['anna', 'engineer'],
        ['vera', 'viewer'],
      ],
    });
    const own = () => access.login('vera', 'a password of vera', request({}));
    for (let i = 0; i < 5; i++) {
      expect(await who(wrong)).toBeUndefined();
      if (i < 4) await own();
    }
    expect(await code(own())).toBe('api.tooManyAttempts');
    expect(await code(who(wrong))).toBe('api.tooManyAttempts');
  });

  it('count also when they come at once, while the same right one is checked only once', async () => {
    const { who } = await world({ users: [['anna', 'engineer']] });
    const tries = Array.from({ length: 8 }, (_, i) => code(who({ authorization: basic(`anna:try ${i}`) })));
    expect((await Promise.all(tries)).filter((x) => x === 'api.tooManyAttempts')).toHaveLength(3);
    const same = Array.from({ length: 20 }, () => who({ authorization: basic(`anna:${PASSWORD}`) }, '10.0.0.9'));
    expect(new Set(await Promise.all(same))).toEqual(new Set(['anna engineer']));
  });

  it('wait at most a minute, and count for the network of IPv6', async () => {
    const clock = manualClock();
    const attempts = new Attempts(clock);
    for (let i = 0; i < 40; i++) {
      attempts.begin(`2001:db8::${i}`, 'anna');
      await clock.advance(60_000);
    }
    attempts.begin('2001:db8:0:0:1:2:3:4', 'anna');
    expect(() => attempts.check('2001:db8::ffff')).toThrow(/wait 60 s/);
    expect(() => attempts.check('2001:db8:0:1::1')).not.toThrow();
    expect(() => attempts.check('::ffff:10.0.0.1')).not.toThrow();
  });
});

describe('passwords', () => {
  it('are kept as a hash that differs each time', async () => {
    const [a, b] = [await hashPassword(PASSWORD, COST), await hashPassword(PASSWORD, COST)];
    expect(a).not.toBe(b);
    expect(a).toMatch(/^scrypt\$n=2,r=1,p=1\$/);
    expect([await checkPassword(PASSWORD, a), await checkPassword('other', a)]).toEqual([true, false]);
  });

  it('are the same however their letters are composed', async () => {
    expect(await checkPassword('caf\u00e9', await hashPassword('cafe\u0301', COST))).toBe(true);
  });

  it('a hash that would take too much memory or time, or is none, fits nothing', async () => {
    const good = await hashPassword(PASSWORD, COST);
    for (const bad of [
      '',
      'plain',
      good.replace('n=2', 'n=3'),
      good.replace('n=2', 'n=4194304'),
      good.slice(0, -20),
      good.replace('n=2,r=1,p=1', 'n=1048576,r=1,p=99'),
    ]) {
      expect(isPasswordHash(bad), bad).toBe(false);
      expect(await checkPassword(PASSWORD, bad)).toBe(false);
    }
  });

  it('must be long, and more than a few letters', () => {
    expect(passwordProblem('elf letters')).toContain('at least 12');
    expect(passwordProblem('aaaaaaaaaaaaaaaa')).toContain('repeats');
    expect(passwordProblem('x'.repeat(2_000))).toContain('at most');
    expect(passwordProblem('twelve chars')).toBeUndefined();
  });
});

describe('the users file', () => {
  const hash = 'scrypt$n=2,r=1,p=1$aaaaaaaaaaaaaaaaaaaaaa$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa';
  const file = (users: unknown, version = 1) => JSON.stringify({ version, users });

  it('is read as it was written', () => {
    expect(parseUsers(undefined, 'f')).toEqual([]);
    expect(parseUsers(file([{ name: 'anna', role: 'viewer', hash }]), 'f')).toEqual([
      { name: 'anna', role: 'viewer', hash },
    ]);
  });

  it.each([
    ['no JSON', '{"hunter2'],
    ['another version', file([], 2)],
    ['an unknown role', file([{ name: 'anna', role: 'root', hash }])],
    ['a clear password', file([{ name: 'anna', role: 'viewer', hash: 'hunter2' }])],
    ['a bad name', file([{ name: 'an na', role: 'viewer', hash }])],
    ['a name twice', file([1, 2].map(() => ({ name: 'anna', role: 'viewer', hash })))],
  ])('with %s is refused and nothing of it is told', (_what, text) => {
    const told = (() => {
      try {
        return parseUsers(text, 'users.json');
      } catch (e) {
        return e;
      }
    })();
    expect(codeOf(told)).toBe('users.broken');
    expect(JSON.stringify(describeError(told))).not.toContain('hunter2');
  });
});

describe('roles', () => {
  it('each may do what those before it may', () => {
    fc.assert(
      fc.property(fc.constantFrom(...ROLES), fc.constantFrom(...ROLES), (have, need) => {
        expect(mayDo(have, need)).toBe(ROLES.indexOf(have) >= ROLES.indexOf(need));
        const refused = refusal({ name: 'x', role: have }, need);
        expect(codeOf(refused)).toBe(mayDo(have, need) ? undefined : 'api.forbidden');
      }),
    );
    expect(codeOf(refusal(undefined, 'viewer'))).toBe('api.unauthorised');
  });

  it('what no table names belongs to the editor', () => {
    fc.assert(
      fc.property(fc.webPath(), fc.constantFrom('GET', 'POST', 'PUT', 'DELETE'), (path, method) => {
        const known = /^\/(health|console|metrics|http|v2gate\/api|\.well-known\/jwks\.json)(\/|\?|$)/.test(path);
        if (!known) expect(areaRole(method, path)).toBe('engineer');
      }),
    );
    expect(['/health', '/metrics', '/console/x.js', '/consolex', '/http/a'].map((p) => areaRole('GET', p))).toEqual([
      'open',
      'viewer',
      'open',
      'engineer',
      'viewer',
    ]);
    expect(areaRole('POST', '/http/a')).toBe('operator');
  });

  it('the socket of the editor needs an engineer, that of a flow an operator', async () => {
    const { access } = await world({
      users: [
        ['vera', 'viewer'],
        ['otto', 'operator'],
        ['anna', 'engineer'],
      ],
    });
    const guard = createGuard('127.0.0.1', access);
    const verdict = async (name: string, url: string) => {
      const authorization = basic(`${name}:a password of ${name}`);
      const req = request({ host: 'localhost', authorization }, '127.0.0.1', url);
      await access.identify(req);
      return codeOf(guard.complaint(req, true));
    };
    expect(await verdict('anna', '/comms')).toBeUndefined();
    expect(await verdict('otto', '/comms')).toBe('api.forbidden');
    expect(await verdict('otto', '/http/ws')).toBeUndefined();
    expect(await verdict('vera', '/http/ws')).toBe('api.forbidden');
    const nobody = request({ host: 'localhost' }, '127.0.0.1', '/comms');
    expect(codeOf(guard.complaint(nobody, true))).toBe('api.unauthorised');
  });
});
