/** The file for old browsers as a text: the language that it is written in, and what it asks of a page. */
import { runInNewContext } from 'node:vm';
import { type Node, parse } from 'acorn';
import { expect, inject, test } from 'vitest';
import { methods } from './amenities.ts';

const code = inject('legacyCode');

/** Every node of a syntax tree, with that which holds it. */
function* nodesIn(node: Node, parent: Node | null = null): Generator<{ node: Node; parent: Node | null }> {
  yield { node, parent };
  for (const child of Object.values(node).flat()) if (isNode(child)) yield* nodesIn(child, node);
}

const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null && 'type' in value;

type Fields = Node & {
  readonly name?: string;
  readonly computed?: boolean;
  readonly object?: Fields;
  readonly property?: Fields;
  readonly key?: Fields;
  readonly id?: Fields | null;
  readonly params?: readonly Fields[];
  readonly param?: Fields | null;
};

const nodes = [...nodesIn(parse(code, { ecmaVersion: 5 }))] as { node: Fields; parent: Fields | null }[];

test('is ECMAScript 5, and ASCII where a page may have any encoding', () => {
  expect(() => parse('class A {}', { ecmaVersion: 5 })).toThrow();
  expect(nodes.length).toBeGreaterThan(10_000);
  expect([...code].filter((character) => character > '~')).toEqual([]);
});

test('needs nothing of the page but what browsers have had since Internet Explorer 10', () => {
  const declared = new Set<string | undefined>();
  for (const { node } of nodes) {
    for (const named of [node.id, node.param, ...(node.params ?? [])]) if (named) declared.add(named.name);
  }
  const isReference = (node: Fields, parent: Fields | null): boolean =>
    node.type === 'Identifier' &&
    node.name !== 'arguments' &&
    !(parent?.type === 'MemberExpression' && parent.property === node && !parent.computed) &&
    !(parent?.type === 'Property' && parent.key === node);
  const free = nodes.filter(({ node, parent }) => isReference(node, parent) && !declared.has(node.name));
  const names = new Set(free.map(({ node }) => node.name));
  const needed = [
    'Array',
    'Date',
    'Error',
    'JSON',
    'Math',
    'Number',
    'Object',
    'RangeError',
    'String',
    'TypeError',
    'XMLHttpRequest',
  ];
  const called = ['clearTimeout', 'console', 'encodeURIComponent', 'setTimeout'];
  const asked = ['MutationObserver', 'document', 'exports', 'global', 'self'];
  expect([...names].sort()).toEqual([...needed, ...called, ...asked].sort());
});

test('calls no method that came after ECMAScript 5', () => {
  const members = nodes.filter(({ node }) => node.type === 'MemberExpression' && !node.computed);
  const used = members.map(({ node }) => `${node.object?.name}.${node.property?.name}`);
  const statics = methods.filter((name) => !name.includes('prototype'));
  expect(used.filter((name) => statics.includes(name))).toEqual([]);
  // These are names of the client's own too.
  const own = new Set(['at', 'entries', 'find', 'keys', 'values']);
  const later = methods.filter((name) => name.includes('prototype')).map((name) => name.split('.').at(-1) ?? '');
  expect(
    members.map(({ node }) => node.property?.name ?? '').filter((name) => later.includes(name) && !own.has(name)),
  ).toEqual([]);
});

test('gives CommonJS its exports, and a page one global', () => {
  const exports = {};
  runInNewContext(code, { exports });
  expect(Object.keys(exports).sort()).toEqual(['RunnelError', 'createClient']);
  const page: Record<string, unknown> = {};
  page['self'] = page;
  runInNewContext(code, page);
  expect(Object.keys(page).sort()).toEqual(['Runnel', 'self']);
});
