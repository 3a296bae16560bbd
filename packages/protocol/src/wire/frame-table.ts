/** The table of PROTOCOL §3 as data. A test holds the two together, and the readers against it; nothing that ships needs it. */

export interface FrameEntry {
  readonly type: number;
  readonly name: string;
  readonly class: 'control' | 'counted';
  readonly direction: 'up' | 'down' | 'both';
  /** As the document writes it, without its backticks. */
  readonly form: string;
}

export const FRAMES: readonly FrameEntry[] = [
  {
    type: 0,
    name: 'attach',
    class: 'control',
    direction: 'up',
    form: '[0, {v, cid, key?, node?, gen, rx, mode, hold?, auth?, subs?}]',
  },
  {
    type: 0,
    name: 'welcome',
    class: 'control',
    direction: 'down',
    form: '[0, {cid, key, sid, was?, node, gen, resumed, rx, base, client, heartbeatMs, limits, transports}]',
  },
  { type: 1, name: 'ping', class: 'control', direction: 'both', form: '[1, t, rx?]' },
  { type: 2, name: 'pong', class: 'control', direction: 'both', form: '[2, t, rx?]' },
  { type: 3, name: 'ack', class: 'control', direction: 'both', form: '[3, rx]' },
  { type: 4, name: 'goaway', class: 'control', direction: 'both', form: '[4, code, reason, retryMs, gen?]' },
  { type: 5, name: 'refresh', class: 'control', direction: 'down', form: '[5, withinMs]' },
  { type: 6, name: 'probe', class: 'control', direction: 'up', form: '[6, nonce]' },
  { type: 7, name: 'probed', class: 'control', direction: 'down', form: '[7, nonce, token?]' },
  { type: 8, name: 'fenced', class: 'control', direction: 'down', form: '[8, gen]' },
  {
    type: 9,
    name: 'volatile',
    class: 'control',
    direction: 'both',
    form: 'up [9, channelName, eventName, data] · down [9, channel, event, data, meta?]',
  },
  {
    type: 10,
    name: 'poll',
    class: 'control',
    direction: 'both',
    form: 'up [10, {key, node, gen, n, rx, hold}] · down [10, {sid, gen, n, base, rx}]',
  },
  {
    type: 11,
    name: 'post',
    class: 'control',
    direction: 'both',
    form: 'up [11, {key, node, gen, n, base, rx?}] · down [11, {sid, gen, rx}]',
  },
  { type: 12, name: 'echo', class: 'control', direction: 'both', form: 'up [12, token] · down [12]' },
  { type: 13, name: 'end', class: 'control', direction: 'down', form: '[13]' },
  { type: 14, name: 'reattach', class: 'control', direction: 'down', form: '[14, gen]' },
  { type: 15, name: 'retry', class: 'control', direction: 'down', form: '[15, gen, retryMs]' },
  {
    type: 16,
    name: 'message',
    class: 'counted',
    direction: 'down',
    form: '[16, channel, offset, event, data, meta?] or [16, channel, [offset, prev], event, data, meta?]',
  },
  {
    type: 17,
    name: 'subscribed',
    class: 'counted',
    direction: 'down',
    form: '[17, id, {n, epoch, offset, head, recovered, events, snapshot?, presence?}]',
  },
  {
    type: 18,
    name: 'request',
    class: 'counted',
    direction: 'up',
    form: '[18, id, channelName, method, data, timeoutMs?, {credit?, again?}?]',
  },
  { type: 19, name: 'result', class: 'counted', direction: 'down', form: '[19, id, data?]' },
  { type: 20, name: 'error', class: 'counted', direction: 'down', form: '[20, id, code, message, retryable, data?]' },
  { type: 21, name: 'cancel', class: 'counted', direction: 'up', form: '[21, id]' },
  {
    type: 22,
    name: 'publish',
    class: 'counted',
    direction: 'up',
    form: '[22, id, channelName, eventName, data, idemKey]',
  },
  { type: 23, name: 'skipped', class: 'counted', direction: 'down', form: '[23, channel, from, to]' },
  { type: 24, name: 'presence', class: 'counted', direction: 'down', form: '[24, channel, {joined?, left?}]' },
  { type: 25, name: 'snapshot', class: 'counted', direction: 'down', form: '[25, channel, data]' },
  { type: 26, name: 'revoked', class: 'counted', direction: 'down', form: '[26, channel, code, message]' },
  {
    type: 27,
    name: 'part',
    class: 'counted',
    direction: 'both',
    form: 'up [27, id, credit] · down [27, id, data]',
  },
  { type: 28, name: 'subscribe', class: 'counted', direction: 'up', form: '[28, id, channelName, {since?, rewind?}]' },
  { type: 29, name: 'unsubscribe', class: 'counted', direction: 'up', form: '[29, channelName]' },
  { type: 30, name: 'fragment', class: 'counted', direction: 'both', form: '[30, more, text]' },
];
