/** What a failed task does to the tasks of its run that still wait. */
export type ErrorPolicy = 'halt' | 'ignore';

/** What all activities have in common; patterns are kept as the operator wrote them. */
type ActivityCommon = {
  readonly devices: string;
  readonly quiesce: boolean;
  readonly preTaskScript: string | null;
  readonly postTaskScript: { readonly script: string; readonly when: 'always' | 'onFailure' } | null;
  readonly errorPolicy: 'plan' | ErrorPolicy;
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
  readonly defaultErrorPolicy: ErrorPolicy;
  readonly prePlanScript: string | null;
  readonly postPlanScript: string | null;
  readonly activities: readonly Activity[];
};
