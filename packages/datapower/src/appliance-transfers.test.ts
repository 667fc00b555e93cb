import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { setImmediate } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { type DeviceBehaviour, envelope, says } from './testing/test-device.ts';
import { faultOf, TestScene } from './testing/test-scene.ts';

const MEBIBYTE = 1024 * 1024;
const scene = new TestScene();
afterEach(() => scene.close());

async function openWith(behaviour: DeviceBehaviour) {
  const device = await scene.device();
  device.answer(behaviour);
  return scene.trusting(device);
}

function collect() {
  const parts: Buffer[] = [];
  return {
    write: (chunk: Uint8Array) => void parts.push(Buffer.from(chunk)),
    bytes: () => Buffer.concat(parts),
  };
}

/** Sends an envelope whose file is the given text, repeated, as fast as the client takes it. */
async function sendLong(
  response: ServerResponse,
  text: Buffer,
  times: number,
  onSent?: (sizeBytes: number) => void,
): Promise<void> {
  const [head = '', tail = ''] = envelope('<dp:file>#</dp:file>').split('#');
  response.writeHead(200, { 'content-type': 'text/xml' });
  response.write(head);
  let wake: () => void = () => undefined;
  for (const event of ['drain', 'close']) response.on(event, () => wake());
  for (let i = 0; i < times && !response.destroyed; i += 1) {
    const isFull = !response.write(text);
    if (isFull) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    onSent?.(text.length);
  }
  response.end(tail);
}

const backup = { domains: ['A'], isPersisted: true } as const;

