/** Two people chat on the demo, and whatever happens to their connections, both see what was said once and in order. */
import { type Demo, startDemo } from '@runnel/demo';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { BrowserFixture } from '../browser-fixture.ts';
import { DemoTab, type TransportName } from '../demo-tab.ts';
import { eventually } from '../eventually.ts';

/** What the page's address asks for, and what it must come to. */
const CHOICES: readonly { readonly name: string; readonly query: string; readonly transport: TransportName }[] = [
  { name: 'WebSocket', query: '?transport=websocket', transport: 'websocket' },
  { name: 'stream', query: '?transport=stream', transport: 'stream' },
  { name: 'poll', query: '?transport=poll', transport: 'poll' },
  { name: 'what wins the race', query: '', transport: 'websocket' },
];

export const numbered = (mark: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${mark} ${index + 1}`);

export function chatScenarios(fixture: BrowserFixture): void {
  let demo: Demo;
  beforeEach(async () => {
    demo = await startDemo({ port: 0 });
  });
  afterEach(() => demo.close());
  const open = (query: string): Promise<DemoTab> => DemoTab.open(fixture, `${demo.url}/${query}`);

  // One long conversation: opening pages is what takes time.
  test.each(CHOICES)('two people chat over $name, whatever comes and goes', async ({ query, transport }) => {
    const [ann, ben] = [await open(query), await open(query)];
    await ann.connected(transport);
    await ben.connected(transport);

    // Both talk at once, and one raises an alert.
    for (const n of [1, 2, 3, 4]) {
      await ann.say(`ann ${n}`);
      await ben.say(`ben ${n}`);
    }
    await ann.alert('The river is rising');
    for (const tab of [ann, ben]) {
      await tab.sees(...numbered('ann', 4), ...numbered('ben', 4));
      expect(await tab.messages('ann ')).toEqual(numbered('ann', 4));
      expect(await tab.messages('ben ')).toEqual(numbered('ben', 4));
      await eventually(
        'the alert',
        () => tab.alerts('The river'),
        (alerts) => alerts.length > 0,
      );
      expect(await tab.alerts('The river')).toEqual(['The river is rising']);
      expect(await tab.connection()).toEqual({ state: 'open', transport });
    }
    const before = await ann.messages('');
    expect(await ben.messages('')).toEqual(before);

    // The server is started anew; what is typed meanwhile waits.
    const { port } = demo;
    await demo.close();
    await ann.say('meanwhile 1');
    await ann.say('meanwhile 2');
    demo = await startDemo({ port });
    await ben.sees('meanwhile 1', 'meanwhile 2');
    await ben.say('after 1');
    await ann.sees('after 1');
    await ann.connected(transport);
    for (const tab of [ann, ben]) {
      expect((await tab.messages('')).slice(before.length)).toEqual(['meanwhile 1', 'meanwhile 2', 'after 1']);
    }

    // A page that is closed and opened again gets what the server knows.
    await ann.page.close();
    await ben.say('after 2');
    await ben.sees('after 2');
    const again = await open(query);
    await again.sees('after 2');
    expect(await again.messages('')).toEqual(['meanwhile 1', 'meanwhile 2', 'after 1', 'after 2']);
    await again.say('after 3');
    await ben.sees('after 3');
  });

  test('a page that is loaded anew gets what was said', async () => {
    const [ann, ben] = [await open(''), await open('')];
    await ben.connected();
    await ann.connected();
    await ann.say('line 1');
    await ben.say('line 2');
    await ann.sees('line 1', 'line 2');
    const before = await ann.messages('line ');
    await ann.page.goto(`${demo.url}/`);
    await ann.sees('line 1', 'line 2');
    expect(await ann.messages('line ')).toEqual(before);
  });

  test('a browser that is killed disturbs nobody, and opened again it gets what was said', async () => {
    const doomed = await fixture.kind.launch();
    const ann = new DemoTab(await doomed.open(`${demo.url}/`));
    const ben = await open('');
    await ann.connected('websocket');
    await ben.connected('websocket');
    await ann.say('line 1');
    await ben.sees('line 1');
    await doomed.kill();
    await ben.say('line 2');
    await ben.say('line 3');
    const again = await open('');
    await again.sees('line 3');
    expect(await again.messages('line ')).toEqual(numbered('line', 3));
    expect(await ben.messages('line ')).toEqual(numbered('line', 3));
  });

  test('switching through all transports loses nothing', async () => {
    const [ann, ben] = [await open(''), await open('')];
    await ann.connected('websocket');
    await ben.connected('websocket');
    let said = 0;
    for (const transport of ['poll', 'stream', 'websocket', 'stream', 'poll', 'auto'] as const) {
      await ann.use(transport);
      for (let i = 0; i < 4; i += 1) {
        said += 1;
        await ann.say(`ann ${said}`);
        await ben.say(`ben ${said}`);
      }
      await ann.connected(transport === 'auto' ? 'websocket' : transport);
    }
    for (const tab of [ann, ben]) {
      await tab.sees(...numbered('ann', said), ...numbered('ben', said));
      expect(await tab.messages('ann ')).toEqual(numbered('ann', said));
      expect(await tab.messages('ben ')).toEqual(numbered('ben', said));
    }
  });
}
