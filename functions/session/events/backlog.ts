import { describeError, log } from "../../log.ts";

/** Participants that are seen to in one turn. */
export const AT_ONCE = 6;

/** A slice of work before each `yield`, and after the last. */
export type Job = Generator<void, void, void>;

/**
 * Backlog — what an event gives cause for and is too much for its turn: the first slice is done in it, the others each in a turn
 * of their own, by the timer that runs pending commands.
 */
export class Backlog {
  readonly #jobs: Job[] = [];

  begin(job: Job): void {
    if (!isDone(job)) this.#jobs.push(job);
  }

  /** Of a job that another incarnation left: its first slice waits for its turn, too. */
  queue(job: Job): void {
    this.#jobs.push(job);
  }

  get isEmpty(): boolean {
    return this.#jobs.length === 0;
  }

  /** Does one slice of the oldest job. */
  work(): void {
    const [job] = this.#jobs;
    if (job && isDone(job)) this.#jobs.shift();
  }
}

/** A job that broke is over: its event was acted upon as far as could be. */
function isDone(job: Job): boolean {
  try {
    return job.next().done === true;
  } catch (error) {
    log("error", "backlog.broke", { error: describeError(error) });
    return true;
  }
}

/** Rows a turn at a time; null: the turn is over. */
export function* inSlices<T>(rows: readonly T[]): Generator<T | null> {
  for (const [index, row] of rows.entries()) {
    if (index > 0 && index % AT_ONCE === 0) yield null;
    yield row;
  }
}