describe('streaming a file out of an appliance', () => {
  it('gives the sink exactly the bytes of the file', async () => {
    const archive = Buffer.alloc(3 * MEBIBYTE + 1, 'PK\x03\x04 some bytes of an archive');
    const appliance = await openWith(says(envelope(`<dp:file>${archive.toString('base64')}</dp:file>`)));
    const sink = collect();
    expect(await appliance.backUpDomains(backup, sink)).toEqual({
      ok: true,
      value: { sizeBytes: archive.length },
    });
    expect(sink.bytes().equals(archive)).toBe(true);
  });

  it('accepts a name that is written another way, and a file without a name', async () => {
    for (const name of [' name="temporary:/sb/x"', ' name="temporary:///sb/x"', '']) {
      const appliance = await openWith(says(envelope(`<dp:file${name}>QUJD</dp:file>`)));
      const sink = collect();
      expect(await appliance.readFile('temporary:///sb/x', sink)).toEqual({
        ok: true,
        value: { sizeBytes: 3 },
      });
      expect(sink.bytes().toString()).toBe('ABC');
    }
  });

  it.each([
    ['another file', '<dp:file name="temporary:///sb/y">QUJD</dp:file>', 'FILE_NAME_MISMATCH', true],
    [
      'a file that cannot be read',
      '<dp:result>Cannot read the specified file</dp:result>',
      'FILE_NOT_READABLE',
      false,
    ],
    ['an empty file', '<dp:file/>', 'EMPTY_FILE', true],
    ['an empty file with two tags', '<dp:file></dp:file>', 'EMPTY_FILE', true],
    ['a file of white space', '<dp:file>\n</dp:file>', 'EMPTY_FILE', true],
    ['OK', '<dp:result>OK</dp:result>', 'REPLY_UNEXPECTED', false],
    ['a status', '<dp:status/>', 'REPLY_UNEXPECTED', false],
    ['bad base64', '<dp:file>QUJD!</dp:file>', 'BASE64_INVALID', true],
    ['a right that is missing', '<dp:result>Authentication failure</dp:result>', 'NOT_AUTHORISED', false],
  ])('answers %s with its own fault', async (_what, content, code, retryable) => {
    const appliance = await openWith(says(envelope(content)));
    const fault = faultOf(await appliance.readFile('temporary:///sb/x', collect()));
    expect(fault).toMatchObject({ code, effect: 'none', retryable });
  });

  it('answers a backup that the appliance could not make', async () => {
    const refusal =
      '<dp:result><error-log><log-event level="error">No such domain A</log-event></error-log></dp:result>';
    const appliance = await openWith(says(envelope(refusal)));
    const fault = faultOf(await appliance.backUpDomains(backup, collect()));
    expect(fault).toMatchObject({ code: 'ACTION_REFUSED', effect: 'none' });
    expect(fault.detail).toBe('The appliance refused: No such domain A');
  });

  it('does not take a file that comes with an HTTP error', async () => {
    const appliance = await openWith((_request, response) => {
      response.writeHead(500, { 'content-type': 'text/xml' });
      response.end(envelope('<dp:file>QUJD</dp:file>'));
    });
    const sink = collect();
    expect(faultOf(await appliance.backUpDomains(backup, sink)).code).toBe('HTTP_STATUS');
    expect(sink.bytes().length).toBe(0);
  });

  it('ends with its own fault when the sink fails, at once or later, and gives it no more bytes', async () => {
    for (const isLater of [false, true]) {
      let calls = 0;
      const failing = () => {
        calls += 1;
        const error = new Error('no space left on the store');
        if (!isLater) throw error;
        return Promise.reject(error);
      };
      const text = Buffer.alloc(MEBIBYTE, 'QUJD');
      const appliance = await openWith((_request, response) => void sendLong(response, text, 4));
      const fault = faultOf(await appliance.backUpDomains(backup, { write: failing }));
      expect(fault).toMatchObject({ code: 'SINK_FAILED', effect: 'none' });
      expect(fault.detail).toContain('no space left on the store');
      expect(calls).toBe(1);
    }
  });

  it('gives the sink nothing more once the call has been given up', async () => {
    const control = new AbortController();
    const gate = Promise.withResolvers<void>();
    let calls = 0;
    const text = Buffer.alloc(MEBIBYTE, 'QUJD');
    const appliance = await openWith((_request, response) => void sendLong(response, text, 4));
    const write = () => {
      calls += 1;
      control.abort();
      return gate.promise;
    };
    const fault = faultOf(await appliance.backUpDomains(backup, { write }, { signal: control.signal }));
    expect(fault).toMatchObject({ code: 'ABORTED', effect: 'none' });
    gate.resolve();
    await gate.promise;
    expect(calls).toBe(1);
  });

  it('holds the appliance back while the sink is busy', async () => {
    const text = Buffer.alloc(MEBIBYTE, 'QUJD');
    let sentBytes = 0;
    const appliance = await openWith((_request, response) => {
      void sendLong(response, text, 48, (count) => {
        sentBytes += count;
      });
    });
    let writing = 0;
    let mostWriting = 0;
    let sizeBytes = 0;
    const reply = await appliance.backUpDomains(backup, {
      async write(chunk) {
        writing += 1;
        mostWriting = Math.max(mostWriting, writing);
        // Long enough for the rest of the answer to come, were it not held back.
        if (sizeBytes === 0) for (let turn = 0; turn < 5000; turn += 1) await setImmediate();
        if (sizeBytes === 0) expect(sentBytes).toBeLessThan(24 * MEBIBYTE);
        sizeBytes += chunk.length;
        writing -= 1;
      },
    });
    expect(reply).toEqual({ ok: true, value: { sizeBytes } });
    expect(sizeBytes).toBe(36 * MEBIBYTE);
    expect(mostWriting).toBe(1);
  });

  it('needs the same memory for 256 MiB as for a little', async () => {
    const line = `${Buffer.alloc(57, 'Stillpoint').toString('base64')}\n`;
    const text = Buffer.from(line.repeat(10_000));
    const times = Math.ceil((256 * MEBIBYTE) / text.length);
    const appliance = await openWith((_request, response) => void sendLong(response, text, times));
    const hash = createHash('sha256');
    let before = 0;
    let most = 0;
    const reply = await appliance.backUpDomains(backup, {
      write(chunk) {
        hash.update(chunk);
        const resident = process.memoryUsage.rss();
        before ||= resident;
        most = Math.max(most, resident);
      },
    });
    expect(reply).toEqual({ ok: true, value: { sizeBytes: times * 10_000 * 57 } });
    const growth = Math.round((most - before) / MEBIBYTE);
    console.info(`256 MiB of base64 streamed, resident memory grew by ${growth} MiB`);
    expect(growth).toBeLessThan(64);
  });
});
