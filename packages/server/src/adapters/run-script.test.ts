import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { runScript, type ScriptEnd, type ScriptOrder } from './run-script.ts';

const LONG_MS = 30_000;
let room: string;
let folder: string;

beforeEach(() => {
  room = mkdtempSync(join(tmpdir(), 'stillpoint-scripts-'));
  folder = join(room, 'scripts');
  mkdirSync(folder);
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(room, { recursive: true });
});

/** Runs a shell script of these lines. */
function run(lines: string, more: Partial<ScriptOrder> = {}): Promise<ScriptEnd> {
  const name = more.name ?? 'script.sh';
  writeFileSync(join(folder, name), `#!/bin/sh\n${lines}\n`, { mode: 0o755 });
  return order({ ...more, name });
}

function order(more: Partial<ScriptOrder> = {}): Promise<ScriptEnd> {
  const { signal } = new AbortController();
  const options = { timeoutMs: LONG_MS, signal, mayBegin: () => true };
  const usual = { folder, name: 'script.sh', args: [], facts: {}, ...options };
  return runScript({ ...usual, ...more });
}

/** The process ids that a script has written down in its folder. */
function pidsIn(file: string): number[] {
  return readFileSync(join(folder, file), 'utf8').trim().split(/\s+/).map(Number);
}

/** Whether a process still works; one that nobody has buried yet does not. */
function isRunning(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) [ZX]/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

const codeOf = ({ reply }: ScriptEnd): string =>
  reply.ok ? `exit ${reply.value.exitCode}` : reply.fault.code;

describe('what a script answers', () => {
  it.each([0, 1, 3, 255])('exit code %i is a result, not a fault', async (code) => {
    expect(await run(`exit ${code}`)).toEqual({ reply: { ok: true, value: { exitCode: code } }, output: '' });
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

describe('a script that is stopped', () => {
  const stubborn = {
    hangs: 'sleep 600 & echo $$ $! > pids; wait',
    'ignores SIGTERM and SIGINT': "trap '' TERM INT HUP; echo $$ > pids; while :; do sleep 1; done",
    'forks children of its own': '(sleep 600 & sleep 600 & echo $$ $! > pids; wait) & wait',
    'floods its output': 'echo $$ > pids; while :; do echo flood; done',
  };

  it.each(Object.entries(stubborn))(
    'when it %s, is killed as a group at its time-out and leaves nothing running',
    async (_, lines) => {
      const startedAt = performance.now();
      const end = await run(`echo begun\n${lines}`, { timeoutMs: 1000 });
      expect(performance.now() - startedAt).toBeLessThan(10_000);
      expect(end.reply).toEqual({
        ok: false,
        fault: {
          code: 'SCRIPT_TIMED_OUT',
          effect: 'unknown',
          retryable: false,
          detail: 'The script script.sh ran longer than 1 seconds.',
        },
      });
      expect(end.output).toMatch(/^begun\n$|flood\n/);
      const pids = pidsIn('pids');
      expect(pids.every((pid) => pid > 1)).toBe(true);
      await expect.poll(() => pids.filter(isRunning), { timeout: 10_000 }).toEqual([]);
    },
  );

  it('by the signal, says so and leaves nothing running', async () => {
    const abort = new AbortController();
    const ending = run('sleep 600 & echo $! > pids.draft; mv pids.draft pids; wait', {
      signal: abort.signal,
    });
    await expect.poll(() => pidsIn('pids'), { timeout: 20_000 }).toHaveLength(1);
    abort.abort();
    expect(codeOf(await ending)).toBe('SCRIPT_ABORTED');
    await expect.poll(() => pidsIn('pids').filter(isRunning), { timeout: 10_000 }).toEqual([]);
  });

  it('before it began, is not begun', async () => {
    const end = await run('touch begun', { signal: AbortSignal.abort() });
    expect(end.reply).toMatchObject({ ok: false, fault: { code: 'SCRIPT_ABORTED', effect: 'none' } });
    expect(() => readFileSync(join(folder, 'begun'))).toThrow('ENOENT');
  });

  it('whose node may not act is not begun', async () => {
    const end = await run('touch begun', { mayBegin: () => false });
    expect(end.reply).toMatchObject({ ok: false, fault: { code: 'NODE_MAY_NOT_ACT', effect: 'none' } });
    expect(() => readFileSync(join(folder, 'begun'))).toThrow('ENOENT');
  });

  it('ends what it left running when it ends by itself', async () => {
    const end = await run('sleep 600 & echo $! > pids; exit 4');
    expect(codeOf(end)).toBe('exit 4');
    await expect.poll(() => pidsIn('pids').filter(isRunning), { timeout: 10_000 }).toEqual([]);
  });

  it('is not waited for when what escaped its group holds its output open', async () => {
    const end = await run(
      `setsid sh -c 'echo $$ > pids.draft; mv pids.draft pids; exec sleep 600' &
      while [ ! -f pids ]; do sleep 0.01; done
      echo said`,
    );
    const [escaped = 0] = pidsIn('pids');
    expect(end).toEqual({ reply: { ok: true, value: { exitCode: 0 } }, output: 'said\n' });
    expect(isRunning(escaped)).toBe(true);
    process.kill(escaped, 'SIGKILL');
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
    symlinkSync(folder, join(room, 'linked'));
    expect(codeOf(await order({ folder: join(room, 'linked') }))).toBe('exit 5');
  });

  it('a folder, a missing file and a file in a missing folder are refused', async () => {
    mkdirSync(join(folder, 'folder'));
    expect(codeOf(await order({ name: 'folder' }))).toBe('SCRIPT_NOT_FOUND');
    expect(codeOf(await order({ name: 'missing' }))).toBe('SCRIPT_NOT_FOUND');
    expect(codeOf(await order({ folder: join(room, 'missing') }))).toBe('SCRIPT_NOT_FOUND');
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

  it('arguments that the kernel does not take are a fault, not a mistake of ours', async () => {
    const end = await run('exit 0', { args: ['x'.repeat(200_000)] });
    expect(codeOf(end)).toBe('SCRIPT_NOT_RUNNABLE');
  });
});
