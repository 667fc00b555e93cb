import type { ReasonCode } from '../core-catalogue.ts';
import type { Parameters } from '../parameters/parameters.ts';
import { type Reason, type Reply, reasonOf } from '../reason.ts';
import { planWindow } from '../window/plan-window.ts';
import { isWindowOpen } from '../window/window.ts';
import type { RunSpec } from './run-spec.ts';

/** What is asked before a run makes its first task, in the order in which an answer ends it. */
export type RunCheckName =
  | 'backupsEnabled'
  | 'windowReadable'
  | 'quiesceTimeout'
  | 'windowOpen'
  | 'storeMounted'
  | 'storeSpace';

/** The answer to one check; `refusal` is null when it passes, and says how the run ends when it does not. */
export type RunCheck = {
  readonly name: RunCheckName;
  /** Row of the table of a run's steps. */
  readonly row: 1 | 2 | 3 | 4;
  readonly refusal: { readonly status: 'SKIPPED' | 'FAILED'; readonly reason: Reason } | null;
  /** What was found; a plain sentence, also when it passes. */
  readonly found: string;
};

/** A quiesce time-out below this is one that appliances do not take. */
const LEAST_QUIESCE_TIMEOUT_SECONDS = 60;

/** Rows 1 and 2, which need nothing but the parameters and the clock. */
export function checksOfParameters(
  spec: Pick<RunSpec, 'plan' | 'windowOverrideReason'>,
  parameters: Parameters,
  hostTimezone: string,
  timeOfDay: number,
): readonly RunCheck[] {
  const isEnabled = parameters['backups.enabled'];
  const timeout = parameters['quiesce.timeoutSeconds'];
  const isLong = timeout >= LEAST_QUIESCE_TIMEOUT_SECONDS;
  const tooShort = isLong ? '' : `, less than ${LEAST_QUIESCE_TIMEOUT_SECONDS}`;
  const [readable, ...open] = checksOfWindow(spec, parameters, hostTimezone, timeOfDay);
  return [
    check('backupsEnabled', 1, isEnabled, `The parameter backups.enabled is ${isEnabled}.`, {
      status: 'SKIPPED',
      code: 'BACKUPS_ARE_DISABLED',
    }),
    readable,
    check('quiesceTimeout', 2, isLong, `The parameter quiesce.timeoutSeconds is ${timeout}${tooShort}.`, {
      status: 'FAILED',
      code: 'PRE_VALIDATION_QUIESCE_TIMEOUT_SYSPARM_TOO_SHORT',
    }),
    ...open,
  ];
}

/** Whether a window that cannot be read is open is not asked. */
function checksOfWindow(
  { plan, windowOverrideReason }: Pick<RunSpec, 'plan' | 'windowOverrideReason'>,
  parameters: Parameters,
  hostTimezone: string,
  timeOfDay: number,
): readonly [RunCheck, ...RunCheck[]] {
  const window = planWindow(plan, parameters, hostTimezone);
  const readable = { status: 'FAILED', code: 'PRE_VALIDATION_INVALID_TIMEFRAME_FORMAT' } as const;
  if ('kind' in window) return [check('windowReadable', 2, false, window.detail, readable)];
  const open = { status: 'SKIPPED', code: 'PRE_VALIDATION_OUT_OF_MAINTENANCE_WINDOW' } as const;
  const isOpen = isWindowOpen(window, timeOfDay);
  const state = `The window of ${plan.name} is ${isOpen ? 'open' : 'closed'} now (${window.timezone})`;
  const override = !isOpen && windowOverrideReason !== null ? ', and overridden for this run' : '';
  return [
    check('windowReadable', 2, true, `The window of ${plan.name} can be read.`, readable),
    check('windowOpen', 2, isOpen || windowOverrideReason !== null, `${state}${override}.`, open),
  ];
}

/**
 * Rows 3 and 4, by what the store said of itself, told in the words of the run's own checks where those have a code for
 * it; the second one is not asked when the first one fails.
 */
export function checksOfStore(
  reply: Reply<{ readonly freePercent: number }>,
  leastPercent: number,
): readonly RunCheck[] {
  if (!reply.ok) {
    const { code, detail } = reply.fault;
    const own = unmountedCodes.has(code) ? 'PRE_VALIDATION_STORE_IS_NOT_MOUNTED' : code;
    const refusal = { status: 'FAILED', reason: { code: own, detail } } as const;
    return [{ name: 'storeMounted', row: 3, refusal, found: detail }];
  }
  const { freePercent } = reply.value;
  const isRoomy = freePercent >= leastPercent;
  const comparison = isRoomy ? 'and' : 'less than the';
  const asked = isRoomy ? 'are asked for' : 'asked for';
  return [
    check('storeMounted', 3, true, 'The store is there and is the one that was set up.', {
      status: 'FAILED',
      code: 'PRE_VALIDATION_STORE_IS_NOT_MOUNTED',
    }),
    check(
      'storeSpace',
      4,
      isRoomy,
      `The store has ${freePercent.toFixed(1)} % free, ${comparison} ${leastPercent} % ${asked}.`,
      { status: 'FAILED', code: 'PRE_VALIDATION_BACKUP_STORE_OUT_OF_SPACE' },
    ),
  ];
}

/** The store's codes that all mean: this is not the mounted file system that was set up. */
const unmountedCodes: ReadonlySet<string> = new Set([
  'STORE_PATH_NOT_SET',
  'STORE_PATH_INVALID',
  'STORE_DOES_NOT_EXIST',
  'STORE_IS_NOT_MOUNTED',
  'STORE_MARKER_MISSING',
  'STORE_MARKER_UNREADABLE',
  'STORE_MARKER_DIFFERS',
]);

function check(
  name: RunCheckName,
  row: RunCheck['row'],
  isPassed: boolean,
  found: string,
  { status, code }: { readonly status: 'SKIPPED' | 'FAILED'; readonly code: ReasonCode },
): RunCheck {
  return { name, row, refusal: isPassed ? null : { status, reason: reasonOf(code, found) }, found };
}
