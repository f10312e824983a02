import { type Verdict, verdictOf } from "./figures.ts";
import type { Plan } from "./plan.ts";
import { play } from "./player.ts";
import { recordsOf } from "./records.ts";
import { type LogLine, setStage } from "./stage.ts";
import { storyOf } from "./story.ts";

/** Stories told in full; of the other offenders the id is enough to find theirs in a run of the same seed. */
const STORIES = 12;

/** A run that is over, with what its offenders went through. */
export interface Finished extends Verdict {
  plan: Plan;
  stories: string[];
}

/** Carries out several plans side by side against one Worker. */
export async function run(plans: readonly Plan[]): Promise<Finished[]> {
  const stage = await setStage(plans);
  try {
    const played = await Promise.all(stage.staged.map((one) => play(one, stage.worker.url)));
    const flagged = flaggedIn(stage.log);
    return played.map((one) => {
      const verdict = verdictOf(one, recordsOf(one), flagged);
      const told = verdict.offenders.map((offender, index) =>
        index < STORIES
          ? storyOf(one, offender, stage.log)
          : `${offender.crimes.join(", ")}: call ${offender.record.planned.call_id}, seed ${one.plan.seed}`,
      );
      return { ...verdict, plan: one.plan, stories: [...verdict.complaints, ...told] };
    });
  } finally {
    await stage.close();
  }
}

/** Calls of which the Worker said that they joined over capacity. */
function flaggedIn(log: readonly LogLine[]): Set<string> {
  return new Set(
    log
      .filter(({ line }) => line.includes('"seats.over_capacity"'))
      .map(({ line }) => (JSON.parse(line) as { call: string }).call), // As the Worker's log has it.
  );
}
