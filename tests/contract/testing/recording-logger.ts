import { inspect } from 'node:util';
import type { ServerOptions } from '../../../packages/server/src/index.ts';

/** A log that keeps what a server reports as an error and forgets the rest. */
export class RecordingLogger {
  readonly errors: string[] = [];

  asLogger(): ServerOptions['logger'] {
    const forget = (): void => undefined;
    const keep = (...parts: unknown[]): void => void this.errors.push(parts.map(textOf).join(' '));
    const logger = {
      level: 'error',
      fatal: keep,
      error: keep,
      warn: forget,
      info: forget,
      debug: forget,
      trace: forget,
      silent: forget,
      child: () => logger,
    };
    return logger as unknown as ServerOptions['logger'];
  }
}

function textOf(part: unknown): string {
  return typeof part === 'string' ? part : inspect(part);
}
