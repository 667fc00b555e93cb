import { createHmac } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { issueCertificate } from '../../packages/datapower/src/testing/issue-certificate.ts';
import { openNotifiers } from '../../packages/server/src/index.ts';
import {
  sampleAlarmChange,
  sampleDigest,
  sampleNotice,
} from '../../packages/server/src/testing/sample-notice.ts';
import { listen, type OpenServer } from './testing/open-servers.ts';
import { PretendSettings } from './testing/pretend-settings.ts';

const NOW = Date.UTC(2026, 2, 29, 1, 2, 3);
const SECRET = 'planted-webhook-secret';

type Seen = { method: string; url: string; headers: IncomingHttpHeaders; body: string };

let settings: PretendSettings;
let seen: Seen[];
let answer: (response: ServerResponse) => void;
let server: OpenServer;

beforeEach(async () => {
  settings = new PretendSettings();
  seen = [];
  answer = (response) => void response.writeHead(200).end('ok');
  server = await listen(
    createServer((request, response) => {
      let body = '';
      request.setEncoding('utf8');
      request.on('data', (chunk: string) => {
        body += chunk;
      });
      request.on('end', () => {
        const { method = '', url = '', headers } = request;
        seen.push({ method, url, headers, body });
        answer(response);
      });
    }),
  );
  settings.values['webhook.url'] = `http://127.0.0.1:${server.port}/hooks/planted-path?x=1`;
  settings.secrets['webhook.secret'] = SECRET;
});

afterEach(() => server.close());

const webhook = () =>
  openNotifiers({
    settings,
    source: { hostName: 'backup-1', pid: 4711 },
    remedyOf: (code) => `Remedy of ${code}.`,
    version: '1.2.3',
    now: () => NOW,
  }).notifiers.webhook;
const send = (notice = sampleNotice(), signal = AbortSignal.timeout(20_000)) =>
  webhook().send(notice, signal);

it('posts the digest of a run as JSON, with sentences and remedies', async () => {
  const notice = sampleNotice(sampleDigest({ plan: 'nächtlich' }));
  expect(await send(notice)).toEqual({ ok: true, remark: null });
  const [{ method, url, headers, body }] = seen as [Seen];
  expect({ method, url }).toEqual({ method: 'POST', url: '/hooks/planted-path?x=1' });
  expect(headers).toMatchObject({
    'content-type': 'application/json; charset=utf-8',
    'user-agent': 'Stillpoint/1.2.3',
    'idempotency-key': notice.noticeId,
    'content-length': String(Buffer.byteLength(body)),
  });
  expect(JSON.parse(body)).toEqual({
    id: notice.noticeId,
    event: 'RUN_ENDED',
    createdAt: '2026-03-29T01:01:31.000Z',
    summary: 'The run of nächtlich ended PARTIAL: 3 succeeded, 1 failed, 0 cancelled, 0 skipped.',
    run: {
      id: '0198c1d2-0000-7000-8000-000000000001',
      plan: 'nächtlich',
      trigger: 'schedule',
      status: 'PARTIAL',
      reason: {
        code: 'SOME_TASKS_FAILED',
        sentence: 'Of the tasks of nightly, one failed.',
        remedy: 'Remedy of SOME_TASKS_FAILED.',
      },
      warnings: [],
      queuedAt: '2026-03-29T01:00:00.000Z',
      endedAt: '2026-03-29T01:01:30.000Z',
      counts: { succeeded: 3, failed: 1, cancelled: 0, skipped: 0 },
      problems: [
        {
          device: 'QA1',
          domain: 'DOMAIN1',
          status: 'FAILED',
          reason: {
            code: 'DOMAIN_ALREADY_QUIESCED',
            sentence: 'QA1/DOMAIN1 is quiesced by somebody else.',
            remedy: 'Remedy of DOMAIN_ALREADY_QUIESCED.',
          },
        },
      ],
      moreProblems: 0,
    },
  });
});

it('posts an alarm that was raised, and one that was cleared', async () => {
  await send(sampleNotice(sampleAlarmChange()));
  await send(sampleNotice(sampleAlarmChange({ event: 'ALARM_CLEARED', closedAt: NOW })));
  expect(seen.map(({ body }) => JSON.parse(body))).toMatchObject([
    {
      event: 'ALARM_RAISED',
      alarm: {
        code: 'DEVICE_LEFT_QUIESCED',
        subject: { kind: 'device', name: 'QA1' },
        remedy: 'Remedy of DEVICE_LEFT_QUIESCED.',
        openedAt: '2026-03-29T01:00:00.000Z',
        closedAt: null,
      },
    },
    { event: 'ALARM_CLEARED', alarm: { closedAt: '2026-03-29T01:02:03.000Z' } },
  ]);
});

