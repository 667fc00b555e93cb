import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { envelope, says, startTestDevice } from './testing/test-device.ts';
import { faultOf, TEST_PASSWORD, TestScene } from './testing/test-scene.ts';

const OK = envelope('<dp:result>OK</dp:result>');
const scene = new TestScene();

afterEach(async () => {
  vi.unstubAllEnvs();
  await scene.close();
});

describe('a connection that cannot be made', () => {
  it('says that nobody listens', async () => {
    const device = await startTestDevice();
    await device.close();
    const fault = faultOf(await scene.trusting(device).unquiesceDevice());
    expect(fault).toMatchObject({ code: 'DEVICE_UNREACHABLE', effect: 'none', retryable: true });
    expect(fault.detail).toContain(`localhost:${device.port}`);
  });

  it('says that the name is unknown', async () => {
    const fault = faultOf(
      await scene.appliance(1, { kind: 'insecure' }, { host: 'device.invalid' }).unquiesceDevice(),
    );
    expect(fault).toMatchObject({ code: 'HOST_NOT_FOUND', effect: 'none', retryable: true });
  });

  it('gives up on a peer that accepts and then keeps silent', async () => {
    const port = await scene.rawPort(() => undefined);
    const appliance = scene.appliance(port, { kind: 'insecure' }, { deadlines: { connectMs: 50 } });
    const fault = faultOf(await appliance.unquiesceDevice());
    expect(fault).toMatchObject({ code: 'DEVICE_UNREACHABLE', effect: 'none', retryable: true });
  });

  it('says that a deadline passed while connecting had no effect', async () => {
    const port = await scene.rawPort(() => undefined);
    const fault = faultOf(
      await scene.appliance(port, { kind: 'insecure' }).unquiesceDevice({ deadlineMs: 20 }),
    );
    expect(fault).toMatchObject({ code: 'DEADLINE_EXCEEDED', effect: 'none', retryable: true });
  });

  it.each([
    ['', 5550],
    ['a b', 5550],
    ['user@host', 5550],
    ['host/path', 5550],
    ['host:1', 5550],
    ['localhost', 0],
    ['localhost', 65_536],
  ])('refuses the address "%s" and %i', async (host, port) => {
    const fault = faultOf(await scene.appliance(port, { kind: 'insecure' }, { host }).unquiesceDevice());
    expect(fault).toMatchObject({ code: 'ADDRESS_INVALID', effect: 'none', retryable: false });
  });

  it('refuses a user name that the login cannot carry', async () => {
    const appliance = scene.appliance(1, { kind: 'insecure' }, { username: 'a:b' });
    expect(faultOf(await appliance.unquiesceDevice())).toMatchObject({
      code: 'LOGIN_INVALID',
      effect: 'none',
    });
  });
});

describe('an action whose answer never comes', () => {
  it('is an unknown effect when the deadline passes', async () => {
    const device = await scene.device();
    device.answer(() => undefined);
    const fault = faultOf(
      await scene.trusting(device).quiesceDomain({ domain: 'A', timeoutSeconds: 60 }, { deadlineMs: 200 }),
    );
    expect(fault).toMatchObject({ code: 'DEADLINE_EXCEEDED', effect: 'unknown', retryable: true });
    expect(device.received).toHaveLength(1);
  });

  it('is an unknown effect when the connection breaks', async () => {
    const device = await scene.device();
    device.answer((_request, response) => response.socket?.destroy());
    const fault = faultOf(await scene.trusting(device).quiesceDevice({ timeoutSeconds: 60 }));
    expect(fault).toMatchObject({ code: 'CONNECTION_LOST', effect: 'unknown', retryable: true });
  });

  it('is an unknown effect when we give it up after it was sent, and none when before', async () => {
    const device = await scene.device();
    const appliance = scene.trusting(device);
    const control = new AbortController();
    device.answer(() => control.abort());
    const late = faultOf(await appliance.unquiesceDevice({ signal: control.signal }));
    expect(late).toMatchObject({ code: 'ABORTED', effect: 'unknown', retryable: false });
    const early = faultOf(await appliance.unquiesceDevice({ signal: AbortSignal.abort() }));
    expect(early).toMatchObject({ code: 'ABORTED', effect: 'none' });
    expect(device.received).toHaveLength(1);
  });

  it('has no effect when it was still waiting for its turn', async () => {
    const device = await scene.device();
    const appliance = scene.trusting(device);
    const answers: (() => void)[] = [];
    const bothSent = Promise.withResolvers<void>();
    device.answer((_request, response) => {
      answers.push(() => response.end(OK));
      if (answers.length === 2) bothSent.resolve();
    });
    const busy = [appliance.unquiesceDomain('A'), appliance.unquiesceDomain('B')];
    await bothSent.promise;
    const fault = faultOf(await appliance.quiesceDevice({ timeoutSeconds: 60 }, { deadlineMs: 20 }));
    expect(fault).toMatchObject({ code: 'DEADLINE_EXCEEDED', effect: 'none' });
    for (const answer of answers) answer();
    expect((await Promise.all(busy)).every((reply) => reply.ok)).toBe(true);
    device.answer(says(OK));
    expect((await appliance.unquiesceDevice()).ok).toBe(true);
    expect(device.received.some(({ body }) => body.includes('<QuiesceDP>'))).toBe(false);
  });

  it('has no effect when it was only to look', async () => {
    const device = await scene.device();
    device.answer((_request, response) => response.socket?.destroy());
    const fault = faultOf(await scene.trusting(device).readDomainStatus());
    expect(fault).toMatchObject({ code: 'CONNECTION_LOST', effect: 'none', retryable: true });
  });

  it('ends with its own code when the client is closed meanwhile', async () => {
    const device = await scene.device();
    const appliance = scene.trusting(device);
    device.answer(() => void appliance.close());
    expect(faultOf(await appliance.unquiesceDevice())).toMatchObject({
      code: 'CLIENT_CLOSED',
      effect: 'unknown',
    });
    expect(faultOf(await appliance.unquiesceDevice())).toMatchObject({
      code: 'CLIENT_CLOSED',
      effect: 'none',
    });
  });
});

