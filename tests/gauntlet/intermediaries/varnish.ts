import { type Program, startProgram } from './program.ts';

/** With the rules that are built in. */
export function startVarnish(targetPort: number): Promise<Program> {
  return startProgram({
    name: 'varnishd',
    debianPackage: 'varnish',
    configFile: 'default.vcl',
    config: () => `vcl 4.1;\nbackend default { .host = "127.0.0.1"; .port = "${targetPort}"; }\n`,
    args: (folder, port) => [
      ...['-j', 'none', '-F', '-n', `${folder}/work`, '-a', `127.0.0.1:${port}`, '-f', `${folder}/default.vcl`],
      // One process would be a debugger's: the one that is started ends the other.
      ...['-s', 'malloc,16m', '-p', 'thread_pools=1', '-p', 'thread_pool_min=5'],
    ],
  });
}
