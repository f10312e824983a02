import type { Chores } from "./chores.ts";
import type { ConferenceEvents } from "./conference-events.ts";
import type { Counters } from "./counters.ts";
import type { Errands } from "./errands.ts";
import type { Health } from "./health.ts";
import type { Journal } from "./journal.ts";
import type { KeptSeats } from "./kept-seats.ts";
import type { Line } from "./line.ts";
import type { Link } from "./link.ts";
import type { Observations } from "./observations.ts";
import type { Placements } from "./placements.ts";
import type { WalkDecider } from "./walk-decider.ts";
import type { Walks } from "./walks.ts";

/** What walking a call needs of the session. */
export interface WalkerHost {
  walks: Walks;
  decider: WalkDecider;
  placements: Placements;
  errands: Errands;
  chores: Chores;
  health: Health;
  events: Pick<ConferenceEvents, "isProved" | "mayBeTakenOut">;
  counters: Counters;
  journal: Journal;
  observations: Observations;
  line: Line;
  kept: Pick<KeptSeats, "isPromised">;
  link: Link;
}
