import { h, say } from './dom.js';

/**
 * Panels of which one is shown. Arrow keys move between the tabs, as screen readers expect it.
 * @param {string} label
 * @param {string} id Begins the ids of all parts.
 * @param {readonly { readonly name: string, readonly title: string, readonly panel: HTMLElement }[]} entries
 */
export function tabs(label, id, entries) {
  const buttons = entries.map(({ name, title }) =>
    h(
      'button',
      { type: 'button', role: 'tab', id: `${id}-tab-${name}`, 'aria-controls': `${id}-panel-${name}` },
      h('span', {}, title),
      h('span', { class: 'v2gate-bench-badge' }),
    ),
  );
  const bar = h('div', { role: 'tablist', 'aria-label': label, class: 'v2gate-bench-tabs' }, ...buttons);
  entries.forEach(({ name, panel }, i) => {
    panel.id = `${id}-panel-${name}`;
    panel.setAttribute('role', 'tabpanel');
    panel.setAttribute('aria-labelledby', `${id}-tab-${name}`);
    panel.tabIndex = 0;
    buttons[i]?.addEventListener('click', () => show(i));
  });
  bar.addEventListener('keydown', (e) => {
    const step = e.key === 'ArrowRight' ? 1 : e.key === 'ArrowLeft' ? -1 : 0;
    if (step === 0) return;
    e.preventDefault();
    const now = buttons.findIndex((b) => b.tabIndex === 0);
    const next = (now + step + buttons.length) % buttons.length;
    show(next);
    buttons[next]?.focus();
  });

  /** @param {number} chosen */
  function show(chosen) {
    entries.forEach(({ panel }, i) => {
      panel.hidden = i !== chosen;
      buttons[i]?.setAttribute('aria-selected', String(i === chosen));
      if (buttons[i]) buttons[i].tabIndex = i === chosen ? 0 : -1;
    });
  }

  show(0);
  return {
    bar,
    /**
     * A few letters beside the title.
     * @param {string} name
     * @param {string} text
     * @param {'good' | 'warning' | 'error' | ''} [mood]
     */
    badge(name, text, mood = '') {
      const badge = buttons[entries.findIndex((e) => e.name === name)]?.lastElementChild;
      if (!badge) return;
      say(badge, text);
      badge.setAttribute('data-mood', mood);
    },
  };
}
