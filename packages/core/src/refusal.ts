/** Why an operator's definition is not taken: `path` leads to the field, `detail` is one plain sentence naming the value. */
export type Refusal = {
  readonly kind:
    | 'PATTERN_INVALID'
    | 'TIMEFRAME_INVALID'
    | 'BLACKOUT_INVALID'
    | 'TIMEZONE_UNKNOWN'
    | 'SCHEDULE_INVALID'
    | 'SCRIPT_NAME_INVALID'
    | 'PLAN_INVALID';
  readonly path: readonly (string | number)[];
  readonly detail: string;
};
