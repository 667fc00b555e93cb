/** A file of the project as the rules of the house see it; `path` is relative to the project. */
export interface ProjectFile {
  readonly path: string;
  readonly text: string;
}

const longestFileLines = 400;
const emptyNames = ['utils', 'helpers', 'common', 'types', 'manager', 'base', 'misc'];
const machinePaths = [/(?<![\w.])\/(?:home|Users|work)\/[\w.-]+/, /\bshared\/spec\b/];

/** One line per broken rule of the house about the length, the name and the wording of files. */
export function checkHouseRules(files: readonly ProjectFile[]): string[] {
  return files.flatMap((file) => [...checkLength(file), ...checkName(file), ...checkWording(file)]);
}

function isSource(path: string): boolean {
  return (
    /^(packages\/[^/]+\/src|tests|tools|bench)\/.*\.(ts|tsx|mjs|cjs)$/.test(path) &&
    !/\.generated\./.test(path)
  );
}

function checkLength({ path, text }: ProjectFile): string[] {
  const lines = text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
  if (!isSource(path) || lines <= longestFileLines) return [];
  return [`${path} has ${lines} lines; more than ${longestFileLines} are two files`];
}

function checkName({ path }: ProjectFile): string[] {
  if (!/^(packages|tests|tools|bench)\//.test(path)) return [];
  const name = path.split('/').at(-1) ?? '';
  const stem = name.replace(/\..*$/, '');
  const problems: string[] = [];
  if (path.split('/').some((part) => emptyNames.includes(part.replace(/\..*$/, '')))) {
    problems.push(`${path} is called by no subject of its own (${emptyNames.join(', ')} are not names)`);
  }
  if (isSource(path) && !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(stem)) problems.push(`${path} is not in kebab-case`);
  return problems;
}

function checkWording({ path, text }: ProjectFile): string[] {
  // These two name the forbidden words because they forbid them.
  if (path === 'tools/check/house-rules.ts' || path === 'tests/gates/house-rules.test.ts') return [];
  return text
    .split('\n')
    .flatMap((line, index) =>
      machinePaths.some((pattern) => pattern.test(line))
        ? [`${path}:${index + 1} names a path of one machine`]
        : [],
    );
}
