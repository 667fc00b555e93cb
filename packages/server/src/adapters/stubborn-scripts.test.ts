import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { GIVEN_UP } from '@stillpoint/engine';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isRunning, ScriptGround } from '../testing/script-ground.ts';
import { findScriptProcesses, startedTicksOf } from './end-script-processes.ts';
import type { ScriptEnd } from './run-script.ts';

let ground: ScriptGround;
const figures: string[] = [];

beforeEach(() => {
  ground = new ScriptGround();
});

afterEach(() => ground.dispose());

afterAll(() => console.log(`R-23: ${figures.join('; ')}`));

const codeOf = ({ reply }: ScriptEnd): string =>
  reply.ok ? `exit ${reply.value.exitCode}` : reply.fault.code;

/** Nothing that a script wrote down as its own runs, nor anything that carries its marker. */
async function expectNothingLeft(end: ScriptEnd): Promise<number> {
  const pids = ground.pidsIn('pids');
  expect(pids.every((pid) => pid > 1)).toBe(true);
  expect(pids.filter(isRunning)).toEqual([]);
  expect(end.leftRunning).toEqual([]);
  expect(await findScriptProcesses({ marker: ground.marker })).toEqual([]);
  return pids.length;
}

/** Writes down a process before anything else happens to it. */
const note = 'note() { echo "$1" >> pids; }; note $$';
const untilNoted = (count: number): string => `until [ "$(wc -l < pids)" -ge ${count} ]; do sleep 0.01; done`;
const inSession = (then: string): string => `setsid sh -c 'echo $$ >> pids; ${then}' &`;

/** Whether nothing has this number any more, not even what has ended. */
function isBuried(pid: number): boolean {
  try {
    return !process.kill(pid, 0);
  } catch {
    return true;
  }
}

describe('a script that never ends', () => {
  const stubborn = {
    hangs: 'sleep 600 & note $!; wait',
    'ignores SIGTERM, SIGINT and SIGHUP': "trap '' TERM INT HUP; while :; do sleep 1; done",
    'forks children that fork': '(sleep 600 & note $!; sleep 600 & note $!; wait) & note $!; wait',
    'goes on forking':
      "grow() { note $(sh -c 'echo $PPID'); while :; do sleep 0.02 & done; }; grow & grow & wait",
    'floods its output': 'while :; do echo flood; done',
    'floods both streams with a hundred megabytes a second': 'yes & note $!; yes >&2 & note $!; wait',
    'closes its output and goes on': 'exec >&- 2>&- <&-; sleep 600 & note $!; wait',
    'stops itself': 'note $$; kill -STOP $$',
    'has a child that is stopped': 'sleep 600 & note $!; kill -STOP $!; wait',
    'becomes another program': 'exec sleep 600',
    'has a child in a session of its own': `${inSession('exec sleep 600')} ${untilNoted(2)}; wait`,
    'has a child in a session of its own that ignores SIGTERM': `${inSession('trap "" TERM; while :; do sleep 1; done')} ${untilNoted(2)}; wait`,
    'has a child in a session of its own that has cleared its environment': `env -i PATH=$PATH ${inSession('exec sleep 600')} ${untilNoted(2)}; wait`,
    'becomes a daemon in two forks': `(${inSession(`(echo $(sh -c "echo \\$PPID") >> pids; exec sleep 600) & `)}) ; ${untilNoted(2)}; sleep 600`,
  };

  it.each(Object.entries(stubborn))(
    'and %s is ended at its time-out with all it started',
    async (name, lines) => {
      const startedAt = performance.now();
      const end = await ground.run(`${note}\necho begun\n${lines}`, { timeoutMs: 500 });
      const tookMs = performance.now() - startedAt;
      expect(tookMs).toBeLessThan(10_000);
      expect(end.reply).toEqual({
        ok: false,
        fault: {
          code: 'SCRIPT_TIMED_OUT',
          effect: 'unknown',
          retryable: false,
          detail: 'The script script.sh ran longer than 0.5 seconds.',
        },
      });
      const count = await expectNothingLeft(end);
      figures.push(`${name}: ${count} processes, 0 left after ${Math.round(tookMs)} ms`);
    },
    20_000,
  );

  it('may end in order when it is told to at its time-out', async () => {
    const end = await ground.run(`${note}; trap 'echo cleaned; exit 0' TERM; sleep 600 & wait`, {
      timeoutMs: 500,
      graceMs: 30_000,
    });
    expect(codeOf(end)).toBe('SCRIPT_TIMED_OUT');
    expect(end.output).toBe('cleaned\n');
    await expectNothingLeft(end);
  });
});

