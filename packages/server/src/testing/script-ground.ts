import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runScript, type ScriptEnd, type ScriptOrder } from '../adapters/run-script.ts';

const LONG_MS = 30_000;

/** For tests: a scripts folder, and scripts that are run in it. */
export class ScriptGround {
  readonly room: string;
  readonly folder: string;
  readonly marker = `test/${randomUUID()}`;

  constructor() {
    this.room = mkdtempSync(join(tmpdir(), 'stillpoint-scripts-'));
    this.folder = join(this.room, 'scripts');
    mkdirSync(this.folder);
  }

  /** Runs a shell script of these lines. */
  run(lines: string, more: Partial<ScriptOrder> = {}): Promise<ScriptEnd> {
    const name = more.name ?? 'script.sh';
    writeFileSync(join(this.folder, name), `#!/bin/sh\n${lines}\n`, { mode: 0o755 });
    return this.order({ ...more, name });
  }

  /** Runs what is in the folder already. */
  order(more: Partial<ScriptOrder> = {}): Promise<ScriptEnd> {
    const { signal } = new AbortController();
    const { folder, marker } = this;
    const options = { timeoutMs: LONG_MS, graceMs: 200, signal, mayBegin: () => true };
    return runScript({ folder, name: 'script.sh', args: [], facts: {}, marker, ...options, ...more });
  }

  /** The process ids that a script has written down in its folder. */
  pidsIn(file: string): number[] {
    return readFileSync(join(this.folder, file), 'utf8').trim().split(/\s+/).map(Number);
  }

  dispose(): void {
    rmSync(this.room, { recursive: true });
  }
}

/** For tests: whether a process still works; one that nobody has buried yet does not. */
export function isRunning(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) [ZX]/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
