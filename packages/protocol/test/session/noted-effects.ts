/** What a client sends from now on. */
import type { Effect } from '../../src/session/client/ports.ts';
import type { Pair } from '../../src/testing/index.ts';

export interface NotedEffects {
  /** WebSockets opened. */
  readonly opens: () => Effect[];
  /** First lines of what was sent, requests and messages. */
  readonly sent: () => string[];
  readonly attaches: () => string[];
}

export function notedEffects(pair: Pair): NotedEffects {
  const effects: Effect[] = [];
  const { session } = pair.client;
  const take = session.takeEffects.bind(session);
  session.takeEffects = () => {
    const taken = take();
    effects.push(...taken);
    return taken;
  };
  const sent = (): string[] =>
    effects.flatMap((effect) =>
      effect.type === 'send' ? [effect.text] : effect.type === 'request' ? [effect.body.split('\n')[0] ?? ''] : [],
    );
  return {
    opens: () => effects.filter(({ type }) => type === 'open'),
    sent,
    attaches: () => sent().filter((line) => line.startsWith('[0,')),
  };
}
