/** What old browsers lack and the file for them must not need. */

/** Globals of which each is missing somewhere on its own. */
export const globals: readonly string[] = [
  'AbortController',
  'AbortSignal',
  'EventSource',
  'Map',
  'MutationObserver',
  'Promise',
  'ReadableStream',
  'Set',
  'Symbol',
  'TextDecoder',
  'TextEncoder',
  'URL',
  'URLSearchParams',
  'WeakMap',
  'WebSocket',
  'crypto',
  'fetch',
  'globalThis',
  'performance',
  'queueMicrotask',
];

/** What the language got after ECMAScript 5. */
export const methods: readonly string[] = [
  'Array.from',
  'Array.of',
  ...['at', 'entries', 'fill', 'find', 'findIndex', 'flat', 'flatMap', 'includes', 'keys', 'values'].map(
    (name) => `Array.prototype.${name}`,
  ),
  ...['isFinite', 'isInteger', 'isNaN', 'isSafeInteger'].map((name) => `Number.${name}`),
  ...['imul', 'log2', 'sign', 'trunc'].map((name) => `Math.${name}`),
  ...['assign', 'entries', 'fromEntries', 'hasOwn', 'is', 'setPrototypeOf', 'values'].map((name) => `Object.${name}`),
  ...['at', 'codePointAt', 'endsWith', 'includes', 'normalize', 'padStart', 'repeat', 'replaceAll', 'startsWith'].map(
    (name) => `String.prototype.${name}`,
  ),
  'String.fromCodePoint',
];
