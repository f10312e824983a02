import type { EventParts } from "./compose-events.ts";
import type { Base, Upkeep } from "./compose-upkeep.ts";
import type { Notices } from "./events/recording-notices.ts";
import type { Feed } from "./feed/feed.ts";
import { ConferenceControl } from "./operator/conference-control.ts";
import { Control } from "./operator/controls.ts";
import { LegRecordings } from "./operator/leg-recordings.ts";
import { Moderation } from "./operator/moderation.ts";
import { Move } from "./operator/move.ts";
import { ParticipantControls } from "./operator/participant-controls.ts";
import { Reach } from "./operator/reach.ts";
import { RoomControls } from "./operator/room-controls.ts";
import { RunningCommands } from "./operator/running-commands.ts";
import { Sightings } from "./operator/sightings.ts";
import { tellCommand } from "./operator/tell-commands.ts";

import { NoticeUrls } from "./relay/notice-urls.ts";

/** What operators do to live calls and rooms, and what has to hear of events for that. */
export interface OperatorParts {
  control: Control;
  conferenceControl: ConferenceControl;
  sightings: Sightings;
  roomControls: RoomControls;
  moderation: Moderation;
  legs: LegRecordings;
}

/**
 * Builds operators' controls. Used by the session.
 * @param asked told of each command, by its project.
 */
export function composeOperators(
  { tables, relayManager, scheduler }: Base,
  { dropped }: EventParts,
  { corrections, dispatcher }: Upkeep,
  {
    feed,
    notices,
    credentials_key,
    asked,
  }: {
    feed: Feed;
    notices: Notices;
    credentials_key: string | undefined;
    asked(project_id: string): void;
  },
): OperatorParts {
  const now = Date.now;
  const sightings = new Sightings(now);
  const running = new RunningCommands(
    tables.controls,
    tables.history,
    (command, tenant) => tellCommand(feed, tenant, command),
    now,
  );
  const urls = new NoticeUrls(relayManager, credentials_key, now);
  const reach = new Reach({ ...tables, relayManager, urls }, credentials_key, now);
  const controlled = { ...tables, dropped, corrections, reach, running, sightings, now };
  const participants = new ParticipantControls(controlled);
  const legs = new LegRecordings({ ...controlled, notices, due: () => dispatcher.recordingsChanged() });
  const rooms = new RoomControls({
    ...controlled,
    participants,
    legs,
    opensAt: (room, at) => moderation.opensAt(room, at),
  });
  const moderation: Moderation = new Moderation({
    ...controlled,
    rooms,
    feed,
    rescheduled: () => scheduler.changed(moderation),
  });
  const conferenceControl = new ConferenceControl({
    ...controlled,
    participants,
    rooms,
    moves: new Move(controlled),
    legs,
    asked,
  });
  return {
    control: new Control({ ...tables, dispatcher }),
    conferenceControl,
    sightings,
    roomControls: rooms,
    moderation,
    legs,
  };
}
