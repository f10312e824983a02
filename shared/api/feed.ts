import * as z from "zod";

/** What a client names, and gets back, as the WebSocket's subprotocol; its ticket is named beside it, after this prefix. */
export const FEED_PROTOCOL = "partyline.feed.v1";
export const TICKET_PREFIX = "ticket.";

/** Frames that may be on their way unacknowledged; of a snapshot's parts so many. */
export const MOST_UNACKNOWLEDGED = 256;
export const MOST_PARTS_UNACKNOWLEDGED = 4;

/** Why the feed closes a socket. */
export const feedClose = {
  /** Another ticket is needed: the token was revoked or has expired. */
  unauthorized: 4401,
  /** What is sent is not acknowledged. */
  slow: 4408,
  /** The session's storage has no room for events. */
  unavailable: 1013,
} as const;

const room = z.string();
const call_id = z.string();

/** A recording that goes on. */
const goingOn = z.object({
  id: z.string(),
  state: z.enum(["in-progress", "paused"]),
  /** When it began, ms. */
  since: z.number(),
});

/** A call that was seen in a conference. */
export const feedParticipant = z.object({
  call_id,
  from: z.string(),
  role: z.string(),
  rule: z.string().nullable(),
  via: z.string().nullable(),
  joined_by: z.enum(["relay", "document"]).nullable(),
  conference_id: z.string().nullable(),
  muted: z.boolean(),
  held: z.boolean(),
  /** The call that it coaches. */
  coaching: call_id.nullable(),
  presumed_gone: z.boolean(),
  doubted: z.boolean(),
  over_capacity: z.boolean(),
  /** Since when it is there, ms. */
  since: z.number(),
});
export type FeedParticipant = z.infer<typeof feedParticipant>;

/** A caller who waits to be let in. */
export const feedWaiter = z.object({
  /** Of this wait: a call that came twice may wait twice. */
  id: z.string(),
  call_id,
  from: z.string(),
  role: z.string(),
  /** What its rule has it wait for. */
  for: z.array(z.string()),
  /** Whether an operator let it in; it may still wait for a seat. */
  admitted: z.boolean(),
  /** Since when, ms. */
  since: z.number(),
});
export type FeedWaiter = z.infer<typeof feedWaiter>;

/** What is said of a conference as such, from its first participant to its last. Rooms are named as on the wire. */
const roomHead = {
  room,
  recordings: z.array(goingOn),
  locked: z.object({ mode: z.enum(["refuse", "lobby"]), until: z.number().nullable() }).nullable(),
};
export type FeedRoomHead = z.infer<z.ZodObject<typeof roomHead>>;

/** A room with participants, or with callers who wait for it. */
export const feedRoom = z.object({
  ...roomHead,
  participants: z.array(feedParticipant),
  waiting: z.array(feedWaiter),
});
export type FeedRoom = z.infer<typeof feedRoom>;

const recorded = z.object({ room, recording: goingOn });
const recordingOver = z.object({
  room,
  recording: z.object({
    id: z.string(),
    state: z.string(),
    since: z.number(),
    ended_at: z.number().nullable(),
    duration_s: z.number().nullable(),
  }),
});
const participating = z.object({ room, participant: feedParticipant });
/** For which rooms it waited; `id` is the wait's. */
const waited = { rooms: z.array(room), id: z.string(), call_id };
const stay = z.object({ room, call_id, reason: z.string() });
const command = z.object({
  command_id: z.string(),
  action: z.string(),
  room: room.nullable(),
  call_id: call_id.nullable(),
  /** How it was seen to have taken effect; null where it failed. */
  verified_by: z.enum(["event", "rest", "session"]).nullable(),
  reason: z.string(),
});

