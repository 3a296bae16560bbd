/** An XMLHttpRequest that a test plays the network for. */
export class FakeXmlHttpRequest {
  static readonly made: FakeXmlHttpRequest[] = [];
  readonly sent: { method?: string; url?: string; body?: string; headers: Record<string, string> } = { headers: {} };
  readyState = 0;
  status = 0;
  responseText = '';
  withCredentials = false;
  aborted = false;
  onreadystatechange: (() => void) | null = null;
  onprogress: (() => void) | null = null;

  constructor() {
    FakeXmlHttpRequest.made.push(this);
  }

  open(method: string, url: string): void {
    Object.assign(this.sent, { method, url });
    this.readyState = 1;
  }

  setRequestHeader(name: string, value: string): void {
    this.sent.headers[name] = value;
  }

  send(body: string): void {
    this.sent.body = body;
  }

  /** As browsers do, it says so at once. */
  abort(): void {
    this.aborted = true;
    this.#become(4, 0);
  }

  /** More of the answer has come. */
  grow(text: string, status = 200): void {
    this.responseText += text;
    this.#become(3, status);
  }

  /** The answer is whole. */
  finish(status = 200): void {
    this.#become(4, status);
  }

  /** The connection broke. */
  break(): void {
    this.responseText = '';
    this.#become(4, 0);
  }

  #become(readyState: number, status: number): void {
    Object.assign(this, { readyState, status });
    this.onreadystatechange?.();
  }
}
