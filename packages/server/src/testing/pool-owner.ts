import { type MoverReply, unpackOrder } from '../movers/mover-orders.ts';
import { openMoverPool } from '../movers/mover-pool.ts';

// A server in small, as a process that tests can freeze: it has movers, and may act for as long as its argument says
// after it was last told that it may. It ends with the test that started it.

/** What a test says to it. */
export type ToPoolOwner =
  | { readonly kind: 'renew' }
  | { readonly kind: 'tellProcesses' }
  | { readonly kind: 'order'; readonly number: number; readonly order: object };

/** What it answers. */
export type FromPoolOwner =
  | { readonly kind: 'processes'; readonly ids: readonly number[] }
  | { readonly kind: 'reply'; readonly number: number; readonly reply: MoverReply };

const fenceMs = Number(process.argv[2]);
let renewedAt = performance.now();
const mayActForMs = (): number => renewedAt + fenceMs - performance.now();
const pool = openMoverPool({ size: 1, shortSize: 1, mayActForMs });

function say(message: FromPoolOwner): void {
  process.send?.(message);
}

async function obey(message: ToPoolOwner): Promise<void> {
  if (message.kind === 'renew') renewedAt = performance.now();
  else if (message.kind === 'tellProcesses') say({ kind: 'processes', ids: pool.processIds() });
  else {
    const order = await unpackOrder(message.order);
    const reply = await pool.order(order, { deadlineMs: 60_000 });
    say({ kind: 'reply', number: message.number, reply });
  }
}

process.on('disconnect', () => process.exit(0));
process.on('message', (message: ToPoolOwner) => void obey(message));
