import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { TroubleName } from '../troubles.ts';
import { holdBack, silence } from './answers.ts';
import { tabOf } from './tab.ts';
import { Tunnel } from './tunnel.ts';

/** What one tab has under way. */
interface Traffic {
  readonly tunnels: Set<Tunnel>;
  readonly answers: Set<ServerResponse>;
}

interface Striking {
  readonly name: TroubleName;
  /** Lets go of what the trouble held. */
  readonly mend: (() => void)[];
  readonly timers: NodeJS.Timeout[];
}

const tabsMax = 1_000;
const portal = '<!doctype html>\n<title>Welcome</title>\n<p>Accept the terms to use this network.</p>\n';
const upgradeRefused = 'HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n';
const upgradePortal = `HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: text/html\r\nContent-Length: ${portal.length}\r\n\r\n${portal}`;

/**
 * Stands between the pages and the server, and gives a tab that asks for it a bad time. Everybody else's traffic passes.
 *
 * Only for a demo. A tab is known by the secret in its address's `tab`, so nobody can spoil anybody else's connection.
 */
export class BadNetwork {
  // By tab; those that have nothing under way are forgotten.
  readonly #traffic = new Map<string, Traffic>();
  readonly #striking = new Map<string, Striking>();
  readonly #cutEveryMs: number;

  /** @param cutEveryMs how often `cuts` does */
  constructor(cutEveryMs = 2_000) {
    this.#cutEveryMs = cutEveryMs;
  }

  /** Whether the request was taken: then it goes no further. */
  takeRequest(request: IncomingMessage, response: ServerResponse): boolean {
    const tab = tabOf(request.url);
    const traffic = tab === null ? null : this.#trafficOf(tab);
    if (tab === null || traffic === null) return false;
    traffic.answers.add(response);
    response.once('close', () => {
      traffic.answers.delete(response);
      this.#forget(tab);
    });
    const striking = this.#striking.get(tab);
    switch (striking?.name) {
      case 'silent':
      case 'no-posts':
        striking.mend.push(() => reset(response));
        return true;
      case 'captive':
        response.writeHead(200, { 'content-type': 'text/html' }).end(portal);
        return true;
      case 'blocked':
        reset(response);
        return true;
      case 'held':
        striking.mend.push(holdBack(response));
        return false;
      default:
        return false;
    }
  }

  /** What to hand on in the socket's place; null: the upgrade goes no further. */
  takeUpgrade(request: IncomingMessage, socket: Duplex): Duplex | null {
    const tab = tabOf(request.url);
    const traffic = tab === null ? null : this.#trafficOf(tab);
    if (tab === null || traffic === null) return socket;
    const striking = this.#striking.get(tab);
    const tunnel = new Tunnel(socket);
    switch (striking?.name) {
      case 'no-websocket':
      case 'held':
        tunnel.end(upgradeRefused);
        return null;
      case 'captive':
        tunnel.end(upgradePortal);
        return null;
      case 'blocked':
        tunnel.cut();
        return null;
      case 'silent':
        tunnel.silence();
        striking.mend.push(() => tunnel.cut());
        return null;
      default:
        traffic.tunnels.add(tunnel);
        tunnel.once('close', () => {
          traffic.tunnels.delete(tunnel);
          this.#forget(tab);
        });
        return tunnel;
    }
  }

  /** Strikes a tab for a while. What struck it before is over. False: too many are struck already. */
  strike(tab: string, name: TroubleName, forMs: number): boolean {
    this.mend(tab);
    if (this.#striking.size >= tabsMax) return false;
    const { tunnels, answers } = this.#trafficOf(tab) ?? { tunnels: [], answers: [] };
    const striking: Striking = { name, mend: [], timers: [setTimeout(() => this.mend(tab), forMs)] };
    this.#striking.set(tab, striking);
    switch (name) {
      case 'changed':
      case 'silent':
        for (const tunnel of tunnels) {
          tunnel.silence();
          striking.mend.push(() => tunnel.cut());
        }
        this.#silenceAll(answers, striking);
        break;
      case 'no-posts':
        this.#silenceAll(answers, striking);
        break;
      case 'no-websocket':
        for (const tunnel of [...tunnels]) tunnel.cut();
        break;
      case 'cuts':
        this.#cut(tab);
        striking.timers.push(setInterval(() => this.#cut(tab), this.#cutEveryMs));
        break;
      case 'held':
      case 'captive':
      case 'blocked':
        this.#cut(tab);
    }
    return true;
  }

  /** All is well again; what was silent is cut, as by a router that has forgotten it. */
  mend(tab: string): void {
    const striking = this.#striking.get(tab);
    if (striking === undefined) return;
    this.#striking.delete(tab);
    for (const timer of striking.timers) clearTimeout(timer);
    for (const mend of striking.mend) mend();
    this.#forget(tab);
  }

  close(): void {
    for (const tab of [...this.#striking.keys()]) this.mend(tab);
  }

  #silenceAll(answers: Iterable<ServerResponse>, striking: Striking): void {
    for (const answer of answers) {
      silence(answer);
      striking.mend.push(() => reset(answer));
    }
  }

  #cut(tab: string): void {
    const traffic = this.#traffic.get(tab);
    for (const tunnel of [...(traffic?.tunnels ?? [])]) tunnel.cut();
    for (const answer of [...(traffic?.answers ?? [])]) reset(answer);
  }

  /** Null: there are too many tabs. */
  #trafficOf(tab: string): Traffic | null {
    const known = this.#traffic.get(tab);
    if (known !== undefined) return known;
    if (this.#traffic.size >= tabsMax) return null;
    const traffic = { tunnels: new Set<Tunnel>(), answers: new Set<ServerResponse>() };
    this.#traffic.set(tab, traffic);
    return traffic;
  }

  #forget(tab: string): void {
    const traffic = this.#traffic.get(tab);
    if (traffic === undefined || this.#striking.has(tab)) return;
    if (traffic.tunnels.size + traffic.answers.size === 0) this.#traffic.delete(tab);
  }
}

function reset(response: ServerResponse): void {
  response.req.socket.resetAndDestroy();
}
