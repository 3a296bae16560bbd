/** Networks, servers and machines that change while a session is in use. */
import { type Interference, Middlebox, type Passage } from '../intermediaries/middlebox.ts';
import { Page } from '../intermediaries/page.ts';
import type { Origin } from '../origin.ts';
import { type Intermediary, type Scene, type SceneWith, type Situation, situation, TRAFFIC } from '../situation.ts';

/** A middlebox, and the page whose traffic goes through it. */
interface Network extends Intermediary {
  readonly box: Middlebox;
  readonly page: Page;
}

async function start({ port }: Origin): Promise<Network> {
  const box = await Middlebox.start(port);
  const page = new Page();
  return { box, page, port: box.port, environment: page.environment, stop: () => box.stop() };
}

const resetAll: Interference = { opened: (passage) => passage.cut() };
const resetWebSockets: Interference = {
  up: (bytes, passage) => {
    if (passage.isWebSocket) passage.cut();
    return bytes;
  },
};

const PAGE = '<!doctype html>\n<title>Welcome</title>\n<p>Please sign in to our network.\n';

/** Answers everything with a page. */
const answerAll = (status: string, headers = ''): Interference => ({
  up: (bytes, passage) => {
    const head = `content-type: text/html\r\ncontent-length: ${PAGE.length}\r\nconnection: close${headers}`;
    passage.answer(`HTTP/1.1 ${status}\r\n${head}\r\n\r\n${PAGE}`);
    return bytes;
  },
});

/** What is in use when something happens. */
async function inUse({ settles, arrived }: SceneWith<Network>): Promise<void> {
  await settles('websocket');
  await arrived();
}

/** A server that was away is no verdict on the WebSocket: it is not kept from it as after a failure, which is for 1.5 s at least. */
async function undemoted({ reaches, settles, arrived }: Scene): Promise<void> {
  await reaches(({ transport }) => transport !== null);
  await settles('websocket', 1_400);
  await arrived();
}

/** Every connection that is there dies, and nobody is told. */
function silence({ passages }: Middlebox): void {
  for (const passage of passages) passage.silent = true;
}

/** Traffic for as long as it takes until a WebSocket counts as one that the network bears, which is 3 s, and the messages of one direction until then. */
const LASTING = { ...TRAFFIC, talkMs: 2_500, quietMs: 0 };
const PROVEN_MESSAGES = 70;
/** Messages that are under way when a server dies. */
const BURST = 100;
/** Tries that fail before things get better. */
const FAILURES = 3;
/** Connections that a train's tunnels take. */
const TUNNELS = 5;
const MINUTE_MS = 60_000;

/** A stream may have been tried on the way there. */
const ON_WEBSOCKET = { settlesOn: 'websocket' } as const;

/** A server is not there for a while. */
function restart(
  name: string,
  told: Partial<Omit<Situation, 'start'>>,
  run: (scene: Scene) => Promise<void>,
): Situation {
  return situation({
    name,
    start,
    ...ON_WEBSOCKET,
    strain: 'outage',
    attachesMax: 20,
    ...told,
    meanwhile: async (scene) => {
      await inUse(scene);
      await run(scene);
    },
  });
}

async function goAndCome({ origin, reaches, outageEnds }: Scene): Promise<void> {
  await origin.stop();
  await reaches(({ transport }) => transport === null);
  await origin.restart();
  outageEnds();
}

/** Nothing passes any more but what `interference` says, until some tries have failed. */
function outage(name: string, interference: Interference, tell: (page: Page) => void = () => {}): Situation {
  return situation({
    name,
    start,
    ...ON_WEBSOCKET,
    strain: 'outage',
    attachesMax: 20,
    // In Node no event tells other clients.
    meanwhile: async (scene) => {
      const { between, reaches, arrived, outageEnds } = scene;
      await inUse(scene);
      between.box.interference = interference;
      for (const passage of [...between.box.passages]) passage.cut();
      await reaches(({ transport, failures }) => transport === null && failures >= FAILURES);
      between.box.interference = {};
      outageEnds();
      tell(between.page);
      await arrived();
    },
  });
}

/** Connections die without a word; those that are made from then on work. */
function move(name: string, told: Partial<Omit<Situation, 'start'>>, tell: (page: Page) => void = () => {}): Situation {
  return situation({
    name,
    start,
    settlesOn: 'websocket',
    strain: 'death',
    attachesMax: 8,
    ...told,
    meanwhile: async (scene) => {
      await inUse(scene);
      silence(scene.between.box);
      tell(scene.between.page);
      await scene.arrived();
    },
  });
}

