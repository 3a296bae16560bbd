import type { Person } from '../contract.ts';
import { hueOf, initials } from '../portrait.ts';
import { element } from './element.ts';

export function avatar({ userId, name }: Person): HTMLElement {
  const made = element('span', { class: 'avatar', 'aria-hidden': 'true' }, initials(name));
  made.style.setProperty('--hue', String(hueOf(userId)));
  return made;
}
