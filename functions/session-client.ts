import type { jurisdictions } from "../shared/records.ts";
import type { Placing } from "../shared/seal.ts";
import { fewReads } from "./few-reads.ts";
import { describeError, log } from "./log.ts";
import type { PinAttempt, PinQuestion, PinsClosed, PinVerdict } from "./session/contract/pins.ts";
import {
  CONTRACT_VERSION,
  type LookReply,
  type LookRequest,
  type PlacementKey,
  type PlaceReply,
  type PlaceRequest,
  type Returning,
  type RoomRequest,
} from "./session/contract/placement.ts";
import { learnNaming } from "./tenants/room-naming.ts";
import type { Owner, Project, Tenant } from "./tenants/tenant.ts";
import { timeoutOr } from "./timeout.ts";

/** The class that the binding has: the session imports what imports this file. */
type RelaySession =
  Env["RELAY_SESSION"] extends DurableObjectNamespace<infer Session extends Rpc.DurableObjectBranded>
    ? Session
    : never;

export type Jurisdiction = (typeof jurisdictions)[number];

/** How long past its deadline the session is waited for. */
const GRACE_MS = 300;
/** How long one try may take to tell what nobody waits for. */
const TELL_MS = 8_000;
/** Waits before each further try. Work behind an answer may go on for 30 s. */
const TELL_AGAIN_MS = [500, 3_000] as const;
/** Less than this left, and a session that broke is not asked again. */
const RETRY_ROOM_MS = 300;

/** Sessions by the environment in which they do for their own calls what the Worker does for those of webhooks. */
const ownSessions = new WeakMap<Env, DurableObjectStub<RelaySession>>();

/**
 * An environment in which the session is asked directly, and few things of KV at once. A session that asks itself by RPC holds stubs of itself, and where it is
 * aborted then, workerd goes down with it.
 */
export function ownEnvironment(env: Env, session: RelaySession): Env {
  const own = { ...env, DIRECTORY: fewReads(env.DIRECTORY) };
  // A stub has the session's methods, and its holder awaits what they return.
  ownSessions.set(own, session as unknown as DurableObjectStub<RelaySession>);
  return own;
}

/** What of a project tells where its session is. */
export interface SessionPlace {
  project_id: string;
  session: Pick<Project["session"], "jurisdiction" | "location_hint">;
}

/** The project's session; a fresh stub for each try, since a stub that failed stays broken. */
export function sessionOf(env: Env, project: SessionPlace): DurableObjectStub<RelaySession> {
  const own = ownSessions.get(env);
  if (own) return own;
  return sessionIn(env, project, project.session.jurisdiction);
}

/** The session that the project has, or would have, under this value of `session.jurisdiction`. */
export function sessionIn(
  env: Env,
  { project_id, session: { location_hint } }: SessionPlace,
  jurisdiction: Jurisdiction | undefined,
): DurableObjectStub<RelaySession> {
  const sessions =
    jurisdiction === undefined ? env.RELAY_SESSION : env.RELAY_SESSION.jurisdiction(jurisdiction);
  return sessions.get(
    sessions.idFromName(project_id),
    location_hint === undefined ? {} : { locationHint: location_hint },
  );
}

/**
 * What a part of the session answers, e.g. its archive, in one round trip. The part's stub is given up then: it would hold on to
 * the session until it is garbage.
 */
export async function askPart<Part extends object, T>(
  part: Part,
  question: (part: Part) => T,
): Promise<Awaited<T>> {
  // The question fails with the part; that the part failed as well is no news.
  const held = Promise.resolve(part).catch(() => null);
  try {
    return await question(part);
  } finally {
    // A promise of a stub is one, though its type does not say so; what the session itself asks is none.
    (part as Partial<Disposable>)[Symbol.dispose]?.();
    void held.then((stub) => (stub as Partial<Disposable> | null)?.[Symbol.dispose]?.());
  }
}

/** What is asked of a session; `older` asks one of the version before, which a deploy still has for a moment, if it lacks the method. */
export async function orOlder<T, O>(asked: Promise<T>, older: () => Promise<O>): Promise<T | O> {
  try {
    return await asked;
  } catch (error) {
    if (!(error instanceof TypeError && error.message.includes("does not implement the method"))) throw error;
    return await older();
  }
}

