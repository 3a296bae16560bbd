// The contract that page and server share. The page imports its types only: no zod reaches the browser.
import { channel, defineContract, relay, volatile } from '@runnel/protocol';
import { z } from 'zod';
import { demoLimits } from './limits.ts';

/** Made by the page, so it names things before the server has seen them. */
const Id = z.string().regex(/^[\w-]{8,40}$/);
const Name = z.string().trim().min(1).max(demoLimits.nameLengthMax);

/** Who someone says they are. A demo takes their word for it. */
export const Person = z.object({ userId: Id, name: Name });

const ChatMessage = z.object({
  /** Chosen by the sender, so that a message sent again is recognised by everyone. */
  id: Id,
  from: Person,
  text: z.string(),
  /** Server time, in ms since 1970. */
  at: z.number(),
});

const Severity = z.enum(['info', 'warning', 'critical']);

const Alert = z.object({
  id: Id,
  severity: Severity,
  text: z.string(),
  from: Person,
  /** Null: to everyone. */
  to: Id.nullable(),
  at: z.number(),
});

const AlertDraft = Alert.pick({ id: true, severity: true, to: true }).extend({
  text: z.string().trim().min(1).max(demoLimits.alertLengthMax),
});

/** What a receiver of numbered messages has seen so far. */
const Tally = z.object({
  received: z.number(),
  missing: z.number(),
  repeated: z.number(),
  disordered: z.number(),
});

const FlowState = z.object({
  /** Numbers that the server has sent down. */
  sent: z.number(),
  /** What it has of those that came up. */
  received: Tally,
});

const channels = defineContract({
  'room/:roomId': channel({
    events: { message: ChatMessage, typing: volatile(Person) },
    publish: {
      message: z.object({ id: Id, text: z.string().trim().min(1).max(demoLimits.textLengthMax) }),
      typing: relay,
    },
    presence: { input: z.object({}), member: Person },
    history: { size: 200, ttl: '1d' },
  }),
  alerts: channel({
    events: { alert: Alert },
    publish: { raise: AlertDraft },
    history: { size: 20, ttl: '1h' },
  }),
  // One person's own channel: only they may subscribe.
  'user/:userId': channel({
    events: { alert: Alert },
    requests: { rename: { input: z.object({ name: Name }), idempotent: true } },
    history: { size: 20, ttl: '1h' },
  }),
  // One run of the flow test: numbered messages down by event, up by publish.
  'flow/:flowId': channel({
    events: { number: z.object({ n: z.number() }), state: volatile(FlowState) },
    publish: { number: z.object({ n: z.number().int().min(0) }) },
    requests: {
      start: {
        input: z.object({
          count: z.number().int().min(1).max(demoLimits.flowCountMax),
          perSecond: z.number().int().min(1).max(demoLimits.flowPerSecondMax),
        }),
      },
      state: { output: FlowState },
      stop: {},
    },
    history: { size: 2_000, ttl: '2m' },
  }),
});

type Channels = typeof channels;
export interface DemoContract extends Channels {}
export const contract: DemoContract = channels;

export type Person = z.infer<typeof Person>;
export type ChatMessage = z.infer<typeof ChatMessage>;
export type Alert = z.infer<typeof Alert>;
export type AlertDraft = z.infer<typeof AlertDraft>;
export type Severity = z.infer<typeof Severity>;
export type FlowState = z.infer<typeof FlowState>;
export type Tally = z.infer<typeof Tally>;
