import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterEach, describe, expect, test } from 'vitest';
import { callAction, callDevice, callOperation, envelopeOf } from '../testing/call-device.ts';
import { createDeviceCertificate } from './device-certificate.ts';
import type { Fleet, FleetOptions } from './fleet.ts';
import { startFleet } from './start-fleet.ts';

const STATUS = '<dp:get-status class="DomainStatus"/>';
let fleet: Fleet | undefined;
afterEach(async () => {
  await fleet?.stop();
  fleet = undefined;
});

async function start(options: FleetOptions = {}): Promise<Fleet> {
  fleet = await startFleet(
    { devices: [{ name: 'dp1', domains: [{ name: 'A' }] }, { name: 'dp2' }] },
    options,
  );
  return fleet;
}

async function control(
  path: string,
  method = 'GET',
  body?: unknown,
): Promise<{ status: number; body: unknown }> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const reply = await fetch(`${fleet?.controlUrl}${path}`, {
    method,
    ...(body === undefined ? {} : { body: text }),
  });
  return { status: reply.status, body: await reply.json() };
}

describe('a fleet', () => {
  test('gives each device its own port and certificate', async () => {
    const [first, second] = (await start()).devices;
    expect(first?.port).not.toBe(second?.port);
    expect(first?.certificateSha256).toMatch(/^[0-9a-f]{64}$/);
    expect(first?.certificateSha256).not.toBe(second?.certificateSha256);
  });

  test('can be given keys, and certificates that are over', async () => {
    const over = { notBeforeAt: Date.parse('2020-01-01Z'), notAfterAt: Date.parse('2020-02-01Z') };
    const own = await createDeviceCertificate('mine', {
      notBeforeAt: Date.now() - 1000,
      notAfterAt: Date.now() + 3_600_000,
    });
    const { devices } = await start({ certificateValidity: over, tls: { dp1: own } });
    expect(devices[0]?.certificatePem).toBe(own.certificatePem);
    if (devices[0] && devices[1]) {
      expect((await callOperation(devices[0], STATUS)).status).toBe(200);
      await expect(callOperation(devices[1], STATUS)).rejects.toMatchObject({ code: 'CERT_HAS_EXPIRED' });
    }
  });

  test('speaks TLS 1.2 and later only', async () => {
    const port = (await start()).devices[0]?.port ?? 0;
    const versions = await Promise.all(
      (['TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const).map(async (version) => {
        const socket = connect({
          port,
          host: '127.0.0.1',
          rejectUnauthorized: false,
          minVersion: version,
          maxVersion: version,
          ciphers: 'DEFAULT@SECLEVEL=0',
        });
        const spoken = await once(socket, 'secureConnect').then(
          () => socket.getProtocol(),
          () => 'refused',
        );
        socket.destroy();
        return spoken;
      }),
    );
    expect(versions).toEqual(['refused', 'TLSv1.2', 'TLSv1.3']);
  });

  test('with a wrong description, or on a port that is taken, does not start and leaves nothing behind', async () => {
    await expect(startFleet({ devices: [] })).rejects.toThrow('devices: ');
    const taken = createServer();
    taken.listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const address = taken.address();
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
    const spoolFolder = await mkdtemp(join(tmpdir(), 'stillpoint-fleet-test-'));
    await expect(
      startFleet({ devices: [{ name: 'a' }, { name: 'b', port }] }, { spoolFolder }),
    ).rejects.toMatchObject({ code: 'EADDRINUSE' });
    expect(await readdir(spoolFolder)).toEqual([]);
    await rm(spoolFolder, { recursive: true });
    taken.close();
  });

  test('that is down accepts connections and destroys them', async () => {
    const handle = (await start()).device('dp1');
    handle.change({ isDown: true });
    await expect(callOperation(handle.address, STATUS)).rejects.toMatchObject({ code: 'ECONNRESET' });
    handle.change({ isDown: false });
    expect((await callOperation(handle.address, STATUS)).status).toBe(200);
  });

  test('comes back from a restart when its clock says so', async () => {
    let now = Date.parse('2023-01-01T00:00:00Z');
    const handle = (await start({ now: () => now })).device('dp1');
    handle.change({ isQuiesced: true });
    handle.reboot(10_000);
    expect(handle.domain('A').phase).toBe('normal');
    await expect(callOperation(handle.address, STATUS)).rejects.toMatchObject({ code: 'ECONNRESET' });
    now += 10_000;
    expect((await callOperation(handle.address, STATUS)).status).toBe(200);
  });

  test('tells when a request arrives and when it ends', async () => {
    const running = await start();
    const seen: string[] = [];
    running.events.on('arrival', (arrival) => seen.push(`arrival ${arrival.operation} ${arrival.domain}`));
    running.events.on('request', (entry) => seen.push(`end ${entry.operation} ${entry.outcome}`));
    await callAction(
      running.device('dp1').address,
      '<DomainQuiesce><name>A</name><timeout>60</timeout></DomainQuiesce>',
    );
    expect(seen).toEqual(['arrival DomainQuiesce A', 'end DomainQuiesce ok']);
  });

  test('waits for a request no longer than the test wants', async () => {
    const running = await start();
    const reason = new Error('enough');
    await expect(running.nextRequest(() => true, AbortSignal.abort(reason))).rejects.toBe(reason);
    expect(running.events.listenerCount('request')).toBe(0);
  });
});

