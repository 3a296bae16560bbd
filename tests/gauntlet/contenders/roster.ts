import type { Contender } from './contender.ts';
import { plainWs } from './plain-ws.ts';
import { runnel } from './runnel.ts';
import { socketIoAtItsBest, socketIoByDefault } from './socket-io.ts';
import { sockJs } from './sockjs.ts';

export const CONTENDERS: readonly Contender[] = [runnel, socketIoByDefault, socketIoAtItsBest, sockJs, plainWs];
