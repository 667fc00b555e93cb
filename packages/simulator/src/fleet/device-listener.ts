import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Appliance } from '../appliance.ts';
import { type Delivery, deliver, type Sending, send } from '../faults/deliver.ts';
import type { RequestLog, RequestRecord } from '../request-log.ts';
import { loginFailureAnswer, soapFaultAnswer } from '../soma/answer.ts';
import { type RequestSubject, subjectOf } from '../soma/request-subject.ts';
import { readSomaRequests, type SomaRequest } from '../soma/soma-request.ts';
import { readXml } from '../xml/read-xml.ts';
import type { KeyAndCertificate } from './device-certificate.ts';
import { type SendingEnd, sendAnswers } from './send-answers.ts';

interface Running {
  readonly request: SomaRequest | undefined;
  readonly subject: RequestSubject;
  readonly delivery: Delivery;
  readonly beganAtMs: number;
  readonly at: string;
}

const UNREADABLE: RequestSubject = {
  operation: 'unreadable',
  class: undefined,
  domains: [],
  name: undefined,
  isPersisted: undefined,
};

/** The HTTPS side of one appliance: reads requests, lets the appliance answer, loses connections to order. */
export class DeviceListener {
  readonly appliance: Appliance;
  readonly #log: RequestLog;
  readonly #clock: () => number;
  readonly #server: Server;
  readonly #sockets = new Map<number, Socket>();
  readonly #stopping = new AbortController();
  readonly #work = new Set<Promise<void>>();

