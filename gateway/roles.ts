/** What somebody may do; each role may do everything that those before it may. */
export const ROLES = ['viewer', 'operator', 'engineer'] as const;
export type Role = (typeof ROLES)[number];

/** What each role is for, in words. */
export const ROLE_MEANINGS: Readonly<Record<Role, string>> = {
  viewer: 'Looks: console, API and metrics, but changes nothing.',
  operator:
    'Also opts out and in, sets limits, takes services back, accepts and removes stations, gives orders to stations.',
  engineer: 'Also the editor and everything else.',
};

/**
 * Who may use a route: a role, `open` (everybody), or `token` (machines of this gateway, or who shows the token that the
 * route asks for).
 */
export type RouteRole = Role | 'open' | 'token';

/** Whether somebody with the role `have` may do what needs `need`. */
export const mayDo = (have: Role, need: Role): boolean => ROLES.indexOf(have) >= ROLES.indexOf(need);

export const isRole = (x: unknown): x is Role => ROLES.some((role) => role === x);

/** Somebody who has shown who they are, or `anybody` where nobody has to. */
export interface Principal {
  readonly name: string;
  readonly role: Role;
}