/**
 * Has the session place a call. Never rejects: a session that does not answer leaves the outcome *unknown*, and one that
 * did not even take the request *document*.
 */
export async function place(
  env: Env,
  whose: Pick<Owner, "tenant" | "project">,
  request: PlaceRequest,
): Promise<PlaceReply> {
  const reply = await ask<PlaceReply>(
    async () => await sessionOf(env, whose.project).place(request),
    request.deadline_at + GRACE_MS,
  );
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
export async function look(
  env: Env,
  project: Project,
  request: LookRequest,
  until: number,
): Promise<LookReply> {
  const reply = await ask<LookReply>(async () => await sessionOf(env, project).look(request), until);
  if (reply.answered && reply.value.v === CONTRACT_VERSION) return reply.value;
  return {
    v: CONTRACT_VERSION,
    outcome: "unsettled",
    reason: reply.answered ? "the session speaks another contract" : reply.why,
  };
}

/**
 * Which number the caller would be in its room; null where it would find no seat, or the session does not say.
 * @param until ms.
 */
export async function askNumber(
  env: Env,
  project: Project,
  request: RoomRequest,
  until: number,
): Promise<number | null> {
  const reply = await ask(
    () => askPart(sessionOf(env, project).usher(), (usher) => usher.callerNumber(request)),
    until,
  );
  return reply.answered ? reply.value : null;
}

/** Whether the room that the caller would be in is known to be recorded; false where the session does not say. */
export async function askRecorded(
  env: Env,
  project: Project,
  request: RoomRequest,
  until: number,
): Promise<boolean> {
  const reply = await ask(
    () => askPart(sessionOf(env, project).usher(), (usher) => usher.isRecorded(request)),
    until,
  );
  return reply.answered && reply.value;
}

/** How a caller was placed who dropped and whose seat is kept; null where there is none, or the session does not say. */
export async function askReturning(
  env: Env,
  project: Project,
  request: Returning,
  until: number,
): Promise<Placing | null> {
  const reply = await ask(
    () => askPart(sessionOf(env, project).usher(), (usher) => usher.returning(request)),
    until,
  );
  // Written by the session, from what a Worker gave it.
  return reply.answered && reply.value !== null ? (JSON.parse(reply.value) as Placing) : null;
}

/** A verdict, or: the session was not there to give one, and no PIN is taken. */
export type PinAnswer = { allowed: true } | { allowed: false; closed: PinsClosed | "unchecked"; why: string };

/** Asks the session whether a PIN may be asked for, or whether one that was keyed counts. Never rejects; in doubt, no. */
export async function askPins(
  env: Env,
  project: Project,
  request: PinQuestion | PinAttempt,
  until: number,
): Promise<PinAnswer> {
  const reply = await ask<PinVerdict>(async () => await sessionOf(env, project).askPins(request), until);
  if (!reply.answered) return { allowed: false, closed: "unchecked", why: reply.why };
  const { value } = reply;
  if (value.v !== CONTRACT_VERSION)
    return { allowed: false, closed: "unchecked", why: "the session speaks another contract" };
  if (value.allowed) return { allowed: true };
  return { allowed: false, closed: value.closed, why: tooMany[value.closed] };
}

const tooMany: Record<PinsClosed, string> = {
  caller: "too many wrong PINs from this caller",
  number: "too many wrong PINs on this number",
};

/** Tells the session that a call's own document is done with its room. Never rejects: the call is answered already. */
export async function tellLeft(
  env: Env,
  { tenant, project }: Tenant,
  { lives_on, ...key }: PlacementKey & { lives_on: boolean },
): Promise<void> {
  const told = await tell(async () => {
    await sessionOf(env, project).left(key, lives_on);
  });
  if (!told.answered) log("warn", "session.not_told", { tenant, call: key.call_id, why: told.why });
}

/** Tells the session that SignalWire has fetched the notice for a conference. Never rejects: it was answered already. */
export async function tellNoticeFetched(
  env: Env,
  { tenant, project }: Owner,
  conference: string,
): Promise<void> {
  const told = await tell(async () => {
    await sessionOf(env, project).noticeFetched(conference);
  });
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

/** One question over RPC, asked again once where Cloudflare says that this is safe and there is time. */
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
