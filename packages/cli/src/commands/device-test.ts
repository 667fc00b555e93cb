import { type DeviceTest, exitCode } from '@stillpoint/contract';
import { type CommandDefinition, showAnswer } from '../invocation.ts';
import { printable } from '../printable.ts';
import { textFacts, textTable } from '../text-table.ts';

/** `device test`: looks whether a device can be backed up. */
export const deviceTest: CommandDefinition = {
  syntax: 'test <name>',
  summary: 'look whether a device can be backed up, and say what is wrong (exit code 4 when it cannot)',
  examples: ['stillpoint device test QA1'],
  run: (invocation, [name = '']) =>
    showAnswer(
      invocation,
      (client) => client.testDevice({ params: { name } }),
      testText,
      ({ isUsable }) => (isUsable ? exitCode.ok : exitCode.refusedByCheck),
    ),
};

function testText(test: DeviceTest): string {
  const clock = test.clockDifferenceMs === null ? null : `${(test.clockDifferenceMs / 1000).toFixed(1)} s`;
  const facts = textFacts([
    ['Model', test.model],
    ['Serial', test.serial],
    ['Firmware', test.firmwareVersion],
    ['Backup mode', test.backupMode],
    ['Clock difference', clock],
    ['Domains', test.domains.length === 0 ? null : test.domains.join(', ')],
  ]);
  const checks = textTable(
    ['CHECK', 'OUTCOME', 'FINDING'],
    test.checks.map(({ name, outcome, sentence }) => [name, outcome, sentence]),
  );
  return `${printable(test.sentence)}\n\n${facts}\n\n${checks}`;
}
