import { type Program, startProgram } from './program.ts';

/** A forward proxy under Debian's rules, by which tunnels lead to port 443 only; or with tunnels that lead anywhere. */
export function startSquid(tunnels: 'to port 443' | 'anywhere'): Promise<Program> {
  return startProgram({
    name: 'squid',
    configFile: 'squid.conf',
    config: (port) => `
http_port 127.0.0.1:${port}
acl SSL_ports port 443
acl CONNECT method CONNECT
${tunnels === 'anywhere' ? '' : 'http_access deny CONNECT !SSL_ports'}
http_access allow localhost
http_access deny all
access_log none
cache_log /dev/null
pid_filename none
pinger_enable off
shutdown_lifetime 0 seconds
`,
    args: () => ['-N', '-f', 'squid.conf'],
  });
}
