/** What is known of one parameter: its value when nobody set it, and what it means. */
export type ParameterDefinition = {
  readonly defaultValue: boolean | number | string | null;
  readonly meaning: string;
  /** The reason why a value is refused, or null when it is good. */
  readonly refusal: (value: unknown) => string | null;
  /** Kept sealed, and shown to nobody again. */
  readonly isSecret?: true;
};
