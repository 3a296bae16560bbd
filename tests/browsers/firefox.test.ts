import { describe } from 'vitest';
import { BrowserFixture } from './browser-fixture.ts';
import { firefox } from './drivers/firefox.ts';
import { chatScenarios } from './scenarios/chat.ts';
import { interruptionScenarios } from './scenarios/interruptions.ts';
import { pageLifeScenarios } from './scenarios/page-life.ts';

const fixture = new BrowserFixture(firefox);
describe('chat', () => chatScenarios(fixture));
describe('interruptions', () => interruptionScenarios(fixture));
describe('page life', () => pageLifeScenarios(fixture, { keepsPages: false }));
