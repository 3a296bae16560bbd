/** The rooms there are. A demo needs no more. */
export const rooms = [
  { id: 'lobby', title: 'Lobby', topic: 'Say hello. Everyone starts here.' },
  { id: 'engineering', title: 'Engineering', topic: 'What we build, and what broke.' },
  { id: 'design', title: 'Design', topic: 'Type, colour, and whether it feels right.' },
  { id: 'random', title: 'Random', topic: 'Everything that fits nowhere else.' },
] as const;

export type Room = (typeof rooms)[number];

export function findRoom(id: string | null): Room | undefined {
  return rooms.find((room) => room.id === id);
}
