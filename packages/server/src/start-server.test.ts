import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseError } from '@stillpoint/database';
import { openTestDatabase } from '@stillpoint/database/testing';
import { pino } from 'pino';
import { expect, it } from 'vitest';
import { startServer } from './start-server.ts';

it('a second server on one data directory is refused with an external database as well', async () => {
  const dataDirectory = mkdtempSync(join(tmpdir(), 'stillpoint-server-'));
  const database = await openTestDatabase();
  const { host, port, user, database: name } = database.connectionOptions as Record<string, string>;
  const options = {
    dataDirectory,
    databaseUrl: `postgresql://${user}@/${name}?host=${encodeURIComponent(host ?? '')}&port=${port}`,
    host: '127.0.0.1',
    port: 0,
    logger: pino({ level: 'silent' }),
    environment: {},
  };
  try {
    const first = await startServer(options);
    const refused = await startServer(options).catch((error: unknown) => error);
    await first.stop(0);
    expect(refused).toBeInstanceOf(DatabaseError);
    expect((refused as DatabaseError).fault).toMatchObject({
      code: 'DATA_DIRECTORY_IN_USE',
      detail: expect.stringContaining(`${process.pid}`),
    });
    const next = await startServer(options);
    await next.stop(0);
  } finally {
    await database.close();
    rmSync(dataDirectory, { recursive: true, force: true });
  }
});
