import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommandLine } from './run-command-line.ts';
import type { Surroundings } from './surroundings.ts';

/** One request as the pretend server saw it. */
export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly body: unknown;
  readonly authorization: string | undefined;
}

/** What the pretend server answers to `METHOD /path` below /api/v1: a value, or a status with a value, maybe anew each time. */
export type Replies = Record<string, object | ((request: SeenRequest) => unknown)>;

/** A reply with another status than 200. */
export class Reply {
  readonly status: number;
  readonly value: unknown;

  constructor(status: number, value: unknown) {
    this.status = status;
    this.value = value;
  }
}

/** For tests: a command line against a pretend server on a free port, in a folder of its own. */
export interface Trial {
  readonly url: string;
  readonly folder: string;
  readonly seen: SeenRequest[];
  readonly run: (...args: string[]) => Promise<{ exitCode: number; out: string; error: string }>;
  readonly end: () => Promise<void>;
}

/** Begins a trial; whoever begins one ends it. */
export async function beginTrial(replies: Replies, changes: Partial<Surroundings> = {}): Promise<Trial> {
  const seen: SeenRequest[] = [];
  const server = pretendServer(replies, seen);
  const url = await listen(server);
  const folder = await mkdtemp(join(tmpdir(), 'stillpoint-cli-'));
  return {
    url,
    folder,
    seen,
    run: async (...args) => {
      let out = '';
      let error = '';
      const exitCode = await runCommandLine(args, {
        writeOut: (text) => {
          out += text;
        },
        writeError: (text) => {
          error += text;
        },
        environment: { STILLPOINT_URL: url, STILLPOINT_TOKEN: 'the-token' },
        homeDirectory: folder,
        workingDirectory: folder,
        pause: () => Promise.resolve(),
        listenForInterrupt: () => ({ signal: new AbortController().signal, release: () => {} }),
        confirm: null,
        askSecret: null,
        startProgram: () => Promise.reject(new Error('no program is to be started')),
        ...changes,
      });
      return { exitCode, out, error };
    },
    end: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await rm(folder, { recursive: true });
    },
  };
}

function pretendServer(replies: Replies, seen: SeenRequest[]): Server {
  return createServer((incoming, response) => {
    void answer(replies, seen, incoming, response);
  });
}

async function answer(
  replies: Replies,
  seen: SeenRequest[],
  incoming: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  let text = '';
  for await (const chunk of incoming) text += chunk;
  const { method = '', url = '' } = incoming;
  const request: SeenRequest = {
    method,
    url,
    body: text === '' ? undefined : JSON.parse(text),
    authorization: incoming.headers.authorization,
  };
  seen.push(request);
  const key = `${method} ${url.split('?', 1)[0]?.replace('/api/v1', '')}`;
  const reply = replies[key] ?? new Reply(501, { unexpected: key });
  const given = typeof reply === 'function' ? reply(request) : reply;
  const { status, value } = given instanceof Reply ? given : new Reply(200, given);
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

function listen(server: Server): Promise<string> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(`http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`);
    });
  });
}
