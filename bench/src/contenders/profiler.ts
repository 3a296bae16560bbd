import { mkdirSync, writeFileSync } from 'node:fs';
import { Session } from 'node:inspector';
import { dirname } from 'node:path';

/** Looked at so often, µs. */
const INTERVAL_US = 250;

/** Begins a CPU profile of this thread; the result ends it and writes it to `file`. */
export function startProfile(file: string): () => void {
  const session = new Session();
  session.connect();
  session.post('Profiler.enable');
  session.post('Profiler.setSamplingInterval', { interval: INTERVAL_US });
  session.post('Profiler.start');
  return () => {
    // Within one thread the answer comes before `post` returns.
    session.post('Profiler.stop', (error, result) => {
      if (error !== null) throw error;
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, JSON.stringify(result.profile));
    });
  };
}
