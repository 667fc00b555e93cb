import { posix } from 'node:path';
import type { ProjectFile } from './house-rules.ts';

/** One line per broken link of a Markdown file, and per decision record that an index does not list. */
export function checkDocs(files: readonly ProjectFile[]): string[] {
  const pages = files.filter(({ path }) => path.endsWith('.md'));
  const known = new Set(files.flatMap(({ path }) => foldersOf(path)));
  const problems = pages.flatMap((page) => checkLinks(page, known, pages));
  return pages.length === 0 ? ['there is no page to read'] : [...problems, ...checkDecisions(pages)];
}

/** A path and all folders above it: a link may point to either. */
function foldersOf(path: string): string[] {
  const parts = path.split('/');
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
}

function checkLinks(page: ProjectFile, known: ReadonlySet<string>, pages: readonly ProjectFile[]): string[] {
  const prose = page.text.replace(/^```[\s\S]*?^```/gm, '').replace(/`[^`\n]*`/g, '');
  const targets = [...prose.matchAll(/\]\(\s*<?([^)>\s]+)>?(?:\s+"[^"]*")?\s*\)|^\[[^\]]+\]:\s*(\S+)/gm)];
  return targets.flatMap(([, inline, reference]) => {
    const target = inline ?? reference ?? '';
    if (/^[a-z][a-z0-9+.-]*:/i.test(target)) return [];
    const [file = '', anchor] = target.split('#');
    const path =
      file === '' ? page.path : posix.normalize(posix.join(posix.dirname(page.path), decodeURI(file)));
    const plain = path.replace(/\/$/, '');
    if (!known.has(plain)) return [`${page.path}: the link ${target} leads nowhere`];
    const other = pages.find((candidate) => candidate.path === plain);
    if (anchor === undefined || other === undefined || listAnchors(other.text).includes(anchor)) return [];
    return [`${page.path}: ${plain} has no heading #${anchor}`];
  });
}

/** The anchors that a forge makes of headings: lower case, no punctuation, dashes for blanks. */
function listAnchors(text: string): string[] {
  return [...text.matchAll(/^#+\s+(.*)$/gm)].map(([, heading = '']) =>
    heading
      .trim()
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replace(/\s/g, '-'),
  );
}

function checkDecisions(pages: readonly ProjectFile[]): string[] {
  const records = pages.flatMap(({ path }) => /^docs\/adr\/(\d{4}-.*\.md)$/.exec(path)?.[1] ?? []);
  const numbers = records.map((record) => record.slice(0, 4));
  const problems = records
    .filter((_, index) => numbers.indexOf(numbers[index] ?? '') !== index)
    .map((record) => `docs/adr/${record} has the number of another record`);
  for (const index of ['docs/adr/README.md', 'ARCHITECTURE.md']) {
    const text = pages.find(({ path }) => path === index)?.text ?? '';
    const missing = records.filter((record) => !text.includes(`${record})`));
    problems.push(...missing.map((record) => `${index} does not list ${record}`));
  }
  return problems;
}