/** What each type of event carries. */
export const feedData = {
  "room.started": z.object(roomHead),
  "room.ended": z.object({ room }),
  "room.locked": z.object({ room, mode: z.enum(["refuse", "lobby"]), until: z.number().nullable() }),
  "room.unlocked": z.object({ room }),
  "room.moderator_left": z.object({ room, action: z.string(), due_at: z.number() }),
  "room.split": z.object({ room, conference_ids: z.array(z.string()) }),
  "participant.joined": participating,
  "participant.updated": participating,
  "participant.left": stay,
  "participant.moved": z.object({ room, call_id, to: room }),
  "participant.removed": stay,
  "participant.speaking": z.object({ room, call_id, speaking: z.boolean() }),
  "lobby.waiting": z.object({ rooms: z.array(room), waiter: feedWaiter }),
  "lobby.admitted": z.object({ ...waited, room }),
  "lobby.rejected": z.object({ ...waited, why: z.string() }),
  "lobby.left": z.object(waited),
  "call.placed": z.object({
    room,
    call_id,
    from: z.string(),
    role: z.string(),
    rule: z.string().nullable(),
    via: z.string().nullable(),
  }),
  "call.refused": z.object({
    room: room.nullable(),
    call_id,
    from: z.string(),
    rule: z.string().nullable(),
    why: z.string(),
    reason: z.string(),
  }),
  "recording.started": recorded,
  "recording.paused": recorded,
  "recording.resumed": recorded,
  "recording.stopped": recordingOver,
  "recording.available": recordingOver,
  "recording.failed": recordingOver,
  "dial.updated": z.object({
    room,
    id: z.string(),
    to: z.string(),
    from: z.string(),
    state: z.string(),
    reason: z.string(),
    call_id: call_id.nullable(),
  }),
  "command.done": command,
  "command.failed": command,
  "rules.changed": z.object({ hash: z.string() }),
} as const;

export type FeedType = keyof typeof feedData;
export type FeedData<Type extends FeedType> = z.infer<(typeof feedData)[Type]>;

export const feedTypes = Object.keys(feedData) as FeedType[]; // The table is a constant: it has no other keys.

/** Those that are too many for a webhook each. */
export const FEED_ONLY: ReadonlySet<FeedType> = new Set(["participant.speaking"]);

const envelope = {
  v: z.literal(1),
  /** The tenant's own: each event has a higher one than those before it, and not always the next. */
  seq: z.number(),
  /** When it was told, ms. */
  at: z.number(),
};

/** One thing that happened, as the feed and the webhooks tell it. */
export type FeedEvent = {
  [Type in FeedType]: { v: 1; seq: number; type: Type; at: number; data: FeedData<Type> };
}[FeedType];

export const feedEvent: z.ZodType<FeedEvent> = z.discriminatedUnion("type", [
  eventOf(feedTypes[0] ?? "room.started"),
  ...feedTypes.slice(1).map(eventOf),
]) as unknown as z.ZodType<FeedEvent>; // Made from the table, whose types TypeScript does not follow through a list.

function eventOf(type: FeedType) {
  return z.object({ ...envelope, type: z.literal(type), data: feedData[type] });
}

/** What the feed says of itself: where a client stands that has just connected, or that was too far behind. */
export const feedControl = z.discriminatedUnion("type", [
  /** Nothing was missed but what follows. */
  z.object({ ...envelope, type: z.literal("resumed"), data: z.object({}) }),
  /** Events were missed for good. A snapshot follows. */
  z.object({ ...envelope, type: z.literal("gap"), data: z.object({}) }),
  /** A part of how all is as of `seq` or a moment later; events after `seq` follow the last part. */
  z.object({
    ...envelope,
    type: z.literal("snapshot"),
    data: z.object({ rooms: z.array(feedRoom), more: z.boolean() }),
  }),
]);
export type FeedControl = z.infer<typeof feedControl>;

export type FeedFrame = FeedEvent | FeedControl;

/** All that a WebSocket of the feed brings. */
export const feedFrame: z.ZodType<FeedFrame> = z.union([feedControl, feedEvent]);

/** What a client sends: how many frames it has taken since it connected. */
export const feedAck = z.object({ ack: z.int().nonnegative() });

/** The rooms that an event is about; none: it is about the whole tenant. */
export function roomsIn({ data }: FeedEvent): readonly string[] {
  if ("rooms" in data) return data.rooms;
  const rooms = "room" in data && data.room !== null ? [data.room] : [];
  return "to" in data && !("id" in data) ? [...rooms, data.to] : rooms;
}
