import { Agent, request } from 'node:https';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { DeviceAddress, DeviceHandle } from '../fleet/device-handle.ts';
import type { Fleet } from '../fleet/fleet.ts';
import { startFleet } from '../fleet/start-fleet.ts';
import {
  callAction,
  callDevice,
  callOperation,
  envelopeOf,
  fileIn,
  textsOf,
} from '../testing/call-device.ts';
import { readZip, unpackedText } from '../testing/read-zip.ts';
import type { FaultKind, FaultOrderInput } from './fault-order.ts';

const STATUS = '<dp:get-status class="DomainStatus"/>';
const BACKUP = '<dp:do-backup format="ZIP"><dp:domain name="A"/></dp:do-backup>';
const QUIESCE = '<DomainQuiesce><name>A</name><timeout>60</timeout></DomainQuiesce>';
const UNQUIESCE = '<DomainUnquiesce><name>A</name></DomainUnquiesce>';
let fleet: Fleet;
let handle: DeviceHandle;
let device: DeviceAddress;

beforeEach(async () => {
  fleet = await startFleet({
    devices: [
      {
        name: 'dp1',
        quiesce: { quiesceMs: 0, unquiesceMs: 0 },
        domains: [{ name: 'A', sizeBytes: 300_000 }, { name: 'B' }],
      },
    ],
  });
  handle = fleet.device('dp1');
  device = handle.address;
});
afterEach(() => fleet.stop());

const codeOf = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => 'answered',
    (error: NodeJS.ErrnoException) => error.code ?? error.message,
  );
const isWellFormedFile = (text: string): boolean => /<dp:file>[A-Za-z0-9+/]+={0,2}<\/dp:file>/.test(text);

async function askUnder(order: FaultOrderInput, operation = STATUS): Promise<string> {
  handle.orderFault(order);
  const { text } = await callOperation(device, operation);
  expect(fleet.log.at(-1)?.outcome).toBe(order.kind);
  expect((await callOperation(device, STATUS)).text).toContain('<DomainStatus ');
  return text;
}

describe('an answer to order', () => {
  test.each<[FaultOrderInput, RegExp]>([
    [
      { kind: 'login-failure' },
      /<env:Body><dp:response [^>]*><dp:result>Authentication failure<\/dp:result>/,
    ],
    [{ kind: 'not-permitted' }, /<\/dp:timestamp><dp:result>Authentication failure<\/dp:result>/],
    [{ kind: 'error-log' }, /<dp:result><error-log><log-event level="error">/],
    [{ kind: 'error-log-prefixed' }, /<dp:result><error-log><dp:log-event level="error">/],
    [{ kind: 'text', text: 'Not OK <at> all' }, /<dp:result>Not OK &lt;at&gt; all<\/dp:result>/],
    [{ kind: 'soap-fault' }, /<env:Fault>/],
    [{ kind: 'not-xml' }, /^The gateway is busy/],
    [{ kind: 'truncated-xml' }, /^<\?xml(?!.*<\/env:Envelope>)/s],
    [{ kind: 'doctype' }, /^<\?xml[^>]*>\n<!DOCTYPE bomb .*&b;/s],
    [{ kind: 'nul-bytes' }, /<dp:response [^>]*>\0/],
    [{ kind: 'deep-xml', depth: 5000 }, /(<a>){5000}(<\/a>){5000}/],
    [{ kind: 'raw', bodyBase64: Buffer.from('<any/>').toString('base64') }, /^<any\/>$/],
  ])('%o', async (order, expected) => {
    expect(await askUnder(order)).toMatch(expected);
  });

  test('with another status or a redirect', async () => {
    handle.orderFault({ kind: 'http-status', status: 503 });
    handle.orderFault({ kind: 'redirect' });
    expect((await callOperation(device, STATUS)).status).toBe(503);
    const redirect = await callOperation(device, STATUS);
    expect([redirect.status, redirect.headers.location]).toEqual([302, 'https://127.0.0.1:1/elsewhere']);
  });

  test('with bytes that are no UTF-8', async () => {
    expect(await askUnder({ kind: 'wrong-charset' })).toContain('\uFFFD');
  });

  test('with a file that is empty or no base64', async () => {
    expect(await askUnder({ kind: 'empty-file' }, BACKUP)).toContain('<dp:file/>');
    for (const damage of ['alphabet', 'padding', 'length'] as const) {
      const text = await askUnder({ kind: 'bad-base64', damage }, BACKUP);
      expect(isWellFormedFile(text) && (/<dp:file>([^<]*)</.exec(text)?.[1] ?? '').length % 4 === 0).toBe(
        false,
      );
    }
  });

  test('does not carry out what was asked for', async () => {
    for (const kind of ['login-failure', 'error-log', 'soap-fault', 'not-xml', 'redirect'] as const) {
      handle.orderFault({ kind });
      await callAction(device, QUIESCE);
      expect(handle.domain('A').phase).toBe('normal');
    }
  });
});

