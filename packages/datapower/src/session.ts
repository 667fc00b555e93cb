import { isIPv6 } from 'node:net';
import { type Effect, failed, good, type Problem, type Reply } from './fault.ts';
import { asHttpProblem, type FileSink, httpStatusProblem, ReplyReceiver } from './reply-receiver.ts';
import type { Secret } from './secret.ts';
import { Transport } from './transport.ts';
import { prepareTrust, type Trust } from './trust.ts';
import { printable } from './wire/printable.ts';
import { type Content, readAnswer } from './wire/read-answer.ts';
import { WireProblem } from './wire/wire-problem.ts';

const SHORTEST_REDACTED = 3;

/** Where a device is and how to log in to it. */
export interface ApplianceAddress {
  readonly host: string;
  readonly port: number;
  readonly username: string;
  readonly password: Secret;
  readonly tls: Trust;
}

/** How long things may take, in milliseconds. */
export interface Deadlines {
  /** Making a connection, TLS included. */
  readonly connectMs: number;
  /** Silence in the middle of an answer. */
  readonly stallMs: number;
  /** A whole call that reads a status, a configuration or a listing. */
  readonly readMs: number;
  /** A whole call that changes something. */
  readonly actionMs: number;
  /** A whole call that makes the appliance write a secure backup. */
  readonly secureBackupMs: number;
  /** A whole call that fetches a backup or a file. */
  readonly transferMs: number;
}

/** What every call may be given: a signal that gives it up, and another deadline than the usual one. */
export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  readonly deadlineMs?: number | undefined;
}

/** One question to the appliance. */
export interface Question extends CallOptions {
  /** Makes the request text; may refuse a value with a `WireProblem`. */
  readonly build: () => string;
  readonly kind: 'read' | 'action';
  readonly usualDeadlineMs: number;
  readonly envelopeMaxBytes: number;
  readonly sink?: FileSink | undefined;
}

/** What the appliance answered: plain OK (`null`) or content, and the size of the streamed file. */
export interface Answered {
  readonly content: Content | null;
  readonly fileSizeBytes: number;
}

/** One logged-in conversation with an appliance: turns everything that can go wrong into a fault with its effect. */
export class Session {
  readonly #transport: Transport | Problem;
  readonly #address: ApplianceAddress;

  constructor(address: ApplianceAddress, deadlines: Deadlines, maySend: () => boolean) {
    this.#address = address;
    this.#transport = openTransport(address, deadlines, maySend);
  }

  /** Asks one question and returns the answer, or the fault. */
  async ask(question: Question): Promise<Reply<Answered>> {
    if (!(this.#transport instanceof Transport)) return failed(this.#transport, 'none');
    let body: string;
    try {
      body = question.build();
    } catch (error) {
      return this.#fail(problemOf(error), 'none');
    }
    const receiver = new ReplyReceiver(question);
    const posting = {
      body,
      authorization: this.#authorization(),
      deadlineMs: question.deadlineMs ?? question.usualDeadlineMs,
      signal: question.signal,
    };
    const delivery = await this.#transport.send(posting, receiver);
    if (!delivery.ok)
      return this.#fail(delivery.problem, effectOf(question, delivery.problem, delivery.isSent));
    return this.#judge(question, receiver);
  }

  /** Ends the connections; calls under way end with `CLIENT_CLOSED`. */
  async close(): Promise<void> {
    if (this.#transport instanceof Transport) await this.#transport.close();
  }

  /** Builds a fault whose detail cannot hold the password, whatever the appliance repeated. */
  #fail(problem: Problem, effect: Effect): Reply<never> {
    return failed({ code: problem.code, detail: this.#redact(problem.detail) }, effect);
  }

  #judge(question: Question, receiver: ReplyReceiver): Reply<Answered> {
    const { root, fileSizeBytes, isHttpSuccess, statusCode } = receiver.reply;
    try {
      const answer = readAnswer(root);
      if (answer.kind === 'problem') {
        return this.#fail(answer, question.kind === 'read' ? 'none' : answer.effect);
      }
      // Good news under an HTTP error is no news.
      if (!isHttpSuccess) throw httpStatusProblem(statusCode);
      return good({ content: answer.kind === 'content' ? answer.content : null, fileSizeBytes });
    } catch (error) {
      const problem = problemOf(isHttpSuccess ? error : asHttpProblem(error, statusCode));
      return this.#fail(problem, effectOf(question, problem, true));
    }
  }

  #authorization(): string {
    const { username, password } = this.#address;
    return `Basic ${Buffer.from(`${username}:${password.reveal()}`, 'utf8').toString('base64')}`;
  }

  #redact(detail: string): string {
    const password = this.#address.password.reveal();
    if (password.length < SHORTEST_REDACTED) return detail;
    return detail
      .replaceAll(password, '[redacted]')
      .replaceAll(this.#authorization().slice('Basic '.length), '[redacted]');
  }
}

function openTransport(
  address: ApplianceAddress,
  deadlines: Deadlines,
  maySend: () => boolean,
): Transport | Problem {
  const { host, port } = address;
  if (!isHost(host) || !Number.isInteger(port) || port < 1 || port > 65_535) {
    return { code: 'ADDRESS_INVALID', detail: `"${printable(host)}" and ${port} do not make an address.` };
  }
  // RFC 7617: the first colon ends the user name.
  if (/[:\p{Cc}]/u.test(address.username)) {
    return {
      code: 'LOGIN_INVALID',
      detail: 'The user name of the device holds a colon or a control character.',
    };
  }
  const trust = prepareTrust(address.tls);
  if ('code' in trust) return trust;
  const { connectMs, stallMs } = deadlines;
  return new Transport({ host, port, trust, connectMs, stallMs, maySend });
}

// A host becomes part of a URL, so it must not bring any other part of a URL with it.
function isHost(host: string): boolean {
  return isIPv6(host) || (/^[\p{L}\p{N}._-]+$/u.test(host) && URL.canParse(`https://${host}`));
}

function effectOf(question: Question, problem: Problem, isSent: boolean): Effect {
  if (question.kind === 'read' || !isSent) return 'none';
  // Nothing is done for a login that is refused, or at an address that only points elsewhere.
  return problem.code === 'AUTHENTICATION_FAILED' || problem.code === 'REDIRECT_REFUSED' ? 'none' : 'unknown';
}

/** The problem behind an error of the wire code; any other error is a bug and thrown on. */
export function problemOf(error: unknown): Problem {
  if (error instanceof WireProblem) return { code: error.code, detail: error.message };
  throw error;
}