it('signs time and body so that a receiver can compute the signature again', async () => {
  await send();
  const [{ headers, body }] = seen as [Seen];
  const signature = String(headers['stillpoint-signature']);
  const [, time, hex] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(signature) ?? [];
  expect(Number(time)).toBe(NOW / 1000);
  expect(hex).toBe(createHmac('sha256', SECRET).update(`${time}.${body}`).digest('hex'));
  expect(JSON.stringify(seen)).not.toContain(SECRET);
});

it('signs nothing while no secret is set', async () => {
  delete settings.secrets['webhook.secret'];
  await send();
  expect(seen[0]?.headers).not.toHaveProperty('stillpoint-signature');
});

it('sends the same bytes under another time when it sends a notice again', async () => {
  const notice = sampleNotice();
  await send(notice);
  await send(notice);
  expect(seen[0]?.body).toBe(seen[1]?.body);
});

it.each([
  [500, {}, null],
  [404, {}, null],
  [429, { 'retry-after': '120' }, 120_000],
  [503, { 'retry-after': new Date(NOW + 90_000).toUTCString() }, 90_000],
  [503, { 'retry-after': new Date(NOW - 90_000).toUTCString() }, 0],
  [429, { 'retry-after': 'soon' }, null],
])('is to be tried again after %i with %o', async (status, headers, askedPauseMs) => {
  answer = (response) => void response.writeHead(status, headers).end('no');
  const sent = await send();
  expect(sent).toMatchObject({
    ok: false,
    fault: { code: 'RECEIVER_REFUSED', retryable: true },
    askedPauseMs,
  });
});

it('follows no redirect, so a secret path is given to nobody else', async () => {
  answer = (response) =>
    void response.writeHead(307, { location: `http://127.0.0.1:${server.port}/elsewhere` }).end();
  expect(await send()).toMatchObject({
    ok: false,
    fault: { code: 'RECEIVER_REFUSED', detail: expect.stringContaining('answered 307, a redirect') },
  });
  expect(seen.map(({ url }) => url)).toEqual(['/hooks/planted-path?x=1']);
});

it('takes the status of a reply that never ends for the answer, and reads no more of it than it must', async () => {
  let written = 0;
  answer = (response) => {
    response.writeHead(200);
    const more = (): void => {
      while (!response.destroyed && response.write('x'.repeat(16_384))) written += 16_384;
      if (!response.destroyed) response.once('drain', more);
    };
    more();
  };
  expect(await send()).toEqual({ ok: true, remark: null });
  expect(written).toBeLessThan(16 * 1024 * 1024);
});

it('gives up a reply whose head never ends', async () => {
  answer = (response) => void response.socket?.write('HTTP/1.1 200 OK\r\nx: ');
  const giving = new AbortController();
  const sending = send(sampleNotice(), giving.signal);
  await expect.poll(() => seen.length).toBe(1);
  giving.abort();
  expect(await sending).toMatchObject({
    ok: false,
    fault: { code: 'RECEIVER_TIMED_OUT', effect: 'unknown' },
  });
});

it('is told of a server that changes to another protocol, and waits for nothing more', async () => {
  answer = (response) =>
    void response.socket?.write('HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n');
  expect(await send(sampleNotice(), new AbortController().signal)).toMatchObject({
    ok: false,
    fault: { code: 'RECEIVER_REFUSED', detail: expect.stringContaining('answered 101') },
  });
});

it('names an address that is none without its path', async () => {
  settings.values['webhook.url'] = 'http://300.1.1.1/planted-path';
  expect(await send()).toMatchObject({
    ok: false,
    fault: { code: 'RECEIVER_UNREACHABLE', detail: expect.not.stringContaining('planted-path') },
  });
});

it('is told of a connection that is broken off that the notice may have arrived', async () => {
  answer = (response) => void response.socket?.resetAndDestroy();
  expect(await send()).toMatchObject({
    ok: false,
    fault: { code: 'RECEIVER_UNREACHABLE', effect: 'unknown' },
  });
});

it('names the receiver without its path, which may be secret', async () => {
  await server.close();
  expect(await send()).toMatchObject({
    fault: { detail: `The webhook at http://127.0.0.1:${server.port} cannot be reached (ECONNREFUSED).` },
  });
});

it('reaches a receiver over TLS only when its certificate is trusted', async () => {
  const { certificatePem, keyPem } = issueCertificate({ names: ['localhost'] });
  const arrived: string[] = [];
  const secure = await listen(
    createHttpsServer({ key: keyPem, cert: certificatePem }, (request, response) => {
      arrived.push(request.url ?? '');
      request.resume();
      response.writeHead(200).end();
    }),
  );
  settings.values['webhook.url'] = `https://localhost:${secure.port}/hooks/planted-path`;
  const refused = await send();
  settings.values['notices.caPem'] = certificatePem;
  const sent = await send();
  await secure.close();
  expect(refused).toMatchObject({ ok: false, fault: { code: 'RECEIVER_NOT_TRUSTED', retryable: true } });
  expect(sent).toEqual({ ok: true, remark: null });
  expect(arrived).toEqual(['/hooks/planted-path']);
  expect(JSON.stringify(refused)).not.toContain('planted-path');
});