const ONLY_DOWN = { ...TRAFFIC, publishes: false };

/** The machine sleeps, and its connections do not outlive that. */
function sleep(name: string, ms: number): Situation {
  return situation({
    name,
    start,
    ...ON_WEBSOCKET,
    strain: 'outage',
    attachesMax: 8,
    forOthers: false,
    meanwhile: async (scene) => {
      const { between, origin, arrived, delivered, quietly, outageEnds } = scene;
      await inUse(scene);
      await quietly(async () => {
        await delivered();
        between.page.fallAsleep();
        silence(between.box);
        for (let n = 0; n < BURST; n += 1) await origin.broadcast();
        await origin.age(ms);
      });
      outageEnds();
      between.page.awake(ms);
      await arrived();
    },
  });
}

export const CHANGES: readonly Situation[] = [
  situation({
    name: 'WebSockets that are blocked while in use, and later are not',
    start,
    settlesOn: 'websocket',
    strain: 'silence',
    attachesMax: 8,
    meanwhile: async (scene) => {
      const { between, reaches, arrived } = scene;
      await inUse(scene);
      between.box.interference = resetWebSockets;
      for (const passage of between.box.passages) passage.silent = passage.isWebSocket === true;
      await reaches(({ transport }) => transport !== null && transport !== 'websocket');
      await arrived();
      between.box.interference = {};
    },
  }),
  restart('a server that is started anew', { traffic: LASTING }, async (scene) => {
    await scene.until('the WebSocket is proven', scene.origin.arrivals.log.reach(PROVEN_MESSAGES));
    await goAndCome(scene);
    await undemoted(scene);
  }),
  restart('a server that is started anew while the WebSocket is young', {}, async (scene) => {
    await goAndCome(scene);
    await undemoted(scene);
  }),
  restart('a server that crashes and comes back', { traffic: LASTING }, async (scene) => {
    const { origin, publish, reaches, until, outageEnds } = scene;
    const { log } = origin.arrivals;
    await until('the WebSocket is proven', log.reach(PROVEN_MESSAGES));
    for (let n = 0; n < BURST; n += 1) publish(TRAFFIC.length);
    // Some of it is in the log, and whoever sent it has not heard of that.
    await until('some of it arrived', log.reach(log.size + 1));
    await origin.crash();
    await reaches(({ transport, failures }) => transport === null && failures >= FAILURES);
    await origin.restart();
    outageEnds();
    await undemoted(scene);
  }),
  outage('no network for a while', resetAll),
  outage('no network for a while, and the browser says when it is back', resetAll, (page) => page.wake()),
  outage('a captive portal that answers everything with a page for a while', answerAll('200 OK')),
  outage(
    'a captive portal that leads everything to its page for a while',
    answerAll('302 Found', '\r\nlocation: /welcome'),
  ),
  outage('a gateway that answers 502 for a while', answerAll('502 Bad Gateway')),
  outage('a gateway that answers 503 for a while', answerAll('503 Service Unavailable')),
  outage('a gateway that answers 504 for a while', answerAll('504 Gateway Timeout')),
  move('a change of networks that leaves every old connection silently dead', {}),
  move('a change of networks, and the browser tells', {}, (page) => page.wake()),
  move('a change of networks while the client only listens', { traffic: ONLY_DOWN, strain: 'unnoticed death' }),
  move('a change of networks while the client only listens, and the browser tells', { traffic: ONLY_DOWN }, (page) =>
    page.wake(),
  ),
  situation({
    name: `a train: the next ${TUNNELS} connections fall silent after 700 ms`,
    start,
    settlesOn: 'websocket',
    strain: 'death',
    attachesMax: 20,
    meanwhile: async (scene) => {
      const { box } = scene.between;
      await inUse(scene);
      silence(box);
      const arrival = new Promise<void>((resolve) => {
        let left = TUNNELS;
        const goSilent = (passage: Passage): void => {
          passage.silent = true;
          left -= 1;
          if (left === 0) resolve();
        };
        box.interference = { opened: (passage) => void passage.after(700, () => goSilent(passage)) };
      });
      await scene.until('it was in each tunnel', arrival);
      box.interference = {};
      silence(box);
      scene.outageEnds();
      await scene.arrived();
    },
  }),
  sleep('a machine that sleeps for a minute', MINUTE_MS),
  sleep('a machine that sleeps for ten minutes, longer than its session lasts', 10 * MINUTE_MS),
];
