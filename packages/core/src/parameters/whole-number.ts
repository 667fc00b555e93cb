/** Judges whether a value is a whole number within bounds: the reason why it is not, or null. */
export const wholeNumber =
  (least: number, most: number) =>
  (value: unknown): string | null =>
    Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most
      ? null
      : `must be a whole number from ${least} to ${most}`;
