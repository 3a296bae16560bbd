/**
 * One POST and its answer by XMLHttpRequest, read line by line as it grows. Stands in for `../http-exchange.ts`.
 *
 * `responseText` is all that has come, so an answer that goes on for ever takes ever more memory: beyond a bound the session is asked to attach elsewhere,
 * beside this answer, which is dropped when that is done.
 */
import { DEFAULT_LIMITS, splitMessage, Type } from '@runnel/protocol';
import type { Carrier } from '../carrier.ts';
import type { ExchangeOptions } from '../http-exchange.ts';

/** UTF-16 units of an answer from which it is to be replaced. */
export const ANSWER_CHARS_MAX: number = 1_048_576;

export function exchange({ url, body, credentials, events }: Omit<ExchangeOptions, 'fetch' | 'headers'>): Carrier {
  const request = new XMLHttpRequest();
  /** UTF-16 units of the answer that were handed over: whole lines. */
  let taken = 0;
  /** Whether the session was asked to attach elsewhere. */
  let replaced = false;
  let over = false;

  const drop = (): void => {
    over = true;
    request.onreadystatechange = request.onprogress = null;
    request.abort();
  };

  const fail = (): void => {
    if (over) return;
    drop();
    events.end({ ok: false });
  };

  const read = (): void => {
    const text = request.responseText;
    // Only whole lines are taken: an engine may decode what follows otherwise once there is more of it.
    const end = text.lastIndexOf('\n') + 1;
    if (text.length - end >= DEFAULT_LIMITS.lineBytes) return fail();
    let lines: string[];
    try {
      lines = splitMessage(text.slice(taken, Math.max(end, taken)));
    } catch {
      return fail();
    }
    taken = Math.max(end, taken);
    if (taken >= ANSWER_CHARS_MAX && !replaced) {
      replaced = true;
      lines.push(`[${Type.reattach},0]`);
    }
    events.lines(lines);
  };

  const look = (): void => {
    if (over || request.readyState < 3) return;
    const done = request.readyState === 4;
    const { status } = request;
    // Without a status there was no answer, or it was cut off.
    if (status === 0) {
      if (done) fail();
      return;
    }
    read();
    if (!done || over) return;
    over = true;
    events.end(status === 200 ? { ok: true } : { ok: false, code: status });
  };

  try {
    request.open('POST', url, true);
    request.withCredentials = credentials === 'include';
    // PROTOCOL §6.1: a type that needs no preflight.
    request.setRequestHeader('Content-Type', 'text/plain;charset=UTF-8');
    request.onreadystatechange = request.onprogress = look;
    request.send(body);
  } catch {
    // The page may not ask there. Who called this has to have its result before the end.
    queueMicrotask(fail);
  }
  return { send: () => {}, drop };
}
