import { ask, tell, wordsOfError } from './ask.js';

/**
 * What the button of a virtual node in the flow does: starts or stops it.
 * @param {Pick<import('./types.d.ts').DialogOptions, 'RED' | '$' | 'node'>} o
 * @returns {Promise<void>}
 */
export async function toggle(o) {
  try {
    const { words } = await ask(o, `virtual/${o.node.id}`, { turn: 'toggle' });
    tell(o.RED, `${o.node.name || o.node.type.replace('v2gate-', '').replace('-', ' ')}: ${words}`, 'success');
  } catch (e) {
    tell(o.RED, wordsOfError(e), 'error');
  }
}