describe('an answer that breaks on the way', () => {
  it('is lost at every cut of its bytes', async () => {
    const device = await scene.device();
    const appliance = scene.trusting(device);
    const bytes = Buffer.from(OK);
    for (let length = 0; length < bytes.length; length += 29) {
      device.answer((_request, response) => {
        response.writeHead(200, { 'content-type': 'text/xml', 'content-length': bytes.length });
        response.write(bytes.subarray(0, length), () => response.socket?.destroy());
      });
      const fault = faultOf(await appliance.unquiesceDevice());
      expect(fault).toMatchObject({ code: 'CONNECTION_LOST', effect: 'unknown' });
    }
  });

  it('is given up when it stalls in the middle', async () => {
    const device = await scene.device();
    device.answer((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/xml' });
      response.write(OK.slice(0, 100));
    });
    const fault = faultOf(await scene.trusting(device, { stallMs: 100 }).unquiesceDevice());
    expect(fault).toMatchObject({ code: 'REPLY_STALLED', effect: 'unknown', retryable: true });
  });

  it('ends at its deadline when it comes byte by byte', async () => {
    const device = await scene.device();
    device.answer((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/xml' });
      response.write('<a>');
      const timer = setInterval(() => response.write('x'), 5);
      response.on('close', () => clearInterval(timer));
    });
    const fault = faultOf(await scene.trusting(device).unquiesceDevice({ deadlineMs: 150 }));
    expect(fault).toMatchObject({ code: 'DEADLINE_EXCEEDED', effect: 'unknown' });
  });

  it('is lost when a TLS alert comes in its place', async () => {
    const device = await scene.device({ tls: { maxVersion: 'TLSv1.2' } });
    device.answer(() => undefined);
    const fatalAlert = Buffer.from([21, 3, 3, 0, 2, 2, 40]);
    const port = await scene.rawPort((client) => {
      relay(client, device.port);
      client.on('data', (chunk: Buffer) => {
        const isApplicationData = chunk[0] === 23;
        if (isApplicationData) client.write(fatalAlert);
      });
    });
    const fault = faultOf(await scene.appliance(port, { kind: 'insecure' }).unquiesceDevice());
    expect(fault).toMatchObject({ code: 'CONNECTION_LOST', effect: 'unknown' });
  });

  it('is given up when it is larger than any answer, though it never ends', async () => {
    const device = await scene.device();
    device.answer((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/xml' });
      response.write(OK.replace('OK', 'x'.repeat(1024 * 1024)));
    });
    const fault = faultOf(await scene.trusting(device).unquiesceDevice());
    expect(fault).toMatchObject({ code: 'REPLY_TOO_LARGE', effect: 'unknown', retryable: false });
  });

  it.each([
    ['a redirect', 302, { location: 'https://localhost/' }, '', 'REDIRECT_REFUSED', 'none'],
    ['HTTP 401', 401, {}, '<html/>', 'AUTHENTICATION_FAILED', 'none'],
    [
      'HTTP 404 with a page',
      404,
      { 'content-type': 'text/html; charset=ISO-8859-1' },
      '<html/>',
      'HTTP_STATUS',
      'unknown',
    ],
    ['HTTP 503 without a body', 503, {}, '', 'HTTP_UNAVAILABLE', 'unknown'],
    ['OK under HTTP 500', 500, {}, OK, 'HTTP_STATUS', 'unknown'],
    [
      'another charset',
      200,
      { 'content-type': 'text/xml; charset=ISO-8859-1' },
      OK,
      'REPLY_CHARSET',
      'unknown',
    ],
    ['a compressed answer', 200, { 'content-encoding': 'gzip' }, OK, 'REPLY_CHARSET', 'unknown'],
    ['an empty answer', 200, {}, '', 'REPLY_EMPTY', 'unknown'],
    ['no XML', 200, {}, 'OK', 'REPLY_NOT_XML', 'unknown'],
    ['half an envelope', 200, {}, OK.slice(0, -20), 'REPLY_TRUNCATED', 'unknown'],
    ['another document', 200, {}, '<html/>', 'REPLY_NOT_SOAP', 'unknown'],
    ['a status instead of OK', 200, {}, envelope('<dp:status/>'), 'REPLY_UNEXPECTED', 'unknown'],
    [
      'a failed login',
      200,
      {},
      envelope('<dp:result>Authentication failure</dp:result>', { isStamped: false }),
      'AUTHENTICATION_FAILED',
      'none',
    ],
    [
      'a lack of rights',
      200,
      {},
      envelope('<dp:result>Authentication failure</dp:result>'),
      'NOT_AUTHORISED',
      'none',
    ],
    [
      'a refusal',
      200,
      {},
      envelope('<dp:result><error-log><log-event level="error">no</log-event></error-log></dp:result>'),
      'ACTION_REFUSED',
      'none',
    ],
    [
      'a schema error',
      500,
      {},
      '<env:Envelope xmlns:env="http://schemas.xmlsoap.org/soap/envelope/"><env:Body><env:Fault><faultcode>env:Client</faultcode><faultstring>Internal Error (from client)</faultstring></env:Fault></env:Body></env:Envelope>',
      'REQUEST_REJECTED',
      'none',
    ],
  ])(
    'of %s is a fault of an action with its own code',
    async (_what, status, headers, body, code, effect) => {
      const device = await scene.device();
      device.answer((_request, response) => {
        response.writeHead(status, { 'content-type': 'text/xml', ...headers });
        response.end(body);
      });
      const fault = faultOf(await scene.trusting(device).unquiesceDevice());
      expect(fault).toMatchObject({ code, effect });
      expect(device.received).toHaveLength(1);
    },
  );

  it('never repeats the password, even when the device does', async () => {
    const device = await scene.device();
    const login = Buffer.from(`admin:${TEST_PASSWORD}`).toString('base64');
    device.answer(says(envelope(`<dp:result>Error for ${TEST_PASSWORD} (${login})</dp:result>`)));
    const fault = faultOf(await scene.trusting(device).unquiesceDevice());
    expect(fault.detail).toBe('The appliance answered "Error for [redacted] ([redacted])".');
  });
});

