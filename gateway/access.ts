import { createHmac, randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { BoundedMap, type BoundStats } from '../core/bounded.ts';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import { sameSecret } from '../core/secrets.ts';
import { Attempts } from './attempts.ts';
import { GATEWAY_ERRORS } from './errors.ts';
import { checkPassword, hashPassword, type ScryptCost } from './passwords.ts';
import type { Principal } from './roles.ts';
import { Sessions } from './sessions.ts';
import { isUserName, type User } from './users.ts';

export interface AccessOptions {
  /** The machine's. */
  readonly clock: Clock;
  /** The users of now. */
  readonly users: () => readonly User[];
  /** The password of the gateway itself: with any name it opens everything. */
  readonly password?: string | undefined;
  /** True where nobody has to say who they are as long as there are no users and no password: loopback. */
  readonly trusting: boolean;
  /** The reverse proxy whose word about where a request comes from is believed. */
  readonly proxy?: string | undefined;
  /** Told when somebody has logged out. */
  readonly onLogout?: () => void;
  /** Hears who logs in and who is refused. */
  readonly log?: Log;
  /** Of the hash that stands in for users who do not exist. */
  readonly cost?: ScryptCost;
}

/** A way in that was checked: a new hash, or none, closes it. */
interface Proven {
  readonly name: string;
  readonly proof: string;
}

interface Remembered extends Proven {
  readonly until: number;
}

/** A checked Authorization header is believed again this long, for its check is dear on purpose. */
const REMEMBER_MS = 5 * 60_000;
const MAX_REMEMBERED = 256;
/** Passwords that wait to be looked at. */
const MAX_CHECKS = 16;
/** So many are looked at in one moment: each takes 32 MB and a thread that others need too. */
const LANES = 2;
const MAX_HEADER = 4_096;
export const SESSION_COOKIE = 'v2gate_session';
/** What was shown by those who know the password of the gateway. */
const GATEWAY_PASSWORD = 'password of the gateway';

/** Knows who asks: by the session cookie of people, or HTTP Basic of programs. */
export class Access {
  readonly #o: AccessOptions;
  readonly #attempts: Attempts;
  readonly #sessions: Sessions;
  readonly #key = randomBytes(32);
  readonly #remembered = new BoundedMap<string, Remembered>({
    name: 'gateway.credentials',
    max: MAX_REMEMBERED,
    overflow: 'dropOldest',
  });
  /** The same header, asked about by several requests at once, is checked once. */
  readonly #checking = new BoundedMap<string, Promise<Proven | undefined>>({
    name: 'gateway.passwordChecks',
    max: MAX_CHECKS,
    overflow: 'refuse',
  });
  readonly #lanes: Promise<unknown>[] = Array.from({ length: LANES }, () => Promise.resolve());
  #turn = 0;
  #nobody: Promise<string> | undefined;
  /** Users that are taken away again do not open the gateway to everybody while it runs. */
  #closed: boolean;

  constructor(o: AccessOptions) {
    this.#o = o;
    this.#attempts = new Attempts(o.clock);
    this.#sessions = new Sessions(o.clock);
    this.#closed = !o.trusting || o.password !== undefined || o.users().length > 0;
  }

  /** Whether people have to say who they are. */
  get required(): boolean {
    this.#closed ||= this.#o.users().length > 0;
    return this.#closed;
  }

  /** Who asks; undefined where nothing, or something wrong, was shown. Rejects with `api.tooManyAttempts`. */
  async identify(req: IncomingMessage): Promise<Principal | undefined> {
    const known = this.identifyNow(req);
    if (known !== undefined) return known;
    const header = headerOf(req);
    const given = header === undefined ? undefined : basicOf(header);
    if (header === undefined || given === undefined) return undefined;
    const proven = await this.#check(this.#keyOf(header), given, this.#addressOf(req));
    if (proven === undefined) return undefined;
    this.#remembered.set(this.#keyOf(header), { ...proven, until: this.#o.clock.now() + REMEMBER_MS });
    return this.#principal(proven);
  }

  /** The same without a look at a password that was not seen lately: for upgrades, which cannot wait. */
  identifyNow(req: IncomingMessage): Principal | undefined {
    if (!this.required) return { name: 'anybody', role: 'engineer' };
    const token = cookieOf(req);
    const session = token === undefined ? undefined : this.#sessions.find(token);
    const principal = session && this.#principal(session);
    if (principal !== undefined) return principal;
    const header = headerOf(req);
    if (header === undefined) return undefined;
    const remembered = this.#remembered.get(this.#keyOf(header));
    return remembered && remembered.until > this.#o.clock.now() ? this.#principal(remembered) : undefined;
  }

  /** Opens a session and gives its token. Rejects with `api.badLogin` or `api.tooManyAttempts`. */
  async login(name: string, password: string, req: IncomingMessage): Promise<{ token: string; principal: Principal }> {
    const key = this.#keyOf(`login ${JSON.stringify([name, password])}`);
    const proven = await this.#check(key, { name, password }, this.#addressOf(req));
    const principal = proven && this.#principal(proven);
    if (proven === undefined || principal === undefined) throw GATEWAY_ERRORS.fail('api.badLogin');
    this.#o.log?.info('access.login', { ...principal, from: this.#addressOf(req) });
    return { token: this.#sessions.open(proven), principal };
  }

  logout(req: IncomingMessage): void {
    const token = cookieOf(req);
    if (token === undefined || this.#sessions.find(token) === undefined) return;
    this.#sessions.end(token);
    this.#o.onLogout?.();
  }

  stats(): readonly BoundStats[] {
    return [this.#attempts, this.#sessions, this.#remembered, this.#checking].map((x) => x.stats());
  }

  /** Only what the proxy has added itself counts: what stands before it was written by anybody. */
  #addressOf(req: IncomingMessage): string {
    const peer = req.socket?.remoteAddress?.replace(/^::ffff:(?=\d)/i, '') ?? 'unknown';
    if (peer !== this.#o.proxy) return peer;
    const last =
      String(req.headers['x-forwarded-for'] ?? '')
        .slice(-64)
        .split(',')
        .at(-1)
        ?.trim() ?? '';
    return isIP(last) === 0 ? peer : last;
  }

  /** The role counts at each request, so that a removed user is out at once. */
  #principal({ name, proof }: Proven): Principal | undefined {
    if (proof === GATEWAY_PASSWORD) return this.#o.password === undefined ? undefined : { name, role: 'engineer' };
    const user = this.#o.users().find((u) => u.name === name);
    return user?.hash === proof ? { name, role: user.role } : undefined;
  }

  #check(
    key: string,
    given: { readonly name: string; readonly password: string },
    address: string,
  ): Promise<Proven | undefined> {
    const running = this.#checking.get(key);
    if (running) return running;
    if (this.#checking.size >= MAX_CHECKS) return Promise.reject(GATEWAY_ERRORS.fail('api.tooManyAttempts'));
    // The address waits even where the password is the right one: else waiting would tell which are wrong.
    const name = isUserName(given.name) ? given.name : '?';
    const attempt = this.#begin(address, name);
    if (attempt instanceof Promise) return attempt;
    const check = this.#inTurn(async () => {
      const proven = await this.#prove(given);
      if (proven !== undefined) attempt.succeeded();
      else this.#o.log?.warn('access.refused', { name, from: address });
      return proven;
    });
    this.#checking.set(key, check);
    const done = (): void => void this.#checking.delete(key);
    check.then(done, done);
    return check;
  }

  #inTurn<T>(act: () => Promise<T>): Promise<T> {
    const lane = this.#turn++ % LANES;
    const done = (this.#lanes[lane] ?? Promise.resolve()).then(act);
    this.#lanes[lane] = done.catch(() => undefined);
    return done;
  }

  #begin(address: string, name: string): { succeeded(): void } | Promise<never> {
    try {
      return this.#attempts.begin(address, name);
    } catch (e) {
      return Promise.reject(e);
    }
  }

  async #prove({ name, password }: { name: string; password: string }): Promise<Proven | undefined> {
    const shown = isUserName(name) ? name : 'anybody';
    if (sameSecret(this.#o.password, password)) return { name: shown, proof: GATEWAY_PASSWORD };
    const user = this.#o.users().find((u) => u.name === name);
    // A name that nobody has takes as long as a wrong password.
    const right = await checkPassword(password, user?.hash ?? (await this.#hashOfNobody()));
    return right && user !== undefined ? { name, proof: user.hash } : undefined;
  }

  #hashOfNobody(): Promise<string> {
    this.#nobody ??= hashPassword(randomBytes(16).toString('hex'), this.#o.cost);
    return this.#nobody;
  }

  /** What is kept is of no use to who reads the memory later. */
  #keyOf(text: string): string {
    return createHmac('sha256', this.#key).update(text).digest('base64url');
  }
}

function headerOf(req: IncomingMessage): string | undefined {
  const { authorization } = req.headers;
  return authorization !== undefined && authorization.length <= MAX_HEADER ? authorization : undefined;
}

function basicOf(header: string): { name: string; password: string } | undefined {
  const encoded = /^Basic +(\S+)$/i.exec(header)?.[1];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? undefined : { name: text.slice(0, colon), password: text.slice(colon + 1) };
}

function cookieOf(req: IncomingMessage): string | undefined {
  const cookies = req.headers.cookie?.slice(0, 16_384).split(';') ?? [];
  const own = cookies.map((c) => c.trim()).find((c) => c.startsWith(`${SESSION_COOKIE}=`));
  return own?.slice(SESSION_COOKIE.length + 1);
}
