import { log } from "../log.ts";
import type { Alarm } from "./alarm.ts";
import type { ConferenceEvents } from "./conference-events.ts";
import type { Counters } from "./counters.ts";
import { isBeingPutBack, runErrands } from "./errand-runner.ts";
import type { Errands } from "./errands.ts";
import type { Health } from "./health.ts";
import type { Journal } from "./journal.ts";
import type { Line } from "./line.ts";
import type { Link } from "./link.ts";
import type { Placement, Placements } from "./placements.ts";
import type { Rooms } from "./rooms.ts";

/** An errand that is due is being done: the alarm for it comes no sooner than this, lest alarm follow alarm. */
const BACKSTOP_MS = 1_000;
/** A call that was not seen in its room so long after its deadline is looked for. */
const UNCONFIRMED_MS = 10_000;

interface ChoresHost {
  errands: Errands;
  placements: Placements;
  rooms: Rooms;
  events: ConferenceEvents;
  health: Health;
  counters: Counters;
  journal: Journal;
  link: Link;
  line: Line;
  alarm: Alarm;
}

/** What the session does for calls that no webhook waits for: errands when they are due, and the ledger put right by REST. */
export class Chores {
  readonly #host: ChoresHost;
  #timer: { due: number; id: ReturnType<typeof setTimeout> } | null = null;

  constructor(host: ChoresHost) {
    this.#host = host;
  }

  /** What was added now is done now, or by a timer when it is due; the alarm stands behind that, should we vanish. */
  start(): void {
    if (this.#host.errands.wereAdded()) void this.run();
  }

  /** Whether anything is still to be done, now or later. */
  get arePending(): boolean {
    return this.#host.errands.nextDue() !== null;
  }

  /** Events are not replayed: after a gap, and while it lasts, REST is asked about whomever one may have passed by. */
  verifyWhereabouts(): void {
    const { rooms, errands, link } = this.#host;
    for (const row of rooms.inDoubt(Date.now() - UNCONFIRMED_MS, link.readySince)) {
      if (!isBeingPutBack(row)) errands.add("verify", row, row.node_id);
    }
    this.start();
  }

  async run(): Promise<void> {
    const { errands, placements, health, journal, link, line } = this.#host;
    await runErrands({
      errands,
      placements,
      health,
      line,
      found: (row) => this.#found(row),
      left: (row) => this.#leftUnseen(row),
      told: (row, deed, by, said) => journal.deed(row, { deed, by, said }),
      now: Date.now,
      connection: () => link.ready,
      project: () => link.project(),
    });
    this.#schedule();
  }

  #schedule(): void {
    const due = this.#host.errands.nextDue();
    if (due === null) return;
    this.#host.alarm.arm(Math.max(BACKSTOP_MS, due - Date.now()));
    if (this.#timer && this.#timer.due <= due) return;
    if (this.#timer) clearTimeout(this.#timer.id);
    const id = setTimeout(
      () => {
        this.#timer = null;
        void this.run();
      },
      Math.max(0, due - Date.now()),
    );
    this.#timer = { due, id };
  }

  #found(row: Placement): void {
    const { placements, counters } = this.#host;
    if (row.state !== "joined") {
      counters.add("repaired_joins");
      placements.move(row, "joined", {
        joined_by: row.joined_by ?? "relay",
        reason: "REST found the call",
      });
    }
    placements.update(row, { verified_at: Date.now() });
  }

  /** REST does not find the call in its room, and no event said why. */
  #leftUnseen(row: Placement): void {
    const { placements, errands, events, counters, line } = this.#host;
    // It may hear music still: then it is fetched anew, and else found to be gone.
    if (line.takeBack(row)) return;
    counters.add("repaired_leaves");
    log("info", "ledger.repaired", { call: row.call_id, room: row.room, was: row.state });
    if (row.state !== "joined") {
      // Never seen there, and never came back: the caller hung up, most likely. If not, nothing else would end the call.
      if (placements.move(row, "left", { reason: "REST: not in its room" }) && row.joined_by === "relay") {
        errands.add("end", row, row.node_id);
      }
      return;
    }
    const { room: name, conference_id } = row;
    events.change(row, { happened: "left", ended_by: null, name, conference_id, ts: null });
  }
}
