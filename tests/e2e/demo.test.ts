import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findLeaks } from '../../tools/check/find-leaks.ts';
import { projectFolder } from '../../tools/check/folders.ts';
import type { DemoReport } from '../../tools/demo/demo-report.ts';

const patienceMs = 180_000;
const timestamp = String.raw`\d{4}-\d\d-\d\d-\d\d-\d\d-\d\d-\d{3}`;

let parent: string;
const going = new Set<ChildProcess>();
beforeAll(() => {
  parent = mkdtempSync(join(tmpdir(), 'stillpoint-demo-'));
});
afterAll(async () => {
  // Only a test that failed half-way leaves any.
  for (const child of going) {
    child.kill('SIGTERM');
    await once(child, 'close');
  }
  rmSync(parent, { recursive: true, force: true });
});

/** A demo in a process of its own, as `npm run demo -- ARGS` starts it. */
function startDemo(...args: string[]) {
  const child = spawn(process.execPath, [join(projectFolder, 'tools/demo.ts'), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  going.add(child);
  const said = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => {
    said.stdout += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    said.stderr += chunk.toString();
  });
  const ended = once(child, 'close').then(([exitCode]) => {
    going.delete(child);
    return { exitCode: exitCode as number | null, ...said };
  });
  const hasSaid = (text: string) =>
    new Promise<void>((resolve, reject) => {
      const look = () => said.stdout.includes(text) && resolve();
      child.stdout.on('data', look);
      child.once('close', () =>
        reject(new Error(`the demo ended without saying "${text}":\n${said.stderr}`)),
      );
      look();
    });
  return { child, ended, hasSaid };
}

async function processesLeft(folder: string): Promise<string[]> {
  const leaks = await findLeaks(folder);
  return leaks.filter((leak) => leak.includes('process'));
}

describe('npm run demo -- --once --json', () => {
  let folder: string;
  let outcome: Awaited<ReturnType<typeof startDemo>['ended']>;
  let report: DemoReport;
  let fleetLog: {
    device: string;
    operation: string;
    domain?: string;
    outcome: string;
    servedSha256?: string;
  }[];

  beforeAll(async () => {
    folder = join(parent, 'once');
    outcome = await startDemo('--once', '--json', '--data-folder', folder).ended;
    expect(outcome.exitCode, outcome.stderr).toBe(0);
    report = JSON.parse(outcome.stdout) as DemoReport;
    fleetLog = JSON.parse(readFileSync(join(folder, 'fleet-log.json'), 'utf8'));
  }, patienceMs);

  it('prints one document on standard output and nothing else', () => {
    expect(outcome.stdout).toBe(`${JSON.stringify(report, null, 2)}\n`);
    expect(report).toMatchObject({
      run: { status: 'SUCCEEDED', counts: { succeeded: 5, skipped: 1, failed: 0, cancelled: 0 } },
      quiescedNow: [],
      storePath: join(folder, 'store'),
    });
    expect(Object.keys(report)).toEqual(['run', 'tasks', 'quiescedNow', 'storePath']);
  });

  it('has the six tasks of the worked example in their order', () => {
    const rows = report.tasks.map((task) => [
      task.action,
      task.device,
      task.domain,
      task.status,
      task.reason,
    ]);
    expect(rows).toEqual([
      ['SECURE_BACKUP', 'QA1', null, 'SUCCEEDED', null],
      ['SECURE_BACKUP', 'QA2', null, 'SUCCEEDED', null],
      ['SECURE_BACKUP', 'QA3', null, 'SUCCEEDED', null],
      ['EXPORT_DOMAIN', 'TEST8', 'DOMAIN1', 'SUCCEEDED', null],
      ['EXPORT_DOMAIN', 'TEST8', 'DOMAIN2', 'SUCCEEDED', null],
      ['EXPORT_DOMAIN', 'TEST9', 'DOMAIN*', 'SKIPPED', 'SKIPPED_DEVICE_NOT_AVAILABLE'],
    ]);
  });

  it('stores each backup where a DPOD user looks for it', () => {
    const exported = (domain: string, kind: string) =>
      new RegExp(`^TEST8/domain/${domain}/${domain}-export-${timestamp}-${kind}\\.zip$`);
    const paths = report.tasks.map(({ files }) => files.map(({ path }) => path).sort());
    for (const [index, device] of ['QA1', 'QA2', 'QA3'].entries()) {
      expect(paths[index]).toHaveLength(7);
      for (const path of paths[index] ?? [])
        expect(path).toMatch(new RegExp(`^${device}/secure-backup/${timestamp}/[\\w.-]+$`));
    }
    expect(paths.slice(3)).toEqual([
      [
        expect.stringMatching(exported('DOMAIN1', 'nonpersisted')),
        expect.stringMatching(exported('DOMAIN1', 'persisted')),
      ],
      [expect.stringMatching(exported('DOMAIN2', 'persisted'))],
      [],
    ]);
  });

  it('stores exactly the bytes that the pretend devices served', () => {
    for (const { device, domain, files } of report.tasks) {
      const served = fleetLog
        .filter((entry) => entry.device === device && (domain === null || entry.domain === domain))
        .flatMap(({ servedSha256 }) => servedSha256 ?? []);
      for (const { path, sizeBytes, sha256 } of files) {
        const bytes = readFileSync(join(report.storePath, path));
        expect(bytes.length, path).toBe(sizeBytes);
        expect(createHash('sha256').update(bytes).digest('hex'), path).toBe(sha256);
        expect(served, path).toContain(sha256);
      }
    }
  });

  it('unquiesces whatever it has quiesced', () => {
    const accepted = (operation: string) =>
      fleetLog
        .filter((entry) => entry.operation === operation && entry.outcome === 'ok')
        .map(({ device, domain }) => `${device}/${domain}`)
        .sort();
    expect(accepted('QuiesceDP')).toEqual(['QA1/default', 'QA2/default', 'QA3/default']);
    expect(accepted('UnquiesceDP')).toEqual(accepted('QuiesceDP'));
    expect(accepted('DomainQuiesce')).toEqual(['TEST8/DOMAIN1', 'TEST8/DOMAIN2']);
    expect(accepted('DomainUnquiesce')).toEqual(accepted('DomainQuiesce'));
  });

  it('leaves no process behind', async () => {
    expect(await processesLeft(folder)).toEqual([]);
  });
});

describe('npm run demo', () => {
  it('stays up, lets no second demo into its folder, and ends everything when it is told to', {
    timeout: patienceMs,
  }, async () => {
    const folder = join(parent, 'staying');
    const first = startDemo('--data-folder', folder);
    await first.hasSaid('Ctrl-C ends the demo.');

    const second = await startDemo('--fresh', '--data-folder', folder).ended;
    expect(second).toMatchObject({ exitCode: 1, stdout: '' });
    expect(second.stderr).toContain(`A demo is already running in ${folder}.`);
    expect(existsSync(join(folder, 'data/server.json'))).toBe(true);

    first.child.kill('SIGINT');
    const { exitCode, stdout, stderr } = await first.ended;
    expect(stderr).toBe('');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/quiesced now +none/);
    expect(await processesLeft(folder)).toEqual([]);
    expect(existsSync(join(folder, 'data/server.json'))).toBe(false);
  });

  it('empties no folder that is not its own', async () => {
    const folder = join(parent, 'foreign');
    mkdirSync(folder);
    writeFileSync(join(folder, 'thesis.txt'), 'the only copy');
    const { exitCode, stderr } = await startDemo('--fresh', '--once', '--data-folder', folder).ended;
    expect(exitCode).toBe(1);
    expect(stderr).toContain('is not empty and is no folder of the demo');
    expect(readFileSync(join(folder, 'thesis.txt'), 'utf8')).toBe('the only copy');
  });

  it('understands no argument that it does not know', async () => {
    const { exitCode, stdout, stderr } = await startDemo('--onse').ended;
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toContain("Unknown option '--onse'");
  });
});
