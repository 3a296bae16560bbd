import type { Clock } from './driver.ts';

/**
 * Time as the application layer sees it: nothing in hub, handlers, presence or the memory broker reads a clock or sets a timer but
 * through this, so that a test or a simulation may own time.
 */
export type Timing = Pick<Clock, 'now' | 'after'>;
