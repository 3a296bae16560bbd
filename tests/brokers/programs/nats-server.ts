import { connect } from 'node:net';
import { ServerProcess } from './server-process.ts';

/** One NATS server with JetStream, whose files last as long as the test. */
export function startNats(): Promise<ServerProcess> {
  return ServerProcess.start({
    name: 'nats-server',
    debianPackage: 'nats-server',
    args: (port, folder) => ['-a', '127.0.0.1', '-p', String(port), '-js', '-sd', folder],
  });
}

/** What JetStream answers to one call of its API, in the protocol's own words. */
export function jetStreamCall({ port }: ServerProcess, subject: string, request: object = {}): Promise<unknown> {
  const body = JSON.stringify(request);
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let said = '';
    socket.on('error', reject);
    socket.on('data', (bytes: Buffer) => {
      said += bytes.toString();
      const answer = /MSG answers 1 (\d+)\r\n(.+)\r\n/.exec(said);
      if (answer === null) return;
      socket.destroy();
      resolve(JSON.parse(answer[2] as string));
    });
    const length = Buffer.byteLength(body);
    socket.write(
      `CONNECT {"verbose":false}\r\nSUB answers 1\r\nPUB $JS.API.${subject} answers ${length}\r\n${body}\r\n`,
    );
  });
}
