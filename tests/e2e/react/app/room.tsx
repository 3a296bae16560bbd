import { type FormEvent, type ReactNode, useState } from 'react';
import { useChannel, useEvent, useMessages, usePresence, useSubscription } from './hooks.ts';

/** A chat room; of no room while `roomId` is null. */
export function Room({ roomId, mood }: { readonly roomId: string | null; readonly mood: string | null }): ReactNode {
  const room = useChannel('room/:roomId', roomId === null ? null : { roomId }, { rewind: 50 });
  const messages = useMessages(room, { events: ['message'] });
  const { members, error, enter } = usePresence(room, { enter: mood === null ? null : { mood } });
  const { status } = useSubscription(room);
  const [waves, setWaves] = useState<readonly string[]>([]);
  // Made anew by each render, so that a handler of an earlier one would show the wrong number.
  useEvent(room, 'wave', (name) => setWaves([...waves, `${waves.length + 1} ${name}`]));

  const say = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const input = event.currentTarget.elements.namedItem('text') as HTMLInputElement;
    void room?.publish('message', input.value);
    input.value = '';
  };
  return (
    <section>
      <h2 data-testid="room">{roomId ?? 'nowhere'}</h2>
      <output data-testid="room-status">{status}</output>
      <ol data-testid="messages">
        {messages.map(({ data, meta }) => (
          <li key={meta.id}>
            {data.from}: {data.text}
          </li>
        ))}
      </ol>
      <form onSubmit={say}>
        <input name="text" data-testid="text" />
      </form>
      <button type="button" onClick={() => void enter({ mood: 'winking' })}>
        wink
      </button>
      <output data-testid="waves">{waves.join(', ')}</output>
      <output data-testid="members">
        {members
          .map(({ data }) => `${data.name} ${data.mood}`)
          .sort()
          .join(', ')}
      </output>
      <output data-testid="presence-error">{error?.code}</output>
    </section>
  );
}

/** Comes to a room that others may be in already, and still has what was said before. */
export function Transcript({ roomId }: { readonly roomId: string }): ReactNode {
  const room = useChannel('room/:roomId', { roomId });
  const messages = useMessages(room, { events: ['message'], history: 50, limit: 3 });
  return <output data-testid="transcript">{messages.map(({ data }) => data.text).join(', ')}</output>;
}
