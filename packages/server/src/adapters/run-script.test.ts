import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ScriptGround } from '../testing/script-ground.ts';
import type { ScriptEnd, ScriptOrder } from './run-script.ts';

let ground: ScriptGround;
let folder: string;

beforeEach(() => {
  ground = new ScriptGround();
  folder = ground.folder;
});

afterEach(() => {
  vi.unstubAllEnvs();
  ground.dispose();
});

const run = (lines: string, more: Partial<ScriptOrder> = {}): Promise<ScriptEnd> => ground.run(lines, more);
const order = (more: Partial<ScriptOrder> = {}): Promise<ScriptEnd> => ground.order(more);
const codeOf = ({ reply }: ScriptEnd): string =>
  reply.ok ? `exit ${reply.value.exitCode}` : reply.fault.code;

describe('what a script answers', () => {
  it.each([0, 1, 3, 255])('exit code %i is a result, not a fault', async (code) => {
    const reply = { ok: true, value: { exitCode: code } };
    expect(await run(`exit ${code}`)).toEqual({ reply, output: '', leftRunning: [] });
  });

  it('a script that ends by a signal has failed', async () => {
    expect(codeOf(await run('kill -TERM $$'))).toBe('exit 128');
  });

  it('what it prints is kept, both streams', async () => {
    const { output } = await run('echo one; echo two >&2; exit 1');
    expect(output.split('\n').toSorted()).toEqual(['', 'one', 'two']);
  });

  it('of a flood the last 64 KiB are kept', async () => {
    const { reply, output } = await run("head -c 20000000 /dev/zero | tr '\\0' x; echo end");
    expect(reply.ok).toBe(true);
    expect(output).toBe(`${'x'.repeat(64 * 1024 - 4)}end\n`);
  });

  it('of a flood the last 64 KiB begin with a whole character', async () => {
    const { output } = await run('yes aä | head -c 400000; printf e');
    expect(output).toMatch(/^(ä\n)?(aä\n)+/);
    expect(Buffer.byteLength(output)).toBeLessThanOrEqual(64 * 1024);
  });

  it('bytes that are no text, NUL too, show as replacement characters', async () => {
    const { output } = await run("printf 'a\\000b\\377c'");
    expect(output).toBe('a\uFFFDb\uFFFDc');
  });
});

describe('what a script is told', () => {
  it('arguments come as they are, whatever a shell would make of them', async () => {
    const args = ['two words', '', '$(id)', '`id`', "it's", '"', '*', '; rm -rf .', 'ä\nb', '-n', '--'];
    const { output } = await run('for argument; do printf "%s\\037" "$argument"; done', { args });
    expect(output.split('\x1f').slice(0, -1)).toEqual(args);
  });

  it('a NUL, which no argument can hold, is left out', async () => {
    const { output } = await run('printf %s "$1$STILLPOINT_MESSAGE"', {
      args: ['a\0b'],
      facts: { message: 'c\0d' },
    });
    expect(output).toBe('abcd');
  });

  it('the facts come as JSON on standard input', async () => {
    const facts = { kind: 'BACKUP-TASK', deviceName: 'QA "1"', somaPort: 5550, message: null };
    const { output } = await run('cat', { facts });
    expect(JSON.parse(output)).toEqual(facts);
  });

  it('the environment holds the facts, a path and a locale, and nothing of the server', async () => {
    vi.stubEnv('STILLPOINT_SECRET_KEY', 'planted-key');
    vi.stubEnv('DATABASE_URL', 'postgresql://planted');
    const facts = { planName: 'a b', somaPort: 5550, message: null };
    const { output } = await run('exec /usr/bin/env', { facts });
    const variables = output.trim().split('\n').toSorted();
    expect(variables).toEqual([
      'LANG=C.UTF-8',
      'PATH=/usr/local/bin:/usr/bin:/bin',
      // The shell's own.
      `PWD=${folder}`,
      'STILLPOINT_PLAN_NAME=a b',
      `STILLPOINT_SCRIPT_ID=${ground.marker}`,
      'STILLPOINT_SOMA_PORT=5550',
    ]);
  });

  it('a script that does not read its input is not disturbed by a long one', async () => {
    const facts = { tasks: 'x'.repeat(2_000_000) };
    expect(codeOf(await run('exit 0', { facts }))).toBe('exit 0');
  });

  it('a fact that is too long for a variable is on standard input only', async () => {
    const facts = { tasks: 'x'.repeat(200_000), planName: 'p' };
    const { output } = await run('echo "[$STILLPOINT_TASKS]$STILLPOINT_PLAN_NAME"; wc -c', { facts });
    expect(output.split('\n').slice(0, 1)).toEqual(['[]p']);
    expect(Number(output.split('\n')[1])).toBeGreaterThan(200_000);
  });
});