describe('a script that ends by itself', () => {
  it.each([
    ['in its group', 'sleep 600 & note $!'],
    ['in a session of its own', `${inSession('exec sleep 600')} ${untilNoted(2)}`],
    ['that is a daemon', `(${inSession('(exec sleep 600) & wait')}); ${untilNoted(2)}`],
  ])('leaves no process %s behind, which held its output open', async (_, lines) => {
    const end = await ground.run(`${note}\n${lines}\necho said; exit 4`, { timeoutMs: 20_000 });
    expect(codeOf(end)).toBe('exit 4');
    expect(end.output).toBe('said\n');
    await expectNothingLeft(end);
  });

  it('is not waited for when something that nobody can find holds its output open', async () => {
    const lines = `(env -i PATH=$PATH ${inSession('exec sleep 600')}); ${untilNoted(2)}\necho said`;
    const end = await ground.run(`${note}\n${lines}`);
    expect(codeOf(end)).toBe('exit 0');
    // The documented limit: no marker, no session, no parent.
    const [, hidden = 0] = ground.pidsIn('pids');
    expect(isRunning(hidden)).toBe(true);
    process.kill(hidden, 'SIGKILL');
  });

  it('is not cut off any more while one waits for what holds its output open', async () => {
    const lines = `(env -i PATH=$PATH ${inSession('exec sleep 600')}); ${untilNoted(2)}\nexit 3`;
    const abort = new AbortController();
    const ending = ground.run(`${note}\n${lines}`, { signal: abort.signal });
    await expect.poll(() => isBuried(ground.pidsIn('pids')[0] ?? 0), { timeout: 20_000 }).toBe(true);
    abort.abort(GIVEN_UP);
    expect(codeOf(await ending)).toBe('exit 3');
    process.kill(ground.pidsIn('pids')[1] ?? 0, 'SIGKILL');
  });

  it('leaves alone what has its number by now, and the group and session of that', async () => {
    const other = spawn('sleep', ['600'], { detached: true, stdio: 'ignore' });
    const { pid = 0 } = other;
    const startedTicks = (await startedTicksOf(pid)) ?? 0;
    const meant = (ticks: number) => ({ marker: ground.marker, leader: { pid, startedTicks: ticks } });
    expect(await findScriptProcesses(meant(startedTicks - 1))).toEqual([]);
    expect(await findScriptProcesses(meant(startedTicks))).toEqual([{ pid, startedTicks }]);
    const exited = once(other, 'exit');
    other.kill('SIGKILL');
    await exited;
  });

  it('leaves alone what another script has started', async () => {
    const other = ground.run(`sleep 600`, { name: 'other.sh', marker: 'test/other', timeoutMs: 3000 });
    expect(codeOf(await ground.run(note))).toBe('exit 0');
    expect(codeOf(await other)).toBe('SCRIPT_TIMED_OUT');
  });
});

