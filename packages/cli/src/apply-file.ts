import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import {
  type ApplyDocumentInput,
  applyDocumentShape,
  type FieldError,
  type Problem,
  parseShape,
  problemOf,
} from '@stillpoint/contract';
import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import type { LocatedProblem } from './printer.ts';
import { resolveFiles } from './resolve-files.ts';

/** A file of the operator, read, with the files that it names read into it. */
export interface ApplyFile {
  readonly document: ApplyDocumentInput;
  /** The same problem with the lines of the file that its fields stand for. */
  readonly locate: (problem: Problem) => LocatedProblem;
}

type Outcome =
  | { readonly ok: true; readonly value: ApplyFile }
  | { readonly ok: false; readonly problem: LocatedProblem };

/** Reads a YAML (or JSON) document; refuses with every mistake that can be seen without the server. */
export async function applyFile(file: string, workingDirectory: string): Promise<Outcome> {
  const path = resolve(workingDirectory, file);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    const detail = `The file ${file} cannot be read: ${(error as NodeJS.ErrnoException).code ?? 'unknown reason'}.`;
    return { ok: false, problem: problemOf({ code: 'FILE_NOT_READABLE', detail }) };
  }
  const lines = new LineCounter();
  // Pretty errors quote the line, and a line may hold a password.
  const yaml = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const locate = (problem: Problem): LocatedProblem => {
    if (problem.errors === undefined) return problem;
    const errors = problem.errors.map((error) => {
      const offset = offsetOf(yaml.contents, keysOf(error.path), (node) =>
        isAlias(node) ? (node.resolve(yaml) ?? null) : node,
      );
      return { ...error, file, line: lines.linePos(offset).line };
    });
    return { ...problem, errors: errors.sort((one, other) => one.line - other.line) };
  };
  const flaws = [...yaml.errors, ...yaml.warnings].map(({ code, message, pos }) => {
    const sentence = `not well-formed YAML: ${message}`;
    return { path: '', code, message: sentence, file, line: lines.linePos(pos[0]).line };
  });
  if (flaws.length > 0)
    return { ok: false, problem: { ...notValid(file, 'is not well-formed YAML'), errors: flaws } };
  const content = plainContent(() => yaml.toJS({ maxAliasCount: 100 }));
  if (!content.ok) return { ok: false, problem: notValid(file, 'repeats aliases without end') };
  const { document, errors } = await resolveFiles(content.value, dirname(path));
  const shape = parseShape(applyDocumentShape, document);
  const mistakes: FieldError[] = [...errors, ...(shape.ok ? [] : shape.errors)];
  if (mistakes.length === 0) return { ok: true, value: { document: document as ApplyDocumentInput, locate } };
  const count = mistakes.length === 1 ? 'one mistake' : `${mistakes.length} mistakes`;
  return { ok: false, problem: locate({ ...notValid(file, `has ${count}`), errors: mistakes }) };
}

function notValid(file: string, what: string): Problem {
  return problemOf({ code: 'FILE_NOT_VALID', detail: `The file ${file} ${what}.` });
}

/** `toJS` throws when aliases multiply beyond the limit. */
function plainContent(
  read: () => unknown,
): { readonly ok: true; readonly value: unknown } | { readonly ok: false } {
  try {
    return { ok: true, value: read() };
  } catch {
    return { ok: false };
  }
}

function keysOf(pointer: string): string[] {
  const keys = pointer.split('/').slice(1);
  return keys.map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** Offset of the deepest key of a path that the document has; a missing key is told at the place where it is missed. */
function offsetOf(
  root: Node | null,
  keys: readonly string[],
  follow: (node: Node | null) => Node | null,
): number {
  let node = follow(root);
  let offset = node?.range?.[0] ?? 0;
  for (const key of keys) {
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === key);
      if (pair === undefined) break;
      offset = (pair.key as Node).range?.[0] ?? offset;
      node = follow(pair.value as Node | null);
    } else if (isSeq(node)) {
      const item = node.items[Number(key)] as Node | undefined;
      if (item === undefined) break;
      offset = item.range?.[0] ?? offset;
      node = follow(item);
    } else break;
  }
  return offset;
}
