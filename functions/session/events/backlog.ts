import { describeError, log } from "../../log.ts";

/** Participants handled in one turn. */
export const AT_ONCE = 6;

/** A slice of work before each `yield`, and after the last. */
export type Job = Generator<void, void, void>;

/**
 * Backlog — work that is too much for the turn of its event: the first slice is done in that turn, each other slice in a turn of
 * its own, by the timer that runs pending commands. Used for events.
 */
export class Backlog {
  readonly #jobs: Job[] = [];

  begin(job: Job): void {
    if (!isDone(job)) this.#jobs.push(job);
  }

  /** For a job left by an object that was lost: its first slice waits for a turn too. */
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

/** A job that threw is over: the rest of it is lost, and logged. */
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
