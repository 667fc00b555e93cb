import { createSocket } from 'node:dgram';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { issueCertificate } from '../../../packages/datapower/src/testing/issue-certificate.ts';
import { type Notifier, openNotifiers } from '../../../packages/server/src/index.ts';
import { RememberedNotifier } from '../../../packages/server/src/testing/remembered-notifier.ts';
import { startMailServer } from './mail-server.ts';
import { freePort, listen, type OpenServer, startSilentServer } from './open-servers.ts';
import { PretendSettings } from './pretend-settings.ts';

/** A notifier, real or a double, with a receiver that a test takes away and brings back. */
export type NotifierGround = {
  readonly notifier: Notifier;
  /** The ids of what arrived, in this order. */
  arrived(): readonly string[];
  unset(): void;
  goDown(): Promise<void>;
  comeBack(): Promise<void>;
  /** Has the receiver take what comes and answer nothing. */
  fallSilent(): Promise<void>;
  close(): Promise<void>;
};

const certificate = issueCertificate({ names: ['localhost', '127.0.0.1'] });
const key = { key: certificate.keyPem, cert: certificate.certificatePem };

/** What a ground of a real notifier is made of: the same receiver is started anew on the same port. */
type Receiver = {
  readonly channel: 'email' | 'syslog' | 'webhook';
  set(settings: PretendSettings, port: number): void;
  /** Starts it, and has it tell each notice that arrives. */
  start(port: number, tell: (noticeId: string) => void): Promise<OpenServer>;
};

async function realGround(receiver: Receiver): Promise<NotifierGround> {
  const settings = new PretendSettings();
  const port = await freePort();
  receiver.set(settings, port);
  const { notifiers } = openNotifiers({
    settings,
    source: { hostName: 'backup-1', pid: 4711 },
    version: '1.2.3',
    now: () => Date.UTC(2026, 2, 29),
    remedyOf: () => '',
  });
  const arrived: string[] = [];
  const start = () => receiver.start(port, (noticeId) => arrived.push(noticeId));
  let server: OpenServer | null = await start();
  const stop = async (): Promise<void> => {
    await server?.close();
    server = null;
  };
  return {
    notifier: notifiers[receiver.channel],
    arrived: () => arrived,
    unset() {
      for (const name of Object.keys(settings.values)) delete settings.values[name];
    },
    goDown: stop,
    async comeBack() {
      await stop();
      server = await start();
    },
    async fallSilent() {
      await stop();
      server = await startSilentServer(port);
    },
    close: stop,
  };
}

const mail: Receiver = {
  channel: 'email',
  set(settings, port) {
    Object.assign(settings.values, {
      'mail.server': `localhost:${port}`,
      'mail.security': 'starttls',
      'mail.username': 'stillpoint',
      'mail.from': 'backup@example.com',
      'mail.to': 'ops@example.com',
      'notices.caPem': certificate.certificatePem,
    });
    settings.secrets['mail.password'] = 'planted-mail-password';
  },
  async start(port, tell) {
    const server = await startMailServer(
      {
        ...key,
        authOptional: false,
        onAuth: ({ username, password }, _session, done) =>
          password === 'planted-mail-password' ? done(null, { user: username }) : done(new Error('no')),
        onData(stream, _session, done) {
          let text = '';
          stream.on('data', (chunk: Buffer) => {
            text += chunk.toString('latin1');
          });
          stream.on('end', () => {
            tell(/^X-Stillpoint-Notice: (\S+)/m.exec(text)?.[1] ?? '');
            done(null);
          });
        },
      },
      port,
    );
    return server;
  },
};

const webhook: Receiver = {
  channel: 'webhook',
  set: (settings, port) =>
    void Object.assign(settings.values, { 'webhook.url': `http://127.0.0.1:${port}/notices` }),
  start: (port, tell) =>
    listen(
      createHttpServer((request, response) => {
        tell(String(request.headers['idempotency-key']));
        request.resume();
        response.writeHead(204).end();
      }),
      port,
    ),
};

const noticeIn = (line: string): string => / notice="([^"]+)"/.exec(line)?.[1] ?? '';

const syslogByUdp: Receiver = {
  channel: 'syslog',
  set: (settings, port) =>
    void Object.assign(settings.values, { 'syslog.server': `127.0.0.1:${port}`, 'syslog.transport': 'udp' }),
  async start(port, tell) {
    const socket = createSocket('udp4', (line) => tell(noticeIn(line.toString())));
    await new Promise<void>((resolve) => {
      socket.bind(port, '127.0.0.1', resolve);
    });
    return { port, close: () => new Promise<void>((resolve) => void socket.close(() => resolve())) };
  },
};

const syslogByTcp: Receiver = {
  channel: 'syslog',
  set: (settings, port) =>
    void Object.assign(settings.values, { 'syslog.server': `127.0.0.1:${port}`, 'syslog.transport': 'tcp' }),
  start: (port, tell) =>
    listen(
      createServer((socket) => socket.on('data', (line) => tell(noticeIn(line.toString())))),
      port,
    ),
};

const syslogByTls: Receiver = {
  channel: 'syslog',
  set: (settings, port) =>
    void Object.assign(settings.values, {
      'syslog.server': `localhost:${port}`,
      'syslog.transport': 'tls',
      'notices.caPem': certificate.certificatePem,
    }),
  start: (port, tell) =>
    listen(
      createTlsServer(key, (socket) => {
        socket.on('error', () => undefined);
        socket.on('data', (line) => tell(noticeIn(line.toString())));
      }),
      port,
    ),
};

async function rememberedGround(): Promise<NotifierGround> {
  const notifier = new RememberedNotifier();
  const become = (state: RememberedNotifier['state']) => async () => {
    notifier.state = state;
  };
  return {
    notifier,
    arrived: () => notifier.arrived.map(({ noticeId }) => noticeId),
    unset() {
      notifier.isSetUp = false;
    },
    goDown: become('down'),
    comeBack: become('answers'),
    fallSilent: become('silent'),
    close: async () => undefined,
  };
}

type NamedGround = readonly [string, () => Promise<NotifierGround>];

/** Those whose receiver answers. */
export const answeringGrounds: readonly NamedGround[] = [
  ['mail over STARTTLS with a login', () => realGround(mail)],
  ['a webhook', () => realGround(webhook)],
  ['their double in memory', rememberedGround],
];

/** What the contract of notifiers is held against: the real things over real servers, and their double. */
export const notifierGrounds: readonly NamedGround[] = [
  ...answeringGrounds,
  ['syslog by UDP', () => realGround(syslogByUdp)],
  ['syslog by TCP', () => realGround(syslogByTcp)],
  ['syslog by TLS', () => realGround(syslogByTls)],
];
