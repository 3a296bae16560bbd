import promisesAplusTests from 'promises-aplus-tests';
import { describe, expect, test } from 'vitest';
import { Thenable } from '../../src/legacy/thenable.ts';

describe('Thenable', () => {
  test('satisfies Promises/A+', async () => {
    const adapter = {
      deferred: () => {
        let resolve: (value?: unknown) => void = () => {};
        let reject: (error?: unknown) => void = () => {};
        const promise = new Thenable((...settlers) => {
          [resolve, reject] = settlers;
        });
        return { promise, resolve, reject };
      },
      resolved: (value: unknown) => Thenable.resolve(value),
      rejected: (error: unknown) => Thenable.reject(error),
    };
    const [passed, failed]: string[][] = [[], []];
    class Reporter {
      constructor(runner: { on(event: string, run: (test: { fullTitle(): string }) => void): void }) {
        runner.on('pass', (test) => passed?.push(test.fullTitle()));
        runner.on('fail', (test) => failed?.push(test.fullTitle()));
      }
    }
    await new Promise((done) => promisesAplusTests(adapter, { reporter: Reporter, timeout: 10_000 }, done));
    expect(failed).toEqual([]);
    expect(passed?.length).toBeGreaterThan(800);
  }, 120_000);

  test('calls handlers in the order of what was settled, after what runs now', async () => {
    const log: string[] = [];
    const settled = Thenable.resolve('a');
    settled.then((value: string) => log.push(`${value}1`)).then(() => log.push('later'));
    settled.then((value: string) => log.push(`${value}2`));
    log.push('now');
    await settled;
    await Thenable.resolve().then(() => {});
    expect(log).toEqual(['now', 'a1', 'a2', 'later']);
  });

  test('can be awaited, and awaits promises of others', async () => {
    expect(await new Thenable((resolve) => resolve(Promise.resolve(1)))).toBe(1);
    await expect(Promise.resolve(Thenable.reject(new Error('no')))).rejects.toThrow('no');
  });

  test('rejects with what its executor throws, unless it was settled', async () => {
    const thrower = (resolve: (value: number) => void): never => {
      resolve(1);
      throw new Error('late');
    };
    expect(await new Thenable(thrower)).toBe(1);
    const failing = new Thenable(() => {
      throw new Error('early');
    });
    expect(await failing.catch((error: Error) => error.message)).toBe('early');
  });

  test('finally gives nothing and takes nothing, but for what it throws', async () => {
    expect(await Thenable.resolve(1).finally(() => 2)).toBe(1);
    expect(
      await Thenable.reject(1)
        .finally(() => 2)
        .catch((error: unknown) => ['caught', error]),
    ).toEqual(['caught', 1]);
    const thrown = Thenable.resolve(1).finally(() => {
      throw new Error('thrown');
    });
    expect(await thrown.catch((error: Error) => error.message)).toBe('thrown');
    const waits = Thenable.resolve(1).finally(() => Thenable.reject('refused'));
    expect(await waits.catch((error: unknown) => error)).toBe('refused');
  });

  test('race is won by the first, of promises, thenables and values', async () => {
    const never = new Thenable(() => {});
    expect(await Thenable.race([never, Promise.resolve('first'), never])).toBe('first');
    expect(await Thenable.race([never, 'value'])).toBe('value');
    expect(await Thenable.race([never, Thenable.reject('error')]).catch((error: unknown) => [error])).toEqual([
      'error',
    ]);
  });
});
