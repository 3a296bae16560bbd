// Times as people read them. Everything takes its clock as an argument.

/** `14:05` today, `Mon 14:05` in the last week, `3 Mar 14:05` before that; in the reader's locale and time zone. */
export function timeOfDay(at: number, now: number): string {
  const then = new Date(at);
  const time = then.toLocaleTimeString([], { hour: 'numeric', minute: '2-digit' });
  if (then.toDateString() === new Date(now).toDateString()) return time;
  const recent = now - at < 6 * 86_400_000;
  const day = then.toLocaleDateString([], recent ? { weekday: 'short' } : { day: 'numeric', month: 'short' });
  return `${day} ${time}`;
}

/** `0:07`, `12:34`, `1:02:03`. */
export function elapsed(durationMs: number): string {
  const seconds = Math.max(0, Math.floor(durationMs / 1_000));
  const parts = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60, seconds % 60];
  const [hours = 0, ...rest] = parts;
  const shown = hours > 0 ? parts : rest;
  return shown.map((part, index) => (index === 0 ? String(part) : String(part).padStart(2, '0'))).join(':');
}

/** `0.4 ms`, `12 ms`, `1.4 s`. */
export function shortDuration(durationMs: number): string {
  if (durationMs >= 1_000) return `${(durationMs / 1_000).toFixed(1)} s`;
  return durationMs < 1 ? `${durationMs.toFixed(1)} ms` : `${Math.round(durationMs)} ms`;
}