describe('the control port', () => {
  test('shows devices without their passwords, and changes them', async () => {
    await start();
    const list = await control('/devices');
    expect(list).toMatchObject({ status: 200, body: { devices: [{ name: 'dp1' }, { name: 'dp2' }] } });
    expect(JSON.stringify(list)).not.toContain('password');
    const change = {
      latencyMs: 1,
      backupMode: 'normal',
      domains: [{ name: 'A', isQuiesced: true, saveNeeded: true }],
    };
    const changed = await control('/devices/dp1', 'PATCH', change);
    expect(changed.body).toMatchObject({
      latencyMs: 1,
      backupMode: 'normal',
      domains: [{ name: 'default' }, { name: 'A', phase: 'quiesced', isSaveNeeded: true }],
    });
    expect((await control('/devices/dp1', 'PATCH', { isQuiesced: false })).body).toMatchObject({
      domains: [{}, { phase: 'normal' }],
    });
    expect(await control('/devices/dp1')).toMatchObject({ status: 200, body: { name: 'dp1' } });
  });

  test('changes the password that clients must know', async () => {
    const running = await start();
    await control('/devices/dp1', 'PATCH', { password: 'another' });
    expect((await callOperation(running.device('dp1').address, STATUS)).text).toContain(
      'Authentication failure',
    );
    const known = await callDevice(running.device('dp1').address, envelopeOf([STATUS]), {
      credentials: 'admin:another',
    });
    expect(known.text).toContain('<DomainStatus ');
  });

  test('takes fault orders for one device or all, and withdraws them', async () => {
    await start();
    expect((await control('/faults', 'POST', { device: 'dp1', kind: 'reset', times: -1 })).status).toBe(201);
    expect((await control('/faults', 'POST', { kind: 'late', delayMs: 5 })).status).toBe(201);
    const kinds = (): (string | undefined)[][] =>
      ['dp1', 'dp2'].map((name) => (fleet?.device(name).view().openFaults ?? []).map(({ kind }) => kind));
    expect(kinds()).toEqual([['reset', 'late'], ['late']]);
    await control('/faults?device=dp1', 'DELETE');
    expect(kinds()).toEqual([[], ['late']]);
    await control('/faults', 'DELETE');
    expect(kinds()).toEqual([[], []]);
  });

  test('gives the log from a number on', async () => {
    const running = await start();
    await callOperation(running.device('dp1').address, STATUS);
    await callOperation(running.device('dp2').address, STATUS);
    expect(await control('/log?since=1')).toMatchObject({
      body: { entries: [{ seq: 2, device: 'dp2', operation: 'get-status' }] },
    });
  });

  test.each([
    ['PATCH', '/devices/dp1', { isDwon: true }, 'the top level has the unknown key isDwon'],
    [
      'PATCH',
      '/devices/dp1',
      { domains: [{ name: 'Z', saveNeeded: true }] },
      'domains: the device dp1 has no domain Z',
    ],
    [
      'PATCH',
      '/devices/dp1',
      { domains: [{ name: 'default', isQuiesced: true }] },
      'domains: the domain default cannot be quiesced',
    ],
    ['PATCH', '/devices/dp1', '{', 'the body: must be JSON'],
    ['POST', '/faults', { device: 'dp9', kind: 'reset' }, 'the fleet has no device dp9'],
    ['POST', '/faults', { kind: 'reset', tiems: 1 }, 'the top level has the unknown key tiems'],
    ['GET', '/log?since=x', undefined, 'since: must be a whole number of at least 0'],
  ])('refuses %s %s %j', async (method, path, body, problem) => {
    await start();
    expect(await control(path, method, body)).toEqual({ status: 400, body: { problems: [problem] } });
    expect(fleet?.device('dp1').view()).toMatchObject({ isDown: false, openFaults: [] });
  });

  test('names the field that a fault order lacks', async () => {
    await start();
    const { status, body } = await control('/faults', 'POST', { kind: 'late' });
    expect([status, JSON.stringify(body)]).toEqual([400, expect.stringContaining('delayMs: ')]);
    expect((await control('/faults', 'POST', { kind: 'nonsense' })).status).toBe(400);
  });

  test('knows nothing else', async () => {
    await start();
    expect((await control('/devices/dp9')).status).toBe(404);
    expect((await control('/nothing')).status).toBe(404);
    expect((await control('/devices', 'DELETE')).status).toBe(404);
  });
});
