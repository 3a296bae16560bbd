import { PassThrough } from 'node:stream';
import { finished } from 'node:stream/promises';
import { expect, it } from 'vitest';
import { BodyIntake, type BodyOutcome } from '../../src/transports/body-intake.ts';

/** A call as far as its body goes. */
class TestCall {
  readonly body = new PassThrough();
  readonly headers: Record<string, string>;
  readonly bodyRead: Buffer | null;

  constructor(headers: Record<string, string> = {}, bodyRead: Buffer | null = null) {
    this.headers = headers;
    this.bodyRead = bodyRead;
  }
  write(text: string): void {
    this.body.write(text);
  }
  end(text?: string): void {
    this.body.end(text);
  }
  destroy(): void {
    this.body.destroy();
  }
}

const request = (headers?: Record<string, string>) => new TestCall(headers);
const read = (intake: BodyIntake, from: TestCall) => new Promise<BodyOutcome>((done) => intake.read(from, done));
const said = (outcome: BodyOutcome) => ('bytes' in outcome ? outcome.bytes.toString() : outcome);

it('gives a body when it is whole', async () => {
  const body = request();
  const outcome = read(new BodyIntake(10), body);
  body.write('12345');
  body.end('67890');
  expect(said(await outcome)).toBe('1234567890');
});

it('gives nothing of a body that was cut off', async () => {
  const body = request();
  const outcome = read(new BodyIntake(10), body);
  body.write('12345');
  body.destroy();
  expect(said(await outcome)).toEqual({ refused: 'cut_off' });
});

it('reads a body that is somewhat too large to its end', async () => {
  const body = request();
  const outcome = read(new BodyIntake(10), body);
  body.end('x'.repeat(11));
  expect(said(await outcome)).toEqual({ refused: 'too_large', left: false });
});

it('gives a body up that is far too large, or says that it will be', async () => {
  const silent = request();
  const outcome = read(new BodyIntake(10), silent);
  silent.write('x'.repeat(41));
  expect(said(await outcome)).toEqual({ refused: 'too_large', left: true });
  expect(said(await read(new BodyIntake(10), request({ 'content-length': '41' })))).toEqual({
    refused: 'too_large',
    left: true,
  });
});

it('refuses what is too much for all bodies together, until others have ended', async () => {
  const intake = new BodyIntake(10, 15);
  const [first, second, third, fourth] = [request(), request(), request(), request()];
  const outcomes = [first, second].map((body) => read(intake, body));
  first.write('x'.repeat(10));
  second.end('x'.repeat(10));
  expect(said((await outcomes[1]) as BodyOutcome)).toEqual({ refused: 'overloaded', left: false });
  first.end();
  expect(said((await outcomes[0]) as BodyOutcome)).toBe('x'.repeat(10));
  const cut = read(intake, third);
  third.write('x'.repeat(10));
  third.destroy();
  await cut;
  fourth.end('x'.repeat(10));
  expect(said(await read(intake, fourth))).toBe('x'.repeat(10));
});

it('takes a body that was read before, within the same limit', async () => {
  const readBefore = (text: string) => new TestCall({}, Buffer.from(text));
  expect(said(await read(new BodyIntake(10), readBefore('text')))).toBe('text');
  expect(said(await read(new BodyIntake(3), readBefore('text')))).toEqual({ refused: 'too_large', left: false });
});

it('throws away what nobody wants, but not without end', async () => {
  const { body, ...call } = request();
  new BodyIntake(10).discard({ ...call, body });
  body.write('x'.repeat(41));
  await finished(body).catch(() => {});
  expect(body.destroyed).toBe(true);
});
