import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { watch } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeTestDataDirectory, type TestDataDirectory } from '@stillpoint/database/testing/data-directory';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const program = fileURLToPath(new URL('./main.ts', import.meta.url));
const inherited = ['PATH', 'HOME', 'TMPDIR'];

type Ended = { readonly code: number | null; readonly out: string; readonly error: string };

/** The program in a process of its own, with an environment that says nothing of other servers. */
function start(...args: string[]) {
  const own = inherited.flatMap((name) =>
    process.env[name] === undefined ? [] : [[name, process.env[name]]],
  );
  const child = spawn(process.execPath, [program, ...args], {
    env: { ...Object.fromEntries(own), TZ: 'UTC' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [out, error] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    error += text;
  });
  const ended = once(child, 'close').then(([code]): Ended => ({ code, out, error }));
  const served = new Promise<string>((resolve, reject) => {
    child.stdout.on('data', () => {
      const url = /^Stillpoint serves at (\S+),/m.exec(out)?.[1];
      if (url !== undefined) resolve(url);
    });
    child.once('close', () => reject(new Error(`It ended before it served: ${error}`)));
  });
  served.catch(() => undefined);
  return { child, ended, served };
}

const run = (...args: string[]): Promise<Ended> => start(...args).ended;

/** The processes that work in a folder, such as a PostgreSQL that was left behind. */
function workersBelow(folder: string): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => {
      try {
        return pid > 0 && readlinkSync(`/proc/${pid}/cwd`).startsWith(folder);
      } catch {
        return false;
      }
    });
}

describe('how the program is called', () => {
  it('--help tells every option and ends well', async () => {
    const { code, out, error } = await run('--help');
    expect([code, error]).toEqual([0, '']);
    for (const word of ['--data', '--host', '--port', '--node-name', '--log-level', 'DATABASE_URL'])
      expect(out).toContain(word);
  });

  it.each([
    [['--bogus'], '--bogus'],
    [['--port', '65536'], '"65536" is not a port.'],
    [['--log-level', 'loud'], '"loud" is not a log level.'],
    [['--node-name', 'a b'], '"a b" is not a name of a node.'],
  ])('%j is a usage error that names what is wrong and shows the usage', async (args, named) => {
    const { code, out, error } = await run('--data', '/dev/null/never', ...args);
    expect([code, out]).toEqual([2, '']);
    expect(error).toContain(named);
    expect(error).toContain('Usage: stillpoint serve');
    expect(error).not.toMatch(/^\s+at /m);
  });
});

describe('a server that serves', () => {
  let folder: TestDataDirectory;
  let server: ReturnType<typeof start>;
  let url: string;
  let data: string;

  beforeAll(async () => {
    folder = makeTestDataDirectory();
    data = join(folder.path, 'data');
    server = start('--data', data, '--port', '0', '--log-level', 'warn');
    url = await server.served;
  });

  afterAll(() => folder.dispose());

  const announced = () => JSON.parse(readFileSync(join(data, 'server.json'), 'utf8'));

  it('says where, to people and to the commands of this machine, and lets in who has the token', async () => {
    expect(announced()).toEqual({ url, pid: server.child.pid });
    const token = readFileSync(join(data, 'token'), 'utf8').trim();
    const asked = (headers: Record<string, string>) => fetch(`${url}/api/v1/plans`, { headers });
    expect((await asked({ authorization: `Bearer ${token}` })).status).toBe(200);
    expect((await asked({})).status).toBe(401);
  });

  it('refuses a second one on its data directory, and goes on', async () => {
    const { code, out, error } = await run('--data', data, '--port', '0');
    expect([code, out]).toEqual([4, '']);
    expect(error).toContain(`Process ${server.child.pid} holds`);
    expect(error).toContain('Stop that process, or choose another data directory.');
    expect(error).not.toMatch(/^\s+at /m);
    expect(announced()).toEqual({ url, pid: server.child.pid });
    expect((await fetch(`${url}/api/v1/plans`)).status).toBe(401);
  });

  it('leaves another that wants its port a refusal, and nothing of that one running', async () => {
    const other = join(folder.path, 'other');
    const { port } = new URL(url);
    const { code, error } = await run('--data', other, '--port', port);
    expect(code).toBe(4);
    expect(error).toContain(
      `127.0.0.1:${port} is in use by another program. Choose another port with --port.`,
    );
    expect(existsSync(join(other, 'server.json'))).toBe(false);
    expect(workersBelow(other)).toEqual([]);
    expect(workersBelow(data)).not.toEqual([]);
  });

  it('ends well when it is told to, and takes its announcement back', async () => {
    server.child.kill('SIGTERM');
    expect((await server.ended).code).toBe(0);
    expect(existsSync(join(data, 'server.json'))).toBe(false);
    await expect(fetch(url)).rejects.toThrow('fetch failed');
  });
});

describe('a server that is told to stop while it starts', () => {
  let folder: TestDataDirectory;
  beforeAll(() => {
    folder = makeTestDataDirectory();
  });
  afterAll(() => folder.dispose());

  // What is made early and late in a start: the key of the API, and the folder of the database.
  it.each(['token', 'postgres'])(
    'ends well and leaves nothing running, even right after it made %s',
    async (made) => {
      const data = join(folder.path, made);
      mkdirSync(data);
      const changes = watch(data);
      const { child, ended } = start('--data', data, '--port', '0', '--log-level', 'error');
      for await (const { filename } of changes) if (filename === made) break;
      child.kill('SIGTERM');
      const { code, error } = await ended;
      expect([code, error]).toEqual([0, '']);
      expect(existsSync(join(data, 'server.json'))).toBe(false);
      expect(workersBelow(data)).toEqual([]);
    },
  );
});
