import { createServer } from '@runnel/server';
import { serve } from '../serve.ts';
import { contract } from './contract.ts';

const gauges: Record<string, number> = { CPU: 30, Memory: 60, Disk: 45, Queue: 10 };

const realtime = createServer({
  contract,
  authenticate: ({ auth }) => (typeof auth === 'string' && auth !== '' ? { id: auth, name: auth } : null),
});
realtime.handle('dashboard/:team', {
  authorize: ({ params }) => params.team === 'ops',
  snapshot: () => gauges,
  presence: ({ user }) => ({ name: user.name }),
});

const dashboard = realtime.channel('dashboard/:team', { team: 'ops' });
setInterval(() => {
  for (const [name, old] of Object.entries(gauges)) {
    const percent = Math.min(100, Math.max(0, old + (Math.random() - 0.5) * 10));
    gauges[name] = percent;
    void dashboard.broadcast('gauge', { name, percent });
  }
}, 500).unref();

await serve(realtime, import.meta.url);
