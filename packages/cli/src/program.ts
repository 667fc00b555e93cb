import { Command, Option } from 'commander';
import { alarmAcknowledge } from './commands/alarm-acknowledge.ts';
import { alarmList } from './commands/alarm-list.ts';
import { apply } from './commands/apply.ts';
import { backupList } from './commands/backup-list.ts';
import { databaseExport } from './commands/database-export.ts';
import { databaseImport } from './commands/database-import.ts';
import { deviceList } from './commands/device-list.ts';
import { deviceTest } from './commands/device-test.ts';
import { guardList } from './commands/guard-list.ts';
import { guardUnquiesce } from './commands/guard-unquiesce.ts';
import { nodeDrain } from './commands/node-drain.ts';
import { nodeList } from './commands/node-list.ts';
import { nodeResume } from './commands/node-resume.ts';
import { noticeList } from './commands/notice-list.ts';
import { noticeRetry } from './commands/notice-retry.ts';
import { notifyTest } from './commands/notify-test.ts';
import { paramsExplain } from './commands/params-explain.ts';
import { paramsGet } from './commands/params-get.ts';
import { paramsHistory } from './commands/params-history.ts';
import { paramsList } from './commands/params-list.ts';
import { paramsSet } from './commands/params-set.ts';
import { planCalendar } from './commands/plan-calendar.ts';
import { planList } from './commands/plan-list.ts';
import { planPreview } from './commands/plan-preview.ts';
import { planRun } from './commands/plan-run.ts';
import { planShow } from './commands/plan-show.ts';
import { runCancel } from './commands/run-cancel.ts';
import { runList } from './commands/run-list.ts';
import { runRerun } from './commands/run-rerun.ts';
import { runShow } from './commands/run-show.ts';
import { runStart } from './commands/run-start.ts';
import { runWatch } from './commands/run-watch.ts';
import { scriptList } from './commands/script-list.ts';
import { scriptTest } from './commands/script-test.ts';
import { serve } from './commands/serve.ts';
import { simulator } from './commands/simulator.ts';
import { storeInit } from './commands/store-init.ts';
import { storeRescan } from './commands/store-rescan.ts';
import { storeShow } from './commands/store-show.ts';
import { taskShow } from './commands/task-show.ts';
import type { SharedOptions } from './connection.ts';
import { type CommandDefinition, invocationOf } from './invocation.ts';
import type { Surroundings } from './surroundings.ts';

const helpText = `
Exit codes:
  0 ok   1 some task failed   2 usage   3 nothing to do   4 refused by a check
  5 not authorised   6 unreachable   130 stopped watching by Ctrl-C

Examples:
  stillpoint serve
  stillpoint apply -f plans.yaml --dry-run
  stillpoint plan preview nightly
  stillpoint run nightly --wait
  stillpoint run list --status FAILED --json

The server is the one named by --server or STILLPOINT_URL, else the one that runs on the data directory (--data,
STILLPOINT_DATA, or stillpoint in the user's data directory). The token is read from --token-file, STILLPOINT_TOKEN, or
the file "token" of the data directory; it is never given as an argument, where every user of the machine could see it.`;

const groups: readonly (readonly [noun: string, summary: string, commands: readonly CommandDefinition[]])[] =
  [
    ['device', 'the appliances that are backed up', [deviceList, deviceTest]],
    ['plan', 'what to back up, and when', [planList, planShow, planPreview, planCalendar, planRun]],
    ['run', 'executions of plans', [runStart, runList, runShow, runWatch, runCancel, runRerun]],
    ['task', 'what a run does on one device', [taskShow]],
    ['backup', 'what has been stored', [backupList]],
    ['params', 'system parameters', [paramsList, paramsGet, paramsExplain, paramsSet, paramsHistory]],
    ['store', 'where backups are kept', [storeShow, storeInit, storeRescan]],
    ['script', 'programs of yours that run before and after plans and tasks', [scriptList, scriptTest]],
    ['database', 'all that Stillpoint remembers, as a file', [databaseExport, databaseImport]],
    ['guard', 'what is quiesced by Stillpoint', [guardList, guardUnquiesce]],
    ['alarm', 'what is wrong and wants a human', [alarmList, alarmAcknowledge]],
    ['notice', 'what is told by mail, syslog and webhook', [noticeList, noticeRetry]],
    ['notify', 'the channels that notices take', [notifyTest]],
    ['node', 'the servers that share a database', [nodeList, nodeDrain, nodeResume]],
  ];

/** The whole command line; `ended` is told the exit code of the command that ran. */
export function program(
  surroundings: Surroundings,
  version: string,
  ended: (exitCode: number) => void,
): Command {
  const root = new Command('stillpoint')
    .description('Backs up fleets of IBM DataPower gateways and never leaves one quiesced.')
    .version(version)
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      writeOut: surroundings.writeOut,
      writeErr: surroundings.writeError,
      // A mistake of usage is printed like any other problem, by whoever catches it.
      outputError: () => {},
    })
    .addHelpText('after', helpText);
  addSharedOptions(root);
  for (const definition of [serve, simulator, apply]) addCommand(root, definition, surroundings, ended);
  for (const [noun, summary, commands] of groups) {
    const group = root.command(noun).summary(summary).description(summary);
    for (const definition of commands) addCommand(group, definition, surroundings, ended);
  }
  return root;
}

function addSharedOptions(command: Command): void {
  command
    .option('--json', 'print JSON, problems too')
    .option('--server <url>', 'address of the server')
    .option('--data <directory>', 'data directory of the server on this machine')
    .option('--token-file <file>', 'file that holds the token of the server');
}

function addCommand(
  parent: Command,
  definition: CommandDefinition,
  surroundings: Surroundings,
  ended: (exitCode: number) => void,
): void {
  const { syntax, summary, examples, flags = [], isDefault = false, passesThrough = false, run } = definition;
  const command = parent.command(syntax, { isDefault }).summary(summary).description(summary);
  for (const { flag, meaning, isRequired = false, parse } of flags) {
    const option = new Option(flag, meaning).makeOptionMandatory(isRequired);
    command.addOption(parse === undefined ? option : option.argParser(parse));
  }
  if (passesThrough) command.passThroughOptions().allowUnknownOption().helpOption(false);
  else addSharedOptions(command);
  if (examples.length > 0)
    command.addHelpText('after', `\nExamples:\n${examples.map((line) => `  ${line}`).join('\n')}`);
  command.action(async (...given: unknown[]) => {
    const own = command.opts<Record<string, unknown>>();
    const invocation = invocationOf(command.optsWithGlobals<SharedOptions>(), surroundings);
    const args = given.slice(0, -2).flat() as string[];
    ended(await run(invocation, args, own));
  });
}
