import {
  closeSync,
  copyFileSync,
  existsSync,
  fstatSync,
  openSync,
  readSync,
  statSync,
  truncateSync,
} from 'node:fs';

const keptBytes = 8 * 1024 * 1024;
const tailBytes = 2048;

/**
 * Keeps the log below about twice `limitBytes`: its present content becomes `<log>.1` and the file starts anew. The
 * server writes in append mode, so it goes on at the new beginning without being told.
 */
export function rotatePostgresLog(logPath: string, limitBytes: number = keptBytes): void {
  if (!existsSync(logPath) || statSync(logPath).size <= limitBytes) return;
  copyFileSync(logPath, `${logPath}.1`);
  truncateSync(logPath);
}

/** The last whole lines of the log, at most 2 KiB of them, for a fault's detail. */
export function tailPostgresLog(logPath: string): string {
  if (!existsSync(logPath)) return '(no log)';
  const file = openSync(logPath, 'r');
  try {
    const { size } = fstatSync(file);
    const buffer = Buffer.alloc(Math.min(size, tailBytes));
    readSync(file, buffer, 0, buffer.length, size - buffer.length);
    const text = buffer.toString('utf8');
    return (size > tailBytes ? text.slice(text.indexOf('\n') + 1) : text).trim() || '(empty log)';
  } finally {
    closeSync(file);
  }
}
