import { defineConfig, type Plugin, type TestProjectConfiguration } from 'vitest/config';
import { minifiedClient } from './tests/minified/stand-in.ts';

// Tests run against src, which the workspace packages export under a condition of their own; the others are Vite's defaults.
const conditions = ['@runnel/source', 'module', 'node', 'development|production'];

function project(
  name: string,
  include: string,
  timeoutMs = 5_000,
  more: string[] = [],
  globalSetup: string[] = [],
  { plugins = [], setupFiles = [] }: { plugins?: Plugin[]; setupFiles?: string[] } = {},
): TestProjectConfiguration {
  return {
    plugins,
    resolve: { conditions },
    ssr: { resolve: { conditions } },
    test: {
      name,
      include: [include, ...more],
      globalSetup,
      setupFiles,
      environment: 'node',
      testTimeout: timeoutMs,
      hookTimeout: timeoutMs,
      retry: 0,
    },
  };
}

/** What is asked of the file for browsers as well. */
const minified = [
  'packages/client/test/{channel,connection,history,messages,presence,snapshot}.test.ts',
  'tests/conformance/{calls,messages,presence,shared-tabs,state,streams}.test.ts',
] as const;

export default defineConfig({
  test: {
    passWithNoTests: false,
    projects: [
      project('unit', 'packages/*/test/**/*.test.ts', 5_000, ['apps/*/test/**/*.test.ts']),
      project('tidy', 'tests/tidy/**/*.test.ts'),
      project('conformance', 'tests/conformance/**/*.test.ts', 20_000),
      project('simulation', 'tests/simulation/**/*.test.ts', 60_000),
      project('brokers', 'tests/brokers/**/*.test.ts', 20_000),
      project('bench', 'bench/test/**/*.test.ts', 60_000),
      project('cluster', 'tests/cluster/**/*.test.ts', 20_000),
      project('packages', 'tests/packages/**/*.test.ts', 120_000, [], ['tests/packages/installation.ts']),
      project('types', 'tests/types/**/*.test.ts', 120_000),
      project('gauntlet', 'tests/gauntlet/**/*.test.ts', 60_000),
      project('browsers', 'tests/browsers/**/*.test.ts', 60_000),
      project(
        'minified',
        minified[0],
        20_000,
        [minified[1], 'tests/minified/**/*.test.ts'],
        ['tests/minified/building.ts'],
        {
          plugins: [minifiedClient],
          setupFiles: ['tests/minified/browser.ts'],
        },
      ),
      project('legacy', 'tests/legacy/**/*.test.ts', 60_000, [], ['tests/legacy/building.ts']),
      project('e2e', 'tests/e2e/**/*.test.ts', 60_000),
    ],
  },
});
