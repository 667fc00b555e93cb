import type { Catalogue } from './read-catalogues.ts';

const introduction = `# Codes

<!-- Written by tools/generate-errors.ts from the catalogues of the packages; change those, not this page. -->

Every refusal and every fault has a code. It is the same in the API, the command, the log and the database, it is never
used again for something else, and it says what to do next.
`;

/** The text of docs/errors.md for these catalogues. */
export function writeErrorsPage(catalogues: readonly Catalogue[]): string {
  return [introduction, ...catalogues.map(writeCatalogue)].join('\n');
}

function writeCatalogue({ packageName, entries }: Catalogue): string {
  const rows = Object.entries(entries);
  const isOfApi = rows.some(([, entry]) => entry.httpStatus !== undefined);
  const lines = rows.map(([code, { sentence, remedy, httpStatus, exitCode }]) =>
    // Status 0: found by the client itself, no server ever answered it.
    row([
      `\`${code}\``,
      ...(isOfApi ? [String(httpStatus || '-'), String(exitCode ?? '-')] : []),
      sentence,
      remedy,
    ]),
  );
  const titles = ['code', ...(isOfApi ? ['HTTP', 'exit'] : []), 'what happened', 'what to do next'];
  return [`## ${packageName}`, '', row(titles), row(titles.map(() => '---')), ...lines, ''].join('\n');
}

function row(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}
