import type { Conference, Participant } from "./conferences.ts";
import type { Project } from "./project.ts";

export type CompatibilityStatus = "init" | "in-progress" | "completed";

/** What the compatibility API knows of a conference. */
export interface ShownConference {
  readonly conference: Conference;
  readonly status: CompatibilityStatus;
  /** Null: it is listed, and its participants are not found. */
  readonly participants: readonly ShownParticipant[] | null;
}

export interface ShownParticipant {
  readonly participant: Participant;
  readonly status: "in-progress" | "completed";
}

/** The moment that reads show, on the project's clock: now, or as late as lists are. */
export function shownMoment(project: Project, method: string): number {
  const lag_ms = method === "GET" ? project.switches.rest_list_lag_ms : 0;
  return project.clock.now() - lag_ms;
}

/** Null where the API does not know the conference: no participant that it lists is in it, or was. */
export function shownConference(
  project: Project,
  conference: Conference,
  at: number,
): ShownConference | null {
  const then = conference.asOf(at);
  if (then === null) return null;
  const isListed = ({ via }: Participant) => listsJoins(project, via);
  const present = then.present.filter(isListed);
  const left = then.left.filter(isListed);
  if ((then.state === "ended" ? left : present).length === 0) return null;
  const before = project.switches.completed_participants_listed ? left : [];
  return {
    conference,
    status: compatibilityStatus(project, then.state),
    participants: foundParticipants(project, [
      ...before.map((participant) => ({ participant, status: "completed" as const })),
      ...present.map((participant) => ({ participant, status: "in-progress" as const })),
    ]),
  };
}

export function compatibilityStatus({ switches }: Project, state: Conference["state"]): CompatibilityStatus {
  switch (state) {
    case "waiting":
      return switches.rest_status_while_waiting;
    case "started":
      return "in-progress";
    case "ended":
      return "completed";
  }
}

function listsJoins({ switches }: Project, via: Participant["via"]): boolean {
  switch (via) {
    case "relay":
      return switches.rest_lists_relay_joins;
    case "swml":
      return switches.rest_lists_swml_joins;
    case "cxml":
      return true;
  }
}

function foundParticipants(
  { switches }: Project,
  listed: readonly ShownParticipant[],
): readonly ShownParticipant[] | null {
  switch (switches.participants_of_listed_conference) {
    case "all":
      return listed;
    case "404":
      return null;
    case "empty":
      return [];
    case "cxml_only":
      return listed.filter(({ participant }) => participant.via === "cxml");
  }
}
