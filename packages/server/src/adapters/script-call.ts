/** What a script is given: its arguments, and facts for standard input and environment. */
export type ScriptCall = {
  readonly args: readonly string[];
  readonly facts: Readonly<Record<string, string | number | null>>;
};

/** The plan, or rather its run, that a script belongs to. */
export type PlanOfScript = { readonly planId: string; readonly planName: string; readonly runId: string };

/** How a run or a task ended; `message` null for nothing to say. */
export type EndForScript = { readonly statusCode: string; readonly message: string | null };

/** The task that a script belongs to; `domain` is `ALL` where there is not one. */
export type TaskOfScript = {
  readonly taskId: string;
  readonly runId: string;
  readonly planName: string;
  readonly action: 'exportDomain' | 'secureBackup';
  readonly deviceName: string;
  readonly deviceHost: string;
  readonly somaPort: string;
  readonly domain: string;
};

/** Field that is for future use in the arguments that scripts are given. */
const FUTURE_USE = 'FFU';

/** The kernel takes no argument of 128 KiB or more. */
const LONGEST_ARGUMENT_BYTES = 120 * 1024;
/** So many take no more bytes than that, whatever they are. */
const LONGEST_MESSAGE_CHARACTERS = LONGEST_ARGUMENT_BYTES / 3;

/** What the script before a plan's tasks is given. */
export function prePlanCall({ planId, planName, runId }: PlanOfScript): ScriptCall {
  return {
    args: ['BACKUP-PLAN', 'PRE', planId, planName],
    facts: { kind: 'BACKUP-PLAN', phase: 'PRE', planId, planName, runId },
  };
}

/** What the script after a plan's tasks is given; each of `tasks` is one as `taskId,action,device,domain,status`. */
export function postPlanCall(
  { planId, planName, runId }: PlanOfScript,
  end: EndForScript,
  tasks: readonly string[],
): ScriptCall {
  const facts = { kind: 'BACKUP-PLAN', phase: 'POST', planId, planName, runId };
  return {
    args: ['BACKUP-PLAN', 'POST', planId, planName, ...argumentsOf(end), listOf(tasks)],
    facts: { ...facts, ...factsOf(end), tasks: tasks.join('~') },
  };
}

/** What the script before a task touches its device is given. */
export function preTaskCall(task: TaskOfScript): ScriptCall {
  const { taskId, planName } = task;
  return {
    args: ['BACKUP-TASK', 'PRE', taskId, planName, ...placeOf(task)],
    facts: { kind: 'BACKUP-TASK', phase: 'PRE', ...task },
  };
}

/** What the script after a task is given. */
export function postTaskCall(task: TaskOfScript, end: EndForScript): ScriptCall {
  return {
    args: ['BACKUP-TASK', 'POST', task.taskId, task.planName, ...argumentsOf(end), ...placeOf(task)],
    facts: { kind: 'BACKUP-TASK', phase: 'POST', ...task, ...factsOf(end) },
  };
}

/** An appliance may have written a long message; the whole of it is on standard input. */
function argumentsOf({ statusCode, message }: EndForScript): string[] {
  const text = message?.slice(0, LONGEST_MESSAGE_CHARACTERS) ?? 'NONE';
  return [statusCode, text, FUTURE_USE, FUTURE_USE];
}

/** An end as it is given may hold more than scripts are told. */
const factsOf = ({ statusCode, message }: EndForScript): EndForScript => ({ statusCode, message });

function placeOf({ action, deviceName, deviceHost, somaPort, domain }: TaskOfScript): string[] {
  return [action, deviceName, deviceHost, somaPort, domain];
}

/** As many whole tasks as an argument can hold; all of them are on standard input. */
function listOf(tasks: readonly string[]): string {
  let sizeBytes = 0;
  const count = tasks.findIndex((task) => {
    sizeBytes += Buffer.byteLength(task) + 1;
    return sizeBytes > LONGEST_ARGUMENT_BYTES;
  });
  return tasks.slice(0, count === -1 ? tasks.length : count).join('~');
}
