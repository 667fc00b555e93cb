import type { Plan } from '@stillpoint/contract';
import { type CommandDefinition, showAnswer } from '../invocation.ts';
import { textFacts, textTable } from '../text-table.ts';

/** `plan show`: one plan, its next fires, and the fires that started no run. */
export const planShow: CommandDefinition = {
  syntax: 'show <name>',
  summary: 'show a plan, when it fires next, and which fires started no run and why',
  examples: ['stillpoint plan show nightly'],
  run: (invocation, [name = '']) =>
    showAnswer(invocation, (client) => client.getPlan({ params: { name } }), planText),
};

function planText(plan: Plan): string {
  const { activities, leftOutFires, nextFireAts, lastRun, window, blackoutDates } = plan;
  const facts = textFacts([
    ['Plan', plan.name],
    ['Description', plan.description === '' ? null : plan.description],
    ['Enabled', plan.enabled ? 'yes' : 'no'],
    ['Schedule', scheduleText(plan)],
    ['In words', plan.scheduleRead?.words ?? null],
    ['Timezone', plan.timezone],
    ['Window', typeof window === 'string' ? window : window.join(', ')],
    ['Blackout dates', blackoutDates.length === 0 ? null : blackoutDates.join(', ')],
    ['Missed fires', plan.missedRuns === 'once' ? 'one run makes up for them' : 'left out'],
    ['Overlapping fires', plan.overlap === 'queue' ? 'queued, one at most' : 'left out'],
    ['Error policy', plan.defaultErrorPolicy],
    ['Pre-plan script', plan.prePlanScript],
    ['Post-plan script', plan.postPlanScript],
    ['Last run', lastRun === null ? null : `${lastRun.status} ${lastRun.startedAt} (${lastRun.id})`],
    ...nextFireAts.map((at, index) => [index === 0 ? 'Next fires' : '', at] as const),
  ]);
  const rows = activities.map(({ secureBackup, exportDomain }) => {
    const activity = secureBackup ?? exportDomain;
    const action = secureBackup === undefined ? 'EXPORT_DOMAIN' : 'SECURE_BACKUP';
    return [
      action,
      activity?.devices ?? null,
      exportDomain?.domains ?? null,
      activity?.quiesce ? 'yes' : 'no',
    ];
  });
  const table = textTable(['ACTION', 'DEVICES', 'DOMAINS', 'QUIESCE'], rows);
  const leftOut = leftOutFires.map(({ reason, sentence }) => [reason, sentence]);
  const told =
    leftOut.length === 0
      ? 'No fire of this plan was left out lately.'
      : `Fires that started no run of their own:\n${textTable(['REASON', 'WHAT HAPPENED'], leftOut)}`;
  return [facts, ...(rows.length === 0 ? [] : [table]), told].join('\n\n');
}

/** The line as the operator wrote it and, where it was one of Unix, as it was translated. */
function scheduleText({ schedule, scheduleRead }: Plan): string | null {
  if (schedule === null || scheduleRead === null) return schedule;
  const { expression } = scheduleRead;
  const isTranslated = schedule.trim().split(/\s+/).length !== expression.split(' ').length;
  return isTranslated ? `${schedule} (that is ${expression})` : schedule;
}
