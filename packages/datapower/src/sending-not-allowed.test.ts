import { connect, type Socket } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { envelope, says } from './testing/test-device.ts';
import { faultOf, TestScene } from './testing/test-scene.ts';

const OK = envelope('<dp:result>OK</dp:result>');
const REFUSAL = { code: 'SENDING_NOT_ALLOWED', effect: 'none', retryable: true };
const scene = new TestScene();

afterEach(() => scene.close());

it('a client that may not send opens no connection', async () => {
  const device = await scene.device();
  const fault = faultOf(await scene.trusting(device, {}, () => false).unquiesceDevice());
  expect(fault).toMatchObject(REFUSAL);
  expect(fault.detail).toContain(`localhost:${device.port}`);
  expect(device.connectionCount()).toBe(0);
});

it('a connection that is open already carries nothing more', async () => {
  const device = await scene.device();
  let maySend = true;
  const appliance = scene.trusting(device, {}, () => maySend);
  expect((await appliance.unquiesceDevice()).ok).toBe(true);
  maySend = false;
  expect(faultOf(await appliance.quiesceDevice({ timeoutSeconds: 60 }))).toMatchObject(REFUSAL);
  expect(faultOf(await appliance.readDomainStatus())).toMatchObject(REFUSAL);
  expect(device.received).toHaveLength(1);
});

it('a request on an open connection is held back when it is no longer allowed at its first byte', async () => {
  const device = await scene.device();
  // The first request asks at its beginning, for its connection and at its first byte; the second at its beginning.
  const answers = [true, true, true, true];
  const appliance = scene.trusting(device, {}, () => answers.pop() ?? false);
  expect((await appliance.unquiesceDevice()).ok).toBe(true);
  expect(faultOf(await appliance.quiesceDevice({ timeoutSeconds: 60 }))).toMatchObject(REFUSAL);
  expect(device.received).toHaveLength(1);
  expect(device.connectionCount()).toBe(1);
});

it('a request whose connection was being made while its permission ended is never sent', async () => {
  const device = await scene.device();
  const reached = Promise.withResolvers<Socket>();
  const port = await scene.rawPort((client) => reached.resolve(client));
  let maySend = true;
  const appliance = scene.appliance(port, { kind: 'insecure' }, { maySend: () => maySend });
  const replying = appliance.quiesceDevice({ timeoutSeconds: 60 });
  const client = await reached.promise;
  maySend = false;
  relay(client, device.port);
  expect(faultOf(await replying)).toMatchObject(REFUSAL);
  expect(device.connectionCount()).toBe(1);
  expect(device.received).toEqual([]);
});

it('requests that wait behind others are not sent, nor is a connection opened for them', async () => {
  const device = await scene.device();
  const answers: (() => void)[] = [];
  const bothSent = Promise.withResolvers<void>();
  device.answer((_request, response) => {
    answers.push(() => response.end(OK));
    if (answers.length === 2) bothSent.resolve();
  });
  let maySend = true;
  const appliance = scene.trusting(device, {}, () => maySend);
  const busy = [appliance.unquiesceDomain('A'), appliance.unquiesceDomain('B')];
  await bothSent.promise;
  const waiting = ['C', 'D', 'E'].map((domain) => appliance.quiesceDomain({ domain, timeoutSeconds: 60 }));
  maySend = false;
  for (const answer of answers) answer();
  for (const reply of await Promise.all(waiting)) expect(faultOf(reply)).toMatchObject(REFUSAL);
  // What was on its way before is not undone by it: its answer is still told.
  expect((await Promise.all(busy)).every((reply) => reply.ok)).toBe(true);
  expect(device.received).toHaveLength(2);
  expect(device.connectionCount()).toBe(2);
});

it('requests that wait behind a connection that breaks open no other', async () => {
  const device = await scene.device();
  let maySend = true;
  const appliance = scene.trusting(device, {}, () => maySend);
  device.answer((_request, response) => {
    maySend = false;
    response.socket?.destroy();
  });
  const replies = await Promise.all(Array.from({ length: 5 }, () => appliance.unquiesceDevice()));
  const heldBack = replies.map(faultOf).filter(({ code }) => code === REFUSAL.code);
  expect(heldBack).toHaveLength(5 - device.received.length);
  expect(device.received.length).toBeLessThanOrEqual(2);
  expect(device.connectionCount()).toBeLessThanOrEqual(2);
});

it('a client whose permission comes back goes on', async () => {
  const device = await scene.device();
  let maySend = false;
  const appliance = scene.trusting(device, {}, () => maySend);
  expect(faultOf(await appliance.unquiesceDevice())).toMatchObject(REFUSAL);
  maySend = true;
  device.answer(says(OK));
  expect((await appliance.unquiesceDevice()).ok).toBe(true);
});

/** Passes bytes between a client that was let in and a device. */
function relay(client: Socket, devicePort: number): void {
  const device = connect(devicePort, '127.0.0.1');
  device.on('error', () => undefined);
  device.pipe(client).pipe(device);
}