describe('the connections to one device', () => {
  it('carry at most two requests at once and are used again', async () => {
    const device = await scene.device();
    const waiting: (() => void)[] = [];
    device.answer((_request, response) => {
      waiting.push(() => response.end(OK));
      if (waiting.length === 2) for (const answer of waiting.splice(0)) answer();
    });
    const appliance = scene.trusting(device);
    const replies = await Promise.all(Array.from({ length: 8 }, () => appliance.unquiesceDevice()));
    expect(replies.every((reply) => reply.ok)).toBe(true);
    expect(device.mostInFlight()).toBe(2);
    expect(device.connectionCount()).toBe(2);
  });

  it('ignore the proxies of the environment', async () => {
    for (const name of ['HTTPS_PROXY', 'https_proxy', 'ALL_PROXY', 'HTTP_PROXY'])
      vi.stubEnv(name, 'http://127.0.0.1:1');
    vi.stubEnv('NODE_USE_ENV_PROXY', '1');
    const device = await scene.device();
    expect((await scene.trusting(device).unquiesceDevice()).ok).toBe(true);
  });

  it('are ended with a close_notify, which appliances insist on', async () => {
    const device = await scene.device({ tls: { maxVersion: 'TLSv1.2' } });
    const { promise: lastRecord, resolve } = Promise.withResolvers<number>();
    const port = await scene.rawPort((client) => relay(client, device.port, resolve));
    const appliance = scene.appliance(port, { kind: 'insecure' });
    expect((await appliance.unquiesceDevice()).ok).toBe(true);
    await appliance.close();
    const alert = 21;
    expect(await lastRecord).toBe(alert);
  });
});

/** Passes bytes between client and device and tells the type of the last TLS record that the client sent. */
function relay(client: Socket, devicePort: number, onEnd?: (lastRecord: number) => void): void {
  const device = connect(devicePort, '127.0.0.1');
  device.on('error', () => undefined);
  device.pipe(client);
  let pending = Buffer.alloc(0);
  let last = 0;
  client.on('data', (chunk: Buffer) => {
    device.write(chunk);
    pending = Buffer.concat([pending, chunk]);
    while (pending.length >= 5 && pending.length >= 5 + pending.readUInt16BE(3)) {
      last = pending[0] ?? 0;
      pending = pending.subarray(5 + pending.readUInt16BE(3));
    }
  });
  client.on('close', () => {
    device.destroy();
    onEnd?.(last);
  });
}
