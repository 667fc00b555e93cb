import { type ChildProcess, fork } from 'node:child_process';
import { constants, setPriority } from 'node:os';
import { fileURLToPath } from 'node:url';
import { mayNotAct } from './may-not-act.ts';
import type { MoverCode } from './mover-catalogue.ts';
import {
  isForTask,
  type MoverMessage,
  type MoverOrder,
  type MoverProgress,
  type MoverReply,
  packOrder,
  type ServerMessage,
} from './mover-orders.ts';
import { permittedUntil, type Until } from './permission.ts';

/** How long an order may take, who may give it up, and who hears how far it is. */
export interface OrderOptions {
  readonly deadlineMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: MoverProgress) => void) | undefined;
}

const entry = fileURLToPath(new URL('./mover.ts', import.meta.url));

// A mover needs to find its trusted certificates and the zone; it must not inherit what the server's environment holds.
const inherited = ['TZ', 'LANG', 'NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE', 'SSL_CERT_DIR'];

// What a download leaves behind for the collector is worth megabytes and dies at once: a small nursery, swept often, costs
// little time and keeps a mover some 30 MB smaller.
const execArgv = ['--max-semi-space-size=1'];

const READY_WITHIN_MS = 60_000;

/** A mover hears this often that it may go on; it stops by itself when it hears nothing for as long as it was permitted. */
const PERMIT_EVERY_MS = 1_000;

/** One mover process, which carries out one order after the other until it is given up. */
export class MoverProcess {
  /** Resolves when the process is gone. */
  readonly exited: Promise<void>;
  /** Resolves with true when it can take an order, with false when it ended instead or took too long. */
  readonly ready: Promise<boolean>;
  readonly #child: ChildProcess;
  readonly #mayActForMs: (() => number) | undefined;
  #orderId = 0;
  #isGone = false;

  constructor(mayActForMs: (() => number) | undefined, codeCache: string | null) {
    this.#mayActForMs = mayActForMs;
    const env = Object.fromEntries([
      ...inherited.flatMap((name) => pairOf(name, process.env[name])),
      ...pairOf('NODE_COMPILE_CACHE', codeCache ?? undefined),
    ]);
    this.#child = fork(entry, [], {
      env,
      execArgv,
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.exited = new Promise((resolve) => {
      const gone = (): void => {
        this.#isGone = true;
        resolve();
      };
      this.#child.once('exit', gone);
      this.#child.on('error', () => {
        if (this.#child.pid === undefined) gone();
      });
    });
    this.ready = this.#becomeReady();
    this.#giveWay();
  }

  async #becomeReady(): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const isReady = await Promise.race([
      new Promise<true>((resolve) => {
        this.#child.once('message', () => resolve(true));
      }),
      this.exited.then(() => false),
      new Promise<false>((resolve) => {
        timer = setTimeout(resolve, READY_WITHIN_MS, false);
      }),
    ]);
    clearTimeout(timer);
    if (!isReady) this.kill();
    return isReady;
  }

  /** Whatever movers decode and hash, the server comes first: it renews claims and sets gateways moving again. */
  #giveWay(): void {
    const { pid } = this.#child;
    try {
      if (pid !== undefined) setPriority(pid, constants.priority.PRIORITY_BELOW_NORMAL);
    } catch {
      // It has ended already, or this system allows no priorities: then all are equal.
    }
  }

  get processId(): number | undefined {
    return this.#child.pid;
  }

  /** Whether it can take another order. */
  get isUsable(): boolean {
    return !this.#isGone && this.#child.connected;
  }

  /** Has one order carried out; a mover that is late, dies or is aborted is killed, and not waited for. */
  run(order: MoverOrder, options: OrderOptions): Promise<MoverReply> {
    this.#orderId += 1;
    const orderId = this.#orderId;
    const child = this.#child;
    const permit = isForTask(order.kind) ? this.#mayActForMs : undefined;
    const until = permit === undefined ? null : permittedUntil(permit);
    if (permit !== undefined && until === null) {
      return Promise.resolve(
        mayNotAct(`The order ${order.kind} was not given, because this node may not act now.`),
      );
    }
    return new Promise((resolve) => {
      const settle = (reply: MoverReply): void => {
        clearTimeout(timer);
        clearInterval(permitting);
        options.signal?.removeEventListener('abort', onAbort);
        child.off('message', onMessage).off('exit', onExit).off('error', onExit);
        resolve(reply);
      };
      const giveUp = (code: MoverCode, detail: string): void => {
        this.kill();
        settle({ ok: false, fault: { code, effect: 'unknown', retryable: true, detail } });
      };
      const onMessage = (message: MoverMessage): void => {
        if (message.kind === 'ready' || message.orderId !== orderId) return;
        if (message.kind === 'progress') options.onProgress?.(message.progress);
        else if (isForWantOfPermission(message.reply)) giveAgain(message.reply);
        else settle(message.reply);
      };
      const onAbort = (): void =>
        giveUp('ABORTED', `The order ${order.kind} was given up while it was going on.`);
      const onExit = (): void => giveUp('MOVER_DIED', `The mover ended during the order ${order.kind}.`);
      const timer = setTimeout(() => {
        giveUp(
          'STORE_NOT_RESPONDING',
          `The order ${order.kind} did not end within ${options.deadlineMs} ms.`,
        );
      }, options.deadlineMs);
      const permitting = permit && setInterval(() => this.#permit(orderId, permit), PERMIT_EVERY_MS);
      child.on('message', onMessage).on('exit', onExit).on('error', onExit);
      options.signal?.addEventListener('abort', onAbort, { once: true });
      const give = (allowedUntil: Until | null): void => {
        const message: ServerMessage = {
          kind: 'order',
          orderId,
          order: packOrder(order),
          until: allowedUntil,
        };
        if (this.isUsable) child.send(message);
        else onExit();
      };
      // A mover that got no turn in time on a busy machine has done nothing: while the server may act, it begins anew.
      const giveAgain = (reply: MoverReply): void => {
        const again = permit === undefined ? null : permittedUntil(permit);
        if (again === null) settle(reply);
        else give(again);
      };
      give(until);
    });
  }

  #permit(orderId: number, mayActForMs: () => number): void {
    const until = permittedUntil(mayActForMs);
    if (until === null || !this.isUsable) return;
    const message: ServerMessage = { kind: 'permitted', orderId, until };
    // A mover that is gone is told by its exit.
    this.#child.send(message, () => undefined);
  }

  /** Kills the process without waiting: one that hangs in the kernel goes only when its mount answers again. */
  kill(): void {
    this.#isGone = true;
    this.#child.kill('SIGKILL');
    if (this.#child.connected) this.#child.disconnect();
    // Nor does it keep this server from ending.
    this.#child.unref();
  }
}

/** Whether nothing was done, for the only reason that the mover had not heard for too long that it may. */
function isForWantOfPermission(reply: MoverReply): boolean {
  return !reply.ok && reply.fault.code === 'NODE_MAY_NOT_ACT' && reply.fault.effect === 'none';
}

function pairOf(name: string, value: string | undefined): [string, string][] {
  return value === undefined ? [] : [[name, value]];
}
