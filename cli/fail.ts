import { plain } from "./plain.ts";

/** Ends a command that could not do its work: one line for people, one JSON object for machines. */
export function fail(
  exit_code: 1 | 2,
  error: { code: string; message: string },
  json: true | undefined,
): void {
  process.exitCode = exit_code;
  if (json) console.log(JSON.stringify({ ok: false, error }));
  else console.error(`error: ${plain(error.message)}`);
}
