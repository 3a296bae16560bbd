/** Networks and servers that change while a session is in use. */
import { type Interference, Middlebox } from '../intermediaries/middlebox.ts';
import { type SceneWith, type Situation, situation, TRAFFIC } from '../situation.ts';

const start = ({ port }: { readonly port: number }): Promise<Middlebox> => Middlebox.start(port);

const resetWebSockets: Interference = {
  up: (bytes, passage) => {
    if (passage.isWebSocket) passage.cut();
    return bytes;
  },
};

const PAGE = '<!doctype html>\n<title>Welcome</title>\n<p>Please sign in to our network.\n';
const captivePortal: Interference = {
  up: (bytes, passage) => {
    const head = `content-type: text/html\r\ncontent-length: ${PAGE.length}\r\nconnection: close`;
    passage.answer(`HTTP/1.1 200 OK\r\n${head}\r\n\r\n${PAGE}`);
    return bytes;
  },
};

/** How long a listener may take to notice that a heartbeat is missing, and to find another way, ms: twice what is promised, for machines are noisy. */
const LISTENING_MS_MAX = 4_000;

/** What is in use when something happens. */
async function inUse({ settles, arrived }: SceneWith<Middlebox>): Promise<void> {
  await settles('websocket');
  await arrived();
}

/** Messages that are under way when a server dies. */
const BURST = 100;
/** Tries that fail before things get better. */
const FAILURES = 3;

export const CHANGES: readonly Situation[] = [
  situation({
    name: 'WebSockets that are blocked while in use, and later are not',
    start,
    meanwhile: async (scene) => {
      const { between, reaches, arrived } = scene;
      await inUse(scene);
      between.interference = resetWebSockets;
      for (const passage of between.passages) passage.silent = passage.isWebSocket === true;
      await reaches((state) => state.status === 'open' && state.transport !== 'websocket');
      await arrived();
      between.interference = {};
    },
    settlesOn: 'websocket',
  }),
  situation({
    name: 'a server that is started anew',
    start,
    meanwhile: async (scene) => {
      const { server, reaches, arrived } = scene;
      await inUse(scene);
      await server.stop();
      await reaches(({ status }) => status === 'reconnecting');
      await server.restart();
      await arrived();
    },
    settlesOn: 'websocket',
  }),
  situation({
    name: 'a server that crashes and comes back',
    start,
    meanwhile: async (scene) => {
      const { server, publish, reaches, arrived } = scene;
      await inUse(scene);
      const { log } = server.arrivals;
      for (let n = 0; n < BURST; n += 1) publish(TRAFFIC.length);
      // Some of it is in the log, and whoever sent it has not heard of that.
      await log.reach(log.size + 1);
      await server.crash();
      await reaches((state) => state.status === 'reconnecting' && state.attempt > FAILURES);
      await server.restart();
      await arrived();
    },
    settlesOn: 'websocket',
  }),
  situation({
    name: 'a captive portal that answers everything with a page for a while',
    start,
    meanwhile: async (scene) => {
      const { between, reaches, arrived } = scene;
      await inUse(scene);
      between.interference = captivePortal;
      for (const passage of [...between.passages]) passage.cut();
      await reaches((state) => state.status === 'reconnecting' && state.attempt > FAILURES);
      between.interference = {};
      await arrived();
    },
    settlesOn: 'websocket',
  }),
  situation({
    name: 'a change of networks that leaves every old connection silently dead',
    start,
    meanwhile: async (scene) => {
      const { between, arrived } = scene;
      await inUse(scene);
      for (const passage of between.passages) passage.silent = true;
      await arrived();
    },
    settlesOn: 'websocket',
  }),
  situation({
    name: 'a change of networks while the client only listens',
    start,
    traffic: { ...TRAFFIC, publishes: false },
    meanwhile: async (scene) => {
      const { between, arrived } = scene;
      await inUse(scene);
      for (const passage of between.passages) passage.silent = true;
      await arrived();
    },
    // A missing heartbeat shows after 10 s.
    slowestMsMax: 10_000 + LISTENING_MS_MAX,
    settlesOn: 'websocket',
  }),
];
