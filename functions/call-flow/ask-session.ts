import type { Placing } from "../../shared/placing.ts";
import { describeError, log } from "../log.ts";
import type { PinsClosed, PinVerdict } from "../session/contract/pins.ts";
import {
  CONTRACT_VERSION,
  type LookReply,
  type LookRequest,
  type PlacementKey,
  type PlaceReply,
  type PlaceRequest,
} from "../session/contract/placement.ts";
import type { PrepareRequest, SessionApi } from "../session/contract/session-api.ts";
import { learnNaming } from "../tenants/room-naming.ts";
import type { Owner } from "../tenants/tenant.ts";
import { timeoutOr } from "../timeout.ts";

/** How long past its deadline the session is waited for. */
const GRACE_MS = 300;
/** How long one try may take to tell what nobody waits for. */
const TELL_MS = 8_000;
/** Waits before each further try. Work behind an answer may go on for 30 s. */
const TELL_AGAIN_MS = [500, 3_000] as const;
/** Less than this left, and a session that broke is not asked again. */
const RETRY_ROOM_MS = 300;

/**
 * Has the session place a call. Never rejects: a session that does not answer leaves the outcome *unknown*, and one that
 * did not even take the request *document*.
 */
export async function place(
  session: SessionApi,
  whose: Pick<Owner, "tenant" | "project">,
  request: PlaceRequest,
): Promise<PlaceReply> {
  const reply = await ask(() => session.place(request), request.deadline_at + GRACE_MS);
  if (reply.answered && reply.value.v === CONTRACT_VERSION) {
    learnNaming(whose, reply.value.room);
    return reply.value;
  }
  const nothingSent = reply.answered || reply.refused;
  return {
    v: CONTRACT_VERSION,
    outcome: nothingSent ? "document" : "unknown",
    room: request.rooms[0],
    join: request.join,
    counted: false,
    reason: reply.answered ? "the session speaks another contract" : reply.why,
  };
}

/** Asks the session where a call is. Never rejects. */
export async function look(session: SessionApi, request: LookRequest, until: number): Promise<LookReply> {
  const reply = await ask(() => session.look(request), until);
  if (reply.answered && reply.value.v === CONTRACT_VERSION) return reply.value;
  return {
    v: CONTRACT_VERSION,
    outcome: "unsettled",
    reason: reply.answered ? "the session speaks another contract" : reply.why,
  };
}

/** A verdict, or: the session was not there to give one, and no PIN is taken. */
export type PinAnswer = { allowed: true } | { allowed: false; closed: PinsClosed | "unchecked"; why: string };

/** What the session said before a call is placed, or what stands where it said nothing. */
export interface Prepared {
  /** How a caller was placed who dropped and whose seat is held; null where there is none. */
  returning: Placing | null;
  /** Absent where no PIN was asked about. */
  pins?: PinAnswer;
  /** Which number the caller would be in its room; null where that is not known. */
  number: number | null;
  /** Whether that room is known to be recorded. */
  recorded: boolean;
}

/**
 * Asks the session what is to be known before a call is placed. Never rejects: without its word no seat is held, no PIN is taken, and
 * neither a number nor a recording is known.
 * @param until ms.
 */
export async function prepare(
  session: SessionApi,
  request: PrepareRequest,
  until: number,
): Promise<Prepared> {
  const reply = await ask(() => session.prepare(request), until);
  if (!reply.answered) {
    const unchecked = { allowed: false, closed: "unchecked", why: reply.why } as const;
    return { returning: null, number: null, recorded: false, ...(request.pins ? { pins: unchecked } : {}) };
  }
  const { returning, pins, number = null, recorded = false } = reply.value;
  return {
    // Written by the session, from what a Worker gave it.
    returning: returning === undefined ? null : (JSON.parse(returning) as Placing),
    number,
    recorded,
    ...(request.pins && returning === undefined ? { pins: answerOf(pins) } : {}),
  };
}

function answerOf(verdict: PinVerdict | undefined): PinAnswer {
  if (verdict?.v !== CONTRACT_VERSION)
    return { allowed: false, closed: "unchecked", why: "the session speaks another contract" };
  if (verdict.allowed) return { allowed: true };
  return { allowed: false, closed: verdict.closed, why: tooMany[verdict.closed] };
}

const tooMany: Record<PinsClosed, string> = {
  caller: "too many wrong PINs from this caller",
  number: "too many wrong PINs on this number",
};

/** Tells the session that a call's own document is done with its room. Never rejects: the call is answered already. */
export async function tellLeft(
  session: SessionApi,
  { tenant }: Pick<Owner, "tenant">,
  { lives_on, ...key }: PlacementKey & { lives_on: boolean },
): Promise<void> {
  const told = await tell(() => session.left(key, lives_on));
  if (!told.answered) log("warn", "session.not_told", { tenant, call: key.call_id, why: told.why });
}

/** Tells the session that SignalWire has fetched the notice for a conference. Never rejects: it was answered already. */
export async function tellNoticeFetched(
  session: SessionApi,
  { tenant }: Pick<Owner, "tenant">,
  conference: string,
): Promise<void> {
  const told = await tell(() => session.noticeFetched(conference));
  if (!told.answered) log("warn", "session.not_told", { tenant, conference, why: told.why });
}

type Asked<T> = { answered: true; value: T } | { answered: false; refused: boolean; why: string };

/** What may be told twice: it is told until the session has taken it, a few times. */
async function tell(telling: () => Promise<void>): Promise<Asked<void>> {
  let told = await ask(telling, Date.now() + TELL_MS);
  for (const wait of TELL_AGAIN_MS) {
    if (told.answered) break;
    await scheduler.wait(wait);
    told = await ask(telling, Date.now() + TELL_MS);
  }
  return told;
}

/** One question, asked again once where Cloudflare says that this is safe and there is time. */
async function ask<T>(question: () => Promise<T>, until: number): Promise<Asked<T>> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await timeoutOr(
        until - Date.now(),
        question().then((value) => ({ answered: true as const, value })),
        { answered: false as const, refused: false, why: "the session did not answer in time" },
      );
    } catch (error) {
      const { retryable, overloaded } = error as { retryable?: boolean; overloaded?: boolean }; // Cloudflare's marks on RPC errors.
      const timeLeft = until - Date.now() > RETRY_ROOM_MS;
      // Our own key makes a repeat safe: a placement that was begun is found, and not begun again.
      if (retryable && !overloaded && timeLeft && tries === 1) continue;
      return { answered: false, refused: overloaded === true, why: describeError(error) };
    }
  }
}
