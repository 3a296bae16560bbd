/** What a test does to the app it does with the buttons; what it sees is in elements that are named for it. */
import type { Client } from '@runnel/client';
import { type ReactNode, StrictMode, useState } from 'react';
import type { ReactContract } from '../contract.ts';
import { RunnelProvider, useChannel, useClient, useConnection, useEvent, useSubscription } from './hooks.ts';
import { Highs, Prices } from './prices.tsx';
import { Room, Transcript } from './room.tsx';

export interface AppProps {
  readonly client: Client<ReactContract>;
  readonly lostAfterMs: number;
}

interface Shown {
  readonly room: boolean;
  readonly roomId: string | null;
  readonly mood: string | null;
  readonly transcript: boolean;
  readonly prices: boolean;
  readonly highs: boolean;
  readonly secret: boolean;
}

const NOTHING: Shown = {
  room: false,
  roomId: 'lobby',
  mood: null,
  transcript: false,
  prices: false,
  highs: false,
  secret: false,
};

/** By the name of the button. */
const CHANGES: Readonly<Record<string, Partial<Shown>>> = {
  'enter lobby': { room: true, roomId: 'lobby' },
  'enter garden': { room: true, roomId: 'garden' },
  'enter nowhere': { room: true, roomId: null },
  'leave room': { room: false },
  'be happy': { mood: 'happy' },
  'be tired': { mood: 'tired' },
  'be absent': { mood: null },
  'be furious': { mood: 'furious' },
  'show transcript': { transcript: true },
  'from room to transcript': { room: false, transcript: true },
  'show prices': { prices: true },
  'hide prices': { prices: false },
  'show highs': { highs: true },
  'show secret': { secret: true },
};

export function App({ client, lostAfterMs }: AppProps): ReactNode {
  const [shown, setShown] = useState(NOTHING);
  return (
    <StrictMode>
      <RunnelProvider client={client}>
        <Status lostAfterMs={lostAfterMs} />
        {Object.entries(CHANGES).map(([name, change]) => (
          <button type="button" key={name} onClick={() => setShown({ ...shown, ...change })}>
            {name}
          </button>
        ))}
        {shown.room && <Room roomId={shown.roomId} mood={shown.mood} />}
        {shown.transcript && <Transcript roomId="lobby" />}
        {shown.prices && <Prices />}
        {shown.highs && <Highs />}
        {shown.secret && <Secret />}
      </RunnelProvider>
    </StrictMode>
  );
}

function Status({ lostAfterMs }: { readonly lostAfterMs: number }): ReactNode {
  const client = useClient();
  const { status, transport } = useConnection({ lostAfterMs });
  return (
    <>
      <output data-testid="status">
        {status} {transport}
      </output>
      <button type="button" onClick={() => client.close()}>
        hang up
      </button>
      <button type="button" onClick={() => void client.connect()}>
        call again
      </button>
    </>
  );
}

function Secret(): ReactNode {
  const secret = useChannel('secret');
  useEvent(secret, 'message', () => {});
  const state = useSubscription(secret);
  return <output data-testid="secret">{state.status === 'failed' ? state.code : state.status}</output>;
}
