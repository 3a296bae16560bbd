import { type Program, startProgram } from './program.ts';

/** With the same time-out for all that it has time-outs for. */
export function startHaproxy(targetPort: number, timeoutSeconds: number): Promise<Program> {
  return startProgram({
    name: 'haproxy',
    configFile: 'haproxy.cfg',
    config: (port) => `
defaults
  mode http
  timeout connect ${timeoutSeconds}s
  timeout client ${timeoutSeconds}s
  timeout server ${timeoutSeconds}s
  timeout tunnel ${timeoutSeconds}s
frontend front
  bind 127.0.0.1:${port}
  default_backend back
backend back
  server origin 127.0.0.1:${targetPort}
`,
    args: () => ['-db', '-f', 'haproxy.cfg'],
  });
}
