import { z } from 'zod';

const controlCharacter = /\p{Cc}/u;

/**
 * Name of a device or a plan: 1 to 128 characters, none of them a control character, no blank at either end.
 * `.` and `..` are refused because a URL cannot carry them as a path segment.
 */
export const objectNameShape = z
  .string()
  .min(1)
  .max(128)
  .refine((name) => !controlCharacter.test(name) && name.trim() === name && name !== '.' && name !== '..', {
    error: 'must have no control character, no blank at either end, and must not be "." or ".."',
    params: { code: 'NAME_NOT_USABLE' },
  });
