import type { ClientChannel, ConnectionState, Member } from '@runnel/client';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createTestClient, next, type TestClient, type TestClientOptions } from '../src/index.ts';
import { ALICE, BOB, type Chat, startChat, type User } from './chat-server.ts';

type Chats = ReturnType<typeof startChat>;
type Room = ClientChannel<Chat, 'room/:roomId'>;

function connect(realtime: Chats, user: User, options: TestClientOptions<User> = {}): TestClient<Chat> {
  const client = createTestClient(realtime, { user, ...options });
  onTestFinished(() => client[Symbol.asyncDispose]());
  return client;
}

const roomOf = (client: TestClient<Chat>, roomId = 'lobby'): Room => client.channel('room/:roomId', { roomId });

/** Resolves when the client's state is as it should be. */
function stateOf(client: TestClient<Chat>, holds: (state: ConnectionState) => boolean): Promise<ConnectionState> {
  return new Promise((resolve) => {
    const look = (state: ConnectionState) => {
      if (!holds(state)) return;
      off();
      resolve(state);
    };
    const off = client.onState(look);
    look(client.state);
  });
}

/** Resolves when those who are present are as they should be. */
function membersOf(room: Room, holds: (members: readonly Member<{ mood: string }>[]) => boolean): Promise<void> {
  return new Promise((resolve) => {
    const off = room.presence.onChange((members) => {
      if (!holds(members)) return;
      off();
      resolve();
    });
  });
}

/** Everything that is said in a room from here on. */
function textsOf(room: Room): string[] {
  const texts: string[] = [];
  room.on('message', ({ text }) => texts.push(text));
  return texts;
}

describe.each(['stream', 'poll'] as const)('The tests of an app, over %s,', (transport) => {
  const transports = [transport];

  it('see what one client publishes reach another', async () => {
    const realtime = startChat();
    const alice = connect(realtime, ALICE, { transports });
    const room = roomOf(connect(realtime, BOB, { transports }));
    await room.ready();
    const heard = next(room, 'message');
    await roomOf(alice).publish('message', { text: 'hi' });
    const { data, meta } = await heard;
    expect(data).toEqual({ text: 'hi', from: 'Alice' });
    expect(meta).toMatchObject({ offset: 1, self: false, by: alice.diagnose().client });
    expect(alice.diagnose().transport).toBe(transport);
  });

  it('see what is forbidden forbidden, and what is invalid refused', async () => {
    const realtime = startChat();
    const room = roomOf(connect(realtime, BOB, { transports }), 'secret');
    await expect(room.publish('message', { text: 'hi' })).rejects.toMatchObject({ code: 'forbidden' });
    await expect(room.ready()).rejects.toMatchObject({ code: 'forbidden' });
    const alice = connect(realtime, ALICE, { transports });
    await roomOf(alice, 'secret').ready();
    const tooLong = roomOf(alice).publish('message', { text: 'x'.repeat(101) });
    await expect(tooLong).rejects.toMatchObject({ code: 'validation_failed' });
  });

  it('see who comes and goes', async () => {
    const realtime = startChat();
    const alice = connect(realtime, ALICE, { transports });
    const room = roomOf(connect(realtime, BOB, { transports }));
    const came = membersOf(room, ([member]) => member?.id === 'alice' && member.data.mood === 'calm');
    await roomOf(alice).presence.enter({ mood: 'calm' });
    await came;
    expect(await realtime.channel('room/:roomId', { roomId: 'lobby' }).presence.members()).toMatchObject([
      { id: 'alice' },
    ]);
    const left = membersOf(room, (members) => members.length === 0);
    alice.close();
    await left;
  });

  it('get a streamed answer part by part', async () => {
    const answer = roomOf(connect(startChat(), ALICE, { transports })).iterate('spell', 'abc');
    const parts: string[] = [];
    for await (const part of answer) parts.push(part);
    expect(parts).toEqual(['a', 'b', 'c']);
    expect(await answer.output).toEqual({ letters: 3 });
  });

  it('cut a connection, and lose nothing', async () => {
    const realtime = startChat();
    const alice = roomOf(connect(realtime, ALICE, { transports }));
    const bob = connect(realtime, BOB, { transports });
    const room = roomOf(bob);
    await room.ready();
    const texts = textsOf(room);
    const last = next(room, 'message', { where: ({ text }) => text === '9' });
    for (let n = 0; n < 10; n += 1) {
      if (n % 3 === 1) bob.cut();
      await alice.publish('message', { text: String(n) });
    }
    await last;
    expect(texts).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
    expect(realtime.stats().sessions).toBe(2);
  });

  it('go offline and back, and see what was said meanwhile', async () => {
    const realtime = startChat();
    const alice = roomOf(connect(realtime, ALICE, { transports }));
    const bob = connect(realtime, BOB, { transports });
    const room = roomOf(bob);
    await room.ready();
    bob.goOffline();
    await stateOf(bob, ({ status }) => status === 'reconnecting');
    await alice.publish('message', { text: 'are you there?' });
    const queued = room.publish('message', { text: 'not yet' });
    const heard = next(room, 'message');
    bob.goOnline();
    expect((await heard).data.text).toBe('are you there?');
    await queued;
    expect(await stateOf(bob, ({ status }) => status === 'open')).toMatchObject({ resumed: true });
  });
});

