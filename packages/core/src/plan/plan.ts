/** What a failed task does to the tasks of its run that still wait. */
export type ErrorPolicy = 'halt' | 'ignore';

/** What is done about fires that passed while no server was there: nothing, or one run for all of them. */
export type MissedRuns = 'skip' | 'once';

/** What is done about a fire while a run of the plan is still going: nothing, or a run that begins after that one. */
export type Overlap = 'skip' | 'queue';

/** Whom a run can be told to when it has ended. */
export type Channel = 'email' | 'syslog' | 'webhook';

/** When it is told: after each run, or only after one that did not simply succeed. */
export type NotifyWhen = 'always' | 'onProblem';

/** How a task that failed is tried again: so many times at most, each after a pause. */
export type Retry = {
  /** From 0 to 5; 0 for never. */
  readonly attempts: number;
  readonly delaySeconds: number;
};

/** What all activities have in common; patterns are kept as the operator wrote them. */
type ActivityCommon = {
  readonly devices: string;
  readonly quiesce: boolean;
  readonly preTaskScript: string | null;
  readonly postTaskScript: { readonly script: string; readonly when: 'always' | 'onFailure' } | null;
  readonly errorPolicy: 'plan' | ErrorPolicy;
  readonly retry: Retry;
};

/** One line of a plan. `domains` is a pattern or the keyword `all-domains`. */
export type Activity =
  | (ActivityCommon & {
      readonly action: 'SECURE_BACKUP';
      readonly certificate: string;
      readonly includesIscsi: boolean;
      readonly includesRaid: boolean;
    })
  | (ActivityCommon & { readonly action: 'EXPORT_DOMAIN'; readonly domains: string });

/** What a task does on a device. */
export type Action = Activity['action'];

/** The keyword that asks for one export holding every domain. */
export const ALL_DOMAINS = 'all-domains';

/** The domains that an activity asks for: a pattern, exactly the keyword, or null for a secure backup. */
export function domainsOf(activity: Activity): string | null {
  if (activity.action === 'SECURE_BACKUP') return null;
  return activity.domains.trim() === ALL_DOMAINS ? ALL_DOMAINS : activity.domains;
}

/** A plan as an operator defines it. */
export type Plan = {
  readonly name: string;
  readonly description: string;
  readonly isEnabled: boolean;
  readonly schedule: string | null;
  readonly timezone: string | null;
  /** `default`, `none`, or windows. */
  readonly window: 'default' | 'none' | readonly string[];
  readonly blackoutDates: readonly string[];
  readonly missedRuns: MissedRuns;
  readonly overlap: Overlap;
  readonly defaultErrorPolicy: ErrorPolicy;
  readonly prePlanScript: string | null;
  readonly postPlanScript: string | null;
  /** Null for a channel that is not told. */
  readonly notify: Readonly<Record<Channel, NotifyWhen | null>>;
  readonly activities: readonly Activity[];
};

type LaterPlanField = 'missedRuns' | 'overlap' | 'notify' | 'activities';
type WithoutRetry<Whole> = Whole extends Activity
  ? Omit<Whole, 'retry'> & Partial<Pick<Whole, 'retry'>>
  : never;

/** A plan as an earlier version may have kept it. */
export type KeptPlan = Omit<Plan, LaterPlanField> &
  Partial<Pick<Plan, Exclude<LaterPlanField, 'activities'>>> & {
    readonly activities: readonly WithoutRetry<Activity>[];
  };

/** What a task without a retry of its own has. */
export const NO_RETRY: Retry = { attempts: 0, delaySeconds: 60 };

/** A plan that was kept, with what plans did not have yet when it was. */
export function completePlan(kept: KeptPlan): Plan {
  return {
    missedRuns: 'once',
    overlap: 'skip',
    notify: { email: null, syslog: null, webhook: null },
    ...kept,
    activities: kept.activities.map((activity) => ({ retry: NO_RETRY, ...activity })),
  };
}
