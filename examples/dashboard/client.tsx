import { createClient } from '@runnel/client';
import { createHooks } from '@runnel/client/react';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import type { DashboardContract } from './contract.ts';

const { RunnelProvider, useChannel, useConnection, usePresence, useSnapshot } = createHooks<DashboardContract>();
const name = new URLSearchParams(location.search).get('name') ?? `guest-${Math.floor(Math.random() * 1_000)}`;
const client = createClient<DashboardContract>('/realtime', { auth: name });

function Dashboard() {
  const channel = useChannel('dashboard/:team', { team: 'ops' });
  const gauges = useSnapshot(channel, { gauge: (state, { name, percent }) => ({ ...state, [name]: percent }) });
  const { members } = usePresence(channel, { enter: {} });
  const { status } = useConnection();
  return (
    <>
      <h1>
        Dashboard <small>{status}</small>
      </h1>
      <p className="soft">Looking at it: {members.map(({ data }) => data.name).join(', ')}</p>
      <ul>
        {Object.entries(gauges ?? {}).map(([name, percent]) => (
          <li key={name}>
            {name} <small>{percent.toFixed(0)} %</small>
            <div className="bar" style={{ width: `${percent}%` }} />
          </li>
        ))}
      </ul>
    </>
  );
}

createRoot(document.getElementById('root') as HTMLElement).render(
  <StrictMode>
    <RunnelProvider client={client}>
      <Dashboard />
    </RunnelProvider>
  </StrictMode>,
);
