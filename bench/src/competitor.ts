/** A contender in the arena: its server's process, and the process that holds its clients. */
import { setTimeout as sleep } from 'node:timers/promises';
import { programs } from './build.ts';
import { Child } from './child.ts';
import { type Carrier, type ContenderName, SETUP, type Setup } from './contenders/contender.ts';
import { cpuTimeNs, rssBytes } from './cpu-time.ts';
import { Layout, type LayoutShape } from './layout.ts';
import type { CallKind, LoadCommand, LoadReport, ServerCommand, ServerReport } from './messages.ts';
import { FIRST_NUMBER } from './payload.ts';

/** How long a process may take for what it is asked, ms. */
const START_MS = 30_000;
const CONNECT_MS = 60_000;
const ANSWER_MS = 30_000;
/** What a server does after the last message is out still counts as its work; this is how long it is given for it. */
const SETTLE_MS = 20;
const BURSTS_MIN = 3;
const BATCH_MS = 10;

export interface Entrant {
  /** As it stands in the tables: unique within a workload. */
  readonly label: string;
  readonly contender: ContenderName;
  readonly carrier: Carrier;
  readonly setup?: Partial<Setup>;
}

export interface BroadcastWindow {
  readonly ms: number;
  readonly payloadBytes: number;
  /** Messages in each turn of the server's event loop. */
  readonly perTurn: number;
  /** Turns between two looks at what has arrived; default: 1. */
  readonly turns?: number;
  /** Exactly so many bursts, however long they take. */
  readonly bursts?: number;
}

export interface Broadcasts {
  readonly cpuNs: number;
  readonly deliveries: number;
  readonly bytes: number;
  readonly compared: number;
}

export interface Memory {
  /** After a garbage collection; 0 where the server is no program of Node. */
  readonly heapBytes: number;
  readonly rssBytes: number;
}

export class Competitor {
  readonly label: string;
  readonly layout: Layout;
  /** Known once it is started. */
  version = '';
  port = 0;
  readonly #entrant: Entrant;
  readonly #server: Child<ServerCommand, ServerReport>;
  readonly #load: Child<LoadCommand, LoadReport>;
  #pids: readonly number[] = [];
  #brokerPids: readonly number[] = [];
  /** Number of the next message: none is sent twice. */
  #next = FIRST_NUMBER;
  #isProfiled = false;

