// The names of properties that the minifier must leave as they are in the files for browsers: all that somebody else reads or writes.

import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript-5.9';

const packages = fileURLToPath(new URL('../..', import.meta.url));
const lib = join(createRequire(import.meta.url).resolve('typescript-5.9'), '..');

/** What the browser gives and is given: every one… */
const ofBrowsers = words(
  `AbortSignal CloseEvent Crypto Document ErrorEvent Event EventTarget MessageEvent Node PageTransitionEvent Performance WebSocket Window`,
);
/** …what one of today has besides… */
const ofToday =
  words(`AbortController AddEventListenerOptions Body BroadcastChannel ErrorOptions LockManager LockOptions MessagePort Navigator NavigatorLocks
  NetworkInformation PerformanceEntry PerformanceResourceTiming ReadableStream ReadableStreamDefaultReader ReadableStreamReadDoneResult RequestInit Response
  SharedWorker TextDecodeOptions TextDecoder URL WorkerOptions`);
/** …and what is used of an old one. */
const ofOld =
  words(`CharacterData Element HTMLAnchorElement HTMLHyperlinkElementUtils MutationObserver MutationObserverInit XMLHttpRequest
  XMLHttpRequestEventTarget`);

/** Names that no type of these speaks of: of globals, and in what `validation_failed` tells. */
const others = words(
  `issues path crypto performance Uint8Array WebSocket BroadcastChannel SharedWorker connection observable process versions node shareSession`,
);
const othersOfOld = words('Runnel createClient finally msCrypto exports');

/** What tabs tell each other, and may be of another build: all types of `share` but its classes, and these. */
const betweenTabs = words('Endpoint IdentityState IncarnationState Line SessionState');

/** What no client is made of. */
const elsewhere = /^(?:react|diagnose|schema|testing|contract|session\/server)\//;

/** @param {string} text */
function words(text) {
  return new Set(text.split(/\s+/));
}

/**
 * @param {boolean} old whether the file is for browsers that have no more than ECMAScript 5
 * @returns {Set<string>}
 */
export function namesToKeep(old) {
  const inputs = ['client/src', 'protocol/src'].flatMap(sourcesBelow);
  const names = new Set([...others, ...(old ? othersOfOld : [])]);
  const browser = new Set([...ofBrowsers, ...(old ? ofOld : ofToday)]);
  const language = readdirSync(lib).filter((file) => (old ? /^lib\.es5\.d\.ts$/ : /^lib\.es.*\.d\.ts$/).test(file));
  for (const file of language) for (const name of membersIn(join(lib, file), () => true)) names.add(name);
  for (const name of membersIn(join(lib, 'lib.dom.d.ts'), (type) => browser.has(type))) names.add(name);
  // What goes over the wire.
  const wire = join(packages, 'protocol/src/wire');
  for (const file of ['frames.ts', 'read-down.ts'])
    for (const name of membersIn(join(wire, file), () => true)) names.add(name);
  // What applications use: the types that the client's entries export, wherever they are declared.
  const entries = ['index.ts', 'legacy/index.ts'].map((entry) => join(packages, 'client/src', entry));
  const offered = new Set(entries.flatMap(exportsOf));
  for (const name of offered) names.add(name);
  for (const input of inputs) {
    const told = !old && /src\/share\/[^/]+$/.test(input);
    for (const name of membersIn(
      input,
      (type, isClass) => (told && !isClass) || offered.has(type) || (!old && betweenTabs.has(type)),
    ))
      names.add(name);
    for (const text of stringsIn(input, told)) names.add(text);
  }
  return names;
}

/** @param {string} folder of the packages */
function sourcesBelow(folder) {
  const below = join(packages, folder);
  const files = readdirSync(below, { recursive: true, encoding: 'utf8' });
  return files.filter((file) => file.endsWith('.ts') && !elsewhere.test(file)).map((file) => join(below, file));
}

/** @param {string} file @returns {ts.SourceFile} */
const parse = (file) => ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.ESNext, true);

/**
 * The names of all members, at any depth, of the declarations that `wanted` picks by their name.
 *
 * @param {string} file
 * @param {(declaration: string, isClass: boolean) => boolean} wanted
 */
function membersIn(file, wanted) {
  /** @type {string[]} */
  const names = [];
  const collect = (/** @type {ts.Node} */ node) => {
    if (
      (ts.isTypeElement(node) || ts.isClassElement(node) || ts.isObjectLiteralElement(node)) &&
      node.name !== undefined
    ) {
      if (ts.isIdentifier(node.name) || ts.isStringLiteral(node.name)) names.push(node.name.text);
    }
    // The body of a method is its own affair.
    if (!ts.isBlock(node)) ts.forEachChild(node, collect);
  };
  for (const statement of parse(file).statements) {
    const name = ts.isVariableStatement(statement)
      ? statement.declarationList.declarations[0]?.name.getText()
      : /** @type {{ name?: ts.Node }} */ (/** @type {unknown} */ (statement)).name?.getText();
    if (name !== undefined && wanted(name, ts.isClassDeclaration(statement))) collect(statement);
  }
  return names;
}

/** @param {string} file */
function exportsOf(file) {
  return parse(file).statements.flatMap((statement) =>
    ts.isExportDeclaration(statement) &&
    statement.exportClause !== undefined &&
    ts.isNamedExports(statement.exportClause)
      ? statement.exportClause.elements.map(({ name }) => name.text)
      : [],
  );
}

/**
 * Every text of the file: a property may be reached by it. `told`: with those that only pick the members of a type.
 *
 * @param {string} file
 * @param {boolean} told
 */
function stringsIn(file, told) {
  /** @type {string[]} */
  const texts = [];
  const collect = (/** @type {ts.Node} */ node) => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return;
    const picks =
      (ts.isTypeReferenceNode(node) && node.typeName) || (ts.isExpressionWithTypeArguments(node) && node.expression);
    if (!told && picks && /^(Pick|Omit)$/.test(picks.getText())) return;
    if (ts.isStringLiteralLike(node) && /^[$\w]+$/.test(node.text)) texts.push(node.text);
    ts.forEachChild(node, collect);
  };
  collect(parse(file));
  return texts;
}
