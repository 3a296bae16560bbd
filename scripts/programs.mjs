import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import { run } from './command.mjs';

/** What the tests drive besides Node: program → the Debian package that brings it. */
const programs = new Map([
  ['WebKitWebDriver', 'webkit2gtk-driver'],
  ['Xvfb', 'xvfb'],
  ['apache2', 'apache2'],
  ['chromium', 'chromium'],
  ['firefox-esr', 'firefox-esr'],
  ['haproxy', 'haproxy'],
  ['nats-server', 'nats-server'],
  ['nginx', 'nginx'],
  ['openssl', 'openssl'],
  ['redis-server', 'redis-server'],
  ['squid', 'squid'],
  ['varnishd', 'varnish'],
  // No program, but what one is written with: known by its place.
  ['/usr/lib/python3/dist-packages/PyQt5/QtWebKitWidgets.abi3.so', 'python3-pyqt5.qtwebkit'],
]);

/** Makes sure that every test program is there: installs it where that is ours to do, otherwise says what is missing. */
export async function ensurePrograms() {
  const missing = missingPrograms();
  if (missing.length === 0) return;

  const packages = missing.map(([, debianPackage]) => debianPackage);
  const install = `apt-get update && apt-get install -y --no-install-recommends ${packages.join(' ')}`;
  if (process.getuid?.() !== 0 || !existsSync('/etc/debian_version')) {
    const names = missing.map(([program]) => program).join(', ');
    throw new Error(`The tests need ${names} in PATH. On Debian, as root: ${install}`);
  }
  console.log(`Installing test programs: ${install}`);
  // Packages of servers would start them: the tests start their own. In runlevel 1 they do not.
  const env = { DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  const code =
    (await run('apt-get', ['update'], env)) ||
    (await run('apt-get', ['install', '-y', '--no-install-recommends', ...packages], env));
  if (code !== 0) throw new Error(`Installing ${packages.join(', ')} failed: apt-get ended with ${code}.`);
  const stillMissing = missingPrograms().map(([program]) => program);
  if (stillMissing.length > 0) throw new Error(`Installed ${packages.join(', ')}, but PATH has no ${stillMissing}.`);
}

function missingPrograms() {
  return [...programs].filter(([program]) => !isInPath(program));
}

/** @param {string} program */
function isInPath(program) {
  if (isAbsolute(program)) return existsSync(program);
  // Debian keeps servers where only root's PATH looks.
  return [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin'].some((directory) => {
    try {
      accessSync(join(directory, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
