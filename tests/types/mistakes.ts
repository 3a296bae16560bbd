/** Code that gets one thing wrong, and what a compiler has to say of it. */
export interface Mistake {
  readonly made: string;
  /** What is imported from `app` and the packages is known in it. */
  readonly code: string;
  /** What the message has to have in it: the thing, and what to do or what there is instead. */
  readonly told: readonly string[];
}

const handle = (handlers: string): string => `realtime.handle('room/:roomId', { ${handlers} });`;

export const mistakes: readonly Mistake[] = [
  // The contract.
  {
    made: 'an option that does not exist',
    code: `channel({ events: { said: Message }, histroy: { size: 1, ttl: '1h' } });`,
    told: [
      'channel() has no option histroy',
      'it has events, publish, requests, presence, history, snapshot and onSlow',
    ],
  },
  {
    made: 'a relay of an event that is not declared',
    code: 'channel({ events: { said: Message }, publish: { sayed: relay } });',
    told: ['publish relays sayed: declare it in events too'],
  },
  {
    made: 'a channel without events',
    code: 'channel({ publish: { said: Message } });',
    told: [`Property 'events' is missing`],
  },
  {
    made: 'an event that is no schema',
    code: `channel({ events: { said: 'string' } });`,
    told: [`Type 'string' is not assignable to type 'EventDeclaration'`],
  },
  {
    made: 'a duration in words',
    code: `channel({ events: { said: Message }, history: { size: 1, ttl: '1 hour' } });`,
    told: [`'"1 hour"' is not assignable to type 'Duration'`],
  },
  {
    made: 'a policy that does not exist',
    code: `channel({ events: { said: Message }, onSlow: 'drop' });`,
    told: [`'"drop"' is not assignable to type 'SlowPolicy'`],
  },
  {
    made: 'an option of a request that does not exist',
    code: 'channel({ events: { said: Message }, requests: { edit: { inputs: Message } } });',
    told: [`'inputs' does not exist in type 'RequestDeclaration'`, `Did you mean to write 'input'?`],
  },
  {
    made: 'a key that is no text or number',
    code: 'latestBy(Message, ({ at }) => at);',
    told: [`Type 'Date' is not assignable to type 'LatestKey'`],
  },
  {
    made: 'an entry of a contract that channel() did not make',
    code: 'defineContract({ said: { events: { said: Message } } });',
    told: [`'events' does not exist in type 'Channel<Definition>'`],
  },
  {
    made: 'a pattern that two contracts declare',
    code: 'mergeContracts(contract, { ticker: channel({ events: { said: Message } }) });',
    told: ['ticker is declared by two of these contracts: keep one of them'],
  },
  // The client.
  {
    made: 'a pattern that does not exist',
    code: `client.channel('rooms/:roomId', { roomId: 'lobby' });`,
    told: [`'"rooms/:roomId"' is not assignable`, '"room/:roomId"', '"ticker"'],
  },
  {
    made: 'no parameters',
    code: `client.channel('room/:roomId');`,
    told: ['Expected 2-3 arguments, but got 1'],
  },
  {
    made: 'a parameter that the pattern does not have',
    code: `client.channel('room/:roomId', { room: 'lobby' });`,
    told: [`'room' does not exist in type 'PatternParams<"room/:roomId">'`],
  },
  {
    made: 'an event that does not exist',
    code: `room.on('mesage', () => {});`,
    told: [`'"mesage"' is not assignable to parameter of type '"message" | "typing"'`],
  },
  {
    made: 'a handler of other data',
    code: `room.on('message', (message: { readonly text: number }) => message);`,
    told: ['EventHandler<AppContract, "room/:roomId", "message">', `Types of property 'text' are incompatible`],
  },
  {
    made: 'a Date that has become a string',
    code: `room.on('message', ({ at }) => at.getTime());`,
    told: [`Property 'getTime' does not exist on type 'string'`],
  },
  {
    made: 'a bigint that cannot be sent',
    code: `ledger.on('total', ({ cents }) => cents + 1n);`,
    told: ['Unsendable<"bigint">'],
  },
  {
    made: 'a Map that cannot be sent',
    code: `ledger.on('total', ({ byUser }) => byUser.get('Ann'));`,
    told: [`Property 'get' does not exist on type 'Unsendable<"Map">'`],
  },
  {
    made: 'a Date given where only a string can be sent',
    code: `void ledger.publish('since', new Date());`,
    told: ['Unsendable<"Date">'],
  },
  {
    made: 'a publish that is not declared',
    code: `void room.publish('mesage', { text: 'hi' });`,
    told: [`'"mesage"' is not assignable to parameter of type '"message"'`],
  },
  {
    made: 'a publish of other data',
    code: `void room.publish('message', { txt: 'hi' });`,
    told: [`'txt' does not exist in type '{ text: string; }'`, `Did you mean to write 'text'?`],
  },
  {
    made: 'a publish where nothing can be published',
    code: `void ticker.publish('quote', { symbol: 'A', price: 1 });`,
    told: ['Undeclared<"publish">'],
  },
  {
    made: 'a publish of what is sent',
    code: `void room.publish('typing', { name: 'Ann' });`,
    told: [`'"typing"' is not assignable to parameter of type '"message"'`],
  },
  {
    made: 'a send of what is published',
    code: `room.send('message', { text: 'hi' });`,
    told: [`'"message"' is not assignable to parameter of type '"typing"'`],
  },
  {
    made: 'a request that does not exist',
    code: `void room.request('delete', '1');`,
    told: [`'"delete"' is not assignable to parameter of type '"edit"'`],
  },
  {
    made: 'a request with other data',
    code: `void room.request('edit', { id: 1, text: '' });`,
    told: [`Type 'number' is not assignable to type 'string'`],
  },
  {
    made: 'a request without its input',
    code: `void room.request('edit');`,
    told: ['Expected 2-3 arguments, but got 1'],
  },
  {
    made: 'a request where nothing can be asked',
    code: `void ticker.request('edit', { id: '1' });`,
    told: ['Undeclared<"requests'],
  },
  {
    made: 'a streamed request that is not iterated over',
    code: `void room.request('ask', 'why?');`,
    told: [`'"ask"' is not assignable to parameter of type '"edit"'`],
  },
  {
    made: 'an iteration over what is not streamed',
    code: `void room.iterate('edit', { id: '1', text: '' });`,
    told: [`'"edit"' is not assignable to parameter of type '"ask"'`],
  },
  {
    made: 'presence where there is none',
    code: `void ticker.presence.enter({ color: 'red' });`,
    told: ['Undeclared<"presence">'],
  },
  {
    made: 'presence with other data',
    code: `void room.presence.enter({ colour: 'red' });`,
    told: [`'colour' does not exist in type '{ color: string; }'`, `Did you mean to write 'color'?`],
  },
  // The server.
  {
    made: 'handlers of a pattern that does not exist',
    code: `realtime.handle('rooms/:roomId', { open: true });`,
    told: [`'"rooms/:roomId"' is not assignable`, '"room/:roomId"', '"ticker"'],
  },
  {
    made: 'no handler of a request',
    code: handle('open: true, publish: { message }, requests: { edit }'),
    told: [`Property 'ask' is missing`],
  },
  {
    made: 'no handler of a publish',
    code: handle('open: true, publish: {}, requests: { edit, ask }'),
    told: [`Property 'message' is missing`],
  },
  {
    made: 'no handlers of requests at all',
    code: handle('open: true, publish: { message }'),
    told: [`Property 'requests' is missing`],
  },
  {
    made: 'no snapshot',
    code: `realtime.handle('ticker', { open: true });`,
    told: [`Property 'snapshot' is missing`],
  },
  {
    made: 'neither authorize nor open',
    code: handle('publish: { message }, requests: { edit, ask }'),
    told: ['is missing', 'authorize', 'open'],
  },
  {
    made: 'an authorize that does not decide',
    code: handle(`authorize: () => 'yes', publish: { message }, requests: { edit, ask }`),
    told: [`Type 'string' is not assignable to type 'Awaitable<boolean>'`],
  },
  {
    made: 'a handler of a relay',
    code: handle('open: true, publish: { message, typing: () => {} }, requests: { edit, ask }'),
    told: [`'typing' does not exist`],
  },
  {
    made: 'a handler that answers something else',
    code: handle('open: true, publish: { message }, requests: { edit: () => 1, ask }'),
    told: [`'number' is not assignable`, 'id: string; text: string; at: Date;'],
  },
  {
    made: 'a handler that does not stream',
    code: handle('open: true, publish: { message }, requests: { edit, ask: () => 1 }'),
    told: [`'number' is not assignable to type 'Stream<{ token: string; }, number>'`],
  },
  {
    made: 'a failure that is not declared',
    code: handle(
      `open: true, publish: { message }, requests: { ask, edit: ({ fail }) => fail('lockd', { by: 'Ann' }) }`,
    ),
    told: [`'"lockd"' is not assignable to parameter of type '"locked"'`],
  },
  {
    made: 'a broadcast of an event that does not exist',
    code: `void realtime.channel('ticker').broadcast('quotes', { symbol: 'A', price: 1 });`,
    told: [`'"quotes"' is not assignable to parameter of type '"quote"'`],
  },
  {
    made: 'a broadcast of other data',
    code: `void realtime.channel('room/:roomId', { roomId: '1' }).broadcast('message', { id: '', text: '' });`,
    told: [`Property 'at' is missing in type '{ id: string; text: string; }'`],
  },
  {
    made: 'members where there is no presence',
    code: `void realtime.channel('ticker').presence.members();`,
    told: [`Property 'members' does not exist on type 'Undeclared<"presence">'`],
  },
  {
    made: 'an identity without an id',
    code: `createServer({ contract, authenticate: () => ({ name: 'Ann' }) });`,
    told: [`'{ name: string; }' is not assignable`, 'ServerIdentity'],
  },
];
