import type { IncomingHttpHeaders } from 'node:http';
import type { Receiver } from './transport.ts';
import { EnvelopeReader, type ReadEnvelope } from './wire/envelope-reader.ts';
import { printable } from './wire/printable.ts';
import { WireProblem } from './wire/wire-problem.ts';

const NOT_NOW: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/** Takes the decoded bytes of a file in order; a promise holds the device back until it is resolved. */
export interface FileSink {
  write(chunk: Uint8Array): void | Promise<void>;
}

export interface ReplyReceiverOptions {
  readonly envelopeMaxBytes: number;
  readonly sink?: FileSink | undefined;
}

/** What was received once the exchange has ended well. */
export interface ReceivedReply extends ReadEnvelope {
  readonly isHttpSuccess: boolean;
  readonly statusCode: number;
}

/** Joins one HTTP answer to the envelope reader and, where a file is expected, to the sink with its back-pressure. */
export class ReplyReceiver implements Receiver {
  readonly #options: ReplyReceiverOptions;
  #reader: EnvelopeReader | null = null;
  #statusCode = 0;
  #draining: Promise<void> | null = null;
  #reply: ReceivedReply | null = null;
  #isCancelled = false;

  constructor(options: ReplyReceiverOptions) {
    this.#options = options;
  }

  /** The reply; asking before the end of the exchange is a bug. */
  get reply(): ReceivedReply {
    if (this.#reply === null) throw new Error('The reply was asked for before the exchange had ended.');
    return this.#reply;
  }

  start(statusCode: number, headers: IncomingHttpHeaders): void {
    this.#statusCode = statusCode;
    if (statusCode >= 300 && statusCode < 400) {
      const detail = `The device answered with HTTP status ${statusCode} and wanted the request sent elsewhere.`;
      throw new WireProblem('REDIRECT_REFUSED', detail);
    }
    this.#asHttp(() => refuseForeignEncoding(headers));
    const { envelopeMaxBytes, sink } = this.#options;
    const streams = sink !== undefined && isSuccess(statusCode);
    this.#reader = new EnvelopeReader(
      streams ? { envelopeMaxBytes, onFileBytes: (block) => this.#put(sink, block) } : { envelopeMaxBytes },
    );
  }

  write(chunk: Buffer): Promise<void> | undefined {
    this.#asHttp(() => this.#reader?.write(chunk));
    return this.#draining ?? undefined;
  }

  end(): Promise<void> | undefined {
    this.#asHttp(() => {
      const read = this.#reader?.finish();
      if (!read) throw new Error('An answer ended that had not begun.');
      this.#reply = { ...read, statusCode: this.#statusCode, isHttpSuccess: isSuccess(this.#statusCode) };
    });
    return this.#draining ?? undefined;
  }

  cancel(): void {
    this.#isCancelled = true;
  }

  // An error page is told apart from a broken answer of the management interface.
  #asHttp(step: () => void): void {
    try {
      step();
    } catch (error) {
      throw isSuccess(this.#statusCode) ? error : asHttpProblem(error, this.#statusCode);
    }
  }

  #put(sink: FileSink, block: Uint8Array): void {
    const pass = () => (this.#isCancelled ? undefined : sink.write(block));
    const written = this.#draining ? this.#draining.then(pass) : runNow(pass);
    if (!written) return;
    const draining = written.then(
      () => {
        if (this.#draining === draining) this.#draining = null;
      },
      (error: unknown) => {
        throw sinkProblem(error);
      },
    );
    this.#draining = draining;
    // Whoever waits for it sees the error; after a failed exchange nobody waits.
    draining.catch(() => undefined);
  }
}

/** The problem of an HTTP answer that says nothing in the language of the management interface. */
export function httpStatusProblem(statusCode: number): WireProblem {
  if (statusCode === 401) {
    return new WireProblem(
      'AUTHENTICATION_FAILED',
      'The device refused the user name or password (HTTP 401).',
    );
  }
  const code = NOT_NOW.has(statusCode) ? 'HTTP_UNAVAILABLE' : 'HTTP_STATUS';
  return new WireProblem(code, `The device answered with HTTP status ${statusCode}.`);
}

/** Turns the complaint that an error page is no answer into the HTTP status it came with; bugs stay what they are. */
export function asHttpProblem(error: unknown, statusCode: number): unknown {
  return error instanceof WireProblem ? httpStatusProblem(statusCode) : error;
}

function runNow(step: () => void | Promise<void>): void | Promise<void> {
  try {
    return step();
  } catch (error) {
    throw sinkProblem(error);
  }
}

function sinkProblem(error: unknown): WireProblem {
  if (error instanceof WireProblem) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new WireProblem('SINK_FAILED', `The received bytes could not be put away: ${printable(reason)}`);
}

function isSuccess(statusCode: number): boolean {
  return statusCode >= 200 && statusCode < 300;
}

function refuseForeignEncoding(headers: IncomingHttpHeaders): void {
  const charset = /;\s*charset\s*=\s*"?([^";\s]+)/iu.exec(headers['content-type'] ?? '')?.[1] ?? 'utf-8';
  if (!/^(?:utf-?8|(?:us-)?ascii)$/iu.test(charset)) {
    throw new WireProblem('REPLY_CHARSET', `The answer is written in ${printable(charset)}.`);
  }
  const encoding = headers['content-encoding'] ?? 'identity';
  if (encoding.toLowerCase() !== 'identity') {
    throw new WireProblem(
      'REPLY_CHARSET',
      `The answer is compressed (${printable(encoding)}), which was not asked for.`,
    );
  }
}
