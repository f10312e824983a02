import { Command } from "commander";
import { type FeedEvent, type FeedFrame, type FeedRoom, roomsIn } from "../shared/api/feed.ts";
import { plainName } from "../shared/api/rooms.ts";
import type { FeedPicture } from "../shared/feed-picture.ts";
import { show, when } from "./columns.ts";
import { fail } from "./fail.ts";
import { followFeed } from "./feed-client.ts";
import { ofTenant, type TenantOptions, targetOf } from "./of-tenant.ts";
import { plain } from "./plain.ts";
import { marksOfParticipant } from "./rooms.ts";

const EXITS = "0 it was stopped (Ctrl-C), 1 the Worker refused it, 2 the Worker could not be asked.";

/** `partyline watch`: who is in which room, and then what happens, as it happens. */
export function watchCommand(): Command {
  return ofTenant(new Command("watch"), "whose rooms", EXITS)
    .description("show who is in which room, and what happens, as it happens, until Ctrl-C")
    .argument("[room]", "one room alone, as the rules spell it")
    .action(async (room: string | undefined, options: TenantOptions) => {
      const target = targetOf(options);
      const stopping = new AbortController();
      for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stopping.abort());
      // The reader has gone.
      process.stdout.once("error", () => stopping.abort());
      const shown = new Shown(target.tenant, room ?? null, options.json === true);
      const failure = await followFeed(
        target,
        {
          frame: (frame, picture) => shown.frame(frame, picture),
          lost: (why, again_ms) =>
            console.error(plain(`No connection: ${why}. Connecting again in ${again_ms} ms.`)),
        },
        stopping.signal,
      );
      if (failure !== null) fail(failure.exit_code, failure.error, options.json);
    });
}

/** What the feed tells, as it is printed: for machines each frame as it came, for people a table and then a line for each event. */
class Shown {
  readonly #tenant: string;
  readonly #room: string | null;
  readonly #isJson: boolean;

  constructor(tenant: string, room: string | null, isJson: boolean) {
    this.#tenant = tenant;
    this.#room = room;
    this.#isJson = isJson;
  }

  frame(frame: FeedFrame, picture: FeedPicture): void {
    switch (frame.type) {
      case "resumed":
        this.#say(frame, "Connected again: nothing was missed.");
        break;
      case "gap":
        this.#say(frame, "Some events were missed for good. This is how all is now:");
        break;
      case "snapshot":
        if (this.#isJson) {
          const rooms = frame.data.rooms.filter(({ room }) => this.#isShown([room]));
          console.log(JSON.stringify({ ...frame, data: { ...frame.data, rooms } }));
        } else if (!frame.data.more) this.#table(picture.rooms());
        break;
      default: {
        const about = roomsIn(frame);
        if (!this.#isShown(about)) break;
        const at = new Date(frame.at).toISOString().slice(11, 19);
        const named = about.map((room) => plainName(this.#tenant, room)).join(", ");
        this.#say(frame, `${at}  ${named === "" ? "" : `${named}: `}${wordsOf(frame, this.#tenant)}`);
      }
    }
  }

  #say(frame: FeedFrame, words: string): void {
    console.log(this.#isJson ? JSON.stringify(frame) : plain(words));
  }

  #isShown(rooms: readonly string[]): boolean {
    return (
      this.#room === null ||
      rooms.some((room) => room === this.#room || plainName(this.#tenant, room) === this.#room)
    );
  }

  #table(all: readonly FeedRoom[]): void {
    const rooms = all.filter(({ room }) => this.#isShown([room]));
    if (rooms.length === 0) {
      console.log("Nobody is in a room, or waits for one.");
      return;
    }
    const rows = rooms.flatMap(({ room, locked, recordings, participants, waiting }) => {
      const name = plainName(this.#tenant, room);
      const marks = [
        ...(locked === null ? [] : [locked.mode === "lobby" ? "locked (lobby)" : "locked"]),
        ...recordings.map(({ state }) => (state === "paused" ? "recording paused" : "recorded")),
      ];
      return [
        ...(marks.length === 0 ? [] : [[name, "", "", "", "", marks.join(", ")]]),
        ...participants.map((one) => [
          name,
          one.call_id,
          one.from,
          one.role,
          when(new Date(one.since).toISOString()),
          marksOfParticipant(one).join(", "),
        ]),
        ...waiting.map((one) => [
          name,
          one.call_id,
          one.from,
          one.role,
          when(new Date(one.since).toISOString()),
          `waits for ${one.for.join(", ")}`,
        ]),
      ];
    });
    show([["room", "call", "from", "role", "since", ""], ...rows]);
  }
}

/** An event in words, without its room. */
function wordsOf(event: FeedEvent, tenant: string): string {
  switch (event.type) {
    case "room.started":
      return "the conference begins";
    case "room.ended":
      return "the conference is over";
    case "room.locked":
      return event.data.mode === "lobby" ? "locked, callers wait in the lobby" : "locked";
    case "room.unlocked":
      return "unlocked";
    case "room.moderator_left":
      return `the last moderator has left; ${event.data.action} at ${when(new Date(event.data.due_at).toISOString())}`;
    case "room.split":
      return `two conferences live under the name: ${event.data.conference_ids.join(", ")}`;
    case "participant.joined": {
      const { call_id, from, role } = event.data.participant;
      return `${call_id} joined, ${from}, ${role}`;
    }
    case "participant.updated": {
      const { participant } = event.data;
      return `${participant.call_id} is ${marksOfParticipant(participant).join(", ") || "heard by all"}`;
    }
    case "participant.left":
      return `${event.data.call_id} left (${event.data.reason})`;
    case "participant.removed":
      return `${event.data.call_id} was removed (${event.data.reason})`;
    case "participant.moved":
      return `${event.data.call_id} was moved to ${plainName(tenant, event.data.to)}`;
    case "participant.speaking":
      return `${event.data.call_id} ${event.data.speaking ? "speaks" : "is silent"}`;
    case "lobby.waiting": {
      const { call_id, from, for: what } = event.data.waiter;
      return `${call_id} waits for ${what.join(", ")}, ${from}`;
    }
    case "lobby.admitted":
      return `${event.data.call_id} waits no longer: let into ${plainName(tenant, event.data.room)}`;
    case "lobby.rejected":
      return `${event.data.call_id} waits no longer: ${event.data.why}`;
    case "lobby.left":
      return `${event.data.call_id} waits no longer: the caller left`;
    case "call.placed":
      return `${event.data.call_id} is on its way, ${event.data.from}, rule ${event.data.rule ?? "none"}`;
    case "call.refused":
      return `${event.data.call_id} was refused (${event.data.why}), ${event.data.from}`;
    case "recording.started":
    case "recording.paused":
    case "recording.resumed":
    case "recording.stopped":
    case "recording.available":
    case "recording.failed":
      return `recording ${event.data.recording.id} ${event.type.slice("recording.".length)}`;
    case "dial.updated":
      return `dial ${event.data.id} to ${event.data.to}: ${event.data.state}`;
    case "command.done":
      return `${event.data.action} done (seen by ${event.data.verified_by ?? "nothing"})`;
    case "command.failed":
      return `${event.data.action} failed: ${event.data.reason}`;
    case "rules.changed":
      return `rules ${event.data.hash.slice(0, 12)} serve`;
    default:
      // A type that is newer than this program is not read at all.
      return event satisfies never;
  }
}
