// Two steps from the client's sources to ECMAScript 5: what is written otherwise in each file before bundling, and the bundle's syntax.

import ts from 'typescript-5.9';

/** Methods that ECMAScript 5 does not have: `list.at(-1)` becomes `at(list, -1)`, which `src/legacy/methods.ts` has. */
const methods = new Set(['at', 'endsWith', 'entries', 'find', 'findIndex', 'flatMap', 'includes', 'repeat']);

/** Methods of classes that need iterators. */
const absent = new Set(['ClientChannel.messages']);

/** The name of a private member: no other name ends with `_`, so that the minifier knows it. */
const plainName = (/** @type {string} */ name) => `${name.slice(1)}_`;

/**
 * A file without what no compiler for ECMAScript 5 can be given: private members are plain ones, members named by symbols are left out, errors extend one
 * that can be extended, and methods that the language lacks are functions.
 *
 * @param {string} file
 * @param {string} text TypeScript
 * @returns {string} TypeScript
 */
export function rewriteSource(file, text) {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.ESNext, true);
  /** @type {{ start: number, end: number, text: string }[]} */
  const edits = [];
  const replace = (/** @type {number} */ start, /** @type {number} */ end, /** @type {string} */ by) => {
    edits.push({ start, end, text: by });
  };

  /** @param {ts.Node} node */
  const visit = (node) => {
    if (isLeftOut(node)) return replace(node.getStart(), trailingComma(text, node.getEnd()), '');
    if (ts.isPrivateIdentifier(node)) replace(node.getStart(), node.getEnd(), plainName(node.text));
    if (ts.isHeritageClause(node) && node.token === ts.SyntaxKind.ExtendsKeyword && ts.isClassLike(node.parent)) {
      const [base] = node.types;
      if (base?.expression.getText() === 'Error') replace(base.getStart(), base.getEnd(), 'LegacyError');
    }
    // What is loaded on demand is not to be had.
    if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
      return replace(node.getStart(), node.getEnd(), 'Promise.reject()');
    if (ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression)) {
      const { expression: receiver, name, questionDotToken } = node.expression;
      const [first] = node.arguments;
      if (methods.has(name.text) && receiver.getText() !== 'Object' && receiver.kind !== ts.SyntaxKind.ThisKeyword) {
        if (questionDotToken !== undefined && !ts.isIdentifier(receiver))
          throw new Error(`${file}: ${node.getText()} cannot be made a call of a function.`);
        const guard = questionDotToken === undefined ? '' : `${receiver.getText()} == null ? undefined : `;
        replace(node.getStart(), node.getStart(), `(${guard}${name.text}_of(`);
        replace(receiver.getEnd(), first?.getStart() ?? node.getEnd() - 1, first === undefined ? '' : ', ');
        replace(node.getEnd(), node.getEnd(), ')');
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return edits
    .sort((a, b) => b.start - a.start || b.end - a.end)
    .reduce((out, { start, end, text: by }) => out.slice(0, start) + by + out.slice(end), text);
}

/** @param {ts.Node} node */
function isLeftOut(node) {
  if (ts.isMethodDeclaration(node) || ts.isPropertyAssignment(node)) {
    if (ts.isComputedPropertyName(node.name) && /^Symbol\./.test(node.name.expression.getText())) return true;
    if (ts.isClassDeclaration(node.parent)) return absent.has(`${node.parent.name?.text}.${node.name.getText()}`);
  }
  return false;
}

/** @param {string} text @param {number} end */
const trailingComma = (text, end) => (text[end] === ',' ? end + 1 : end);

/**
 * The syntax of ECMAScript 5, for a bundle of ECMAScript 2019.
 *
 * @param {string} text
 * @returns {string}
 */
export function lowerSyntax(text) {
  const source = ts.createSourceFile('bundle.js', text, ts.ScriptTarget.ESNext, true, ts.ScriptKind.JS);
  const { transformed } = ts.transform(source, [plainSyntax]);
  // Read anew, because the compiler has to see which variables of a loop are captured.
  const plain = ts.createPrinter().printFile(/** @type {ts.SourceFile} */ (transformed[0]));
  return ts.transpileModule(plain, {
    compilerOptions: { target: ts.ScriptTarget.ES5, module: ts.ModuleKind.ESNext, noEmitHelpers: true, strict: false },
  }).outputText;
}

/**
 * What TypeScript would do more generally, and in more words: classes become functions whose prototype is one object literal, templates sums, and loops walk
 * over maps and sets without symbols.
 *
 * @type {ts.TransformerFactory<ts.SourceFile>}
 */
function plainSyntax(context) {
  const { factory } = context;
  const call = (/** @type {string} */ name, /** @type {ts.Expression[]} */ ...args) =>
    factory.createCallExpression(factory.createIdentifier(name), undefined, args);
  const assign = (/** @type {ts.Expression} */ to, /** @type {ts.Expression} */ value) =>
    factory.createExpressionStatement(factory.createAssignment(to, value));

  const visit = (/** @type {ts.Node} */ node) => {
    if (ts.isFunctionLike(node) && isMachine(node))
      throw new Error(`Async functions and generators are not for old browsers:\n${node.getText()}`);
    const visited = ts.visitEachChild(node, visit, context);
    if (ts.isForOfStatement(visited)) return plainLoop(visited);
    if (ts.isTemplateExpression(visited)) return plainTemplate(visited);
    if (ts.isClassDeclaration(visited)) return plainClass(visited.name, visited);
    // esbuild writes a class that refers to itself as `const X = class _X { … }`.
    if (ts.isVariableStatement(visited)) {
      const [declaration] = visited.declarationList.declarations;
      const made = declaration?.initializer;
      if (made !== undefined && ts.isClassExpression(made)) {
        const own = /** @type {ts.Identifier} */ (/** @type {ts.VariableDeclaration} */ (declaration).name);
        const alias = made.name && [
          factory.createVariableStatement(undefined, [
            factory.createVariableDeclaration(made.name, undefined, undefined, own),
          ]),
        ];
        return [...plainClass(own, made), ...(alias ?? [])];
      }
    }
    return visited;
  };

  /** @param {ts.ForOfStatement} loop */
  function plainLoop({ initializer, expression, statement }) {
    if (!ts.isVariableDeclarationList(initializer)) throw new Error('A loop must declare what it walks with.');
    const way = factory.createUniqueName('way');
    const step = factory.createUniqueName('step');
    const next = factory.createCallExpression(factory.createPropertyAccessExpression(way, 'next'), undefined, []);
    const { name } = /** @type {ts.VariableDeclaration} */ (initializer.declarations[0]);
    const value = factory.createPropertyAccessExpression(step, 'value');
    const item = factory.createVariableDeclaration(name, undefined, undefined, value);
    const ways = [
      factory.createVariableDeclaration(way, undefined, undefined, call('__values', expression)),
      factory.createVariableDeclaration(step),
    ];
    const stepped = factory.createParenthesizedExpression(factory.createAssignment(step, next));
    const body = [
      factory.createVariableStatement(undefined, factory.createVariableDeclarationList([item], ts.NodeFlags.Const)),
      ...(ts.isBlock(statement) ? statement.statements : [statement]),
    ];
    return factory.createForStatement(
      factory.createVariableDeclarationList(ways, ts.NodeFlags.None),
      factory.createLogicalNot(factory.createPropertyAccessExpression(stepped, 'done')),
      undefined,
      factory.createBlock(body, true),
    );
  }

  /** @param {ts.TemplateExpression} template */
  function plainTemplate({ head, templateSpans }) {
    /** @type {ts.Expression} */
    let sum = factory.createStringLiteral(head.text);
    for (const { expression, literal } of templateSpans) {
      sum = factory.createAdd(sum, factory.createParenthesizedExpression(expression));
      if (literal.text !== '') sum = factory.createAdd(sum, factory.createStringLiteral(literal.text));
    }
    return factory.createParenthesizedExpression(sum);
  }

  /** @param {ts.Identifier | undefined} name @param {ts.ClassLikeDeclaration} declared */
  function plainClass(name, { heritageClauses, members }) {
    if (name === undefined) throw new Error('A class must have a name.');
    const base = heritageClauses?.[0]?.types[0]?.expression;
    const own = members.filter((member) => !isStatic(member) && !ts.isConstructorDeclaration(member));
    if (own.some((member) => !(ts.isMethodDeclaration(member) || ts.isAccessor(member))))
      throw new Error(`${name.text} has members that are neither methods nor accessors.`);
    const made = members.find(ts.isConstructorDeclaration);
    /** @type {ts.Visitor} */
    const superCalls = (node) => {
      if (base !== undefined && ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.SuperKeyword) {
        const of = factory.createPropertyAccessExpression(base, 'call');
        return factory.createCallExpression(of, undefined, [factory.createThis(), ...node.arguments]);
      }
      return ts.visitEachChild(node, superCalls, context);
    };
    const body = made?.body === undefined ? factory.createBlock([]) : ts.visitNode(made.body, superCalls);
    const prototype = factory.createObjectLiteralExpression(/** @type {ts.ObjectLiteralElementLike[]} */ (own), true);
    const statics = members.filter((member) => isStatic(member) && ts.isMethodDeclaration(member));
    return [
      factory.createFunctionDeclaration(
        undefined,
        undefined,
        name,
        undefined,
        made?.parameters ?? [],
        undefined,
        /** @type {ts.Block} */ (body),
      ),
      ...(base === undefined
        ? own.length === 0
          ? []
          : [assign(factory.createPropertyAccessExpression(name, 'prototype'), prototype)]
        : [factory.createExpressionStatement(call('__extends', name, base, prototype))]),
      ...statics.map((member) => {
        const { name: of, parameters, body: does } = /** @type {ts.MethodDeclaration} */ (member);
        return assign(
          factory.createPropertyAccessExpression(name, /** @type {ts.Identifier} */ (of)),
          factory.createFunctionExpression(
            undefined,
            undefined,
            undefined,
            undefined,
            parameters,
            undefined,
            /** @type {ts.Block} */ (does),
          ),
        );
      }),
    ];
  }

  return (source) => /** @type {ts.SourceFile} */ (ts.visitNode(source, visit));
}

/** Whether a function would have to be made a machine of states: promises and callbacks do in less. @param {ts.SignatureDeclaration} made */
function isMachine(made) {
  const { asteriskToken } = /** @type {ts.FunctionLikeDeclaration} */ (made);
  return (ts.getCombinedModifierFlags(made) & ts.ModifierFlags.Async) !== 0 || asteriskToken !== undefined;
}

/** @param {ts.ClassElement} member */
function isStatic(member) {
  return (
    ts.canHaveModifiers(member) &&
    (ts.getModifiers(member) ?? []).some(({ kind }) => kind === ts.SyntaxKind.StaticKeyword)
  );
}
