import { availableParallelism } from 'node:os';
import { isShortOrder, type MoverKind, type MoverOrder, type MoverReply } from './mover-orders.ts';
import { MoverProcess, type OrderOptions } from './mover-process.ts';

/** A few child processes that make all file calls on the store, so that a hung mount never hangs the server. */
export interface MoverPool {
  /** Has an order carried out, after those before it; the deadline counts from when a mover gets it. Never rejects. */
  order<K extends MoverKind>(order: MoverOrder<K>, options: OrderOptions): Promise<MoverReply<K>>;
  /** The ids of the processes that are there now. */
  processIds(): readonly number[];
  /** Gives up everything and ends every process; one that hangs in the kernel is waited for 2 s at most. */
  close(): Promise<void>;
}

/** How many movers there may be: `size` for long orders, `shortSize` (2) only for short ones. */
export interface MoverPoolOptions {
  readonly size: number;
  readonly shortSize?: number;
  /** How long a mover without work is kept (60 s). */
  readonly idleMs?: number;
  /** How many milliseconds more this node may act for tasks, 0 when it may not; asked all the time. Without it, without end. */
  readonly mayActForMs?: () => number;
  /** Where movers keep their code compiled, a folder that nobody else can write to; without it, nowhere. */
  readonly codeCache?: string | null;
}

const closeWithinMs = 2000;

// Starting one takes a core for a moment; many at once would take all of them away from the server, which must renew its
// claims meanwhile.
const STARTS_AT_ONCE = availableParallelism();

// An order and who waits for its reply.
interface Turn {
  readonly order: MoverOrder;
  readonly options: OrderOptions;
  readonly settle: (reply: MoverReply) => void;
  /** Takes the order out of the queue, for no mover could be started. */
  readonly fail: () => void;
}

/** Opens a pool; its processes are started when orders need them. */
export function openMoverPool(options: MoverPoolOptions): MoverPool {
  const { size, shortSize = 2, idleMs = 60_000, mayActForMs, codeCache = null } = options;
  const processes = new Set<MoverProcess>();
  const start = (): MoverProcess => {
    const mover = new MoverProcess(mayActForMs, codeCache);
    processes.add(mover);
    void mover.exited.then(() => processes.delete(mover));
    return mover;
  };
  const long = new Lane(size, idleMs, start);
  const short = new Lane(shortSize, idleMs, start);
  const take = (order: MoverOrder, options: OrderOptions): Promise<MoverReply> =>
    (isShortOrder(order.kind) ? short : long).take(order, options);
  return {
    // Which reply belongs to which kind is kept by performOrder, out of sight of the compiler.
    order: take as MoverPool['order'],
    processIds: () => [...processes].flatMap(({ processId }) => (processId === undefined ? [] : [processId])),
    async close() {
      long.close();
      short.close();
      const gone = Promise.all([...processes].map((mover) => mover.exited));
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise((resolve) => {
        timer = setTimeout(resolve, closeWithinMs);
      });
      await Promise.race([gone, late]);
      clearTimeout(timer);
    },
  };
}

/** Movers for one sort of orders, and the orders that wait for one of them. */
class Lane {
  readonly #size: number;
  readonly #idleMs: number;
  readonly #start: () => MoverProcess;
  readonly #waiting: Turn[] = [];
  readonly #idle = new Map<MoverProcess, NodeJS.Timeout>();
  readonly #closing = new AbortController();
  #busy = 0;
  #starting = 0;

  constructor(size: number, idleMs: number, start: () => MoverProcess) {
    this.#size = size;
    this.#idleMs = idleMs;
    this.#start = start;
  }

  take(order: MoverOrder, options: OrderOptions): Promise<MoverReply> {
    const given = options.signal === undefined ? [] : [options.signal];
    const signal = AbortSignal.any([this.#closing.signal, ...given]);
    return new Promise((resolve) => {
      const turn: Turn = {
        order,
        options: { ...options, signal },
        settle: (reply) => {
          signal.removeEventListener('abort', onAbort);
          resolve(reply);
        },
        fail: () => takeBack(neverStarted(order)),
      };
      const takeBack = (reply: MoverReply): void => {
        const index = this.#waiting.indexOf(turn);
        // Once a mover has it, the mover itself hears the signal.
        if (index === -1) return;
        this.#waiting.splice(index, 1);
        turn.settle(reply);
      };
      const onAbort = (): void => takeBack(neverBegun(order));
      if (signal.aborted) return resolve(neverBegun(order));
      signal.addEventListener('abort', onAbort, { once: true });
      this.#waiting.push(turn);
      this.#dispatch();
    });
  }

  close(): void {
    this.#closing.abort();
    for (const [mover, timer] of this.#idle) {
      clearTimeout(timer);
      mover.kill();
    }
    this.#idle.clear();
  }

  /** An order goes to whichever mover is there first: one that has just ended another, or one that has just started. */
  #dispatch(): void {
    while (this.#waiting.length > 0) {
      const mover = this.#takeIdle();
      if (mover === undefined) break;
      void this.#carryOut(this.#waiting.shift() as Turn, mover);
    }
    while (
      this.#starting < Math.min(this.#waiting.length, STARTS_AT_ONCE) &&
      this.#busy + this.#starting < this.#size
    )
      void this.#startOne();
  }

  async #carryOut({ order, options, settle }: Turn, mover: MoverProcess): Promise<void> {
    this.#busy += 1;
    const reply = await mover.run(order, options);
    this.#busy -= 1;
    if (mover.isUsable) this.#keep(mover);
    this.#dispatch();
    settle(reply);
  }

  async #startOne(): Promise<void> {
    this.#starting += 1;
    const mover = this.#start();
    const isReady = await mover.ready;
    this.#starting -= 1;
    if (isReady) this.#keep(mover);
    // Its order must not wait for ever for movers that cannot start.
    else this.#waiting[0]?.fail();
    this.#dispatch();
  }

  #takeIdle(): MoverProcess | undefined {
    for (const [mover, timer] of this.#idle) {
      clearTimeout(timer);
      this.#idle.delete(mover);
      if (mover.isUsable) return mover;
    }
    return undefined;
  }

  #keep(mover: MoverProcess): void {
    if (this.#closing.signal.aborted) {
      mover.kill();
      return;
    }
    const end = (): void => {
      this.#idle.delete(mover);
      mover.kill();
    };
    this.#idle.set(mover, setTimeout(end, this.#idleMs));
  }
}

function neverStarted(order: MoverOrder): MoverReply {
  const detail = `No mover could be started for the order ${order.kind}.`;
  return { ok: false, fault: { code: 'MOVER_DIED', effect: 'none', retryable: true, detail } };
}

function neverBegun(order: MoverOrder): MoverReply {
  const detail = `The order ${order.kind} was given up before it was begun.`;
  return { ok: false, fault: { code: 'ABORTED', effect: 'none', retryable: true, detail } };
}
