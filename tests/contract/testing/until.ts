import { setTimeout as delay } from 'node:timers/promises';
import { inspect } from 'node:util';

const lookAgainMs = 40;
const patienceMs = 25_000;

/**
 * Asks again and again until the answer will do, and answers it; throws with the last answer when that does not do and
 * stays the same for too long. Work that goes forward may take its time.
 */
export async function until<Value>(
  ask: () => Value | Promise<Value>,
  willDo: (value: Value) => boolean,
): Promise<Value> {
  let last = '';
  let giveUpAt = 0;
  for (;;) {
    const value = await ask();
    if (willDo(value)) return value;
    const seen = inspect(value, { depth: null });
    if (seen !== last) giveUpAt = performance.now() + patienceMs;
    last = seen;
    if (performance.now() > giveUpAt) throw new Error(`it never came; at last it was ${seen}`);
    await delay(lookAgainMs);
  }
}
