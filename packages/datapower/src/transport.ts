import type { IncomingHttpHeaders } from 'node:http';
import { isIPv6 } from 'node:net';
import { type Dispatcher, Pool } from 'undici';
import { connectDevice } from './connect-device.ts';
import type { Problem } from './fault.ts';
import { sendingNotAllowed, transportProblem } from './transport-problem.ts';
import type { PreparedTrust } from './trust.ts';
import { WireProblem } from './wire/wire-problem.ts';

const PATH = '/service/mgmt/current';
const MAX_IN_FLIGHT = 2;
const LONGEST_TIMER_MS = 2_147_483_647;

/** Where a device listens, how it is trusted, how long connecting and silence inside an answer may last, and who says whether anything may be sent. */
export interface TransportOptions {
  readonly host: string;
  readonly port: number;
  readonly trust: PreparedTrust;
  readonly connectMs: number;
  readonly stallMs: number;
  readonly maySend: () => boolean;
}

/** One request: its text, the Authorization header, and when to give up. */
export interface Posting {
  readonly body: string;
  readonly authorization: string;
  readonly deadlineMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** Takes one answer as it comes; may throw a `WireProblem` to end it, and return a promise to be waited for. */
export interface Receiver {
  start(statusCode: number, headers: IncomingHttpHeaders): void;
  write(chunk: Buffer): Promise<void> | undefined;
  end(): Promise<void> | undefined;
  /** The exchange has failed: nothing more may be passed on. */
  cancel(): void;
}

/** Whether a whole answer was received; if not, whether the request may have reached the device (`isSent`). */
export type Delivery =
  | { readonly ok: true }
  | { readonly ok: false; readonly problem: Problem; readonly isSent: boolean };

/** The only socket to one device: HTTPS, no redirects, no proxy, at most two requests at once. */
export class Transport {
  readonly #pool: Pool;
  readonly #device: string;
  readonly #stallMs: number;
  readonly #maySend: () => boolean;
  readonly #exchanges = new Set<Exchange>();

  constructor(options: TransportOptions) {
    const { host, port, maySend } = options;
    this.#device = `${host}:${port}`;
    this.#stallMs = options.stallMs;
    this.#maySend = maySend;
    this.#pool = new Pool(`https://${isIPv6(host) ? `[${host}]` : host}:${port}`, {
      connect: connectDevice(options.trust, options.connectMs, maySend),
      connections: MAX_IN_FLIGHT,
      pipelining: 1,
      allowH2: false,
    });
  }

  /** Sends one request and feeds its answer to the receiver; never throws for what the world does. */
  async send(posting: Posting, receiver: Receiver): Promise<Delivery> {
    const exchange = new Exchange(posting, receiver, this.#device, this.#maySend);
    if (!this.#maySend()) exchange.giveUp(sendingNotAllowed(this.#device));
    if (exchange.isOver) return exchange.delivery;
    this.#exchanges.add(exchange);
    try {
      this.#pool.dispatch(
        {
          path: PATH,
          method: 'POST',
          idempotent: false,
          headers: {
            'content-type': 'text/xml; charset=UTF-8',
            accept: 'text/xml',
            'accept-encoding': 'identity',
            authorization: posting.authorization,
          },
          body: posting.body,
          // The whole call has a deadline of its own; a backup may take minutes before its first byte.
          headersTimeout: 0,
          bodyTimeout: this.#stallMs,
        },
        exchange,
      );
      return await exchange.delivery;
    } finally {
      this.#exchanges.delete(exchange);
    }
  }

  /** Gives up what is under way (code `CLIENT_CLOSED`) and ends the connections. */
  async close(): Promise<void> {
    for (const exchange of this.#exchanges) {
      exchange.giveUp({ code: 'CLIENT_CLOSED', detail: `The client of ${this.#device} was closed.` });
    }
    await this.#pool.destroy();
  }
}

class Exchange implements Dispatcher.DispatchHandler {
  readonly delivery: Promise<Delivery>;
  isOver = false;
  readonly #receiver: Receiver;
  readonly #device: string;
  readonly #maySend: () => boolean;
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort: () => void;
  readonly #timer: NodeJS.Timeout;
  readonly #settle: (delivery: Delivery) => void;
  readonly #reject: (bug: unknown) => void;
  #controller: Dispatcher.DispatchController | null = null;

  constructor(posting: Posting, receiver: Receiver, device: string, maySend: () => boolean) {
    const { promise, resolve, reject } = Promise.withResolvers<Delivery>();
    this.delivery = promise;
    this.#settle = resolve;
    this.#reject = reject;
    this.#receiver = receiver;
    this.#device = device;
    this.#maySend = maySend;
    this.#signal = posting.signal;
    const seconds = posting.deadlineMs / 1000;
    this.#timer = setTimeout(
      () =>
        this.giveUp({ code: 'DEADLINE_EXCEEDED', detail: `${device} did not finish within ${seconds} s.` }),
      Math.min(posting.deadlineMs, LONGEST_TIMER_MS),
    );
    this.#onAbort = () => this.giveUp({ code: 'ABORTED', detail: `The request to ${device} was given up.` });
    this.#signal?.addEventListener('abort', this.#onAbort);
    if (this.#signal?.aborted) this.#onAbort();
  }

  giveUp(problem: Problem): void {
    if (this.isOver) return;
    // Decided before the socket is torn down, because undici reports that as an error of its own.
    this.#finish({ ok: false, problem, isSent: this.#controller !== null });
    this.#controller?.abort(new Error(problem.code));
  }

  // undici calls this right before it writes the first byte, on a connection whose certificate has been accepted.
  onRequestStart(controller: Dispatcher.DispatchController): void {
    // Whoever slept since the request was made may have lost the right to send it: no timer or signal is faster than this.
    if (!this.#maySend()) this.giveUp(sendingNotAllowed(this.#device));
    if (this.isOver) {
      controller.abort(new Error('given up'));
      return;
    }
    this.#controller = controller;
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    statusCode: number,
    headers: IncomingHttpHeaders,
  ): void {
    if (statusCode < 200) return;
    this.#guard(() => this.#receiver.start(statusCode, headers));
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#guard(() => {
      const busy = this.#receiver.write(chunk);
      if (!busy) return;
      controller.pause();
      busy.then(
        () => controller.resume(),
        (error: unknown) => this.#fail(error),
      );
    });
  }

  onResponseEnd(): void {
    this.#guard(() => {
      const busy = this.#receiver.end();
      if (!busy) return this.#finish({ ok: true });
      busy.then(
        () => this.#finish({ ok: true }),
        (error: unknown) => this.#fail(error),
      );
    });
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    const isSent = this.#controller !== null;
    this.#finish({ ok: false, problem: transportProblem(error, this.#device, isSent), isSent });
  }

  #guard(step: () => void): void {
    if (this.isOver) return;
    try {
      step();
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    if (error instanceof WireProblem) {
      this.giveUp({ code: error.code, detail: error.message });
      return;
    }
    this.#reject(error);
    this.giveUp({ code: 'ABORTED', detail: `The receiver of ${this.#device} failed.` });
  }

  #finish(delivery: Delivery): void {
    if (this.isOver) return;
    this.isOver = true;
    clearTimeout(this.#timer);
    this.#signal?.removeEventListener('abort', this.#onAbort);
    if (!delivery.ok) this.#receiver.cancel();
    this.#settle(delivery);
  }
}
