import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Agent } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { DeviceAddress } from '../fleet/device-handle.ts';
import type { Fleet } from '../fleet/fleet.ts';
import { startFleet } from '../fleet/start-fleet.ts';
import { callAction, callDevice, callOperation, envelopeOf, textsOf } from '../testing/call-device.ts';

const STATUS = '<dp:get-status class="DomainStatus"/>';
const NOW = Date.parse('2023-05-17T09:07:12Z');
let fleet: Fleet;
let recent: DeviceAddress;
let old: DeviceAddress;

beforeAll(async () => {
  const domains = [{ name: 'A' }];
  fleet = await startFleet(
    {
      devices: [
        { name: 'recent', timezone: 'America/New_York', domains },
        { name: 'old', firmware: { version: 'XI52.6.0.0.2' }, clockOffsetMs: 3_600_000, domains },
      ],
    },
    { now: () => NOW },
  );
  recent = fleet.device('recent').address;
  old = fleet.device('old').address;
});
afterAll(() => fleet.stop());

describe('an answer', () => {
  test('has the envelope, prefixes and time that clients look for literally', async () => {
    const reply = await callAction(recent, '<SaveConfig/>');
    expect(reply.status).toBe(200);
    expect(reply.headers['content-type']).toBe('text/xml');
    expect(reply.text).toBe(
      '<?xml version="1.0" encoding="UTF-8"?>\n<env:Envelope xmlns:env="http://schemas.xmlsoap.org/soap/envelope/"><env:Body>' +
        '<dp:response xmlns:dp="http://www.datapower.com/schemas/management">' +
        '<dp:timestamp>2023-05-17T05:07:12-04:00</dp:timestamp><dp:result>OK</dp:result></dp:response></env:Body></env:Envelope>',
    );
  });

  test('of old firmware pads its OK and follows the clock of the appliance', async () => {
    const { text } = await callAction(old, '<SaveConfig/>');
    expect(text).toMatch(/<dp:result>\n\s+OK\n\s+<\/dp:result>/);
    expect(text.match(/OK/g)).toHaveLength(1);
    expect(text).toContain('<dp:timestamp>2023-05-17T10:07:12+00:00</dp:timestamp>');
  });
});

