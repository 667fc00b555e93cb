import { z } from 'zod';

/** An instant as ISO 8601 in UTC with milliseconds, e.g. `2026-03-29T01:00:00.000Z`. */
export const instantShape = z.iso.datetime();
