import { afterEach, describe, expect, test, vi } from 'vitest';
import { defaultEnvironment } from '../src/environment.ts';

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

describe('the default environment', () => {
  test('has the package ws where there is no WebSocket of its own', async () => {
    const { loadWebSocket } = defaultEnvironment();
    const WebSocket = await loadWebSocket();
    expect(WebSocket.prototype.send).toBeTypeOf('function');
    expect(WebSocket.prototype.close).toBeTypeOf('function');
  });

  test('looks for no package outside Node', async () => {
    vi.stubGlobal('process', undefined);
    await expect(defaultEnvironment().loadWebSocket()).rejects.toThrow('no WebSocket');
  });

  test('makes names that are long, short enough, and new', () => {
    const { newId } = defaultEnvironment();
    const ids = Array.from({ length: 100 }, newId);
    expect(new Set(ids).size).toBe(100);
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{32}$/);
  });

  test('has timers that can be called off, and that bear any time', () => {
    vi.useFakeTimers();
    const { after } = defaultEnvironment();
    const fired: string[] = [];
    after(0.2, () => fired.push('soon'));
    after(5, () => fired.push('never'))();
    after(1e15, () => fired.push('late'));
    vi.advanceTimersByTime(10);
    expect(fired).toEqual(['soon']);
  });

  test('hears of the network and the page coming back, and of the page going', () => {
    const page = new EventTarget();
    const document = Object.assign(new EventTarget(), { visibilityState: 'hidden' });
    const connection = new EventTarget();
    vi.stubGlobal('addEventListener', page.addEventListener.bind(page));
    vi.stubGlobal('document', document);
    vi.stubGlobal('navigator', { connection });
    const heard: string[] = [];
    const stop = defaultEnvironment().watch({ wake: () => heard.push('wake'), leave: () => heard.push('leave') });
    document.dispatchEvent(new Event('visibilitychange'));
    expect(heard).toEqual([]);
    document.visibilityState = 'visible';
    document.dispatchEvent(new Event('visibilitychange'));
    document.dispatchEvent(new Event('resume'));
    connection.dispatchEvent(new Event('change'));
    page.dispatchEvent(new Event('online'));
    page.dispatchEvent(new Event('pageshow'));
    expect(heard).toHaveLength(5);
    page.dispatchEvent(Object.assign(new Event('pagehide'), { persisted: true }));
    expect(heard).toHaveLength(5);
    page.dispatchEvent(Object.assign(new Event('pagehide'), { persisted: false }));
    expect(heard.at(-1)).toBe('leave');
    stop();
    page.dispatchEvent(new Event('online'));
    document.dispatchEvent(new Event('visibilitychange'));
    expect(heard).toHaveLength(6);
  });

  test('lets requests outlive a page that goes, unless browsers would refuse them for their size', () => {
    const page = new EventTarget();
    const outlive: unknown[] = [];
    vi.stubGlobal('addEventListener', page.addEventListener.bind(page));
    vi.stubGlobal('fetch', (_url: string, { keepalive }: RequestInit) => outlive.push(keepalive));
    const { fetch, watch } = defaultEnvironment();
    const ask = (body: string): void => void fetch('/realtime', { method: 'POST', body });
    watch({ wake: () => {}, leave: () => ask('goodbye') });
    ask('hello');
    page.dispatchEvent(Object.assign(new Event('pagehide'), { persisted: true }));
    ask('still there');
    expect(outlive).toEqual([false, false]);
    page.dispatchEvent(Object.assign(new Event('pagehide'), { persisted: false }));
    ask('x'.repeat(65_536));
    expect(outlive).toEqual([false, false, true, false]);
  });
});
