/** nginx with Nchan, one worker; this process publishes to it over HTTP, and only nginx is measured. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './broker-server.ts';
import { type Contender, requireRole, type Setup } from './contender.ts';

const NGINX = '/usr/sbin/nginx';
const MODULE = '/usr/lib/nginx/modules/ngx_nchan_module.so';
const START_MS = 5_000;

/** Debian: `apt-get install nginx libnginx-mod-nchan`. */
export function hasNchan(): boolean {
  return existsSync(NGINX) && existsSync(MODULE);
}

export async function startNchan(setup: Setup): Promise<Contender> {
  requireRole(setup, 'lobby');
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'runnel-nchan-'));
  writeFileSync(join(folder, 'nginx.conf'), configuration(folder, port));
  const nginx = spawn(NGINX, ['-c', join(folder, 'nginx.conf'), '-e', 'stderr', '-p', folder], { stdio: 'ignore' });
  process.once('exit', () => {
    // Of a process that is dead nobody can say what its children are.
    const workers = childrenOf(nginx);
    nginx.kill('SIGKILL');
    for (const pid of workers) kill(pid);
    rmSync(folder, { recursive: true, force: true });
  });
  const publisher = await connectWhenUp(port);
  return {
    port,
    version: versionOf(),
    pids: childrenOf(nginx),
    broadcast(_channel, payload) {
      const body = JSON.stringify(payload);
      const head = `POST /pub HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: ${Buffer.byteLength(body)}`;
      publisher.write(`${head}\r\n\r\n${body}`);
    },
  };
}

const configuration = (folder: string, port: number): string => `
load_module ${MODULE};
daemon off;
worker_processes 1;
worker_rlimit_nofile 16384;
pid ${folder}/nginx.pid;
error_log stderr crit;
events { worker_connections 16000; }
http {
  access_log off;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  keepalive_requests 100000000;
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location = /sub { nchan_subscriber websocket; nchan_channel_id lobby; nchan_subscriber_first_message newest; }
    location = /pub { nchan_publisher; nchan_channel_id lobby; nchan_message_buffer_length 10; }
  }
}
`;

/** One connection, on which POSTs follow each other without waiting: nginx takes them in order. */
async function connectWhenUp(port: number): Promise<Socket> {
  const until = performance.now() + START_MS;
  for (;;) {
    try {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true });
      await once(socket, 'connect');
      return socket.resume();
    } catch (error) {
      if (performance.now() > until) throw error;
      await sleep(20);
    }
  }
}

function childrenOf({ pid }: ChildProcess): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

/** As Debian's package manager has written it down. */
function versionOf(): string {
  const status = readFileSync('/var/lib/dpkg/status', 'utf8');
  const [, version = ''] = /^Package: libnginx-mod-nchan\n(?:.+\n)*?Version: (?:\d+:)?(.+)$/m.exec(status) ?? [];
  return `Nchan ${version}`;
}