  constructor(entrant: Entrant, layout: LayoutShape) {
    const { label, contender } = entrant;
    this.label = label;
    this.layout = new Layout(layout);
    this.#entrant = entrant;
    this.#server = new Child({
      name: label,
      program: programs.contender,
      args: [contender, JSON.stringify({ ...SETUP, ...entrant.setup })],
      execArgv: ['--expose-gc'],
    });
    this.#load = new Child({ name: `the clients of ${label}`, program: programs.load });
  }

  async start(): Promise<void> {
    const { contender, carrier, setup } = this.#entrant;
    const { port, ports, version, pids, brokerPids } = await this.#server.next('listening', START_MS);
    this.version = version;
    this.port = port;
    this.#pids = pids;
    this.#brokerPids = brokerPids;
    const { deflate, role, astray } = { ...SETUP, ...setup };
    const isLobby = role !== 'rooms';
    this.#load.send({ type: 'crowd', contender, carrier, ports, astray, deflate, isLobby, layout: this.layout.shape });
  }

  async stop(): Promise<void> {
    await Promise.all([this.#server.stop(), this.#load.stop()]);
  }

  /** Resolves when so many more clients are subscribed. */
  async connect(count: number): Promise<void> {
    this.#load.send({ type: 'connect', count });
    await this.#load.next('connected', CONNECT_MS);
  }

  async disconnect(): Promise<void> {
    this.#load.send({ type: 'disconnect' });
    await this.#load.next('disconnected', ANSWER_MS);
  }

  /** Everybody subscribes to so many channels more, which nobody else is in. */
  async subscribe(perConnection: number): Promise<void> {
    this.#load.send({ type: 'subscribe', perConnection });
    await this.#load.next('subscribed', CONNECT_MS);
  }

  cpuNs(): number {
    return cpuTimeNs(this.#pids);
  }

  /** Of what its nodes share. */
  brokerCpuNs(): number {
    return cpuTimeNs(this.#brokerPids);
  }

  async memory(): Promise<Memory> {
    this.#server.send({ type: 'memory' });
    const { heapBytes } = await this.#server.next('memory', ANSWER_MS);
    const isNode = this.#pids[0] === this.#server.pid;
    return { heapBytes: isNode ? heapBytes : 0, rssBytes: rssBytes(this.#pids) };
  }

  /** Begins a CPU profile, once; it is written when the server ends. */
  profile(file: string): void {
    if (this.#isProfiled) return;
    this.#isProfiled = true;
    this.#server.send({ type: 'profile', file });
  }

  async snapshot(file: string): Promise<void> {
    this.#server.send({ type: 'snapshot', file });
    await this.#server.next('written', CONNECT_MS);
  }

  /** In lockstep: what comes next is sent when every subscriber has the last, so each contender does the same work, whatever its speed. */
  async broadcast({
    ms,
    payloadBytes,
    perTurn,
    turns = 1,
    bursts: wanted,
  }: BroadcastWindow): Promise<Broadcasts & { readonly messages: number; readonly lastedMs: number }> {
    const perBurst = perTurn * turns;
    const { channels, shape } = this.layout;
    await this.#open({ payloadBytes, burst: perBurst * shape.groupSize });
    const cpuBefore = this.cpuNs();
    const began = performance.now();
    const until = began + ms;
    let bursts = 0;
    while (wanted === undefined ? bursts < BURSTS_MIN || performance.now() < until : bursts < wanted) {
      this.#server.send({ type: 'pump', turns, perTurn, from: this.#next, payloadBytes, channels });
      await this.#load.next('reached', ANSWER_MS);
      this.#next += perBurst;
      bursts += 1;
    }
    const lastedMs = performance.now() - began;
    await sleep(SETTLE_MS);
    const cpuNs = this.cpuNs() - cpuBefore;
    const received = await this.#close();
    this.#expectEqual(received.deliveries, bursts * perBurst * shape.groupSize);
    return { cpuNs, messages: bursts * perBurst, lastedMs, ...received };
  }

  /** Sends without looking at what has arrived, a message each turn, or one every `everyMs`. */
  async flood({
    ms,
    payloadBytes,
    everyMs = 0,
  }: {
    ms: number;
    payloadBytes: number;
    everyMs?: number;
  }): Promise<Broadcasts & { readonly sent: number; readonly latenciesUs: readonly number[] }> {
    const { channels, shape } = this.layout;
    await this.#open({ payloadBytes, timed: true });
    const cpuBefore = this.cpuNs();
    this.#server.send({ type: 'flood', ms, everyMs, perTurn: 1, from: this.#next, payloadBytes, channels });
    const { sent } = await this.#server.next('flooded', ANSWER_MS + ms);
    this.#next += sent;
    await this.#expectDeliveries(sent * shape.groupSize);
    const cpuNs = this.cpuNs() - cpuBefore;
    return { cpuNs, sent, ...(await this.#close()) };
  }

  /** Sends at a rate to whoever is connected, in batches every 10 ms; resolves to the number of messages and of the first. */
  async publishAt(rate: number, ms: number): Promise<{ readonly sent: number; readonly from: number }> {
    const from = this.#next;
    const perTurn = Math.max(1, Math.round((rate * BATCH_MS) / 1_000));
    this.#server.send({ type: 'flood', ms, everyMs: BATCH_MS, perTurn, from, payloadBytes: 64, channels: 1 });
    const { sent } = await this.#server.next('flooded', ANSWER_MS + ms);
    this.#next += sent;
    return { sent, from };
  }

  /** Calls for so long, and with the deliveries that they cause, so many per call. */
  async call(options: {
    readonly kind: CallKind;
    readonly ms: number;
    readonly inFlight: number;
    readonly payloadBytes: number;
    readonly deliveries?: number;
  }): Promise<{ readonly cpuNs: number; readonly calls: number; readonly compared: number }> {
    const { kind, ms, inFlight, payloadBytes, deliveries = 0 } = options;
    await this.#open({ payloadBytes });
    const cpuBefore = this.cpuNs();
    this.#load.send({ type: 'call', kind, inFlight, ms, from: this.#next, payloadBytes });
    const { calls, compared } = await this.#load.next('called', ANSWER_MS + ms);
    this.#next += calls;
    if (deliveries > 0) await this.#expectDeliveries(calls * deliveries);
    const cpuNs = this.cpuNs() - cpuBefore;
    const received = await this.#close();
    this.#expectEqual(received.deliveries, calls * deliveries);
    return { cpuNs, calls, compared: compared + received.compared };
  }

  async #open({
    payloadBytes,
    burst = null,
    timed = false,
  }: {
    payloadBytes: number;
    burst?: number | null;
    timed?: boolean;
  }) {
    const { channels } = this.layout;
    this.#load.send({ type: 'open', burst, timed, from: this.#next, payloadBytes, channels });
    await this.#load.next('opened', ANSWER_MS);
  }

  async #close() {
    this.#load.send({ type: 'close' });
    return (await this.#load.next('closed', ANSWER_MS)).received;
  }

  async #expectDeliveries(deliveries: number): Promise<void> {
    this.#load.send({ type: 'expect', deliveries });
    await this.#load.next('reached', CONNECT_MS);
  }

  #expectEqual(received: number, sent: number): void {
    if (received !== sent) throw new Error(`${this.label}: ${sent} messages sent, ${received} received`);
  }
}
