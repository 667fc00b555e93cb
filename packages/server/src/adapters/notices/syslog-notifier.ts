import { createSocket, type Socket as DatagramSocket } from 'node:dgram';
import type { LookupAddress } from 'node:dns';
import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { NoticeParameters } from '@stillpoint/core';
import type { NoticeToSend, Notifier, Sent } from '../../app/notifier.ts';
import { brokenOff, notSetUp } from './not-sent.ts';
import { type NoticeSettings, readNoticeParameters } from './notice-settings.ts';
import type { RemedyOf } from './notice-words.ts';
import { type Receiver, receiverAt } from './receiver-at.ts';
import { type SyslogSource, syslogLine } from './syslog-line.ts';
import { trustedCertificates } from './trusted-certificates.ts';

/** RFC 5426 has every receiver take 480 bytes and recommends 2048; longer ones would be sent in pieces. */
const DATAGRAM_BYTES = 2_048;
/** RFC 5425 recommends that receivers take this much. */
const STREAM_BYTES = 8_192;

/** A network that knows that nobody listens says so within this time. */
const ECHO_MS = 250;
/** After the last byte the receiver closes as well; one that does not has had this long to break it off. */
const CLOSE_MS = 2_000;

/** Sends notices as lines of syslog (RFC 5424) by UDP, TCP or TLS. */
export class SyslogNotifier implements Notifier {
  readonly #settings: NoticeSettings;
  readonly #source: SyslogSource;
  readonly #remedyOf: RemedyOf;

  constructor(tools: { settings: NoticeSettings; source: SyslogSource; remedyOf: RemedyOf }) {
    this.#settings = tools.settings;
    this.#source = tools.source;
    this.#remedyOf = tools.remedyOf;
  }

  async send(notice: NoticeToSend, signal: AbortSignal): Promise<Sent> {
    const parameters = await readNoticeParameters(this.#settings);
    const missing = notSetUp('syslog', parameters);
    if (missing !== null) return missing;
    const { 'syslog.server': server, 'syslog.transport': transport } = parameters;
    const limitBytes = transport === 'udp' ? DATAGRAM_BYTES : STREAM_BYTES;
    const line = syslogLine(notice, this.#source, this.#remedyOf, limitBytes);
    const receiver = receiverAt(server);
    try {
      if (transport === 'udp') await sendDatagram(receiver, line, signal);
      else await sendFrame(open(receiver, parameters), line, signal);
      return { ok: true, remark: null };
    } catch (error) {
      return brokenOff(`The syslog server ${server}`, error, 'unknown');
    }
  }
}

function open({ host, port }: Receiver, parameters: NoticeParameters): Socket {
  if (parameters['syslog.transport'] === 'tcp') return connect({ host, port });
  const ca = trustedCertificates(parameters['notices.caPem']);
  const name = isIP(host) === 0 ? { servername: host } : {};
  return connectTls({ host, port, minVersion: 'TLSv1.2', ...name, ...(ca === undefined ? {} : { ca }) });
}

/** One frame of RFC 6587: how many bytes, a blank, the line. Throws when it was not taken. */
async function sendFrame(socket: Socket, line: Buffer, signal: AbortSignal): Promise<void> {
  const broken = Promise.withResolvers<never>();
  const giveUp = (): void => broken.reject(signal.reason);
  socket.on('error', broken.reject);
  signal.addEventListener('abort', giveUp, { once: true });
  if (signal.aborted) giveUp();
  let patience: NodeJS.Timeout | undefined;
  try {
    await Promise.race([connected(socket), broken.promise]);
    socket.resume();
    const closed = new Promise<void>((resolve) => {
      socket.once('close', resolve);
      socket.end(Buffer.concat([Buffer.from(`${line.length} `), line]), () => {
        patience = setTimeout(resolve, CLOSE_MS);
      });
    });
    await Promise.race([closed, broken.promise]);
  } finally {
    clearTimeout(patience);
    signal.removeEventListener('abort', giveUp);
    socket.destroy();
  }
}

async function connected(socket: Socket): Promise<void> {
  await once(socket, 'encrypted' in socket ? 'secureConnect' : 'connect');
}

/** Throws when the datagram could not be sent, or the network says at once that nobody takes it. */
async function sendDatagram({ host, port }: Receiver, line: Buffer, signal: AbortSignal): Promise<void> {
  const broken = Promise.withResolvers<never>();
  const giveUp = (): void => broken.reject(signal.reason);
  signal.addEventListener('abort', giveUp, { once: true });
  if (signal.aborted) giveUp();
  let socket: DatagramSocket | undefined;
  let patience: NodeJS.Timeout | undefined;
  try {
    const { address, family } = await Promise.race([addressOf(host), broken.promise]);
    socket = createSocket({ type: family === 6 ? 'udp6' : 'udp4' });
    socket.on('error', broken.reject);
    // Connected, so that the socket hears what comes back. Without a callback, which would be called also when it fails.
    socket.connect(port, address);
    await Promise.race([once(socket, 'connect'), broken.promise]);
    const unopposed = Promise.withResolvers<void>();
    socket.send(line, (error) => {
      if (error === null) patience = setTimeout(unopposed.resolve, ECHO_MS);
      else broken.reject(error);
    });
    await Promise.race([unopposed.promise, broken.promise]);
  } finally {
    clearTimeout(patience);
    signal.removeEventListener('abort', giveUp);
    socket?.close();
  }
}

/** The first address of IPv4, or of IPv6 when a host has no other. */
async function addressOf(host: string): Promise<LookupAddress> {
  const addresses = await lookup(host, { all: true });
  const address = addresses.find(({ family }) => family === 4) ?? addresses[0];
  if (address === undefined) throw Object.assign(new Error('no address'), { code: 'ENOTFOUND' });
  return address;
}
