import { readdirSync } from 'node:fs';

// `npm run bench -- b-2 [options]`: runs one benchmark of this folder, which reads the options that are left.

const files = readdirSync(import.meta.dirname).filter((file) => /^b-\d+-.*\.ts$/u.test(file));
const name = process.argv[2] ?? '';
const file = files.find((found) => found.startsWith(`${name}-`));
if (name === '' || file === undefined) {
  console.error(`Usage: npm run bench -- NAME [options]\n\n  ${files.join('\n  ')}`);
  process.exitCode = 2;
} else {
  process.argv.splice(2, 1);
  await import(new URL(file, import.meta.url).href);
}
