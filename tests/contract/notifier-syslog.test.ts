import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { issueCertificate } from '../../packages/datapower/src/testing/issue-certificate.ts';
import { type NoticeContent, openNotifiers } from '../../packages/server/src/index.ts';
import {
  sampleAlarmChange,
  sampleDigest,
  sampleNotice,
} from '../../packages/server/src/testing/sample-notice.ts';
import { listen, type OpenServer } from './testing/open-servers.ts';
import { PretendSettings } from './testing/pretend-settings.ts';
import { until } from './testing/until.ts';

let settings: PretendSettings;
let close: () => Promise<void>;

beforeEach(() => {
  settings = new PretendSettings();
  close = async () => undefined;
});

afterEach(() => close());

function send(notice = sampleNotice(), source = { hostName: 'backup-1', pid: 4711 }) {
  const tools = { version: '1.2.3', now: () => 0, remedyOf: (code: string) => `Remedy of ${code}.` };
  return openNotifiers({ ...tools, settings, source }).notifiers.syslog.send(
    notice,
    AbortSignal.timeout(20_000),
  );
}

/** Collects datagrams. */
async function listenForDatagrams(): Promise<Buffer[]> {
  const lines: Buffer[] = [];
  const socket = createSocket('udp4', (line) => lines.push(line));
  await new Promise<void>((resolve) => {
    socket.bind(0, '127.0.0.1', resolve);
  });
  close = () => new Promise<void>((resolve) => void socket.close(() => resolve()));
  settings.values['syslog.server'] = `127.0.0.1:${socket.address().port}`;
  return lines;
}

describe('a line of syslog', () => {
  const lineOf = async (content?: NoticeContent, source?: { hostName: string; pid: number }) => {
    const lines = await listenForDatagrams();
    const notice = sampleNotice(content);
    expect(await send(notice, source)).toEqual({ ok: true, remark: null });
    const [line] = await until(
      () => lines,
      ({ length }) => length === 1,
    );
    return { line: line as Buffer, noticeId: notice.noticeId };
  };

  it('is one of RFC 5424, byte for byte', async () => {
    const { line, noticeId } = await lineOf();
    const data = [
      `notice="${noticeId}" run="0198c1d2-0000-7000-8000-000000000001" plan="nightly" status="PARTIAL"`,
      'succeeded="3" failed="1" cancelled="0" skipped="0"',
    ].join(' ');
    const message = [
      'The run of nightly ended PARTIAL: 3 succeeded, 1 failed, 0 cancelled, 0 skipped.',
      'SOME_TASKS_FAILED: Of the tasks of nightly, one failed.',
      'FAILED QA1/DOMAIN1 DOMAIN_ALREADY_QUIESCED: QA1/DOMAIN1 is quiesced by somebody else.',
    ].join(' | ');
    const head = '<28>1 2026-03-29T01:01:31.000Z backup-1 stillpoint 4711 RUN_ENDED';
    const expected = Buffer.concat([
      Buffer.from(`${head} [stillpoint@32473 ${data}] `, 'ascii'),
      Buffer.from([0xef, 0xbb, 0xbf]),
      Buffer.from(message, 'utf8'),
    ]);
    expect(line.toString('hex')).toBe(expected.toString('hex'));
  });

  it.each<[string, number, NoticeContent]>([
    ['a run that succeeded', 30, sampleDigest({ status: 'SUCCEEDED' })],
    ['a run that was skipped', 28, sampleDigest({ status: 'SKIPPED' })],
    ['a run that failed', 27, sampleDigest({ status: 'FAILED' })],
    ['an alarm', 25, sampleAlarmChange()],
    ['an alarm that was cleared', 29, sampleAlarmChange({ event: 'ALARM_CLEARED', closedAt: 0 })],
    ['a test', 30, { event: 'TEST' }],
  ])('says how grave %s is', async (_, priority, content) => {
    const { line } = await lineOf(content);
    expect(line.toString()).toMatch(new RegExp(`^<${priority}>1 `));
  });

  it('escapes in its structured data what ends a value, and lets nothing begin another line', async () => {
    const { line } = await lineOf(
      sampleDigest({ plan: 'a"b\\c]d\ne ü', reason: { code: 'X', detail: 'one\r\n<8>1 two\u2028three' } }),
    );
    const text = line.toString();
    expect(text).toContain(' plan="a\\"b\\\\c\\]d e ü" ');
    expect(text).toContain('X: one <8>1 two three');
    expect(text).not.toMatch(/[\r\n\u2028]/);
  });

  it('names a host only in printable ASCII', async () => {
    expect((await lineOf(undefined, { hostName: 'büro 1\n', pid: 1 })).line.toString()).toContain(
      'Z bro1 stillpoint',
    );
    await close();
    expect((await lineOf(undefined, { hostName: '', pid: 1 })).line.toString()).toContain('Z - stillpoint');
  });

  it('fits into a datagram, cut between two characters', async () => {
    const { line } = await lineOf(sampleDigest({ reason: { code: 'X', detail: 'ü'.repeat(5_000) } }));
    expect(line.length).toBeLessThanOrEqual(2_048);
    expect(line.length).toBeGreaterThan(2_040);
    expect(line.toString('utf8')).toMatch(/ü…$/);
    expect(line.toString('utf8')).not.toContain('\uFFFD');
  });
});