describe('a flood', () => {
  it('of 100 MB takes no memory, and does not keep this process from its work', async () => {
    const delay = monitorEventLoopDelay({ resolution: 5 });
    const before = process.memoryUsage.rss();
    let most = 0;
    const watch = setInterval(() => {
      most = Math.max(most, process.memoryUsage.rss());
    }, 10);
    delay.enable();
    const used = process.cpuUsage();
    const end = await ground.run('yes 0123456789 | head -c 100000000; printf end');
    const { user, system } = process.cpuUsage(used);
    delay.disable();
    clearInterval(watch);
    expect(codeOf(end)).toBe('exit 0');
    expect(end.output).toHaveLength(64 * 1024);
    expect(end.output.endsWith('end')).toBe(true);
    const grownMb = (most - before) / 2 ** 20;
    expect(grownMb).toBeLessThan(64);
    const cpuMs = Math.round((user + system) / 1000);
    const worstMs = Math.round(delay.percentile(99) / 1e6);
    figures.push(
      `100 MB printed: ${Math.round(grownMb)} MB more resident, ${cpuMs} ms of CPU, 99 % of turns within ${worstMs} ms`,
    );
  }, 60_000);

  it('of bytes that are no text is kept as text', async () => {
    const end = await ground.run('head -c 1000000 /dev/urandom');
    expect(codeOf(end)).toBe('exit 0');
    expect(end.output).not.toContain('\0');
    expect(JSON.parse(JSON.stringify(end.output))).toBe(end.output);
    expect(Buffer.from(end.output).toString('utf8')).toBe(end.output);
    // Each byte that is no text takes three as a replacement character.
    expect(Buffer.byteLength(end.output)).toBeLessThanOrEqual(3 * 64 * 1024);
  });
});

describe('a script that is cut off', () => {
  const waiting = `${note}; sleep 600 & note $!; note $$; wait`;
  const begun = (count: number) =>
    expect.poll(() => ground.pidsIn('pids').length, { timeout: 20_000 }).toBeGreaterThanOrEqual(count);

  async function cutOff(lines: string, reason: unknown, graceMs: number): Promise<ScriptEnd> {
    const abort = new AbortController();
    const ending = ground.run(lines, { signal: abort.signal, graceMs });
    await expect.poll(() => isWritten(), { timeout: 20_000 }).toBe(true);
    await begun(3);
    abort.abort(reason);
    return ending;
  }

  const isWritten = (): boolean => {
    try {
      return readFileSync(join(ground.folder, 'pids'), 'utf8') !== '';
    } catch {
      return false;
    }
  };

  it('because nobody wants it any more is told first', async () => {
    const end = await cutOff(`trap 'echo cleaned; exit 0' TERM; ${waiting}`, GIVEN_UP, 30_000);
    expect(codeOf(end)).toBe('SCRIPT_ABORTED');
    expect(end.output).toBe('cleaned\n');
    await expectNothingLeft(end);
  });

  it('and does not listen is killed after its grace', async () => {
    const end = await cutOff(`trap '' TERM; ${waiting}`, GIVEN_UP, 100);
    expect(codeOf(end)).toBe('SCRIPT_ABORTED');
    await expectNothingLeft(end);
  });

  it('because its node must let go of it is killed at once', async () => {
    const end = await cutOff(`trap 'echo cleaned; exit 0' TERM; ${waiting}`, undefined, 30_000);
    expect(codeOf(end)).toBe('SCRIPT_ABORTED');
    expect(end.output).toBe('');
    await expectNothingLeft(end);
  });

  it('before it began, is not begun', async () => {
    const end = await ground.run('touch begun', { signal: AbortSignal.abort() });
    expect(end.reply).toMatchObject({ ok: false, fault: { code: 'SCRIPT_ABORTED', effect: 'none' } });
    expect(() => readFileSync(join(ground.folder, 'begun'))).toThrow('ENOENT');
  });

  it('by a node that may not act is not begun', async () => {
    const end = await ground.run('touch begun', { mayBegin: () => false });
    expect(end.reply).toMatchObject({ ok: false, fault: { code: 'NODE_MAY_NOT_ACT', effect: 'none' } });
    expect(() => readFileSync(join(ground.folder, 'begun'))).toThrow('ENOENT');
  });
});
