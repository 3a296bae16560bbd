import { memoryBroker } from '@runnel/server';
import { ElasticClock } from '../support/elastic-clock.ts';
import { type BrokerUnderTest, describeBroker } from './conformance.ts';
import { describeNodes } from './node-conformance.ts';

const create = (): BrokerUnderTest => {
  const clock = new ElasticClock();
  const broker = memoryBroker({ clock });
  return { broker, other: broker, advance: (ms) => clock.leap(ms) };
};

describeBroker('the memory broker', create);
describeNodes('the memory broker', create);
