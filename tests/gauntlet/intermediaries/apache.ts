import { type Program, startProgram } from './program.ts';

const MODULES = ['mpm_event', 'authz_core', 'proxy', 'proxy_http'];

export interface ApacheOptions {
  /** What follows the URL in ProxyPass. */
  readonly parameters?: string;
  /** Whether handshakes of WebSockets are left to the module that was made for them. */
  readonly tunnel?: boolean;
}

export function startApache(
  targetPort: number,
  { parameters = '', tunnel = false }: ApacheOptions = {},
): Promise<Program> {
  const modules = tunnel ? [...MODULES, 'proxy_wstunnel', 'rewrite'] : MODULES;
  return startProgram({
    name: 'apache2',
    configFile: 'apache2.conf',
    config: (port) => `
${modules.map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`).join('\n')}
User www-data
Group www-data
ServerName localhost
Listen 127.0.0.1:${port}
PidFile apache2.pid
ErrorLog error.log
${tunnel ? tunnelOf(targetPort) : ''}
ProxyPass "/" "http://127.0.0.1:${targetPort}/" ${parameters}
`,
    // One process, so that its pid is all there is to end.
    args: (folder) => ['-d', folder, '-f', 'apache2.conf', '-C', `DefaultRuntimeDir ${folder}`, '-X'],
  });
}

function tunnelOf(targetPort: number): string {
  return `
RewriteEngine on
RewriteCond %{HTTP:Upgrade} =websocket [NC]
RewriteRule ^/(.*)$ "ws://127.0.0.1:${targetPort}/$1" [P,L]
`;
}
