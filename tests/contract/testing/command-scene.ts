import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect } from 'vitest';
import type { ApplyDocumentInput } from '../../../packages/contract/src/index.ts';
import { issueCertificate } from '../../../packages/datapower/src/testing/issue-certificate.ts';
import { type Fleet, type KeyAndCertificate, startFleet } from '../../../packages/simulator/src/index.ts';
import { good } from '../../crash/testing/begin-scene.ts';
import { listStore } from '../../crash/testing/list-store.ts';
import { makeRoom, type Room } from '../../crash/testing/make-room.ts';
import { type ServerProcess, startServerProcess } from '../../crash/testing/start-server-process.ts';
import { type CommandEnd, runCommand } from './run-command.ts';

const PASSWORD = 'the right password';
const WRONG_PASSWORD = 'a wrong password';

/** A token that opens nothing. */
export const WRONG_TOKEN = 'a-token-of-somebody-else';

type Environment = Readonly<Record<string, string>>;

/** A server in a process of its own, devices with whatever can be wrong with a device, and the command. */
export class CommandScene {
  readonly room: Room;
  readonly fleet: Fleet;
  readonly server: ServerProcess;
  /** A port of 127.0.0.1 on which nothing listens. */
  readonly freePort: number;

  constructor(room: Room, fleet: Fleet, server: ServerProcess, freePort: number) {
    this.room = room;
    this.fleet = fleet;
    this.server = server;
    this.freePort = freePort;
  }

  async apply(document: ApplyDocumentInput): Promise<void> {
    good(await this.server.client.applyDocument({ body: document, query: {} }));
  }

  /** Runs a command that changes nothing but, at most, the history; no secret and no stack is shown. */
  async run(args: readonly string[], environment: Environment = {}): Promise<CommandEnd> {
    const before = await this.#everything();
    const end = await runCommand(this.room, args, environment);
    const said = `${end.out}${end.error}`;
    expect(said).not.toMatch(/^\s+at |node:/m);
    for (const secret of [PASSWORD, WRONG_PASSWORD, WRONG_TOKEN]) expect(said).not.toContain(secret);
    // What sentences that were put together badly look like.
    expect(said).not.toMatch(/\.\.(?!\/)|undefined|\[object/);
    expect(await this.#everything()).toEqual(before);
    return end;
  }

  /** Runs a command that is refused in one line on standard error, and answers that line. */
  async refuse(exitCode: number, args: readonly string[], environment: Environment = {}): Promise<string> {
    const runs = await this.#runIds();
    const end = await this.run(args, environment);
    expect(end.exitCode, end.error).toBe(exitCode);
    expect(end.out).toBe('');
    expect(end.error.match(/\n/g), end.error).toHaveLength(1);
    expect(await this.#runIds()).toEqual(runs);
    return end.error;
  }

  async end(): Promise<void> {
    await this.room.dispose();
    await this.fleet.stop();
    for (const secret of [PASSWORD, WRONG_PASSWORD]) expect(this.server.log()).not.toContain(secret);
  }

  async #everything(): Promise<unknown> {
    const { client } = this.server;
    return {
      parameters: good(await client.listParameters()),
      devices: good(await client.listDevices()),
      plans: good(await client.listPlans()).items.map((plan) => ({ ...plan, lastRun: null })),
      backups: good(await client.listBackups()),
      guards: good(await client.listGuards()),
      store: listStore(this.room.store),
    };
  }

  async #runIds(): Promise<string[]> {
    return good(await this.server.client.listRuns()).items.map(({ id }) => id);
  }
}

/** Begins a scene; whoever begins one ends it. */
export async function beginCommandScene(): Promise<CommandScene> {
  const authority = issueCertificate({ names: [], isAuthority: true });
  const issued = (names: string[], validUntil?: string): KeyAndCertificate =>
    issueCertificate({ names, issuer: authority, ...(validUntil === undefined ? {} : { validUntil }) });
  const fleet = await startFleet(
    {
      defaults: { password: PASSWORD },
      devices: [
        { name: 'QA1', domains: [{ name: 'A' }] },
        { name: 'away', isDown: true },
        { name: 'named' },
        { name: 'old' },
      ],
    },
    { tls: { named: issued(['gateway.example']), old: issued(['127.0.0.1'], '20200101000000Z') } },
  );
  const room = makeRoom();
  try {
    const scene = new CommandScene(room, fleet, await startServerProcess(room), await findFreePort());
    await scene.apply(documentFor(scene, authority.certificatePem));
    good(await scene.server.client.initStore());
    return scene;
  } catch (error) {
    await room.dispose();
    await fleet.stop();
    throw error;
  }
}

function documentFor({ fleet, room, freePort }: CommandScene, ca: string): ApplyDocumentInput {
  const at = (device: string) => {
    const { host, port } = fleet.device(device).address;
    return { host, somaPort: port, username: 'admin', password: PASSWORD };
  };
  const pin = fleet.device('QA1').address.certificateSha256;
  const exportOf = (devices: string) => [{ exportDomain: { devices, domains: 'A' } }];
  const certificate = 'dr-2019';
  return {
    parameters: { 'store.path': room.store, 'store.requireRemoteMount': false, 'store.minFreePercent': 0 },
    devices: [
      { name: 'QA1', ...at('QA1'), tls: { pin } },
      { name: 'nobody-there', ...at('QA1'), somaPort: freePort, tls: { pin } },
      { name: 'away', ...at('away'), tls: { pin } },
      { name: 'nowhere', ...at('QA1'), host: 'gateway.invalid', tls: { pin } },
      { name: 'locked-out', ...at('QA1'), password: WRONG_PASSWORD, tls: { pin } },
      { name: 'replaced', ...at('QA1'), tls: { pin: 'ab'.repeat(32) } },
      { name: 'self-signed', ...at('QA1'), tls: { system: true } },
      { name: 'other-authority', ...at('QA1'), tls: { ca } },
      { name: 'other-host', ...at('named'), tls: { ca } },
      { name: 'expired', ...at('old'), tls: { ca } },
      { name: 'no-bundle', ...at('QA1'), tls: { ca: 'this is no PEM' } },
    ],
    plans: [
      { name: 'nightly', activities: exportOf('QA1') },
      { name: 'locked-out', activities: exportOf('locked-out') },
      { name: 'self-signed', activities: exportOf('self-signed') },
      { name: 'paused', enabled: false, activities: exportOf('QA1') },
      { name: 'empty-handed', activities: exportOf('PROD*') },
      { name: 'no-certificate', activities: [{ secureBackup: { devices: 'QA1', certificate } }] },
    ],
  };
}

async function findFreePort(): Promise<number> {
  const listener = createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const address = listener.address();
  listener.close();
  await once(listener, 'close');
  return typeof address === 'object' ? (address?.port ?? 0) : 0;
}
