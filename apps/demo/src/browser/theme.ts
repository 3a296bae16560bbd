import { byId } from './element.ts';
import { store } from './storage.ts';

/** The button that overrides the system's choice between light and dark. */
export function connectThemeButton(): void {
  const button = byId('theme', HTMLButtonElement);
  const system = matchMedia('(prefers-color-scheme: dark)');
  const root = document.documentElement;
  const isDark = () => (root.dataset['theme'] ?? (system.matches ? 'dark' : 'light')) === 'dark';
  const show = () => button.setAttribute('aria-pressed', String(isDark()));

  button.addEventListener('click', () => {
    root.dataset['theme'] = store('local', 'theme', isDark() ? 'light' : 'dark');
    show();
  });
  system.addEventListener('change', show);
  show();
}
