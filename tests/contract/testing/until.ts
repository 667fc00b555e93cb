import { setTimeout as delay } from 'node:timers/promises';
import { inspect } from 'node:util';

const lookAgainMs = 40;
const patienceMs = 25_000;

/** Asks again and again until the answer will do, and answers it; throws with the last answer when it never does. */
export async function until<Value>(
  ask: () => Value | Promise<Value>,
  willDo: (value: Value) => boolean,
): Promise<Value> {
  const giveUpAt = performance.now() + patienceMs;
  for (;;) {
    const value = await ask();
    if (willDo(value)) return value;
    if (performance.now() > giveUpAt) throw new Error(`it never came; at last it was ${inspect(value)}`);
    await delay(lookAgainMs);
  }
}
