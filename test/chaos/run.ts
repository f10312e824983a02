import { type Environment, type LogLine, type Staged, setUpEnvironment } from "./environment.ts";
import { type Verdict, verdictOf } from "./figures.ts";
import type { Plan } from "./plan.ts";
import { play } from "./player.ts";
import { recordsOf } from "./records.ts";
import { recordingStoryOf, storyOf } from "./story.ts";

/** Stories told in full; of the other offenders the id is enough to find theirs in a run of the same seed. */
const STORIES = 12;

/** A run that is over, with what its offenders went through. */
export interface Finished extends Verdict {
  plan: Plan;
  stories: string[];
}

/**
 * Carries out several plans against one Worker, so many side by side, and gives what came of them in the plans' order.
 * @param over told of each as soon as it is over.
 */
export async function run(
  plans: readonly Plan[],
  side_by_side = plans.length,
  over: (finished: Finished) => void = () => {},
): Promise<Finished[]> {
  const environment = await setUpEnvironment(plans);
  try {
    const finished: Finished[] = [];
    const left = [...environment.staged.entries()];
    const playOn = async () => {
      for (let next = left.shift(); next; next = left.shift()) {
        const [index, one] = next;
        const done = await playOne(environment, one);
        finished[index] = done;
        over(done);
      }
    };
    await Promise.all(Array.from({ length: side_by_side }, playOn));
    return finished;
  } finally {
    await environment.close();
  }
}

async function playOne(environment: Environment, staged: Staged): Promise<Finished> {
  await environment.open(staged);
  const played = await play(staged, environment.worker.url);
  const verdict = verdictOf(played, recordsOf(played), flaggedIn(environment.log));
  const told = verdict.offenders.map((offender, index) =>
    index < STORIES
      ? storyOf(played, offender, environment.log)
      : `${offender.crimes.join(", ")}: call ${offender.record.planned.call_id}, seed ${played.plan.seed}`,
  );
  const recordings = verdict.untold.map((recording) => recordingStoryOf(played, recording, environment.log));
  return { ...verdict, plan: played.plan, stories: [...verdict.complaints, ...told, ...recordings] };
}

/** Calls of which the Worker said that they joined over capacity. */
function flaggedIn(log: readonly LogLine[]): Set<string> {
  return new Set(
    log
      .filter(({ line }) => line.includes('"seats.over_capacity"'))
      .map(({ line }) => (JSON.parse(line) as { call: string }).call), // As the Worker's log has it.
  );
}
