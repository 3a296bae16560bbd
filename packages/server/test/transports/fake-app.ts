import {
  type AppUpFrame,
  type AttachSub,
  encodeFrame,
  type Identity,
  type ServerApp,
  type ServerSession,
  Type,
} from '@runnel/protocol';
import { type SharedLine, sharedLine } from '../../src/shared-line.ts';

export type FakeSession = ServerSession<SharedLine, Identity>;

/** An application without channels: it answers requests with their own data, and tells what it was told. */
export class FakeApp implements ServerApp<SharedLine, Identity> {
  readonly sessions: FakeSession[] = [];
  readonly frames: AppUpFrame[] = [];
  readonly ends: string[] = [];
  /** Called for each frame before it is answered; may throw. */
  onFrame: (frame: AppUpFrame, session: FakeSession) => void = () => {};
  onEnded: () => void = () => {};

  get session(): FakeSession {
    const last = this.sessions.at(-1);
    if (last === undefined) throw new Error('no session was created');
    return last;
  }

  created(session: FakeSession, subs: readonly AttachSub[], settled: () => void): void {
    this.sessions.push(session);
    for (const [id] of subs) {
      const subscribed = { n: id, epoch: 'e', offset: 0, head: 0, recovered: null, events: ['message'] };
      session.enqueue(sharedLine(encodeFrame([Type.subscribed, id, subscribed])));
    }
    settled();
  }
  frame(session: FakeSession, frame: AppUpFrame): void {
    this.frames.push(frame);
    this.onFrame(frame, session);
    if (frame[0] === Type.request) session.enqueue(sharedLine(encodeFrame([Type.result, frame[1], frame[4]])));
  }
  confirmed(): void {}
  resumed(): void {}
  reachable: (session: FakeSession, reachable: boolean) => void = () => {};
  ended(_session: FakeSession, code: string): void {
    this.ends.push(code);
    this.onEnded();
  }

  /** Sends one shared message to every session that lives. */
  broadcast(offset: number, data: unknown): SharedLine {
    const line = sharedLine(encodeFrame([Type.message, 1, offset, 0, data]));
    for (const session of this.sessions) session.enqueue(line);
    return line;
  }

  /** What the requests that came up carried, in order. */
  get requested(): unknown[] {
    return this.frames.flatMap((frame) => (frame[0] === Type.request ? [frame[4]] : []));
  }
}
