import { expect, it } from 'vitest';
import { Liveness, RoundTrip } from '../../src/session/client/liveness.ts';

const RTT_MS = 20;
const PATIENCE_MS = 1_200;

function pingedAt0(askedBytes = 0): Liveness {
  const roundTrip = new RoundTrip();
  roundTrip.sample(RTT_MS);
  const liveness = new Liveness(roundTrip, 10_000, 0);
  liveness.sent(0);
  liveness.asked(askedBytes, 0);
  liveness.pinged(0);
  return liveness;
}

it('frames that are not acknowledged are asked after in a quarter of patience, whatever comes down', () => {
  const roundTrip = new RoundTrip();
  roundTrip.sample(RTT_MS);
  const liveness = new Liveness(roundTrip, 10_000, 0);
  liveness.sent(0);
  for (let now = 0; now < 400; now += 50) liveness.heard(true, 100, now);
  expect(liveness.pingAt()).toBe(PATIENCE_MS / 4);
});

it('a ping that is not answered in time is a sign of a way up that is mute, although small things come down', () => {
  const liveness = pingedAt0();
  for (let now = 50; now < PATIENCE_MS; now += 50) liveness.heard(true, 80, now);
  expect(liveness.suspectAt()).toBeLessThan(PATIENCE_MS + 150);
});

it('a pong may wait for what comes down before it, but not for ever', () => {
  const liveness = pingedAt0();
  for (let now = 500; now <= 3_000; now += 500) {
    liveness.heard(true, 16_384, now);
    expect(liveness.suspectAt()).toBeGreaterThan(now + 500);
  }
  for (let i = 0; i < 10; i += 1) liveness.heard(true, 16_384, 3_500);
  expect(liveness.suspectAt()).toBe(3 * PATIENCE_MS);
});

it('a pong may wait for what went up before its ping, also when that has been acknowledged meanwhile', () => {
  const liveness = pingedAt0(100_000);
  liveness.heard(false, 5, 3_200);
  liveness.told(0, false, true, 3_200);
  expect(liveness.suspectAt()).toBeGreaterThan(PATIENCE_MS + 100_000 / 32);
});