describe('a datagram', () => {
  it.each([
    [
      'whose name nobody knows',
      'nobody.invalid:514',
      /^The syslog server nobody\.invalid:514 cannot be reached \(E\w+\)\.$/,
    ],
    ['to whom no way leads', '255.255.255.255:514', /cannot be reached \(E\w+\)\.$/],
  ])('to a server %s is to be tried again, and ends nothing else', async (_, server, detail) => {
    settings.values['syslog.server'] = server;
    expect(await send()).toMatchObject({
      ok: false,
      fault: { code: 'RECEIVER_UNREACHABLE', retryable: true, detail: expect.stringMatching(detail) },
    });
  });

  it('reaches a server that has only an address of IPv6', async () => {
    const lines: Buffer[] = [];
    const socket = createSocket('udp6', (line) => lines.push(line));
    await new Promise<void>((resolve) => {
      socket.bind(0, '::1', resolve);
    });
    close = () => new Promise<void>((resolve) => void socket.close(() => resolve()));
    settings.values['syslog.server'] = `[::1]:${socket.address().port}`;
    expect(await send()).toEqual({ ok: true, remark: null });
    await until(
      () => lines,
      ({ length }) => length === 1,
    );
  });
});

describe('syslog over a stream', () => {
  const { certificatePem, keyPem } = issueCertificate({ names: ['localhost'] });
  let chunks: Buffer[];
  let server: OpenServer;

  beforeEach(() => {
    chunks = [];
  });

  it.each(['tcp', 'tls'] as const)('by %s says first how many bytes come', async (transport) => {
    const keep = (socket: { on(event: 'data', take: (chunk: Buffer) => void): unknown }) =>
      socket.on('data', (chunk) => chunks.push(chunk));
    server = await listen(
      transport === 'tcp' ? createServer(keep) : createTlsServer({ key: keyPem, cert: certificatePem }, keep),
    );
    close = () => server.close();
    Object.assign(settings.values, {
      'syslog.server': `localhost:${server.port}`,
      'syslog.transport': transport,
      'notices.caPem': certificatePem,
    });
    const notice = sampleNotice(sampleDigest({ plan: 'nächtlich' }));
    expect(await send(notice)).toEqual({ ok: true, remark: null });
    const whole = Buffer.concat(chunks).toString('utf8');
    const [, count, line = ''] = /^(\d+) (<28>1 .*)$/.exec(whole) ?? [];
    expect(Number(count)).toBe(Buffer.byteLength(line));
    expect(line).toContain(`notice="${notice.noticeId}"`);
  });

  it('is not sent when the certificate of the receiver is not trusted', async () => {
    server = await listen(
      createTlsServer({ key: keyPem, cert: certificatePem }, (socket) => {
        socket.on('error', () => undefined);
        socket.on('data', (chunk) => chunks.push(chunk));
      }),
    );
    close = () => server.close();
    Object.assign(settings.values, {
      'syslog.server': `localhost:${server.port}`,
      'syslog.transport': 'tls',
    });
    expect(await send()).toMatchObject({
      ok: false,
      fault: { code: 'RECEIVER_NOT_TRUSTED', retryable: true },
    });
    expect(chunks).toEqual([]);
  });

  it('that is reset is to be tried again, for what was written may be lost', async () => {
    server = await listen(createServer((socket) => socket.once('data', () => socket.resetAndDestroy())));
    close = () => server.close();
    Object.assign(settings.values, {
      'syslog.server': `127.0.0.1:${server.port}`,
      'syslog.transport': 'tcp',
    });
    expect(await send()).toMatchObject({
      ok: false,
      fault: { code: 'RECEIVER_UNREACHABLE', effect: 'unknown', retryable: true },
    });
  });
});
