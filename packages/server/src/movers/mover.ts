import { flushCompileCache } from 'node:module';
import { type MoverMessage, type MoverProgress, type ServerMessage, unpackOrder } from './mover-orders.ts';
import { performOrder } from './perform-order.ts';
import { Permission } from './permission.ts';

// The entry of a mover process: one order at a time comes in over the channel, progress and one reply go out. A bug ends
// the process, which the pool tells as MOVER_DIED. While an order for a task goes on, the server keeps saying that this
// process may act; when it falls silent, what goes on is given up and nothing more is begun.

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

let current: { readonly orderId: number; readonly permission: Permission } | null = null;

async function obey({ orderId, order, until }: Extract<ServerMessage, { kind: 'order' }>): Promise<void> {
  using permission = new Permission(until);
  current = { orderId, permission };
  const reply = await performOrder(await unpackOrder(order), progressTeller(orderId), permission);
  say({ kind: 'reply', orderId, reply });
  keepCode();
}

// Movers are killed when they are idle for long, so nothing is kept at their end. What is known already costs nothing.
function keepCode(): void {
  flushCompileCache();
}

process.on('disconnect', () => process.exit(0));
process.on('message', (message: ServerMessage) => {
  if (message.kind === 'order') void obey(message);
  else if (message.orderId === current?.orderId) current.permission.extend(message.until);
});
say({ kind: 'ready' });
keepCode();
