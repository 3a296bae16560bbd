/** Names for whatever needs one, unlike each other and the same in every run of a seed. */
export function serialNames(): () => string {
  let last = 0;
  return () => {
    last += 1;
    return `id${last}`;
  };
}
