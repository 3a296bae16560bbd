import { type Program, startProgram } from './program.ts';

const MODULES = ['mpm_event', 'authz_core', 'proxy', 'proxy_http'];

/** `parameters` are those of ProxyPass. */
export function startApache(targetPort: number, parameters = ''): Promise<Program> {
  return startProgram({
    name: 'apache2',
    configFile: 'apache2.conf',
    config: (port) => `
${MODULES.map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`).join('\n')}
User www-data
Group www-data
ServerName localhost
Listen 127.0.0.1:${port}
PidFile apache2.pid
ErrorLog error.log
ProxyPass "/" "http://127.0.0.1:${targetPort}/" ${parameters}
`,
    // One process, so that its pid is all there is to end.
    args: (folder) => ['-d', folder, '-f', 'apache2.conf', '-C', `DefaultRuntimeDir ${folder}`, '-X'],
  });
}
