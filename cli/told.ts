import type { ApiAnswer } from "../shared/api/client.ts";
import type { Operation } from "../shared/api/endpoints.ts";
import { refusalSchema } from "../shared/api/refusal.ts";
import { type Failure, unexpected, type WorkerAnswer } from "./ask-worker.ts";
import type { Target } from "./ruleset-api.ts";

/** What an operation tells if it is not refused. */
export type Told<O extends Operation> = Extract<ApiAnswer<O>, { status: 200 | 201 | 202 | 204 }>["data"];

/** Why nothing was told, and with which code the command ends. */
export interface NotTold {
  exit_code: 1 | 2;
  error: { code: string; message: string };
}

/** The answer's data; or 1: the Worker refused it, 2: it could not be asked. */
export function told<O extends Operation>(
  { url }: Pick<Target, "url">,
  answer: WorkerAnswer<O> | Failure,
): { data: Told<O> } | NotTold {
  if (!answer.ok) return { exit_code: 2, error: answer.error };
  // By the schema of this status.
  if (answer.status < 400 && answer.told !== null) return { data: answer.told.data as Told<O> };
  const refusal = refusalSchema.safeParse(answer.json);
  if (refusal.success && answer.status >= 400 && answer.status < 500)
    return { exit_code: 1, error: refusal.data.error };
  return { exit_code: 2, error: unexpected(url, answer).error };
}
