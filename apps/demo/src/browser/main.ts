import type { Person } from '../contract.ts';
import { Deliveries } from '../deliveries.ts';
import { Journal } from '../journal.ts';
import { findRoom, rooms } from '../rooms.ts';
import { AlertFeed } from './alert-feed.ts';
import { AlertForm } from './alert-form.ts';
import { AlertList } from './alert-list.ts';
import { createAppClient } from './app-client.ts';
import { Chat } from './chat.ts';
import { ConnectionPanel } from './connection-panel.ts';
import { ConnectionStatus } from './connection-status.ts';
import { DiagnosisPanel } from './diagnosis-panel.ts';
import { FlowDisturbance } from './flow-disturbance.ts';
import { FlowPanel } from './flow-panel.ts';
import { runFlow } from './flow-test.ts';
import { Identity } from './identity.ts';
import { JournalList } from './journal-list.ts';
import { monitorLink } from './link-monitor.ts';
import { NetworkWatch } from './network-watch.ts';
import { PageAddress } from './page-address.ts';
import { Pulse } from './pulse.ts';
import { randomId } from './random-id.ts';
import { ReadMarks } from './read-marks.ts';
import { RoomFeed } from './room-feed.ts';
import { RoomList } from './room-list.ts';
import { connectThemeButton } from './theme.ts';
import { Toasts } from './toasts.ts';
import { TroublePanel } from './trouble-panel.ts';
import { ViewTabs } from './view-tabs.ts';

let refreshing = false;
const changeTitles = {
  network: 'The network changed',
  offline: 'The device went offline',
  online: 'The device came back online',
  sleep: 'The page or the machine slept',
} as const;
const flow = { count: 10_000, perSecond: 600 };

connectThemeButton();
const address = new PageAddress();
const tabs = new ViewTabs();
const cutKey = randomId();

const identity = new Identity(tellName);
const person = () => identity.person;
const { userId } = identity;
const client = createAppClient({ person, cutKey, pinned: address.pinned });

// Rooms
const marks = new ReadMarks();
const deliveries = new Deliveries();
const feeds = rooms.map((room) => {
  const onOffset = (offset: number) => deliveries.take(room.id, offset);
  return new RoomFeed({ client, room, person, readAt: marks.of(room.id), onChange: refresh, onOffset });
});
const wanted = feeds.find(({ room }) => room === findRoom(address.room)) ?? feeds[0];
if (wanted === undefined) throw new Error('There is no room.');
const chat = new Chat(wanted, person);
const roomList = new RoomList(feeds, (feed) => {
  chat.show(feed);
  address.selectRoom(feed.room.id);
  tabs.show('chat');
  refresh();
});

// Alerts
const toasts = new Toasts(userId);
const alertList = new AlertList(tabs, userId);
const alerts = new AlertFeed({
  client,
  userId,
  onAlert: (alert, fresh) => {
    alertList.add(alert, fresh);
    if (fresh) toasts.show(alert);
  },
});
const alertForm = new AlertForm((draft) => alerts.raise(draft));

// Connection
const journal = new Journal(() => deliveries.tally());
const journalList = new JournalList(journal);
const network = new NetworkWatch(({ at, kind }) => journal.happened(at, changeTitles[kind]));
const diagnosis = new DiagnosisPanel({ client, changes: network.changes });
const status = new ConnectionStatus();
const panel = new ConnectionPanel({
  client,
  cutKey,
  pinned: address.pinned,
  onChoose: (choice) => journal.chosen(Date.now(), choice),
});
const pulse = new Pulse(client, userId, deliveries);
new TroublePanel({
  tab: cutKey,
  prepare: (forMs) => pulse.start(forMs),
  onStrike: ({ title }) => journal.struck(Date.now(), title),
  onMend: () => journal.mended(Date.now()),
});
monitorLink(client, {
  onSample: (sample) => {
    status.show(sample);
    panel.show(sample);
    journal.take(sample);
    journalList.show();
    diagnosis.show();
  },
  onSession: () => {
    // A new session may be of a server that counts anew.
    for (const { id } of rooms) deliveries.forget(id);
    // What the client knows as its credentials has the name that it had at first, and the server may be a new one.
    if (identity.renamed) tellName(identity.person.name);
  },
});

// Flow test
new FlowPanel({
  count: flow.count,
  run: (onProgress, signal) => runFlow({ client, flowId: `${userId}.${randomId()}`, ...flow, onProgress, signal }),
  disturb: (signal) =>
    new FlowDisturbance({
      choices: address.pinned === undefined ? ['stream', 'poll', 'websocket', 'poll', 'stream', 'websocket'] : [],
      onSwitch: (choice) => panel.use(choice),
      untilOpen: () => client.connect(),
      onCut: () => panel.cut(),
      signal,
    }),
  onEnd: () => void panel.use(address.pinned ?? 'auto'),
});

refresh();

/** Brings up to date what depends on all rooms: soon, and once however much has changed. */
function refresh(): void {
  if (refreshing) return;
  refreshing = true;
  queueMicrotask(() => {
    refreshing = false;
    roomList.show(chat.feed);
    marks.keep(feeds);
    alertForm.setPeople(peopleElsewhere());
    const unread = feeds.reduce((sum, feed) => sum + feed.unread, 0);
    document.title = `${unread > 0 ? `(${unread}) ` : ''}${chat.feed.room.title} · Runnel`;
  });
}

function tellName(name: string): void {
  alerts.rename(name).then(() => chat.feed.enter(), console.warn);
}

/** Everyone in any room but oneself, each once, by name. */
function peopleElsewhere(): Person[] {
  const people = new Map(feeds.flatMap(({ members }) => members).map((member) => [member.userId, member]));
  people.delete(userId);
  return [...people.values()].sort((a, b) => a.name.localeCompare(b.name));
}
