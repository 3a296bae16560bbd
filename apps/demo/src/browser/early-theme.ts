// Runs before the page is painted, so that a chosen theme does not flash.
import { readStored } from './storage.ts';

const theme = readStored('local', 'theme');
if (theme === 'light' || theme === 'dark') document.documentElement.dataset['theme'] = theme;
