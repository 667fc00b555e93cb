import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { projectFolder } from '../../tools/check/folders.ts';

const configurations = [
  '.gitignore',
  '.oxlintrc.json',
  'biome.json',
  'knip.json',
  'package.json',
  'tsconfig.json',
];
const packages = [
  'cli',
  'contract',
  'core',
  'database',
  'datapower',
  'engine',
  'server',
  'simulator',
  'store',
];

/** A small project under the rules of this one, in a folder outside the source tree, for violations to be planted in. */
export interface PlantedProject {
  readonly folder: string;
  remove(): void;
}

/** Makes a project of the given files (path to text) with our configuration and our packages, each with an empty face. */
export function plantProject(files: Readonly<Record<string, string>>): PlantedProject {
  const folder = mkdtempSync(join(tmpdir(), 'stillpoint-gate-'));
  for (const name of configurations) cpSync(join(projectFolder, name), join(folder, name));
  for (const name of ['core', 'contract']) {
    const settings = `packages/${name}/tsconfig.json`;
    cpSync(join(projectFolder, settings), join(folder, settings), { recursive: true });
  }
  for (const name of packages) {
    write(folder, `packages/${name}/package.json`, JSON.stringify(describePackage(name)));
    write(folder, `packages/${name}/src/index.ts`, 'export {};\n');
  }
  linkModules(folder);
  for (const [path, text] of Object.entries(files)) write(folder, path, text);
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

function describePackage(name: string) {
  return {
    name: `@stillpoint/${name}`,
    version: '0.1.0',
    type: 'module',
    exports: { '.': './src/index.ts' },
  };
}

/** Our own packages are the planted ones; whatever else is imported is what is installed here. */
function linkModules(folder: string): void {
  mkdirSync(join(folder, 'node_modules/@stillpoint'), { recursive: true });
  for (const name of packages)
    symlinkSync(join(folder, 'packages', name), join(folder, 'node_modules/@stillpoint', name));
  for (const name of [
    '@types',
    'cronstrue',
    'oxlint-tsgolint',
    '@oxlint-tsgolint',
    'typescript',
    'undici',
    'undici-types',
    'zod',
  ]) {
    symlinkSync(join(projectFolder, 'node_modules', name), join(folder, 'node_modules', name));
  }
}

function write(folder: string, path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
}
