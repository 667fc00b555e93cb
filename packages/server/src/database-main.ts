import { runDatabaseCommand } from './transfer/run-database-command.ts';

process.exitCode = await runDatabaseCommand(process.argv.slice(2), process.env, process);
