import { describe } from 'vitest';
import { BrowserFixture } from './browser-fixture.ts';
import { chromium } from './drivers/chromium.ts';
import { chatScenarios } from './scenarios/chat.ts';
import { hiddenTabScenarios } from './scenarios/hidden-tabs.ts';
import { interruptionScenarios } from './scenarios/interruptions.ts';
import { longAwayScenario, pageLifeScenarios } from './scenarios/page-life.ts';

const fixture = new BrowserFixture(chromium);
describe('chat', () => chatScenarios(fixture));
describe('interruptions', () => interruptionScenarios(fixture));
describe('page life', () => pageLifeScenarios(fixture, { keepsPages: true }));
describe('long away', () => longAwayScenario(fixture));
describe('hidden tabs', () => hiddenTabScenarios(fixture));
