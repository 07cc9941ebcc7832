/**
 * @import { ApiResult } from '../api.js'
 * @import { View } from './frame.js'
 */
import { byId, setText } from '../dom.js';
import { may, ROLE_WORDS } from '../session.js';

/**
 * The way in where somebody has to log in, and who is in.
 * @param {object} o
 * @param {(body: { name: string, password: string }) => Promise<ApiResult>} o.login
 * @param {() => Promise<ApiResult>} o.logout
 * @param {() => void} o.changed after somebody has come or gone
 * @returns {View}
 */
export function loginView({ login, logout, changed }) {
  const page = byId('login', HTMLElement);
  const form = byId('login-form', HTMLFormElement);
  const name = byId('login-name', HTMLInputElement);
  const password = byId('login-password', HTMLInputElement);
  const problem = byId('login-problem', HTMLElement);
  const who = byId('me', HTMLElement);
  const whoName = byId('me-name', HTMLElement);
  const out = byId('logout', HTMLButtonElement);
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const missing = [name, password].find((input) => input.value === '');
    if (missing !== undefined) {
      setText(problem, missing === name ? 'Give your name.' : 'Give your password.');
      missing.focus();
      return;
    }
    setText(problem, '');
    const result = await login({ name: name.value.trim(), password: password.value });
    password.value = '';
    if (result.ok) changed();
    else {
      setText(problem, `${result.error.what} ${result.error.remedy}`);
      password.focus();
    }
  });
  out.addEventListener('click', async () => {
    await logout();
    changed();
  });
  return {
    show({ me }) {
      const ask = me.authRequired && me.role === undefined;
      if (ask && page.hidden) {
        page.hidden = false;
        for (const part of OTHERS) document.querySelector(part)?.toggleAttribute('inert', true);
        name.focus();
      } else if (!ask && !page.hidden) {
        page.hidden = true;
        for (const part of OTHERS) document.querySelector(part)?.toggleAttribute('inert', false);
      }
      who.hidden = !me.authRequired || me.role === undefined;
      setText(whoName, me.name === undefined ? '' : `${me.name} · ${me.role ?? ''}`);
      whoName.title = me.role === undefined ? '' : ROLE_WORDS[me.role];
      out.hidden = !me.authRequired || me.name === undefined;
      document.body.toggleAttribute('data-may-operate', may(me, 'operator'));
    },
  };
}

/** What lies below the page of the login. */
const OTHERS = ['header', '#nav', 'main'];
