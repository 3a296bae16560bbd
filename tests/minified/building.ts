/** Builds the files that browsers load from the sources as they are, for the tests that are run once more on them. */
import { builtFolder } from './stand-in.ts';

interface Bundle {
  writeBundles(folder: URL): Promise<void>;
}

const script = new URL('../../packages/client/scripts/bundle.mjs', import.meta.url).href;

export async function setup(): Promise<void> {
  const { writeBundles } = (await import(script)) as Bundle;
  await writeBundles(builtFolder);
}
