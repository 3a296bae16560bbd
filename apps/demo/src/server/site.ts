import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import express, { type Express } from 'express';
import { findTrouble, troubleSecondsMax } from '../troubles.ts';
import type { BadNetwork } from './bad-network.ts';
import type { LinkCutter } from './link-cutter.ts';

// Beside both src/ and dist/, so it is found whichever of the two runs.
const publicFolder = fileURLToPath(new URL('../../dist/public', import.meta.url));

const securityHeaders = {
  'content-security-policy': "default-src 'self'; connect-src 'self' ws: wss:; frame-ancestors 'none'; base-uri 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

/**
 * The page, and what is not realtime.
 *
 * @throws Error where the page has not been built
 */
export function createSite(cutter: LinkCutter, network: BadNetwork): Express {
  if (!existsSync(join(publicFolder, 'index.html'))) {
    throw new Error(`There is no page in ${publicFolder}: run "npm run build" first.`);
  }
  const site = express();
  site.disable('x-powered-by');
  site.use((_request, response, next) => {
    response.set(securityHeaders);
    next();
  });
  site.get('/healthz', (_request, response) => {
    response.json({ ok: true, uptimeSeconds: Math.round(process.uptime()) });
  });
  site.post('/demo/cut', (request, response) => {
    const { tab } = request.query;
    if (typeof tab !== 'string' || tab === '') response.status(400).json({ error: 'name the tab to cut: ?tab=' });
    else response.json({ cut: cutter.cut(tab) });
  });
  site.post('/demo/network', (request, response) => {
    const { tab, trouble, seconds } = request.query;
    const found = findTrouble(trouble);
    const lasts = Number(seconds);
    const fits = lasts > 0 && lasts <= troubleSecondsMax;
    if (typeof tab !== 'string' || tab === '' || found === undefined || !fits) {
      response.status(400).json({ error: `name the tab, a trouble, and up to ${troubleSecondsMax} seconds` });
    } else {
      response.status(network.strike(tab, found.name, lasts * 1_000) ? 204 : 503).end();
    }
  });
  site.delete('/demo/network', (request, response) => {
    const { tab } = request.query;
    if (typeof tab === 'string') network.mend(tab);
    response.status(204).end();
  });
  site.use(express.static(publicFolder, { cacheControl: false }));
  return site;
}
