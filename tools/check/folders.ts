import { join } from 'node:path';

/** The folder of the whole project. */
export const projectFolder = join(import.meta.dirname, '..', '..');

/** Where the check keeps reports and the whole output of each step; ignored by git. */
export const resultFolder = join(projectFolder, '.tmp', 'check');
