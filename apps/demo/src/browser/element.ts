// The little that this page needs of a view library.

type Attributes = Record<string, string | number | boolean | undefined>;

/** Makes an element. An attribute that is `undefined` or `false` is left out. */
export function element<N extends keyof HTMLElementTagNameMap>(
  name: N,
  attributes: Attributes = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[N] {
  return furnish(document.createElement(name), attributes, children);
}

/** Makes an SVG element. */
export function drawing<N extends keyof SVGElementTagNameMap>(
  name: N,
  attributes: Attributes = {},
  ...children: (Node | string)[]
): SVGElementTagNameMap[N] {
  return furnish(document.createElementNS('http://www.w3.org/2000/svg', name), attributes, children);
}

function furnish<E extends Element>(made: E, attributes: Attributes, children: (Node | string)[]): E {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) made.setAttribute(name, value === true ? '' : String(value));
  }
  made.append(...children);
  return made;
}

/** The element of index.html with this id. A missing one, or one of another kind, is a mistake in the page. */
export function byId<E extends Element>(id: string, kind: new () => E): E {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`index.html has no ${kind.name} with the id ${id}.`);
  return found;
}

/** Sets the text only where it differs, so that live regions speak and selections survive. */
export function setText(target: Element, text: string): void {
  if (target.textContent !== text) target.textContent = text;
}
