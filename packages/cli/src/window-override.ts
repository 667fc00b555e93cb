import type { CommandDefinition } from './invocation.ts';

/** The flags by which a run goes outside its window. */
export const overrideFlags: NonNullable<CommandDefinition['flags']> = [
  {
    flag: '--override-window',
    meaning: 'run outside the window and on a blackout date too; needs --reason',
  },
  { flag: '--reason <text>', meaning: 'why, in 10 to 500 characters; kept with the run and shown' },
];

/** What the flags ask for, or what is wrong with them. */
export function windowOverride({
  overrideWindow,
  reason,
}: Readonly<Record<string, unknown>>):
  | { readonly ok: true; readonly body: { windowOverrideReason?: string } }
  | { readonly ok: false; readonly refusal: { code: 'USAGE_NOT_VALID'; detail: string } } {
  const isAsked = overrideWindow === true;
  if (isAsked && typeof reason === 'string') return { ok: true, body: { windowOverrideReason: reason } };
  if (!isAsked && reason === undefined) return { ok: true, body: {} };
  const detail = isAsked
    ? 'A run goes outside its window only for a written reason: add --reason TEXT.'
    : 'A reason is given only together with --override-window.';
  return { ok: false, refusal: { code: 'USAGE_NOT_VALID', detail } };
}
