import { exitCode } from './exit-code.ts';

/**
 * Every problem a client can meet: its HTTP status, the exit code of a command that met it, what happened, and what
 * the operator does next. `httpStatus` 0: found by the client itself, never sent by a server.
 */
export const problemCatalogue = {
  REQUEST_NOT_VALID: {
    httpStatus: 400,
    exitCode: exitCode.usage,
    sentence: 'The request does not have the shape that this call asks for.',
    remedy: 'Correct the fields that are named and send it again.',
  },
  BODY_NOT_READABLE: {
    httpStatus: 400,
    exitCode: exitCode.usage,
    sentence: 'The body of the request could not be read as JSON.',
    remedy: 'Send well-formed JSON with the content type application/json.',
  },
  CURSOR_NOT_VALID: {
    httpStatus: 400,
    exitCode: exitCode.usage,
    sentence: 'The cursor does not come from a page of this list.',
    remedy: 'Read the list again from its first page.',
  },
  NOT_AUTHORISED: {
    httpStatus: 401,
    exitCode: exitCode.notAuthorised,
    sentence: 'The call needs a token and was made without one, or with a wrong one.',
    remedy: 'Use the token of this server: the file "token" in its data directory, or STILLPOINT_TOKEN.',
  },
  ROUTE_NOT_FOUND: {
    httpStatus: 404,
    exitCode: exitCode.usage,
    sentence: 'The server has no such call.',
    remedy: 'Compare method and path with /api/v1/openapi.json of this server.',
  },
  DEVICE_NOT_FOUND: {
    httpStatus: 404,
    exitCode: exitCode.usage,
    sentence: 'There is no device of that name.',
    remedy: 'See the names with "stillpoint device list"; upper and lower case differ.',
  },
  PLAN_NOT_FOUND: {
    httpStatus: 404,
    exitCode: exitCode.usage,
    sentence: 'There is no plan of that name.',
    remedy: 'See the names with "stillpoint plan list"; upper and lower case differ.',
  },
  RUN_NOT_FOUND: {
    httpStatus: 404,
    exitCode: exitCode.usage,
    sentence: 'There is no run of that id.',
    remedy: 'See the ids with "stillpoint run list"; old runs leave the history after history.keepDays.',
  },
  TASK_NOT_FOUND: {
    httpStatus: 404,
    exitCode: exitCode.usage,
    sentence: 'There is no task of that id.',
    remedy: 'See the ids with "stillpoint run show".',
  },
  PARAMETER_NOT_FOUND: {
    httpStatus: 404,
    exitCode: exitCode.usage,
    sentence: 'There is no parameter of that name.',
    remedy: 'See the names with "stillpoint params list".',
  },
  NODE_NOT_FOUND: {
    httpStatus: 404,
    exitCode: exitCode.usage,
    sentence: 'There is no node of that name.',
    remedy: 'See the names with "stillpoint node list"; upper and lower case differ.',
  },
  ALARM_NOT_FOUND: {
    httpStatus: 404,
    exitCode: exitCode.usage,
    sentence: 'There is no alarm of that id.',
    remedy: 'See the ids with "stillpoint alarm list --all".',
  },
  NOTICE_NOT_FOUND: {
    httpStatus: 404,
    exitCode: exitCode.usage,
    sentence: 'There is no notice of that id.',
    remedy: 'See the ids with "stillpoint notice list".',
  },
  GUARD_NOT_FOUND: {
    httpStatus: 404,
    exitCode: exitCode.usage,
    sentence: 'Stillpoint has quiesced nothing of that name, so there is nothing of its own to undo.',
    remedy:
      'See what it has quiesced with "stillpoint guard list"; what somebody else quiesced is left to them.',
  },
  GUARD_ALREADY_RELEASED: {
    httpStatus: 409,
    exitCode: exitCode.refusedByCheck,
    sentence: 'It was seen running again already, so there is nothing left to undo.',
    remedy: 'See what is quiesced with "stillpoint guard list".',
  },
  GUARD_HAS_OWNER: {
    httpStatus: 409,
    exitCode: exitCode.refusedByCheck,
    sentence: 'A task that goes on has quiesced it and undoes that by itself.',
    remedy: 'Wait for the task, or have it stopped with "stillpoint guard unquiesce DEVICE --cancel-task".',
  },
  GUARD_BUSY: {
    httpStatus: 409,
    exitCode: exitCode.refusedByCheck,
    sentence: 'Another node is unquiescing it at this moment.',
    remedy: 'Look again in a moment with "stillpoint guard list".',
  },
  NOTICE_ALREADY_DELIVERED: {
    httpStatus: 409,
    exitCode: exitCode.refusedByCheck,
    sentence: 'The notice was delivered, so there is nothing to try again.',
    remedy: 'See whether the channel works with "stillpoint notify test".',
  },
  NODE_NOT_RUNNING: {
    httpStatus: 409,
    exitCode: exitCode.refusedByCheck,
    sentence: 'The node has stopped, so there is nothing that it could begin.',
    remedy: 'Start it; a node that starts is not draining.',
  },
  PLAN_NOT_RUNNABLE: {
    httpStatus: 409,
    exitCode: exitCode.refusedByCheck,
    sentence: 'The plan is disabled or has no activities, so it cannot run.',
    remedy: 'Enable the plan, give it at least one activity, and apply it again.',
  },
  RUN_ALREADY_ENDED: {
    httpStatus: 409,
    exitCode: exitCode.refusedByCheck,
    sentence: 'The run has ended already, so there is nothing to cancel.',
    remedy: 'See how it ended with "stillpoint run show".',
  },
  RUN_NOT_ENDED: {
    httpStatus: 409,
    exitCode: exitCode.refusedByCheck,
    sentence: 'The run still goes on, so it is not known yet what of it is to be repeated.',
    remedy: 'Wait for its end with "stillpoint run watch".',
  },
  NOTHING_TO_REPEAT: {
    httpStatus: 409,
    exitCode: exitCode.nothingToDo,
    sentence: 'No task of the run failed, so there is nothing to repeat.',
    remedy: 'Run the plan as a whole with "stillpoint plan run".',
  },
  STORE_PATH_NOT_SET: {
    httpStatus: 409,
    exitCode: exitCode.refusedByCheck,
    sentence: 'No store has been named yet.',
    remedy: 'Set it with "stillpoint params set store.path DIRECTORY".',
  },
  STORE_NOT_USABLE: {
    httpStatus: 409,
    exitCode: exitCode.refusedByCheck,
    sentence: 'The store is not in a state in which this can be done.',
    remedy: 'See what is wrong with "stillpoint store show".',
  },
  STORE_BUSY: {
    httpStatus: 409,
    exitCode: exitCode.refusedByCheck,
    sentence: 'The store is being scanned already.',
    remedy: 'Wait for the scan that is going on.',
  },
  BODY_TOO_LARGE: {
    httpStatus: 413,
    exitCode: exitCode.usage,
    sentence: 'The body of the request is larger than this call accepts.',
    remedy: 'Split the document into smaller ones.',
  },
  CONTENT_TYPE_NOT_SUPPORTED: {
    httpStatus: 415,
    exitCode: exitCode.usage,
    sentence: 'The body of the request is of a kind that the server does not read.',
    remedy: 'Send JSON with the content type application/json.',
  },
  DOCUMENT_REFUSED: {
    httpStatus: 422,
    exitCode: exitCode.refusedByCheck,
    sentence: 'The document has mistakes, so nothing of it was applied.',
    remedy: 'Correct the fields that are named and apply it again.',
  },
  PARAMETER_REFUSED: {
    httpStatus: 422,
    exitCode: exitCode.refusedByCheck,
    sentence: 'The value cannot be used for this parameter, so the old one stays.',
    remedy: 'Choose a value within the bounds that are named.',
  },
  INTERNAL_ERROR: {
    httpStatus: 500,
    exitCode: exitCode.someTaskFailed,
    sentence: 'The server met a mistake of its own.',
    remedy: 'Look for the request id in the log of the server and report it.',
  },
  SERVER_NOT_READY: {
    httpStatus: 503,
    exitCode: exitCode.unreachable,
    sentence: 'The server is starting, stopping, or has lost its database.',
    remedy: 'Try again in a moment; when it goes on, look into the log of the server.',
  },
  STORE_NOT_RESPONDING: {
    httpStatus: 504,
    exitCode: exitCode.refusedByCheck,
    sentence: 'The file system of the store did not answer in time.',
    remedy: 'Check the mount and the file server behind it.',
  },
  SERVER_UNREACHABLE: {
    httpStatus: 0,
    exitCode: exitCode.unreachable,
    sentence: 'The server could not be reached.',
    remedy: 'Start it with "stillpoint serve", or name another with --server or STILLPOINT_URL.',
  },
  REPLY_NOT_UNDERSTOOD: {
    httpStatus: 0,
    exitCode: exitCode.unreachable,
    sentence: 'What answered is not a Stillpoint server, or one of another version.',
    remedy: 'Check the address, and use the command and the server of the same version.',
  },
  USAGE_NOT_VALID: {
    httpStatus: 0,
    exitCode: exitCode.usage,
    sentence: 'The command was not understood.',
    remedy: 'See how it is used with --help.',
  },
  FILE_NOT_READABLE: {
    httpStatus: 0,
    exitCode: exitCode.usage,
    sentence: 'A file that was named could not be read.',
    remedy: 'Check the path and the permissions of the file.',
  },
  FILE_NOT_VALID: {
    httpStatus: 0,
    exitCode: exitCode.usage,
    sentence: 'The file has mistakes, so nothing of it was sent.',
    remedy: 'Correct the lines that are named and try again.',
  },
} as const;

/** Code of a problem that a client can meet. */
export type ProblemCode = keyof typeof problemCatalogue;