describe('A test client', () => {
  it('comes back after a cut, in the same session', async () => {
    const realtime = startChat();
    const alice = connect(realtime, ALICE);
    await alice.connect();
    const { client } = alice.diagnose();
    const cut = stateOf(alice, ({ status }) => status === 'reconnecting');
    alice.cut();
    await cut;
    expect(await stateOf(alice, ({ status }) => status === 'open')).toMatchObject({ resumed: true });
    expect(alice.diagnose()).toMatchObject({ client, counts: { resumes: 1 } });
    expect(realtime.stats().sessions).toBe(1);
  });

  it('whose session has expired recovers from the history, or says that it cannot', async () => {
    let ended = (_code: string): void => {};
    const expired = new Promise<string>((resolve) => {
      ended = resolve;
    });
    const realtime = startChat({
      limits: { ttlMs: 10 },
      onSessionEnd: ({ user }, code) => user.id === 'bob' && ended(code),
    });
    const bob = connect(realtime, BOB);
    const room = roomOf(bob);
    const whisper = bob.channel('whisper/:roomId', { roomId: 'lobby' });
    await Promise.all([room.ready(), whisper.ready()]);
    await room.publish('message', { text: 'I am off' });
    bob.goOffline();
    expect(await expired).toBe('session_lost');
    await realtime.channel('room/:roomId', { roomId: 'lobby' }).broadcast('message', { text: 'meanwhile', from: 'me' });
    await realtime.channel('whisper/:roomId', { roomId: 'lobby' }).broadcast('message', 'meanwhile');
    const heard = next(room, 'message');
    bob.goOnline();
    expect(await heard).toMatchObject({ data: { text: 'meanwhile' }, meta: { recovered: true } });
    await whisper.ready();
    expect(whisper.state).toEqual({ status: 'subscribed', recovered: false });
    expect(room.state).toEqual({ status: 'subscribed', recovered: true });
  });

  it('is who it is said to be, for all that the server knows of it', async () => {
    const realtime = startChat();
    await Promise.all(
      [connect(realtime, ALICE), connect(realtime, ALICE), connect(realtime, BOB)].map((of) => of.connect()),
    );
    expect((await realtime.user('alice').sessions()).map(({ user }) => user)).toEqual([ALICE, ALICE]);
    expect(await realtime.user('alice').kick()).toBe(2);
  });

  it('is kicked like any other', async () => {
    const realtime = startChat();
    const alice = connect(realtime, ALICE);
    await alice.connect();
    await realtime.user('alice').kick('enough');
    expect(await stateOf(alice, ({ status }) => status === 'closed')).toMatchObject({
      code: 'kicked',
      reason: 'enough',
    });
  });

  it('without a user is authenticated like any other', async () => {
    const realtime = startChat();
    const client = createTestClient(realtime, { auth: 'carol', headers: { cookie: 'a=b' } });
    onTestFinished(() => client[Symbol.asyncDispose]());
    const room = client.channel('room/:roomId', { roomId: 'lobby' });
    const heard = next(room, 'message');
    await room.publish('message', { text: 'hi' });
    expect((await heard).data.from).toBe('real carol');
    expect((await realtime.user('carol').sessions())[0]?.user.cookie).toBe('a=b');
    const nobody = createTestClient(realtime);
    onTestFinished(() => nobody.close());
    expect(await stateOf(nobody, ({ status }) => status === 'closed')).toMatchObject({ code: 'unauthorized' });
  });

  it('is gone for the server too when it is disposed of', async () => {
    const realtime = startChat();
    {
      await using alice = createTestClient(realtime, { user: ALICE });
      await alice.connect();
      expect(realtime.stats().sessions).toBe(1);
    }
    expect(realtime.stats().sessions).toBe(0);
  });

  it('can be disposed of without a network, and after it was closed', async () => {
    const realtime = startChat();
    const alice = connect(realtime, ALICE);
    await alice.connect();
    alice.goOffline();
    await alice[Symbol.asyncDispose]();
    await alice[Symbol.asyncDispose]();
    expect(alice.state.status).toBe('closed');
  });

  it('is told when the server closes', async () => {
    const realtime = startChat();
    const alice = connect(realtime, ALICE);
    await alice.connect();
    await realtime.close();
    expect((await stateOf(alice, ({ status }) => status !== 'open')).status).toBe('reconnecting');
  });
});
