import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Carrier } from '../../src/carrier.ts';
import { ANSWER_CHARS_MAX, exchange } from '../../src/legacy/http-exchange.ts';
import { FakeXmlHttpRequest } from './fake-xml-http-request.ts';

let told: unknown[];
let request: FakeXmlHttpRequest;
let carrier: Carrier;
/** Called with each lot of lines. */
let heard: () => void;

function begin(credentials: 'same-origin' | 'include' = 'same-origin'): void {
  const events = {
    open: () => told.push('open'),
    lines: (lines: readonly string[]) => {
      told.push(lines);
      heard();
    },
    end: (end: object) => told.push(end),
  };
  carrier = exchange({ url: 'https://example.com/realtime', body: '[0]\n', credentials, events });
  request = FakeXmlHttpRequest.made.at(-1) as FakeXmlHttpRequest;
}

beforeEach(() => {
  vi.stubGlobal('XMLHttpRequest', FakeXmlHttpRequest);
  told = [];
  heard = () => {};
});
afterEach(() => {
  vi.unstubAllGlobals();
});

describe('An exchange by XMLHttpRequest', () => {
  test('is a POST that needs no preflight', () => {
    begin();
    expect(request.sent).toEqual({
      method: 'POST',
      url: 'https://example.com/realtime',
      body: '[0]\n',
      headers: { 'Content-Type': 'text/plain;charset=UTF-8' },
    });
    expect(request.withCredentials).toBe(false);
  });

  test('sends cookies elsewhere where it is told to', () => {
    begin('include');
    expect(request.withCredentials).toBe(true);
  });

  test('hands over each line once, when it is whole, and tells of bytes before', () => {
    begin();
    request.grow('[1,');
    request.grow('2]\n[3]\n[');
    request.grow('4]\n');
    request.onprogress?.();
    request.finish();
    expect(told).toEqual([[], ['[1,2]', '[3]'], ['[4]'], [], [], { ok: true }]);
  });

  test('takes a character that came in two pieces as it is in the end', () => {
    begin();
    request.grow('["\uFFFD');
    request.responseText = '["ü"]\n';
    request.grow('');
    expect(told).toEqual([[], ['["ü"]']]);
  });

  test('tells of another status, after the lines that came with it', () => {
    begin();
    request.grow('[4,"overloaded","",0]\n', 503);
    request.finish(503);
    expect(told).toEqual([['[4,"overloaded","",0]'], [], { ok: false, code: 503 }]);
  });

  test('ends once where the connection breaks, without lines', () => {
    begin();
    request.grow('[1]\n');
    request.break();
    request.finish();
    expect(told).toEqual([['[1]'], { ok: false }]);
  });

  test('says nothing more once it is dropped, though abort tells at once', () => {
    begin();
    request.grow('[1]\n');
    const { onreadystatechange } = request;
    carrier.drop(1000, 'done');
    Object.assign(request, { readyState: 4, status: 200, responseText: '[1]\n[2]\n' });
    onreadystatechange?.();
    expect([request.aborted, told]).toEqual([true, [['[1]']]]);
  });

  test('is dropped by who hears of its lines', () => {
    begin();
    heard = () => carrier.drop(1000, 'enough');
    request.responseText = '[1]\n';
    request.finish();
    expect(told).toEqual([['[1]']]);
  });

  test('is given up for a line beyond all bounds, whether it ends or not', () => {
    for (const end of ['', '"]\n']) {
      told = [];
      begin();
      request.grow(`["${'a'.repeat(65_536)}${end}`);
      expect([request.aborted, told]).toEqual([true, [{ ok: false }]]);
    }
  });

  test('asks once for an attach elsewhere when its answer has become long, and goes on', () => {
    begin();
    const line = `[1,"${'a'.repeat(1_017)}"]\n`;
    request.grow(line.repeat(ANSWER_CHARS_MAX / line.length));
    request.grow(line);
    const [first, second] = told as string[][];
    expect([first?.at(-1), first?.length]).toEqual(['[14,0]', ANSWER_CHARS_MAX / line.length + 1]);
    expect(second).toEqual([line.trim()]);
  });

  test('that the page may not make ends after who made it has it', async () => {
    vi.spyOn(FakeXmlHttpRequest.prototype, 'open').mockImplementationOnce(() => {
      throw new Error('refused by the content security policy');
    });
    begin();
    expect(told).toEqual([]);
    await Promise.resolve();
    expect(told).toEqual([{ ok: false }]);
  });
});
