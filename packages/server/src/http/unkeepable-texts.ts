import { type FieldError, jsonPointer } from '@stillpoint/contract';

/** Every text of a value that no database can keep: one with the character NUL, or with half of a character. */
export function unkeepableTexts(value: unknown, path: readonly (string | number)[] = []): FieldError[] {
  if (typeof value === 'string') return isKeepable(value) ? [] : [refusedAt(path)];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, part]) =>
    isKeepable(key) ? unkeepableTexts(part, [...path, key]) : [refusedAt(path)],
  );
}

const isKeepable = (text: string): boolean => !text.includes('\0') && text.isWellFormed();

function refusedAt(path: readonly (string | number)[]): FieldError {
  return {
    path: jsonPointer(path),
    code: 'TEXT_NOT_USABLE',
    message: 'must not have the character NUL, nor half of a character',
  };
}
