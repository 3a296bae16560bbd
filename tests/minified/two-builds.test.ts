/** A tab or a worker may have the client as modules where another has the minified file: what they tell each other is called the same in both. */
import { createClient } from '@runnel/client';
import { expect, it, onTestFinished, vi } from 'vitest';
import { createClient as createFromModules } from '../../packages/client/src/index.ts';
import type { Contract } from '../conformance/contract.ts';
import { condition, IN_ORDER, OrderedLog, TestServer } from '../conformance/harness.ts';
import { FakeOrigin } from '../support/fake-origin.ts';

it('a session goes from a tab of one build to the next one of the other, and nothing is lost', async () => {
  const server = await TestServer.start();
  const origin = new FakeOrigin();
  const taken: number[] = [];
  server.onTick = ({ data }) => void taken.push(data);
  const open = async (create: typeof createClient) => {
    const tab = origin.openTab();
    const client = create<Contract>(`http://127.0.0.1:${server.port}/realtime`, {
      auth: { user: 'ann' },
      share: true,
      environment: { random: () => 0.05, ...tab.environment },
    });
    onTestFinished(() => tab.close());
    const live = client.channel('live/:id', { id: 'a' });
    const log = new OrderedLog();
    live.on('tick', log.add);
    await live.ready();
    return { tab, live, log, hosts: () => client.diagnose().sharing?.host === 'this tab' };
  };
  const tabs = [
    await open(createFromModules),
    await open(createClient),
    await open(createFromModules),
    await open(createClient),
  ] as const;
  const [first, second, third, last] = tabs;
  const done: Promise<unknown>[] = [];
  let said = 0;
  const say = (): void => {
    done.push(server.realtime.channel('live/:id', { id: 'a' }).broadcast('tick', said));
    done.push(last.live.publish('tick', said));
    said += 1;
  };
  for (const { tab, hosts } of [first, second, third]) {
    await condition('the next tab has the session', hosts);
    say();
    tab.close();
    say();
  }
  await last.log.reach(said);
  await Promise.all(done);
  expect(last.log.disorder(said)).toEqual(IN_ORDER);
  expect(taken).toEqual(Array.from({ length: said }, (_, n) => n));
  expect(server.sessions.items).toHaveLength(1);
});

it('a worker is told the same by both', async () => {
  vi.stubGlobal('SharedWorker', class {});
  onTestFinished(() => void vi.unstubAllGlobals());
  const orders: unknown[] = [];
  for (const create of [createFromModules, createClient]) {
    const { environment } = new FakeOrigin().openTab();
    const port = { postMessage: (message: unknown) => void orders.push(structuredClone(message)) };
    const worker = () => ({ port, addEventListener: () => {} });
    const client = create('http://localhost/realtime', { share: { worker }, environment });
    await condition('it has asked the worker', () => orders.length === (create === createClient ? 2 : 1));
    client.close();
  }
  expect(orders[1]).toEqual(orders[0]);
});
