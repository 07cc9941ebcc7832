import { ask } from './ask.js';

/**
 * What the button of a virtual node in the flow does: starts or stops it.
 * @param {Pick<import('./types.d.ts').DialogOptions, 'RED' | '$' | 'node'>} o
 * @returns {Promise<void>}
 */
export async function toggle(o) {
  try {
    const { words } = await ask(o, `virtual/${o.node.id}`, { turn: 'toggle' });
    o.RED.notify(`${o.node.name || o.node.type.replace('v2gate-', '').replace('-', ' ')}: ${words}`, 'success');
  } catch (e) {
    o.RED.notify(e instanceof Error ? e.message : String(e), 'error');
  }
}
