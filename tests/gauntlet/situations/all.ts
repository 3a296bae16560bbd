import type { Situation } from '../situation.ts';
import { CHANGES } from './changes.ts';
import { EXCHANGES } from './exchanges.ts';
import { MIDDLEBOXES } from './middleboxes.ts';
import { PATHS } from './paths.ts';
import { PINNED } from './pinned.ts';
import { PROGRAMS } from './programs.ts';

export interface Group {
  readonly title: string;
  readonly situations: readonly Situation[];
}

export const GROUPS: readonly Group[] = [
  { title: 'Programs that stand before servers', situations: PROGRAMS },
  { title: 'Boxes that do something to connections', situations: MIDDLEBOXES },
  { title: 'Proxies that do something to requests and answers', situations: EXCHANGES },
  { title: 'Long, thin and uneven paths', situations: PATHS },
  { title: 'Things that change while a session is in use', situations: CHANGES },
  { title: 'One transport alone', situations: PINNED },
];

export const SITUATIONS: readonly Situation[] = GROUPS.flatMap(({ situations }) => situations);
