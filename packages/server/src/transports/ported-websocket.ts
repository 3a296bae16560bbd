/**
 * The WebSocket that `ws` makes of a handshake, and the port that hears of it. What happens on it is told to the port alone, so it has no listeners: they are
 * a fifth of what an idle socket of `ws` holds.
 */
import { RunnelError } from '@runnel/protocol';
import { WebSocket } from 'ws';

/** Who hears of what happens on a WebSocket. */
export interface SocketPort {
  handleMessage(data: Buffer, isBinary: boolean): void;
  handlePing(data: Buffer): void;
  handleFault(error: unknown): void;
  handleClosed(): void;
}

export class PortedWebSocket extends WebSocket {
  /** Set when the handshake is done. */
  port: SocketPort | null = null;

  override emit(event: string | symbol, ...args: unknown[]): boolean {
    const { port } = this;
    if (port === null) return false;
    // `ws` gives Buffers unless told otherwise.
    if (event === 'message') port.handleMessage(args[0] as Buffer, args[1] as boolean);
    else if (event === 'ping') port.handlePing(args[0] as Buffer);
    else if (event === 'close') port.handleClosed();
    else if (event === 'error') reportUnreadable(port, args[0] as Error & { code?: string });
    return true;
  }
}

/** What `ws` or zlib cannot read: it is said in the close frame by now. Broken sockets show in 'close' as well. */
function reportUnreadable(port: SocketPort, { code = '', message }: Error & { code?: string }): void {
  if (!code.startsWith('WS_ERR') && !code.startsWith('Z_')) return;
  const tooLarge = code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH';
  port.handleFault(new RunnelError(tooLarge ? 'frame_too_large' : 'protocol_error', message));
}
