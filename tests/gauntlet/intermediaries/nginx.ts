import { type Program, startProgram } from './program.ts';

export interface NginxOptions {
  /** Directives of `http`, beside those of Debian's own configuration. */
  readonly http?: string;
  /** What follows the address in `listen`. */
  readonly listen?: string;
  readonly server?: string;
  /** Directives beside `proxy_pass`. */
  readonly location?: string;
  /** Where that leads; default: to the server. */
  readonly upstream?: string;
}

/** What nginx's manual asks for before WebSockets. */
export const WEBSOCKET_CONFIGURED: NginxOptions = {
  http: `map $http_upgrade $connection_upgrade { default upgrade; '' close; }`,
  location: `
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection $connection_upgrade;
  `,
};

export function startNginx(targetPort: number, options: NginxOptions = {}): Promise<Program> {
  const { http = '', listen = '', server = '', location = '', upstream = `127.0.0.1:${targetPort}` } = options;
  return startProgram({
    name: 'nginx',
    configFile: 'nginx.conf',
    // One process, so that its pid is all there is to end.
    config: (port) => `
      daemon off;
      master_process off;
      pid nginx.pid;
      events { worker_connections 4096; }
      http {
        access_log off;
        default_type application/octet-stream;
        sendfile on;
        tcp_nopush on;
        gzip on;
        client_body_temp_path client-body;
        proxy_temp_path proxy;
        fastcgi_temp_path fastcgi;
        uwsgi_temp_path uwsgi;
        scgi_temp_path scgi;
        ${http}
        server {
          listen 127.0.0.1:${port} ${listen};
          ${server}
          location / {
            proxy_pass http://${upstream};
            ${location}
          }
        }
      }
    `,
    args: (folder) => ['-p', folder, '-c', 'nginx.conf', '-e', 'error.log'],
  });
}