  constructor(appliance: Appliance, tls: KeyAndCertificate, log: RequestLog, clock: () => number) {
    this.appliance = appliance;
    this.#log = log;
    this.#clock = clock;
    this.#server = createServer(
      { key: tls.keyPem, cert: tls.certificatePem, minVersion: 'TLSv1.2', keepAliveTimeout: 300_000 },
      (request, response) => this.#track(this.#answer(request, response)),
    );
    this.#server.requestTimeout = 0;
    this.#server.on('connection', (socket: Socket) => this.#accept(socket));
    // A client that gives up in the middle of a handshake is no concern of ours.
    this.#server.on('tlsClientError', () => undefined);
    this.#server.on('clientError', (_error, socket) => socket.destroy());
  }

  /** Begins to listen on 127.0.0.1; rejects when the port is taken. */
  listen(port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, '127.0.0.1', () => {
        this.#server.off('error', reject);
        resolve((this.#server.address() as AddressInfo).port);
      });
    });
  }

  /** Destroys every open connection. */
  dropConnections(): void {
    for (const socket of this.#sockets.values()) {
      socket.destroy();
    }
  }

  /** Stops listening, drops all connections and waits for work that is under way. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    this.dropConnections();
    await Promise.all([closed, ...this.#work]);
  }

  #accept(socket: Socket): void {
    if (this.appliance.isUnreachable || this.#stopping.signal.aborted) {
      socket.destroy();
      return;
    }
    const port = socket.remotePort ?? 0;
    this.#sockets.set(port, socket);
    socket.on('error', () => undefined);
    socket.once('close', () => this.#sockets.delete(port));
  }

  #track(work: Promise<void>): void {
    // Whatever is thrown after the stop is the stop itself.
    const settled = work.catch((error: unknown) => {
      if (!this.#stopping.signal.aborted) {
        throw error;
      }
    });
    this.#work.add(settled);
    void settled.finally(() => this.#work.delete(settled));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => undefined);
    const requests = await this.#read(request);
    if (requests === 'client-gone') {
      return;
    }
    const running: Running[] = [];
    const begin = { beganAtMs: performance.now(), at: new Date(this.#clock()).toISOString() };
    if (requests === undefined || !this.#isLoggedIn(request)) {
      const subject = requests?.[0] === undefined ? UNREADABLE : subjectOf(requests[0]);
      const answer = this.#isLoggedIn(request) ? soapFaultAnswer() : loginFailureAnswer();
      this.#announce(subject);
      const delivery = send(this.appliance, answer);
      running.push({ request: requests?.[0], subject, delivery, ...begin });
    }
    for (const one of running.length > 0 || requests === undefined ? [] : requests) {
      const subject = subjectOf(one);
      this.#announce(subject);
      const delivery = await this.#deliver(one, subject);
      running.push({ request: one, subject, delivery, ...begin });
      if (delivery.kind !== 'send') {
        break;
      }
    }
    await this.#finish(request, response, running);
  }

  async #read(request: IncomingMessage): Promise<SomaRequest[] | undefined | 'client-gone'> {
    try {
      const document = await readXml(request);
      return request.method === 'POST' ? readSomaRequests(document) : undefined;
    } catch (error) {
      if (request.destroyed) {
        return 'client-gone';
      }
      throw error;
    }
  }

  #isLoggedIn(request: IncomingMessage): boolean {
    const [scheme, token = ''] = (request.headers.authorization ?? '').split(' ');
    const { description, settings } = this.appliance;
    const expected = `${description.username}:${settings.password}`;
    return scheme?.toLowerCase() === 'basic' && Buffer.from(token, 'base64').toString() === expected;
  }

  #announce({ operation, domains }: RequestSubject): void {
    const domain = domains.join(',');
    const { name: device } = this.appliance.description;
    this.#log.announce({ device, operation, ...(domain === '' ? {} : { domain }) });
  }

  #deliver(request: SomaRequest, subject: RequestSubject): Promise<Delivery> {
    const fault = this.appliance.faults.take(subject);
    return deliver(this.appliance, request, fault, this.#stopping.signal);
  }

  async #finish(
    request: IncomingMessage,
    response: ServerResponse,
    running: readonly Running[],
  ): Promise<void> {
    const lost = running.find(({ delivery }) => delivery.kind !== 'send');
    if (lost !== undefined) {
      await this.#lose(request, running, lost.delivery);
      return;
    }
    await sendAnswers(
      response,
      running.map(({ delivery }) => delivery as Sending),
      (how) => (how === 'reset' ? this.#reset(request) : this.#close(request)),
      (end) => this.#record(running, end),
      this.#stopping.signal,
    );
  }

  async #lose(request: IncomingMessage, running: readonly Running[], delivery: Delivery): Promise<void> {
    if (delivery.kind === 'drop' && delivery.performLater !== undefined) {
      this.#close(request);
      await delivery.performLater();
    }
    // Recorded before the client can notice the loss, so that who has noticed finds it in the log.
    await this.#record(running, 'sent');
    if (delivery.kind === 'drop') {
      this.#close(request);
    }
    if (delivery.kind === 'reset') {
      this.#reset(request);
      if (delivery.isForAllConnections) {
        this.dropConnections();
      }
    }
    // A stalled connection stays open until the client or the fleet gives it up.
  }

  #close(request: IncomingMessage): void {
    this.#sockets.get(request.socket.remotePort ?? 0)?.destroy();
  }

  // Only the TCP socket under the TLS one can be reset; both have the same remote port.
  #reset(request: IncomingMessage): void {
    this.#sockets.get(request.socket.remotePort ?? 0)?.resetAndDestroy();
  }

  async #record(running: readonly Running[], end: SendingEnd): Promise<void> {
    for (const { subject, delivery, beganAtMs, at } of running) {
      const domain = subject.domains.join(',');
      const served = delivery.kind === 'send' ? delivery.served : undefined;
      const record: RequestRecord = {
        at,
        device: this.appliance.description.name,
        operation: subject.operation,
        ...(subject.class === undefined ? {} : { class: subject.class }),
        ...(domain === '' ? {} : { domain }),
        ...(subject.name === undefined ? {} : { name: subject.name }),
        ...(subject.isPersisted === undefined ? {} : { persisted: subject.isPersisted }),
        outcome: end === 'client-gone' ? 'client-gone' : delivery.outcome,
        status: delivery.kind === 'send' ? delivery.status : 0,
        durationMs: Math.round(performance.now() - beganAtMs),
        ...(served === undefined
          ? {}
          : { servedBytes: served.sizeBytes, servedSha256: await served.sha256() }),
      };
      this.#log.append(record);
    }
  }
}
