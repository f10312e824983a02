import type { Call } from "../carrier/calls.ts";
import type { Project } from "../carrier/project.ts";
import { ADMIN_TOKEN, type Staged } from "./environment.ts";
import { type CallAct, LOCKED_MS, type RoomAct } from "./operators.ts";

/** What the Worker answered to one act, and what was so then by the carrier's own word. */
export interface Operated {
  act: CallAct | RoomAct;
  /** The wire name of the room that was asked about. */
  room: string;
  asked_at: number;
  answered_at: number;
  /** Null: no answer came. */
  status: number | null;
  /** What the answer says of the command, or of the refusal. */
  said: string;
  /** Null: nothing could be seen of it. */
  was_so: boolean | null;
}

const ANSWER_MS = 25_000;

/** Operating — operators at work in a run: asks the API for what is planned, and looks whether what it says was done is so. */
export class Operating {
  readonly #staged: Staged;
  readonly #worker_url: string;
  readonly #operated: Operated[] = [];
  readonly #under_way = new Set<Promise<void>>();

  constructor(staged: Staged, worker_url: string) {
    this.#staged = staged;
    this.#worker_url = worker_url;
  }

  ask(act: CallAct | RoomAct): void {
    const asked = this.#ask(act).catch(() => {});
    this.#under_way.add(asked);
    void asked.finally(() => this.#under_way.delete(asked));
  }

  async stop(): Promise<Operated[]> {
    await Promise.all(this.#under_way);
    return this.#operated;
  }

  async #ask(act: CallAct | RoomAct): Promise<void> {
    const project = this.#staged.projects[act.project];
    if (!project) return;
    const call = "call_id" in act ? project.calls.get(act.call_id) : undefined;
    const room = "call_id" in act ? call?.conference?.settings.name : `${act.tenant}:${act.room}`;
    // The caller has hung up or was moved meanwhile.
    if (room === undefined || !room.startsWith(`${act.tenant}:`)) return;
    const { path, method, body } = requestOf(act, room.slice(act.tenant.length + 1));
    const asked_at = Date.now();
    const before = staysIn(project, room);
    const seq = project.journal.seq;
    const wasSo = "call_id" in act && stateIn(act, call);
    const operated: Operated = {
      act,
      room,
      asked_at,
      answered_at: asked_at,
      status: null,
      said: "",
      was_so: null,
    };
    this.#operated.push(operated);
    try {
      const response = await fetch(`${this.#worker_url}/api/tenants/${act.tenant}/${path}`, {
        method,
        headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(ANSWER_MS),
      });
      operated.status = response.status;
      operated.said = (await response.text()).slice(0, 600);
    } catch (error) {
      operated.said = error instanceof Error ? error.message : String(error);
    }
    operated.answered_at = Date.now();
    operated.was_so =
      "call_id" in act ? wasSo || isSo(project, act, call, seq) : isRoomSo(project, act, room, before);
  }
}

function requestOf(act: CallAct | RoomAct, room: string): { path: string; method: string; body: object } {
  const conference = `conferences/${encodeURIComponent(room)}`;
  if (!("call_id" in act)) {
    const lock = { until: Date.now() + LOCKED_MS };
    if (act.act === "end") return { path: `${conference}/end`, method: "POST", body: { lock_s: 0 } };
    const method = act.act === "lock" ? "PUT" : "DELETE";
    return { path: `${conference}/lock`, method, body: act.act === "lock" ? lock : {} };
  }
  const path = `${conference}/participants/${act.call_id}`;
  switch (act.act) {
    case "mute":
    case "unmute":
      return { path, method: "PATCH", body: { muted: act.act === "mute" } };
    case "hold":
    case "unhold":
      return { path, method: "PATCH", body: { held: act.act === "hold" ? {} : false } };
    case "remove":
      return { path, method: "DELETE", body: {} };
    case "move":
      return { path: `${path}/move`, method: "POST", body: { to: act.to } };
  }
}

const TOLD = {
  mute: "participant-mute",
  unmute: "participant-unmute",
  hold: "participant-hold",
  unhold: "participant-unhold",
} as const;

/** Whether a participant's flag is by now as it is wanted. */
function stateIn({ act }: CallAct, call: Call | undefined): boolean {
  const now = call?.conference?.participants.get(call.call_id);
  if (!now || act === "remove" || act === "move") return false;
  const wanted = act === "mute" || act === "hold";
  return (act === "mute" || act === "unmute" ? now.muted : now.hold) === wanted;
}

/** It is so, or was since it was asked for; a call that is over or elsewhere by now may have been. */
function isSo(project: Project, asked: CallAct, call: Call | undefined, seq: number): boolean {
  const { act, tenant, to } = asked;
  if (!call) return false;
  if (act === "remove") return call.over || call.joins.some(({ left_seq }) => (left_seq ?? 0) > seq);
  if (act === "move")
    return call.joins.some(
      ({ conference, seq: joined }) => conference === `${tenant}:${to}` && joined >= seq,
    );
  if (stateIn(asked, call)) return true;
  return project.journal
    .after(seq, "conference")
    .some((entry) => entry["call_id"] === call.call_id && entry["status"] === TOLD[act]);
}

/** Who was in the room when its end was asked for is not in it any more; of a lock nothing is to be seen. */
function isRoomSo(
  project: Project,
  { act }: RoomAct,
  room: string,
  before: readonly string[],
): boolean | null {
  if (act !== "end") return null;
  const now = new Set(staysIn(project, room));
  return before.every((stay) => !now.has(stay));
}

/** Each call that is in the room, by the join that brought it there. */
function staysIn(project: Project, room: string): string[] {
  return project
    .conferencesNamed(room)
    .flatMap(({ participants }) =>
      [...participants.values()].map(({ leg, joined_at }) => `${leg.call_id} ${joined_at}`),
    );
}
