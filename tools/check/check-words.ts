import ts from 'typescript';
import type { ProjectFile } from './house-rules.ts';

/** A word that identifiers must not use, what to say instead, and the folders where it is right all the same. */
export interface ForbiddenWord {
  readonly word: string;
  readonly term: string;
  readonly except: readonly string[];
}

/**
 * The forbidden words of the glossary: its rows `| term | meaning | not to be called |`, where the last cell lists
 * words in backquotes, each with the paths it is free in: `` `job` (free in `packages/engine`) ``.
 */
export function readGlossary(text: string): ForbiddenWord[] {
  return text.split('\n').flatMap((line) => {
    const [, term = '', , not = ''] = line.split('|').map((cell) => cell.trim());
    return [...not.matchAll(/`([a-z]+)`(?: \(free in ([^)]*)\))?/g)].map(([, word = '', free = '']) => ({
      word,
      term: term.replaceAll('*', ''),
      except: [...free.matchAll(/`([^`]+)`/g)].map(([, path = '']) => path),
    }));
  });
}

/** One line per identifier, file name or SQL name that uses a word the glossary forbids; codes are DPOD's own words. */
export function checkWords(files: readonly ProjectFile[], words: readonly ForbiddenWord[]): string[] {
  if (words.length === 0) return ['the glossary forbids nothing: has its table changed?'];
  return files
    .filter(({ path }) => /^packages\/[^/]+\/src\/.*\.ts$|^docs\/schema\.sql$/.test(path))
    .flatMap((file) => {
      const applicable = words.filter(({ except }) => !except.some((folder) => file.path.startsWith(folder)));
      const names = new Set([...namesIn(file), file.path.split('/').at(-1) ?? '']);
      return [...names].flatMap((name) => {
        const parts = splitName(name);
        return applicable
          .filter(({ word }) => parts.includes(word) || parts.includes(`${word}s`))
          .map(({ word, term }) => `${file.path}: "${name}" says "${word}"; the word is "${term}"`);
      });
    });
}

function namesIn({ path, text }: ProjectFile): string[] {
  if (path.endsWith('.sql')) return text.replace(/--.*$|'[^']*'/gm, '').match(/\w+/g) ?? [];
  const names: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node)) names.push(node.text);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(path, text, ts.ScriptTarget.ESNext));
  return names;
}

/** `deviceName`, `device-name`, `device_name` -> device, name; SCREAMING_CODES are given by DPOD and left alone. */
function splitName(name: string): string[] {
  if (/^[A-Z0-9_]+$/.test(name)) return [];
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/);
}