describe('a request', () => {
  test.each(['/', '/service/mgmt/current', '/service/mgmt/3.0', '/service/mgmt/2004', '/anything?x=1'])(
    'may go to %s',
    async (path) => {
      expect((await callDevice(recent, envelopeOf([STATUS]), { path })).text).toContain('<DomainStatus ');
    },
  );

  test.each(['text/xml; charset="UTF-8"', 'application/x-www-form-urlencoded', 'application/soap+xml'])(
    'may call itself %s',
    async (type) => {
      const reply = await callDevice(recent, envelopeOf([STATUS]), { headers: { 'content-type': type } });
      expect(reply.text).toContain('<DomainStatus ');
    },
  );

  test('may use any SOAP namespace and qualified actions', async () => {
    const body = `<s:Envelope xmlns:s="http://www.w3.org/2001/12/soap-envelope"><s:Body>
      <m:request xmlns:m="http://www.datapower.com/schemas/management" domain="A"><m:do-action><m:SaveConfig/></m:do-action></m:request>
      </s:Body></s:Envelope>`;
    expect(textsOf((await callDevice(recent, body)).text, 'dp:result')).toEqual(['OK']);
  });

  test('may come in chunks', async () => {
    const reply = await callDevice(recent, envelopeOf([STATUS]), { isChunked: true });
    expect(reply.text).toContain('<DomainStatus ');
  });

  test('may wait for leave to send its body', async () => {
    const reply = await callDevice(recent, envelopeOf([STATUS]), { headers: { expect: '100-continue' } });
    expect(reply.text).toContain('<DomainStatus ');
  });

  test('may keep its connection for the next one', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    try {
      const first = await callDevice(recent, envelopeOf([STATUS]), { agent });
      const second = await callDevice(recent, envelopeOf([STATUS]), { agent });
      expect(first.headers.connection).toBe('keep-alive');
      expect(second.text).toContain('<DomainStatus ');
      expect(Object.values(agent.freeSockets).flat()).toHaveLength(1);
    } finally {
      agent.destroy();
    }
  });

  test('may leave out its domain, and is then about default', async () => {
    const { text } = await callOperation(recent, STATUS);
    expect(textsOf(text, 'Domain')).toEqual(['default', 'A']);
    expect(textsOf((await callOperation(recent, STATUS, 'A')).text, 'Domain')).toEqual(['A']);
  });

  test('may be one of several, which are answered in order with one declaration', async () => {
    const operations = [
      '<dp:do-action><SaveConfig/></dp:do-action>',
      STATUS,
      '<dp:get-file name="local:///none"/>',
    ];
    const { text } = await callDevice(recent, envelopeOf(operations, 'A'));
    expect(text.match(/<\?xml /g)).toHaveLength(1);
    expect(text.match(/<env:Envelope /g)).toHaveLength(3);
    expect(textsOf(text, 'dp:result')).toEqual(['OK', 'Cannot read the specified file']);
    expect(text.indexOf('<DomainStatus ')).toBeGreaterThan(text.indexOf('OK'));
  });

  test('of curl is answered, even when its body is large enough to be announced first', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'stillpoint-curl-test-'));
    try {
      const content = Buffer.alloc(1_500_000, 7).toString('base64');
      await writeFile(join(folder, 'ca.pem'), recent.certificatePem);
      await writeFile(
        join(folder, 'body.xml'),
        envelopeOf([`<dp:set-file name="local:///big.bin">${content}</dp:set-file>`]),
      );
      const url = `https://127.0.0.1:${recent.port}/service/mgmt/current`;
      const flags = [
        '-sS',
        '--cacert',
        join(folder, 'ca.pem'),
        '-u',
        'admin:admin-password',
        '-d',
        `@${join(folder, 'body.xml')}`,
      ];
      const answer = await promisify(execFile)('curl', [...flags, url]).catch(
        (error: NodeJS.ErrnoException) => error,
      );
      if (answer instanceof Error) {
        // Machines without curl have nothing to show here.
        expect(answer.code).toBe('ENOENT');
      } else {
        expect(answer.stdout.match(/OK/g)).toHaveLength(1);
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe('a failure', () => {
  test('to log in is answered with 200 and without a time', async () => {
    for (const credentials of ['admin:wrong', 'other:admin-password', '']) {
      const reply = await callDevice(recent, envelopeOf([STATUS]), { credentials });
      expect(reply.status).toBe(200);
      expect(reply.text).toContain('<dp:result>Authentication failure</dp:result>');
      expect(reply.text).not.toContain('dp:timestamp');
    }
  });

  test('for want of rights has the same text with a time', async () => {
    for (const reply of [
      await callAction(recent, '<QuiesceDP><timeout>60</timeout></QuiesceDP>', 'A'),
      await callOperation(
        recent,
        '<dp:do-export format="ZIP"><dp:object class="X" name="y"/></dp:do-export>',
      ),
    ]) {
      expect(textsOf(reply.text, 'dp:result')).toEqual(['Authentication failure']);
      expect(reply.text).toContain('<dp:timestamp>');
    }
  });

  test('of an action names the command on old firmware and only the reason on recent firmware', async () => {
    const action = '<DomainUnquiesce><name>Z</name></DomainUnquiesce>';
    const oldText = (await callAction(old, action)).text;
    expect(oldText).toContain(
      '<dp:result><error-log><log-event level="error">Domain &apos;Z&apos; does not exist.',
    );
    expect(textsOf(oldText, 'log-event')).toHaveLength(2);
    expect(textsOf((await callAction(recent, action)).text, 'log-event')).toHaveLength(1);
  });

  test.each([
    ['a status class that does not exist', envelopeOf(['<dp:get-status class="Nonsense"/>'])],
    ['a config class that does not exist', envelopeOf(['<dp:get-config class="Nonsense"/>'])],
    ['a location that does not exist', envelopeOf(['<dp:get-filestore location="mars:"/>'])],
    ['an action that does not exist', envelopeOf(['<dp:do-action><Explode/></dp:do-action>'])],
    ['an operation that does not exist', envelopeOf(['<dp:do-nonsense/>'])],
    [
      'children in the wrong order',
      envelopeOf([
        '<dp:do-action><DomainQuiesce><timeout>60</timeout><name>A</name></DomainQuiesce></dp:do-action>',
      ]),
    ],
    [
      'a time-out that is no number',
      envelopeOf(['<dp:do-action><QuiesceDP><timeout>soon</timeout></QuiesceDP></dp:do-action>']),
    ],
    ['a backup of nothing', envelopeOf(['<dp:do-backup format="ZIP"/>'])],
    ['no request', envelopeOf([])],
    ['no XML', 'hello'],
    ['one bad request among good ones', envelopeOf([STATUS, '<dp:do-nonsense/>'])],
  ])('%s is a SOAP fault with status 500', async (_what, body) => {
    const reply = await callDevice(recent, body);
    expect(reply.status).toBe(500);
    expect(reply.headers['content-type']).toBe('text/xml');
    expect(reply.text).toContain('<env:Fault><faultcode>env:Client</faultcode>');
  });

  test('to post is a SOAP fault', async () => {
    expect((await callDevice(recent, '', { method: 'GET' })).status).toBe(500);
  });
});

test('no password is ever in the log', async () => {
  await callDevice(recent, envelopeOf([STATUS]), { credentials: 'admin:a-secret-guess' });
  const text = JSON.stringify(fleet.log);
  expect(text).not.toContain('admin-password');
  expect(text).not.toContain('a-secret-guess');
  expect(fleet.log.at(-1)).toMatchObject({
    operation: 'get-status',
    class: 'DomainStatus',
    outcome: 'login-failure',
  });
});