describe('a lost connection', () => {
  test('before the work leaves everything as it was', async () => {
    handle.orderFault({ kind: 'reset', operation: 'DomainQuiesce' });
    expect(await codeOf(callAction(device, QUIESCE))).toBe('ECONNRESET');
    expect(handle.domain('A').phase).toBe('normal');
    expect(fleet.log.at(-1)).toMatchObject({
      operation: 'DomainQuiesce',
      domain: 'A',
      outcome: 'reset',
      status: 0,
    });
  });

  test('after the work hides that it was done', async () => {
    handle.orderFault({ kind: 'lost-reply', operation: 'DomainQuiesce' });
    expect(await codeOf(callAction(device, QUIESCE))).toBe('ECONNRESET');
    expect(handle.domain('A').phase).toBe('quiesced');
  });

  test('can come long before the work', async () => {
    handle.orderFault({ kind: 'late', delayMs: 50 });
    const performed = fleet.nextRequest(({ outcome }) => outcome === 'late');
    expect(await codeOf(callAction(device, QUIESCE))).toBe('ECONNRESET');
    expect((await performed).operation).toBe('DomainQuiesce');
    expect(handle.domain('A').phase).toBe('quiesced');
  });

  test('in the middle of an answer comes after exactly so many bytes', async () => {
    handle.orderFault({ kind: 'close-after-bytes', bytes: 100_000 });
    expect(await receivedBeforeLoss()).toEqual({ bytes: 100_000, code: 'ECONNRESET' });
  });

  test('in the middle of an answer can be a reset that overtakes it', async () => {
    handle.orderFault({ kind: 'reset-after-bytes', bytes: 100_000 });
    const { bytes, code } = await receivedBeforeLoss();
    expect(code).toBe('ECONNRESET');
    expect(bytes).toBeLessThanOrEqual(100_000);
    expect(fleet.log.at(-1)).toMatchObject({ operation: 'do-backup', outcome: 'reset-after-bytes' });
  });

  test('of a restart takes every connection and all that was quiesced with it', async () => {
    handle.change({ domains: [{ name: 'B', isQuiesced: true }] });
    const agent = new Agent({ keepAlive: true });
    const idle = await callDevice(device, envelopeOf([STATUS]), { agent });
    expect(idle.text).toContain('>quiesced<');
    handle.orderFault({ kind: 'reboot', operation: 'DomainQuiesce' });
    expect(await codeOf(callAction(device, QUIESCE))).toBe('ECONNRESET');
    expect(handle.view().domains.map(({ phase }) => phase)).toEqual(['normal', 'normal', 'normal']);
    expect((await callOperation(device, STATUS)).status).toBe(200);
    agent.destroy();
  });
});

function receivedBeforeLoss(): Promise<{ bytes: number; code: string | undefined }> {
  return new Promise((resolve, reject) => {
    let bytes = -Buffer.byteLength('<?xml version="1.0" encoding="UTF-8"?>\n');
    const lost = ({ code }: NodeJS.ErrnoException): void => resolve({ bytes, code });
    const { host, port, certificatePem } = device;
    const sent = request(
      { host, port, method: 'POST', ca: certificatePem, auth: 'admin:admin-password', agent: false },
      (response) => {
        response.on('data', (piece: Buffer) => {
          bytes += piece.length;
        });
        response.on('error', lost);
        response.on('end', () => reject(new Error('the answer was whole')));
      },
    );
    sent.on('error', lost);
    sent.end(envelopeOf([BACKUP]));
  });
}

describe('silence', () => {
  test('lasts until the client gives up, and is in the log meanwhile', async () => {
    handle.orderFault({ kind: 'stall' });
    const giveUp = new AbortController();
    const stalled = fleet.nextRequest(({ outcome }) => outcome === 'stall');
    const call = codeOf(callDevice(device, envelopeOf([STATUS]), { signal: giveUp.signal }));
    await stalled;
    giveUp.abort();
    expect(await call).toBe('ABORT_ERR');
  });

  test('ends when the fleet stops', async () => {
    handle.orderFault({ kind: 'stall' });
    const stalled = fleet.nextRequest(({ outcome }) => outcome === 'stall');
    const call = codeOf(callOperation(device, STATUS));
    await stalled;
    await fleet.stop();
    expect(await call).toBe('ECONNRESET');
  });

  test('between drops of an answer does not change the answer', async () => {
    handle.orderFault({ kind: 'trickle', bytes: 100, everyMs: 1 });
    expect(textsOf((await callOperation(device, STATUS)).text, 'Domain')).toEqual(['default', 'A', 'B']);
    handle.orderFault({ kind: 'delay', delayMs: 5 });
    expect((await callOperation(device, STATUS)).status).toBe(200);
  });

  test('never comes in an endless body, until the client leaves', async () => {
    handle.orderFault({ kind: 'endless-body' });
    const ended = fleet.nextRequest(({ operation }) => operation === 'get-status');
    await new Promise<void>((resolve) => {
      const sent = request(
        {
          host: device.host,
          port: device.port,
          method: 'POST',
          ca: device.certificatePem,
          auth: 'admin:admin-password',
          agent: false,
        },
        (response) => {
          let bytes = 0;
          response.on('error', () => undefined);
          response.on('data', (piece: Buffer) => {
            bytes += piece.length;
            if (bytes > 1_000_000) {
              response.destroy();
              resolve();
            }
          });
        },
      );
      sent.end(envelopeOf([STATUS]));
    });
    expect((await ended).outcome).toBe('client-gone');
  });
});

