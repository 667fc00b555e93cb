import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { DeviceAddress } from './fleet/device-handle.ts';
import { runSimulator } from './run-simulator.ts';
import { callOperation, envelopeOf } from './testing/call-device.ts';

const MEBIBYTE = 1024 * 1024;
let folder: string;
let fleetFile: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stillpoint-command-test-'));
  fleetFile = join(folder, 'fleet.yaml');
});
afterEach(() => rm(folder, { recursive: true }));

async function runAndStop(
  argv: readonly string[],
): Promise<{ code: number; printed: string; complained: string }> {
  const stop = new AbortController();
  let printed = '';
  let complained = '';
  const code = await runSimulator(argv, {
    print: (text) => {
      printed += text;
      stop.abort();
    },
    complain: (text) => {
      complained += text;
    },
    stop: stop.signal,
  });
  return { code, printed, complained };
}

describe('the command', () => {
  test('says where devices listen, and stops when told', async () => {
    await writeFile(fleetFile, 'devices: [{name: dp1}]');
    const { code, printed } = await runAndStop([fleetFile]);
    expect(code).toBe(0);
    expect(printed).toMatch(
      /^dp1 {2}https:\/\/127\.0\.0\.1:\d+\/service\/mgmt\/current {2}sha256 [0-9a-f]{64}\ncontrol {2}http:\/\/127\.0\.0\.1:\d+\n$/,
    );
  });

  test('says it to programs as JSON', async () => {
    await writeFile(fleetFile, 'devices: [{name: dp1}]');
    const { printed } = await runAndStop([fleetFile, '--ready-json', '--control-port', '0']);
    expect(JSON.parse(printed)).toMatchObject({ devices: [{ name: 'dp1', host: '127.0.0.1' }] });
  });

  test('explains what is wrong with its file or arguments', async () => {
    await writeFile(fleetFile, 'devices: [{name: dp1, prot: 1}]');
    const wrong = await runAndStop([fleetFile]);
    expect([wrong.code, wrong.complained]).toEqual([2, `${fleetFile}: devices.0 has the unknown key prot\n`]);
    const missing = await runAndStop([join(folder, 'none.yaml')]);
    expect([missing.code, missing.complained]).toEqual([2, expect.stringContaining('cannot be read')]);
    expect((await runAndStop([])).code).toBe(2);
    expect((await runAndStop([fleetFile, '--control-port', '70000'])).code).toBe(2);
    expect((await runAndStop(['--help'])).code).toBe(0);
  });
});

describe('the program', () => {
  test('serves a large export in little memory, and is gone without a trace after SIGTERM', async () => {
    const sizeBytes = 64 * MEBIBYTE;
    await writeFile(
      fleetFile,
      `devices: [{name: big, domains: [{name: G, files: 1, sizeBytes: ${sizeBytes}}, {name: S}]}]`,
    );
    const main = fileURLToPath(new URL('./main.ts', import.meta.url));
    const child = spawn(process.execPath, [main, fleetFile, '--ready-json'], {
      env: { ...process.env, TMPDIR: folder },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const gone = once(child, 'exit');
    try {
      const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
      const [device] = (JSON.parse(line) as { devices: DeviceAddress[] }).devices;
      if (device === undefined) {
        throw new Error('the program named no device');
      }
      await callOperation(device, '<dp:do-backup format="ZIP"><dp:domain name="S"/></dp:do-backup>');
      const before = await peakBytes(child.pid);
      expect(await receivedBytes(device)).toBeGreaterThan((sizeBytes * 4) / 3);
      const growth = (await peakBytes(child.pid)) - before;
      expect(growth).toBeLessThan(32 * MEBIBYTE);
    } finally {
      child.kill('SIGTERM');
    }
    expect(await gone).toEqual([0, null]);
    expect(await readdir(folder)).toEqual(['fleet.yaml']);
  });
});

// The peak of resident memory as Linux counts it; elsewhere there is nothing to read and nothing to compare.
async function peakBytes(pid: number | undefined): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? '0') * 1024;
}

function receivedBytes(device: DeviceAddress): Promise<number> {
  return new Promise((resolve, reject) => {
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
        response.on('data', (piece: Buffer) => {
          bytes += piece.length;
        });
        response.on('error', reject);
        response.on('end', () => resolve(bytes));
      },
    );
    sent.on('error', reject);
    sent.end(envelopeOf(['<dp:do-backup format="ZIP"><dp:domain name="G"/></dp:do-backup>']));
  });
}
