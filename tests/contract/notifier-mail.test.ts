import { createServer } from 'node:net';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import type { SMTPServerOptions } from 'smtp-server';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { issueCertificate } from '../../packages/datapower/src/testing/issue-certificate.ts';
import { openNotifiers } from '../../packages/server/src/index.ts';
import {
  sampleAlarmChange,
  sampleDigest,
  sampleNotice,
} from '../../packages/server/src/testing/sample-notice.ts';
import { type MailServer, startMailServer } from './testing/mail-server.ts';
import { listen } from './testing/open-servers.ts';
import { PretendSettings } from './testing/pretend-settings.ts';

const PASSWORD = 'planted-mail-password';
const { certificatePem, keyPem } = issueCertificate({ names: ['localhost', '127.0.0.1'] });
const key = { key: keyPem, cert: certificatePem };

const tools = {
  source: { hostName: 'backup-1', pid: 4711 },
  version: '1.2.3',
  now: () => 0,
  remedyOf: (code: string) => `Remedy of ${code}.`,
};

let settings: PretendSettings;
let server: MailServer | null;

beforeEach(() => {
  settings = new PretendSettings();
  server = null;
});

afterEach(async () => server?.close());

async function begin(
  options: SMTPServerOptions = {},
  values: Record<string, string> = {},
): Promise<MailServer> {
  server = await startMailServer(options);
  point(server.port, values);
  return server;
}

function point(port: number, values: Record<string, string> = {}): void {
  Object.assign(settings.values, {
    'mail.server': `localhost:${port}`,
    'mail.security': 'none',
    'mail.from': 'backup@example.com',
    'mail.to': 'ops@example.com, night@example.com',
    ...values,
  });
}

const send = (notice = sampleNotice()) =>
  openNotifiers({ ...tools, settings }).notifiers.email.send(notice, AbortSignal.timeout(20_000));

/** Undoes what a mail is wrapped in on its way. */
function bodyOf(mail: string): string {
  const body = mail.split('\r\n\r\n').slice(1).join('\r\n\r\n');
  const bytes = body
    .replace(/=\r\n/g, '')
    .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1').toString('utf8').replaceAll('\r\n', '\n');
}

const headOf = (mail: string): string => mail.split('\r\n\r\n', 1)[0]?.replaceAll(/\r\n[ \t]+/g, ' ') ?? '';

