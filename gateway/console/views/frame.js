/**
 * What views are given to show.
 * @import { ConsoleState, KnownSite } from '../state.js'
 */

/**
 * @typedef {object} Frame
 * @property {ConsoleState} state
 * @property {KnownSite | undefined} site the site to show
 * @property {number} now the gateway's clock, epoch ms; NaN while no site is known
 * @property {number} mono the browser's monotonic clock, ms
 */

/** @typedef {{ show: (frame: Frame) => void }} View */

export {};
