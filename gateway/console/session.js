/**
 * Who looks at the console, and what the gateway lets them do. The gateway refuses whatever is not theirs; here it is
 * only not offered.
 * @import { ApiResult } from './api.js'
 */

/** From the least to the most. */
const ROLES = /** @type {const} */ (['viewer', 'operator', 'engineer']);

/** @typedef {(typeof ROLES)[number]} Role */

/**
 * @typedef {object} Me
 * @property {string | undefined} name undefined where nobody has to log in
 * @property {Role | undefined} role undefined: log in first
 * @property {boolean} authRequired
 */

/** Before the gateway has answered. @type {Me} */
export const NOBODY = { name: undefined, role: undefined, authRequired: false };

/**
 * What `GET /v2gate/api/me` says. A gateway without users has no such route: who reaches it may do everything.
 * @param {ApiResult} result
 * @returns {Me | undefined} undefined: it did not answer
 */
export function meOf(result) {
  if (!result.ok) {
    if (result.error.code === 'api.unauthorised') return { name: undefined, role: undefined, authRequired: true };
    return result.error.code === 'api.notFound'
      ? { name: undefined, role: 'engineer', authRequired: false }
      : undefined;
  }
  const { name, role, authRequired } = /** @type {Partial<Record<string, unknown>>} */ (result.body ?? {});
  return {
    name: typeof name === 'string' && name !== '' ? name : undefined,
    role: ROLES.find((r) => r === role),
    authRequired: authRequired === true,
  };
}

/** @param {Me} me @param {Role} least */
export function may({ role }, least) {
  return role !== undefined && ROLES.indexOf(role) >= ROLES.indexOf(least);
}

/** @type {Readonly<Record<Role, string>>} */
export const ROLE_WORDS = {
  viewer: 'Viewer: looks, and changes nothing',
  operator: 'Operator: leads services, limits and stations',
  engineer: 'Engineer: may do everything',
};
