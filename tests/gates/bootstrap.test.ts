import { type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { projectFolder } from '../../tools/check/folders.ts';

/** What npm would install: one package, and Node itself. */
const lock = { packages: { '': {}, 'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' } } };
const foreign = { version: '1.0.0', optional: true, os: ['darwin'] };

const script = `
  const [what] = process.argv.slice(2);
  if (what === 'exit') process.exit(7);
  if (what === 'kill') process.kill(process.pid, 'SIGKILL');
  if (what === 'wait') {
    process.on('SIGTERM', () => process.exit(9));
    setInterval(() => {}, 1000);
  }
  console.log(JSON.stringify(process.argv.slice(2)));
`;

/** Stands for npm: counts its calls, and leaves what \`npm ci\` leaves, or fails. */
const npm = `
  const fs = require('node:fs');
  fs.appendFileSync('calls', process.argv.slice(2).join(' ') + '\\n');
  console.log('noise of npm');
  if (fs.existsSync('offline')) { console.error('npm error network'); process.exit(1); }
  fs.mkdirSync('node_modules/.bin', { recursive: true });
  if (!fs.existsSync('node_modules/.bin/node')) fs.symlinkSync(process.execPath, 'node_modules/.bin/node');
  if (!fs.existsSync('half')) fs.copyFileSync('package-lock.json', 'node_modules/.package-lock.json');
`;

let folder: string;
const bootstrap = () => join(folder, 'tools/bootstrap.mjs');
const environment = () => ({ ...process.env, npm_execpath: join(folder, 'npm.js') });
const calls = () => readFileSync(join(folder, 'calls'), 'utf8').trimEnd().split('\n');

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'stillpoint-gate-'));
  mkdirSync(join(folder, 'tools'));
  cpSync(join(projectFolder, 'tools/bootstrap.mjs'), bootstrap());
  writeLock(lock);
  writeFileSync(join(folder, 'script.cjs'), script);
  writeFileSync(join(folder, 'npm.js'), npm);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function writeLock(content: unknown): void {
  writeFileSync(join(folder, 'package-lock.json'), JSON.stringify(content));
}

function run(...args: string[]): SpawnSyncReturns<string> {
  return spawnSync(process.execPath, [bootstrap(), 'script.cjs', ...args], {
    cwd: folder,
    encoding: 'utf8',
    env: environment(),
  });
}

describe('the bootstrap', () => {
  it('installs once, and keeps standard output for the script', () => {
    const first = run('--json', 'a b');
    expect(first).toMatchObject({ status: 0, stdout: '["--json","a b"]\n' });
    expect(first.stderr).toContain('Installing dependencies');
    expect(first.stderr).not.toContain('noise');
    expect(run()).toMatchObject({ status: 0, stdout: '[]\n', stderr: '' });
    expect(calls()).toHaveLength(1);
  });

  it('installs again when the lock file says something else', () => {
    run();
    writeLock({
      packages: { ...lock.packages, 'node_modules/a': { version: '1.0.1', integrity: 'sha512-b' } },
    });
    expect(run().stderr).toContain('Installing dependencies');
    writeLock({ packages: { '': {} } });
    expect(run().stderr).toContain('Installing dependencies');
    expect(calls()).toHaveLength(3);
  });

  it('does not miss packages of other platforms', () => {
    run();
    writeLock({ packages: { ...lock.packages, 'node_modules/foreign': foreign } });
    expect(run()).toMatchObject({ status: 0, stderr: '' });
  });

  it('says what npm said when npm fails, and does not go on', () => {
    writeFileSync(join(folder, 'offline'), '');
    const { status, stdout, stderr } = run('exit');
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toContain('npm error network');
    expect(stderr).toContain('"npm ci" failed (exit code 1)');
  });

  it('does not believe an npm that left something out', () => {
    writeFileSync(join(folder, 'half'), '');
    expect(run('exit')).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('npm left out packages'),
    });
  });

  it('two at once install once', async () => {
    const both = [1, 2].map(() =>
      spawn(process.execPath, [bootstrap(), 'script.cjs'], {
        cwd: folder,
        env: environment(),
        stdio: 'ignore',
      }),
    );
    const codes = await Promise.all(both.map((child) => once(child, 'exit')));
    expect(codes).toEqual([
      [0, null],
      [0, null],
    ]);
    expect(calls()).toHaveLength(1);
  });

  it('ends as the script ends', () => {
    expect(run('exit')).toMatchObject({ status: 7, signal: null });
    expect(run('kill')).toMatchObject({ status: null, signal: 'SIGKILL' });
  });

  it('hands signals on', async () => {
    run();
    const child = spawn(process.execPath, [bootstrap(), 'script.cjs', 'wait'], {
      cwd: folder,
      env: environment(),
    });
    await once(child.stdout, 'data');
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([9, null]);
  });

  it('without a script it says how it is used', () => {
    const { status, stderr } = spawnSync(process.execPath, [bootstrap()], { encoding: 'utf8' });
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: 'Usage: node tools/bootstrap.mjs SCRIPT [ARGUMENTS]\n',
    });
  });

  it('imports nothing that has to be installed first', () => {
    const imports = [...readFileSync(bootstrap(), 'utf8').matchAll(/from '([^']+)'/g)].map(
      ([, name]) => name,
    );
    expect(imports.length).toBeGreaterThan(0);
    for (const name of imports) expect(name).toMatch(/^node:/);
  });
});
