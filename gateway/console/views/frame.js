/**
 * What views are given to show.
 * @import { Route, ViewName } from '../route.js'
 * @import { Me } from '../session.js'
 * @import { ConsoleState, KnownSite } from '../state.js'
 */

/**
 * @typedef {object} Frame
 * @property {ConsoleState} state
 * @property {KnownSite | undefined} site the site to show
 * @property {number} now the gateway's clock, epoch ms; NaN while no site is known
 * @property {number} mono the browser's monotonic clock, ms
 * @property {Route} route what the address asks for
 * @property {Me} me who looks
 */

/** Goes to a view; `replace` leaves no step to go back to. @typedef {(view: ViewName, params?: Readonly<Record<string, string | undefined>>, replace?: boolean) => void} Go */

/** @typedef {{ show: (frame: Frame) => void }} View */

export {};