describe('a damaged export', () => {
  async function exportUnder(kind: FaultKind): Promise<Buffer> {
    const text = await askUnder({ kind } as FaultOrderInput, BACKUP);
    expect(isWellFormedFile(text)).toBe(true);
    return fileIn(text);
  }

  test('ends in the middle', async () => {
    await expect(readZip(await exportUnder('truncated-zip'))).rejects.toThrow();
  });

  test('has a file whose CRC is wrong', async () => {
    const files = await readZip(await exportUnder('bad-crc'));
    expect([...files].filter(([, { isCrcRight }]) => !isCrcRight).map(([path]) => path)).toEqual(['A.zip']);
  });

  test('has no list of contents', async () => {
    const files = await readZip(await exportUnder('no-export-xml'));
    expect([...files.keys()]).toContain('A.zip');
    expect([...files.keys()]).not.toContain('export.xml');
  });

  test('is one of another domain', async () => {
    const files = await readZip(await exportUnder('other-domain'));
    expect(unpackedText(files, 'export.xml')).toContain('<domains><domain name="default"/></domains>');
  });

  test('lists a hash that is not the hash of the file', async () => {
    const hashOf = async (zip: Buffer): Promise<string | undefined> => {
      const inner = await readZip((await readZip(zip)).get('A.zip')?.bytes ?? Buffer.alloc(0));
      return /src="config\/A.cfg"[^>]* hash="([^"]*)"/.exec(unpackedText(inner, 'export.xml'))?.[1];
    };
    const wrong = await hashOf(await exportUnder('wrong-inner-hash'));
    const right = await hashOf(fileIn((await callOperation(device, BACKUP)).text));
    expect(wrong).toMatch(/^[A-Za-z0-9+/]{27}=$/);
    expect(wrong).not.toBe(right);
  });
});

describe('a damaged manifest', () => {
  async function manifestUnder(kind: FaultKind): Promise<string> {
    handle.orderFault({ kind } as FaultOrderInput);
    const { text } = await callAction(
      device,
      '<SecureBackup><cert>dr-cert</cert><destination>temporary:///sb</destination></SecureBackup>',
    );
    expect(textsOf(text, 'dp:result')).toEqual(['OK']);
    return fileIn(
      (await callOperation(device, '<dp:get-file name="temporary:///sb/backupmanifest.xml"/>')).text,
    ).toString();
  }

  test.each<[FaultKind, (manifest: string) => boolean]>([
    ['manifest-missing', (manifest) => manifest === ''],
    ['manifest-empty', (manifest) => manifest.includes('<files/>')],
    ['manifest-extra', (manifest) => manifest.includes('missing.tgz')],
    ['manifest-wrong-size', (manifest) => textsOf(manifest, 'filesize')[0] === '1416'],
    ['manifest-unknown-algorithm', (manifest) => textsOf(manifest, 'checksum')[0]?.length === 32],
    ['manifest-wrong-hash', (manifest) => textsOf(manifest, 'checksum')[0]?.length === 40],
  ])('%s', async (kind, isDamaged) => {
    expect(isDamaged(await manifestUnder(kind))).toBe(true);
  });
});

describe('a quiesce to order', () => {
  test('never gets there, until it is undone', async () => {
    handle.orderFault({ kind: 'quiesce-never' });
    expect((await callAction(device, QUIESCE)).text).toContain('>OK<');
    expect(handle.domain('A').phase).toBe('quiescing');
    await callAction(device, UNQUIESCE);
    expect(handle.domain('A').phase).toBe('normal');
  });

  test('ends in an error', async () => {
    handle.orderFault({ kind: 'quiesce-error' });
    await callAction(device, QUIESCE);
    expect(textsOf((await callOperation(device, STATUS)).text, 'QuiesceState')).toEqual(['', 'error', '']);
  });

  test('never comes back, until it is told again', async () => {
    handle.orderFault({ kind: 'unquiesce-never' });
    await callAction(device, QUIESCE);
    await callAction(device, UNQUIESCE);
    expect(handle.domain('A').phase).toBe('unquiescing');
    await callAction(device, UNQUIESCE);
    expect(handle.domain('A').phase).toBe('normal');
  });
});