describe('a mail', () => {
  it('tells a run, its tasks that did not succeed and what to do, to every receiver', async () => {
    const { mails } = await begin();
    const notice = sampleNotice(
      sampleDigest({ counts: { succeeded: 3, failed: 9, cancelled: 0, skipped: 0 }, moreProblems: 8 }),
    );
    expect(await send(notice)).toEqual({ ok: true, remark: null });
    expect(mails).toHaveLength(1);
    expect(mails[0]).toMatchObject({
      from: 'backup@example.com',
      to: ['ops@example.com', 'night@example.com'],
    });
    const text = mails[0]?.text ?? '';
    const head = headOf(text);
    expect(head).toContain(
      'Subject: [Stillpoint] The run of nightly ended PARTIAL: 3 succeeded, 9 failed, 0 cancelled, 0 skipped.',
    );
    expect(head).toContain(`Message-ID: <${notice.noticeId}@example.com>`);
    expect(head).toContain(`X-Stillpoint-Notice: ${notice.noticeId}`);
    expect(head).toContain('Auto-Submitted: auto-generated');
    expect(head).toContain('Date: Sun, 29 Mar 2026 01:01:31 +0000');
    expect(
      bodyOf(text),
    ).toBe(`The run of nightly ended PARTIAL: 3 succeeded, 9 failed, 0 cancelled, 0 skipped.

Run      0198c1d2-0000-7000-8000-000000000001 (schedule)
Queued   2026-03-29T01:00:00.000Z
Ended    2026-03-29T01:01:30.000Z
Reason   SOME_TASKS_FAILED: Of the tasks of nightly, one failed. Remedy of SOME_TASKS_FAILED.

Tasks that did not succeed:
FAILED  QA1  DOMAIN1  DOMAIN_ALREADY_QUIESCED
    QA1/DOMAIN1 is quiesced by somebody else.
    Remedy of DOMAIN_ALREADY_QUIESCED.
... and 8 more: see "stillpoint run show 0198c1d2-0000-7000-8000-000000000001".

Notice ${notice.noticeId}
`);
  });

  it('tells an alarm with what to do, and its end without', async () => {
    const { mails } = await begin();
    await send(sampleNotice(sampleAlarmChange()));
    await send(
      sampleNotice(sampleAlarmChange({ event: 'ALARM_CLEARED', closedAt: Date.UTC(2026, 2, 29, 2) })),
    );
    const [raised = '', cleared = ''] = mails.map(({ text }) => text);
    expect(headOf(raised)).toContain('Subject: [Stillpoint] Alarm DEVICE_LEFT_QUIESCED of device QA1.');
    expect(bodyOf(raised)).toContain('QA1 does not answer.\nRemedy of DEVICE_LEFT_QUIESCED.\n');
    expect(headOf(cleared)).toContain(
      'Subject: [Stillpoint] Alarm cleared: DEVICE_LEFT_QUIESCED of device QA1.',
    );
    expect(bodyOf(cleared)).toContain('Cleared  2026-03-29T02:00:00.000Z');
    expect(bodyOf(cleared)).not.toContain('Remedy');
  });

  it('encodes a subject that is not ASCII, and a name can begin no other line of the head', async () => {
    const { mails } = await begin();
    await send(sampleNotice(sampleDigest({ plan: 'nächtlich\r\nBcc: thief@example.com' })));
    const head = headOf(mails[0]?.text ?? '');
    const words = [...head.matchAll(/=\?UTF-8\?Q\?(.*?)\?=/g)].map(([, word = '']) => word).join('');
    const subject = words
      .replaceAll('_', ' ')
      .replace(/(=[0-9A-F]{2})+/g, (hexes) => Buffer.from(hexes.replaceAll('=', ''), 'hex').toString('utf8'));
    expect(subject).toContain('The run of nächtlich Bcc: thief@example.com ended PARTIAL');
    expect(head).not.toMatch(/^Bcc:/im);
    expect(mails[0]?.to).toEqual(['ops@example.com', 'night@example.com']);
  });
});