describe('what is no script', () => {
  it.each([
    '..',
    '.',
    '',
    '../script.sh',
    'a/script.sh',
    '/bin/true',
    '.hidden',
    'a b',
    'x\0',
    'a\nb',
    '~root',
  ])('the name %j is refused', async (name) => {
    const { reply } = await order({ name });
    expect(reply).toMatchObject({ ok: false, fault: { code: 'SCRIPT_NOT_FOUND', effect: 'none' } });
    expect(reply.ok ? '' : reply.fault.detail).toContain('is not the plain name of a file');
  });

  it('a link is refused, also one that stays inside the folder', async () => {
    symlinkSync('/bin/true', join(folder, 'out'));
    writeFileSync(join(folder, 'real.sh'), '#!/bin/sh\n', { mode: 0o755 });
    symlinkSync('real.sh', join(folder, 'in'));
    expect(codeOf(await order({ name: 'out' }))).toBe('SCRIPT_NOT_FOUND');
    expect(codeOf(await order({ name: 'in' }))).toBe('SCRIPT_NOT_FOUND');
    expect(codeOf(await order({ name: 'real.sh' }))).toBe('exit 0');
  });

  it('the folder itself may be reached by a link', async () => {
    writeFileSync(join(folder, 'script.sh'), '#!/bin/sh\nexit 5\n', { mode: 0o755 });
    symlinkSync(folder, join(ground.room, 'linked'));
    expect(codeOf(await order({ folder: join(ground.room, 'linked') }))).toBe('exit 5');
  });

  it('a folder, a missing file and a file in a missing folder are refused', async () => {
    mkdirSync(join(folder, 'folder'));
    expect(codeOf(await order({ name: 'folder' }))).toBe('SCRIPT_NOT_FOUND');
    expect(codeOf(await order({ name: 'missing' }))).toBe('SCRIPT_NOT_FOUND');
    expect(codeOf(await order({ folder: join(ground.room, 'missing') }))).toBe('SCRIPT_NOT_FOUND');
  });

  it('a file that cannot be executed, or whose interpreter is missing, certainly did nothing', async () => {
    writeFileSync(join(folder, 'plain.sh'), '#!/bin/sh\n', { mode: 0o644 });
    writeFileSync(join(folder, 'lost.sh'), '#!/nowhere/sh\n', { mode: 0o755 });
    for (const name of ['plain.sh', 'lost.sh']) {
      expect(await order({ name })).toMatchObject({
        output: '',
        reply: { ok: false, fault: { code: 'SCRIPT_NOT_RUNNABLE', effect: 'none', retryable: false } },
      });
    }
  });

  it.each([
    ['an empty file', ''],
    ['a file without a first line that names its interpreter', 'echo begun\n'],
    ['a file of bytes that are no program', '\0\x01\x02\x03'],
  ])('%s is not handed to a shell', async (_, content) => {
    writeFileSync(join(folder, 'script.sh'), content, { mode: 0o755 });
    expect(await order()).toMatchObject({
      output: '',
      reply: { ok: false, fault: { code: 'SCRIPT_NOT_RUNNABLE', effect: 'none' } },
    });
  });

  it('a program of the machine is one, besides what names its interpreter', async () => {
    copyFileSync('/bin/true', join(folder, 'script.sh'));
    expect(codeOf(await order())).toBe('exit 0');
  });

  it('one that a process without a file descriptor to spare cannot start is a fault', async () => {
    writeFileSync(join(folder, 'script.sh'), '#!/bin/sh\n', { mode: 0o755 });
    const program = `
      import { closeSync, openSync } from 'node:fs';
      import { runScript } from ${JSON.stringify(new URL('run-script.ts', import.meta.url).href)};
      const open = [];
      const mayBegin = () => {
        try {
          for (;;) open.push(openSync('/dev/null'));
        } catch {
          return true;
        }
      };
      const { signal } = new AbortController();
      const times = { timeoutMs: 30_000, graceMs: 200 };
      const what = { folder: process.argv[1], name: 'script.sh', args: [], facts: {}, marker: 'test/none' };
      const end = await runScript({ ...what, ...times, signal, mayBegin });
      for (const descriptor of open) closeSync(descriptor);
      console.log(JSON.stringify(end.reply));
    `;
    const limited = ['-c', 'ulimit -n 64; exec "$0" --input-type=module -e "$@"', process.execPath];
    const { stdout } = await promisify(execFile)('/bin/sh', [...limited, program, folder]);
    expect(JSON.parse(stdout)).toMatchObject({
      ok: false,
      fault: { code: 'SCRIPT_NOT_RUNNABLE', effect: 'none', detail: expect.stringContaining('EMFILE') },
    });
  });

  it('arguments that the kernel does not take are a fault, not a mistake of ours', async () => {
    const end = await run('exit 0', { args: ['x'.repeat(200_000)] });
    expect(codeOf(end)).toBe('SCRIPT_NOT_RUNNABLE');
  });
});
