import { type MoverMessage, type MoverProgress, type OrderMessage, unpackOrder } from './mover-orders.ts';
import { performOrder } from './perform-order.ts';

// The entry of a mover process: one order at a time comes in over the channel, progress and one reply go out. A bug ends
// the process, which the pool tells as MOVER_DIED.

const progressEveryMs = 500;

function say(message: MoverMessage): void {
  // An error here means that nobody listens any more; the disconnect below then ends this process.
  process.send?.(message, undefined, undefined, () => undefined);
}

function progressTeller(orderId: number): (progress: MoverProgress) => void {
  let saidAtMs = Number.NEGATIVE_INFINITY;
  return (progress) => {
    const nowMs = performance.now();
    if (nowMs - saidAtMs < progressEveryMs) return;
    saidAtMs = nowMs;
    say({ kind: 'progress', orderId, progress });
  };
}

async function obey({ orderId, order }: OrderMessage): Promise<void> {
  const reply = await performOrder(await unpackOrder(order), progressTeller(orderId));
  say({ kind: 'reply', orderId, reply });
}

process.on('disconnect', () => process.exit(0));
process.on('message', (message: OrderMessage) => void obey(message));