describe('the way to the mail server', () => {
  const auth: SMTPServerOptions = {
    ...key,
    authOptional: false,
    onAuth: ({ username, password }, _session, done) => {
      if (username === 'stillpoint' && password === PASSWORD) done(null, { user: username });
      else done(new Error(`${password} is wrong`));
    },
  };
  const login = { 'mail.username': 'stillpoint', 'notices.caPem': certificatePem };

  it.each(['starttls', 'tls'])('is secured by %s before anybody logs in', async (security) => {
    settings.secrets['mail.password'] = PASSWORD;
    const { mails } = await begin(
      { ...auth, secure: security === 'tls' },
      { ...login, 'mail.security': security },
    );
    expect(await send()).toEqual({ ok: true, remark: null });
    expect(mails).toMatchObject([{ user: 'stillpoint', isSecured: true }]);
  });

  it.each(['starttls', 'tls'])('is not taken by %s when the certificate is not trusted', async (security) => {
    const { mails } = await begin(
      { ...key, secure: security === 'tls' },
      { 'mail.security': security, 'notices.caPem': '' },
    );
    expect(await send()).toMatchObject({
      ok: false,
      fault: { code: 'RECEIVER_NOT_TRUSTED', retryable: true },
    });
    expect(mails).toEqual([]);
  });

  it('is not taken unsecured when the server offers no STARTTLS', async () => {
    const { mails } = await begin({}, { 'mail.security': 'starttls' });
    expect((await send()).ok).toBe(false);
    expect(mails).toEqual([]);
  });

  it('never carries a password unsecured', async () => {
    settings.secrets['mail.password'] = PASSWORD;
    const { mails } = await begin({ ...auth, allowInsecureAuth: true }, { 'mail.username': 'stillpoint' });
    expect(await send()).toMatchObject({ ok: false, fault: { code: 'CHANNEL_NOT_SET_UP', effect: 'none' } });
    expect(mails).toEqual([]);
  });

  it('is not taken with a name and no password', async () => {
    await begin(auth, { ...login, 'mail.security': 'starttls' });
    expect(await send()).toMatchObject({
      ok: false,
      fault: { code: 'CHANNEL_NOT_SET_UP', detail: 'The parameter mail.password is not set.' },
    });
  });

  it('needs no password that cannot be opened, when nobody logs in', async () => {
    await begin();
    settings.secretParameter = async () => {
      throw new Error('Nobody is to ask.');
    };
    expect(await send()).toEqual({ ok: true, remark: null });
  });

  it.each([
    ['as it was sent', (line: string) => line],
    [
      'cut in the middle of it',
      (line: string) => `${'x'.repeat(300 - 5 - 'AUTH PLAIN '.length - 12)}${line}`,
    ],
    ['decoded', (line: string) => Buffer.from(line.split(' ')[2] ?? '', 'base64').toString()],
  ])('is told of a server that repeats the login %s without the password', async (_, repeated) => {
    const planted = 'planted  password';
    settings.secrets['mail.password'] = planted;
    const talk = (socket: TLSSocket): void => {
      socket.write('220 hello\r\n');
      socket.on('data', (chunk) => {
        const line = chunk.toString().trim();
        if (line.startsWith('EHLO')) socket.write('250-hello\r\n250 AUTH PLAIN\r\n');
        if (line.startsWith('AUTH')) socket.write(`535 ${repeated(line)}\r\n`);
      });
    };
    const parrot = await listen(createTlsServer(key, talk));
    point(parrot.port, { ...login, 'mail.security': 'tls' });
    const sent = await send();
    await parrot.close();
    expect(sent).toMatchObject({ ok: false, fault: { code: 'RECEIVER_LOGIN_REFUSED' } });
    const told = JSON.stringify(sent);
    expect(told).not.toContain('planted');
    expect(told).not.toContain(Buffer.from('\0stillpoint\0planted').toString('base64').slice(0, 12));
  });

  it('is to be tried again when the login is refused, and the fault does not hold the password', async () => {
    settings.secrets['mail.password'] = 'planted-wrong-password';
    await begin(auth, { ...login, 'mail.security': 'starttls' });
    const sent = await send();
    expect(sent).toMatchObject({ ok: false, fault: { code: 'RECEIVER_LOGIN_REFUSED', retryable: true } });
    expect(JSON.stringify(sent)).not.toContain('planted');
  });
});

describe('a mail server that refuses', () => {
  const refusing = (responseCode: number, ...addresses: string[]): SMTPServerOptions => ({
    onRcptTo: ({ address }, _session, done) =>
      addresses.includes(address) ? done(Object.assign(new Error('not today'), { responseCode })) : done(),
  });

  it('for now (4xx) is asked again', async () => {
    await begin(refusing(451, 'ops@example.com', 'night@example.com'));
    expect(await send()).toMatchObject({ ok: false, fault: { code: 'RECEIVER_REFUSED', retryable: true } });
  });

  it('because nobody logged in is asked again, for that can be put right', async () => {
    const onMailFrom: SMTPServerOptions['onMailFrom'] = (_address, _session, done) =>
      done(Object.assign(new Error('authentication required'), { responseCode: 530 }));
    await begin({ onMailFrom });
    expect(await send()).toMatchObject({
      ok: false,
      fault: { code: 'RECEIVER_LOGIN_REFUSED', retryable: true },
    });
  });

  it('for good (5xx) is not asked again', async () => {
    await begin(refusing(550, 'ops@example.com', 'night@example.com'));
    expect(await send()).toMatchObject({ ok: false, fault: { code: 'RECEIVER_REFUSED', retryable: false } });
  });

  it('one of several receivers has it told, and the others are not sent it twice', async () => {
    const { mails } = await begin(refusing(550, 'night@example.com'));
    expect(await send()).toEqual({ ok: true, remark: 'Refused for night@example.com.' });
    expect(mails).toMatchObject([{ to: ['ops@example.com'] }]);
  });

  it('before it says hello is asked again', async () => {
    const rude = await listen(createServer((socket) => socket.end('554 go away\r\n')));
    point(rude.port);
    const sent = await send();
    await rude.close();
    expect(sent).toMatchObject({ ok: false, fault: { code: 'RECEIVER_REFUSED', retryable: true } });
  });
});
