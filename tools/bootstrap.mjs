// Runs `node tools/bootstrap.mjs SCRIPT [ARGUMENTS]`: installs the dependencies when that is needed, then goes
// on under the project's own Node. It must work on any Node >= 18 and before anything is installed, hence plain
// JavaScript without a single dependency. Standard output belongs to SCRIPT alone (`--json` is read by programs).
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const binaries = join(root, 'node_modules', '.bin');
const projectNode = join(binaries, 'node');
const lockFolder = join(root, '.tmp');
const lockFile = join(lockFolder, 'install.lock');
const installOnly = '--install-only';
const busyExitCode = 75;

const [script, ...scriptArguments] = process.argv.slice(2);
if (script === installOnly) {
  install();
} else {
  refuseUnknownPlatform();
  if (script === undefined) stop('Usage: node tools/bootstrap.mjs SCRIPT [ARGUMENTS]');
  if (!isInstalled()) installAlone();
  goOn();
}

function stop(sentence) {
  process.stderr.write(`${sentence}\n`);
  process.exit(1);
}

function refuseUnknownPlatform() {
  const platform = `${process.platform} ${process.arch}`;
  if (platform !== 'linux x64' && platform !== 'linux arm64') {
    stop(`Stillpoint runs on Linux (x64 or arm64); this is ${platform}.`);
  }
  if (!usesGlibc()) {
    stop(
      'Stillpoint needs a Linux with glibc 2.28 or later (Debian, Ubuntu, RHEL ...); this one uses another C library.',
    );
  }
}

function usesGlibc() {
  // Without this the report looks up host names, which may take seconds.
  process.report.excludeNetwork = true;
  return process.report.getReport().header.glibcVersionRuntime !== undefined;
}

/** True when npm's own record of what it installed says the same as package-lock.json. */
function isInstalled() {
  const wanted = readPackages(join(root, 'package-lock.json'));
  // npm removes this record before it touches node_modules and writes it last: a broken install never has one.
  const present = readPackages(join(root, 'node_modules', '.package-lock.json'));
  if (wanted === undefined || present === undefined || !existsSync(projectNode)) return false;
  for (const [path, entry] of Object.entries(wanted)) {
    if (path === '') continue;
    const found = present[path];
    if (found === undefined && !mayBeAbsent(entry)) return false;
    if (found !== undefined && (found.version !== entry.version || found.integrity !== entry.integrity))
      return false;
  }
  return Object.keys(present).every((path) => wanted[path] !== undefined);
}

function readPackages(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages;
  } catch {
    return undefined;
  }
}

/** npm leaves out optional packages of other platforms, and whatever only those need (these name no platform). */
function mayBeAbsent(entry) {
  if (entry.optional !== true) return false;
  const isForAnyPlatform = entry.os === undefined && entry.cpu === undefined;
  return (
    isForAnyPlatform ||
    !(suits(entry.os, process.platform) && suits(entry.cpu, process.arch) && suits(entry.libc, 'glibc'))
  );
}

function suits(wanted, here) {
  return wanted === undefined || [wanted].flat().includes(here);
}

/** Installs under a lock of the kernel's, which a killed process cannot leave behind. */
function installAlone() {
  mkdirSync(lockFolder, { recursive: true });
  const command = [lockFile, process.execPath, fileURLToPath(import.meta.url), installOnly];
  const attempt = runLocked(['--nonblock', '--conflict-exit-code', String(busyExitCode), ...command]);
  if (attempt !== busyExitCode) return;
  process.stderr.write('Another process is installing the dependencies; waiting for it ...\n');
  runLocked(command);
}

function runLocked(lockArguments) {
  const { status, error, signal } = spawnSync('flock', lockArguments, { stdio: ['ignore', 2, 2] });
  if (error)
    stop(`Cannot run "flock" (part of util-linux), needed to install the dependencies: ${error.message}`);
  if (status !== 0 && status !== busyExitCode) process.exit(status ?? 128 + constants.signals[signal]);
  return status;
}

function install() {
  if (isInstalled()) return;
  process.stderr.write('Installing dependencies (npm ci), about a minute ...\n');
  const startedAt = Date.now();
  // Development and optional packages are named because NODE_ENV=production or a user's .npmrc would leave them out.
  const npmArguments = [
    'ci',
    '--include=dev',
    '--include=optional',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    // The project's .npmrc silences npm, which would leave a failed install without its reason.
    '--loglevel=notice',
  ];
  const fromNpm = process.env.npm_execpath;
  const [command, ...first] = fromNpm?.endsWith('.js') ? [process.execPath, fromNpm] : ['npm'];
  const npm = spawnSync(command, [...first, ...npmArguments], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 64 * 1024 * 1024,
  });
  if (npm.error)
    stop(`Cannot run npm: ${npm.error.message}. Install Node.js together with npm and try again.`);
  if (npm.status !== 0) {
    process.stderr.write(`${npm.stdout}${npm.stderr}`);
    stop(
      `"npm ci" failed (${npm.signal ?? `exit code ${npm.status}`}): see above. The registry must be reachable from here.`,
    );
  }
  if (!isInstalled()) {
    stop(
      `npm left out packages that this machine needs (Node for ${process.arch}, PostgreSQL). Is "omit=optional" set, or the registry incomplete?`,
    );
  }
  process.stderr.write(`Installed in ${Math.round((Date.now() - startedAt) / 1000)} s.\n`);
}

function goOn() {
  const child = spawn(projectNode, [join(root, script), ...scriptArguments], {
    stdio: 'inherit',
    env: { ...process.env, PATH: `${binaries}${delimiter}${process.env.PATH ?? ''}` },
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR2']) {
    // A terminal sends its signals to the whole group: the script has them already, and a second Ctrl-C means more.
    const comesFromTerminal = process.stdin.isTTY && (signal === 'SIGINT' || signal === 'SIGQUIT');
    process.on(signal, () => comesFromTerminal || child.kill(signal));
  }
  child.on('error', (error) => stop(`Cannot start ${projectNode}: ${error.message}`));
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}
