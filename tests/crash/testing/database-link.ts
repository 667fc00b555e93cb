import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import type { ClusterDatabase } from './begin-cluster.ts';

/** The network between one node and its database, which a test can cut. */
export type DatabaseLink = AsyncDisposable & {
  /** The address of the database by way of this link. */
  readonly url: string;
  /** From now on nothing passes, either way, and nobody is told: connections stay open and new ones are never answered. */
  cut(): void;
  /** What was held back passes; connections of before are reset. */
  mend(): void;
  /** Cuts right after a statement with this text has come from the node; resolves then. */
  cutAfter(text: string): Promise<void>;
};

/** Opens a link to a database that listens on a Unix socket. */
export async function openDatabaseLink({ url, socketFolder }: ClusterDatabase): Promise<DatabaseLink> {
  const ends = new Set<Socket>();
  const statements = new NamedStatements();
  let isCut = false;
  let trap: { readonly text: string; readonly sprung: () => void } | undefined;
  const cut = (): void => {
    isCut = true;
    for (const end of ends) end.pause();
  };
  const server = createServer((node) => {
    const database = connect(join(socketFolder, '.s.PGSQL.5432'));
    for (const [from, to] of [
      [node, database],
      [database, node],
    ] as const) {
      ends.add(from);
      from.on('error', () => undefined);
      from.on('close', () => {
        ends.delete(from);
        if (!isCut) to.destroy();
      });
      from.on('data', (bytes: Buffer) => {
        to.write(bytes);
        if (from !== node) return;
        statements.learn(bytes);
        if (trap === undefined || !statements.isIn(bytes, trap.text)) return;
        const { sprung } = trap;
        trap = undefined;
        cut();
        sprung();
      });
      if (isCut) from.pause();
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const link = new URL(url.replace('@/', '@127.0.0.1/'));
  link.search = '';
  link.port = `${(server.address() as AddressInfo).port}`;
  const reset = (): void => {
    for (const end of ends) end.destroy();
  };
  return {
    url: link.href,
    cut,
    mend() {
      isCut = false;
      reset();
    },
    cutAfter: (text) =>
      new Promise((resolve) => {
        trap = { text, sprung: resolve };
      }),
    async [Symbol.asyncDispose]() {
      reset();
      server.close();
      await once(server, 'close');
    },
  };
}

/** The statements that a program has named, for it sends their text only once on each connection. */
class NamedStatements {
  readonly #textOf = new Map<string, string>();

  learn(bytes: Buffer): void {
    for (const [, name = '', text = ''] of bytes.toString('latin1').matchAll(/(\w+)\0(\w+ [^\0]+)\0/g))
      this.#textOf.set(name, text);
  }

  /** Whether a statement with a text is in a packet, by its text or by its name. */
  isIn(bytes: Buffer, text: string): boolean {
    if (bytes.includes(text)) return true;
    return [...this.#textOf].some(([name, its]) => its.includes(text) && bytes.includes(`${name}\0`));
  }
}
