import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openDatabase } from '@stillpoint/database';
import { openTestDatabase } from '@stillpoint/database/testing';
import { makeTestDataDirectory, type TestDataDirectory } from '@stillpoint/database/testing/data-directory';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EndedProgram, startProgram } from './testing/start-program.ts';

type Environment = Record<string, string>;

const program = fileURLToPath(new URL('./database-main.ts', import.meta.url));
const server = fileURLToPath(new URL('./main.ts', import.meta.url));

let room: TestDataDirectory;
beforeAll(() => {
  room = makeTestDataDirectory();
});
afterAll(() => room.dispose());

const run = (args: readonly string[], environment: Environment = {}): Promise<EndedProgram> =>
  startProgram(program, args, { HOME: room.path, ...environment }).ended;

const place = (name: string): string => join(room.path, name);

/** A server that serves, until it is told to stop. */
async function serve(data: string): Promise<{ pid: number; stop(): Promise<void> }> {
  const { child, ended, served } = startProgram(server, [
    '--data',
    data,
    '--port',
    '0',
    '--log-level',
    'error',
  ]);
  await served;
  return {
    pid: child.pid ?? 0,
    async stop() {
      child.kill('SIGTERM');
      expect((await ended).code).toBe(0);
    },
  };
}

describe('how the program is called', () => {
  it.each([
    ['export', 'FILE|DIRECTORY', 'it never holds the key'],
    ['import', 'FILE', 'the export does not hold it'],
  ])('%s --help tells its options and where the key is', async (name, file, key) => {
    const { code, out, error } = await run([name, '--help']);
    expect([code, error]).toEqual([0, '']);
    expect(out).toContain(`Usage: stillpoint database ${name} ${file} [`);
    expect(out.replaceAll(/\s+/g, ' ')).toContain(key);
    for (const word of ['--data', '--database-url-file', 'DATABASE_URL', '--json'])
      expect(out).toContain(word);
  });

  it.each([
    [['export'], 'Name one file or folder.'],
    [['import', 'a', 'b'], 'Name one file.'],
    [['vacuum'], '"vacuum" is neither export nor import.'],
    [['export', 'x', '--force'], "Unknown option '--force'"],
    [['export', 'x', '--data', 'a', '--database-url-file', 'b'], 'name two databases'],
    [['import', 'x', '--database-url-file', '/absent/url'], '/absent/url cannot be read (ENOENT).'],
  ])('%j is a usage error', async (args, told) => {
    const { code, out, error } = await run(args);
    expect([code, out]).toEqual([2, '']);
    expect(error).toContain(told);
    expect(error).toContain('Usage: stillpoint database');
    const told2 = await run([...args, '--json']);
    expect(told2.code).toBe(2);
    expect(JSON.parse(told2.out)).toMatchObject({
      code: 'USAGE_NOT_VALID',
      detail: expect.stringContaining(told),
    });
  });
});

describe('a refusal', () => {
  it('says that there is nothing to export, and makes nothing', async () => {
    const { code, error } = await run(['export', room.path, '--data', place('absent')]);
    expect(code).toBe(4);
    expect(error).toBe(
      `stillpoint: ${place('absent')} holds no embedded database. ` +
        'Name the data directory or the database that a server works with.\n',
    );
    expect(readdirSync(room.path)).not.toContain('absent');
  });

  it('of a database that does not answer shows no password and has its own exit code', async () => {
    writeFileSync(place('url'), 'postgresql://me:s3cret@127.0.0.1:1/stillpoint\n', { mode: 0o600 });
    const { code, out, error } = await run([
      'export',
      room.path,
      '--database-url-file',
      place('url'),
      '--json',
    ]);
    expect(code).toBe(6);
    expect(JSON.parse(out)).toMatchObject({ code: 'DATABASE_UNREACHABLE', status: 0 });
    expect(out + error).not.toContain('s3cret');
  });

  it('of a data directory whose server runs names that server', async () => {
    const data = place('served');
    const running = await serve(data);
    try {
      mkdirSync(place('out'));
      for (const args of [
        ['export', place('out')],
        ['import', place('any.gz')],
      ]) {
        const { code, error } = await run([...args, '--data', data]);
        expect(code).toBe(4);
        expect(error).toContain(`Process ${running.pid} holds ${join(data, 'postgres', 'owner.lock')}.`);
        expect(error).toContain('Stop that process');
      }
      expect(readdirSync(place('out'))).toEqual([]);
    } finally {
      await running.stop();
    }
  });
});

describe('a database', () => {
  it('goes from embedded to external and back, and is served again', { timeout: 180_000 }, async () => {
    const first = place('first');
    const filling = await openDatabase({ dataDirectory: first });
    await filling.migrate();
    await filling.pool.query(`insert into parameter (name, value) values ('timezone', '"Europe/Berlin"')`);
    await filling.close();

    const exported = await run(['export', place('one.gz'), '--data', first, '--json']);
    expect(exported.code).toBe(0);
    const report = JSON.parse(exported.out);
    expect(report.tables).toContainEqual(expect.objectContaining({ name: 'parameter', rows: 1 }));
    expect(statSync(report.path).mode & 0o777).toBe(0o600);

    const outside = await openTestDatabase({ isMigrated: false });
    try {
      const { host = '', database, user } = outside.connectionOptions as unknown as Environment;
      const url = `postgresql:///${database}?host=${encodeURIComponent(host)}&user=${user}`;
      writeFileSync(place('address'), `${url}\n`);
      const imported = await run(['import', report.path, '--database-url-file', place('address'), '--json']);
      expect(JSON.parse(imported.out)).toEqual(report);
      const second = await run(['import', report.path], { DATABASE_URL: url });
      expect(second.code).toBe(4);
      expect(second.error).toContain('It holds public.');
      const back = await run(['export', place('two.gz')], { DATABASE_URL: url });
      expect(back.code).toBe(0);
      expect(back.out).toContain('secret.key');
    } finally {
      await outside.close();
    }

    const last = place('last');
    const home = await run(['import', place('two.gz')], { STILLPOINT_DATA: last });
    expect(home.code).toBe(0);
    await (await serve(last)).stop();
    const looking = await openDatabase({ dataDirectory: last });
    const { rows } = await looking.pool.query(
      `select value, (select bool_and(is_all_work_queued) from database_import where number = 2) as is_taken_up
         from parameter where name = 'timezone'`,
    );
    expect(rows).toEqual([{ value: 'Europe/Berlin', is_taken_up: true }]);
    await looking.close();
  });
});
