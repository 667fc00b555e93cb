#!/usr/bin/env node
import { homedir } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import { askSecret } from './ask-secret.ts';
import { confirm } from './confirm.ts';
import { runCommandLine } from './run-command-line.ts';
import { runProgram } from './run-program.ts';

// A reader that has seen enough (`| head`) ends us without a word.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

process.exitCode = await runCommandLine(process.argv.slice(2), {
  writeOut: (text) => process.stdout.write(text),
  writeError: (text) => process.stderr.write(text),
  environment: process.env,
  homeDirectory: homedir(),
  workingDirectory: process.cwd(),
  pause: (durationMs, signal) => setTimeout(durationMs, undefined, { signal }).catch(() => undefined),
  listenForInterrupt: () => {
    const controller = new AbortController();
    const interrupted = () => controller.abort();
    process.once('SIGINT', interrupted);
    return { signal: controller.signal, release: () => process.removeListener('SIGINT', interrupted) };
  },
  confirm: process.stdin.isTTY && process.stderr.isTTY ? confirm : null,
  askSecret: process.stdin.isTTY && process.stderr.isTTY ? askSecret : null,
  startProgram: runProgram,
});
