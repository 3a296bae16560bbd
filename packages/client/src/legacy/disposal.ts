/** Stands in for `../disposal.ts`: without symbols there is no `using`. */
export const Closable: abstract new () => object = class {};
