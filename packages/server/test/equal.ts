/** True where both types are the same in every respect. */
export type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Does not compile unless every element is `true`. */
export type Assert<Checks extends readonly true[]> = Checks;
