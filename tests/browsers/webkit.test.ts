import { describe } from 'vitest';
import { BrowserFixture } from './browser-fixture.ts';
import { webkit } from './drivers/webkit.ts';
import { chatScenarios } from './scenarios/chat.ts';
import { interruptionScenarios } from './scenarios/interruptions.ts';
import { longAwayScenario, pageLifeScenarios } from './scenarios/page-life.ts';

const fixture = new BrowserFixture(webkit);
describe('chat', () => chatScenarios(fixture));
describe('interruptions', () => interruptionScenarios(fixture));
describe('page life', () => pageLifeScenarios(fixture, { keepsPages: true }));
describe('long away', () => longAwayScenario(fixture));
