import type { jurisdictions } from "../shared/records.ts";
import type { PrepareReply, PrepareRequest, SessionApi } from "./session/contract/session-api.ts";
import type { Project } from "./tenants/tenant.ts";

/** The class that the binding has: the session imports what imports this file. */
type RelaySession =
  Env["RELAY_SESSION"] extends DurableObjectNamespace<infer Session extends Rpc.DurableObjectBranded>
    ? Session
    : never;

export type Jurisdiction = (typeof jurisdictions)[number];

/** What of a project tells where its session is. */
export interface SessionPlace {
  project_id: string;
  session: Pick<Project["session"], "jurisdiction" | "location_hint">;
}

/** The project's session; a fresh stub for each try, since a stub that failed stays broken. */
export function sessionOf(env: Env, project: SessionPlace): DurableObjectStub<RelaySession> {
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
    // A promise of a stub is one, though its type does not say so.
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
 * RpcSession — a project's session as a Worker asks it: each question on a fresh stub, which is given up with the answer. Used by call
 * flows and by the directory of tenants.
 */
export class RpcSession implements SessionApi {
  readonly #env: Env;
  readonly #whose: SessionPlace;

  constructor(env: Env, whose: SessionPlace) {
    this.#env = env;
    this.#whose = whose;
  }

  get #stub(): DurableObjectStub<RelaySession> {
    return sessionOf(this.#env, this.#whose);
  }

  async place(request: Parameters<SessionApi["place"]>[0]): ReturnType<SessionApi["place"]> {
    return await this.#stub.place(request);
  }

  async look(request: Parameters<SessionApi["look"]>[0]): ReturnType<SessionApi["look"]> {
    return await this.#stub.look(request);
  }

  async left(...left: Parameters<SessionApi["left"]>): Promise<void> {
    await this.#stub.left(...left);
  }

  async noticeFetched(conference: string): Promise<void> {
    await this.#stub.noticeFetched(conference);
  }

  async prepare(request: PrepareRequest): Promise<PrepareReply> {
    return await orOlder(this.#prepared(request), () => this.#preparedByOlder(request));
  }

  async #prepared(request: PrepareRequest): Promise<PrepareReply> {
    return await this.#stub.prepare(request);
  }

  /** A session of the version before is asked one thing after the other. */
  async #preparedByOlder({ returning, pins, seat }: PrepareRequest): Promise<PrepareReply> {
    if (returning) {
      const placing = await askPart(this.#stub.usher(), (lobby) => lobby.returning(returning));
      if (placing !== null) return { v: 1, returning: placing };
    }
    const verdict = pins && (await this.#stub.askPins(pins));
    const answered = { v: 1 as const, ...(verdict === undefined ? {} : { pins: verdict }) };
    if (!seat || verdict?.allowed === false) return answered;
    const [number, recorded] = await Promise.all([
      askPart(this.#stub.usher(), (lobby) => lobby.callerNumber(seat)),
      askPart(this.#stub.usher(), (lobby) => lobby.isRecorded(seat)),
    ]);
    return { ...answered, number, recorded };
  }

  async note(request: Parameters<SessionApi["note"]>[0]): Promise<void> {
    await askPart(this.#stub.archive(), (history) => history.note(request));
  }

  async keepRuleset(...[tenant, version]: Parameters<SessionApi["keepRuleset"]>): Promise<void> {
    await askPart(this.#stub.archive(), async (history) => {
      // Its text is sent where the session lacks it.
      if (!(await history.serves(tenant, version.hash))) await history.keep(tenant, version);
    });
  }

  async lastGoodRuleset(tenant: string): ReturnType<SessionApi["lastGoodRuleset"]> {
    return await askPart(this.#stub.archive(), (history) => history.lastGood(tenant));
  }

  async keepRecords(served: Parameters<SessionApi["keepRecords"]>[0]): Promise<void> {
    await askPart(this.#stub.tenants(), (tenants) => tenants.keep(served));
  }

  async lastGoodRecords(tenant: string): ReturnType<SessionApi["lastGoodRecords"]> {
    return await askPart(this.#stub.tenants(), (tenants) => tenants.lastGood(tenant));
  }
}

/** Finds the session of a project. */
export type SessionFor = (place: SessionPlace) => SessionApi;

/** A Worker finds each by RPC. */
export function rpcSessions(env: Env): SessionFor {
  return (place) => new RpcSession(env, place);
}
