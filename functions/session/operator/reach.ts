import { ivBytes } from "../../../shared/credentials.ts";
import { render } from "../../../shared/documents/render.ts";
import { rejectDocument } from "../../../shared/documents/rule-documents.ts";
import { sealMove } from "../../../shared/move-ticket.ts";
import { describeOutcome, isBusy, type Outcome } from "../../../shared/relay/outcome.ts";
import type { Spoken } from "../../../shared/rules/decision.ts";
import { describeError } from "../../log.ts";
import { RestBusy, type RestOutcome } from "../../rest.ts";
import { commandCall, hangUpCall, type RestCommand, redirectCall } from "../../rest-calls.ts";
import { findInRooms, listRoom } from "../../rest-conferences.ts";
import type { ControlOutcome } from "../../rest-controls.ts";
import type { Project } from "../../tenants/tenant.ts";
import { sealKeysOf } from "../../tenants/tenant.ts";
import type { NoticeUrls } from "../relay/notice-urls.ts";
import type { RelayManager } from "../relay/relay-manager.ts";
import { type ConferenceMembers, sidsAreIds } from "../seats/conference-members.ts";
import type { Observations } from "../store/observations.ts";
import type { Placement } from "../store/placement-row.ts";
import { hooksOf, inlineJoinOf } from "../store/resume-url-of.ts";

const REST_MS = 3_000;
const RELAY_MS = 2_000;
/** A REST that asks to come later is asked once more, if that is soon. */
const LATER_MS = 1_500;

type Unanswered = Extract<ControlOutcome, { kind: "unanswered" }>;

/** How a command for one call went out; `code`: it did not, by the word of that side. */
export type Sent =
  | { kind: "sent"; by: "relay" | "rest" }
  /** It may have been carried out. */
  | { kind: "unanswered"; by: "relay" | "rest" }
  | { kind: "refused"; by: "relay" | "rest"; code: string };

/** What is asked of SignalWire for one call. */
export interface LegCommand {
  method: RestCommand;
  params: Record<string, unknown>;
  /** The same for a call that cXML runs, where another API has it: another document, or the call's end. */
  cxml: { url: string } | "end" | null;
}

interface ReachHost {
  relayManager: Pick<RelayManager, "rest" | "ready" | "project">;
  members: ConferenceMembers;
  observations: Observations;
  urls: NoticeUrls;
}

/** Reach — how operators' controls reach SignalWire: by REST, by RELAY, and by documents under sealed URLs. Used by the controls. */
export class Reach {
  readonly #host: ReachHost;
  readonly #credentials_key: string | undefined;
  readonly #now: () => number;

  constructor(host: ReachHost, credentials_key: string | undefined, now: () => number) {
    this.#host = host;
    this.#credentials_key = credentials_key;
    this.#now = now;
  }

  /** What REST is asked; once more where it has too much to do. Throws where it does not answer. */
  async ask<T>(work: (project: Project, signal: AbortSignal) => Promise<T>): Promise<T> {
    const once = () => this.#host.relayManager.rest("command", REST_MS, work);
    try {
      return await once();
    } catch (error) {
      if (!(error instanceof RestBusy) || error.retry_after_ms > LATER_MS) throw error;
      await scheduler.wait(error.retry_after_ms);
      return await once();
    }
  }

  /** What REST is told. Never rejects. */
  async tell<Outcome extends ControlOutcome | { kind: "made"; sid: string }>(
    work: (project: Project, signal: AbortSignal) => Promise<Outcome>,
  ): Promise<Outcome | Unanswered> {
    const once = () =>
      this.#host.relayManager
        .rest("command", REST_MS, work)
        .catch((error: unknown): Unanswered => ({ kind: "unanswered", reason: describeError(error) }));
    const outcome = await once();
    if (outcome.kind !== "later" || outcome.retry_after_ms > LATER_MS) return outcome;
    await scheduler.wait(outcome.retry_after_ms);
    return await once();
  }

  /** REST's sid of the conference that the row's call is in; null where REST does not list it. Throws where it does not answer. */
  async sidOf(row: Placement): Promise<string | null> {
    const { members, observations } = this.#host;
    if (row.conference_id !== null && sidsAreIds(observations)) return row.conference_id;
    const known = members.sidOf(row);
    if (known !== null) return known;
    const sid = await this.ask((project, signal) => findInRooms(project, [row.room], row.call_id, signal));
    if (sid !== null) members.foundUnder(row, sid);
    return sid;
  }

  /** Whether REST finds the call under the room's name. Throws where it does not answer. */
  async isListedIn(room: string, call_id: string): Promise<boolean> {
    const { conferences } = await this.ask((project, signal) => listRoom(project, room, signal));
    return conferences.some(({ call_ids }) => call_ids.has(call_id));
  }

  /** By RELAY where it is up and can address the call, else by REST. Never rejects. */
  async command(row: Placement, command: LegCommand): Promise<Sent> {
    const relay = await this.#byRelay(row, command);
    if (relay?.kind === "ok") return { kind: "sent", by: "relay" };
    // A second transfer would take it out of where the first one led it.
    if (relay?.kind === "unanswered" && command.method !== "calling.end")
      return { kind: "unanswered", by: "relay" };
    if (relay?.kind === "gone" && relay.code === "410") return { kind: "refused", by: "relay", code: "410" };
    const rest = await this.#byRest(row, command);
    switch (rest.kind) {
      case "ok":
        return { kind: "sent", by: "rest" };
      case "refused":
        return { kind: "refused", by: "rest", code: rest.code };
      case "later":
        return { kind: "refused", by: "rest", code: "429" };
      case "failed": {
        const [, status] = /^REST answered (\d{3})$/.exec(rest.reason) ?? [];
        if (status !== undefined) return { kind: "refused", by: "rest", code: status };
        return { kind: "unanswered", by: "rest" };
      }
      default:
        return rest satisfies never;
    }
  }

  /** By RELAY alone: what REST has no command for. Null where RELAY is down or cannot address the call. */
  async byRelay(row: Placement, method: string, params: Record<string, unknown>): Promise<Sent | null> {
    const outcome = await this.#byRelay(row, { method, params });
    if (outcome === null) return null;
    if (outcome.kind === "ok") return { kind: "sent", by: "relay" };
    if (outcome.kind === "unanswered") return { kind: "unanswered", by: "relay" };
    return { kind: "refused", by: "relay", code: describeOutcome(outcome) };
  }

  async #byRelay(
    row: Placement,
    { method, params }: { method: string; params: Record<string, unknown> },
  ): Promise<Outcome | null> {
    const { ready } = this.#host.relayManager;
    if (!ready || row.node_id === null) return null;
    const once = () =>
      ready.command({
        id: crypto.randomUUID(),
        lane: row.call_id,
        method,
        params: { node_id: row.node_id, call_id: row.call_id, ...params },
        deadline_at: this.#now() + RELAY_MS,
      });
    const outcome = await once();
    if (!isBusy(outcome)) return outcome;
    await scheduler.wait(300);
    return await once();
  }

  async #byRest({ call_id, ingress }: Placement, { method, params, cxml }: LegCommand): Promise<RestOutcome> {
    const run = async (work: (project: Project, signal: AbortSignal) => Promise<RestOutcome>) => {
      const once = () =>
        this.#host.relayManager
          .rest("command", REST_MS, work)
          .catch((error: unknown): RestOutcome => ({ kind: "failed", reason: describeError(error) }));
      const outcome = await once();
      if (outcome.kind !== "later" || outcome.retry_after_ms > LATER_MS) return outcome;
      await scheduler.wait(outcome.retry_after_ms);
      return await once();
    };
    if (ingress === "cxml" && cxml !== null)
      return await run((project, signal) =>
        cxml === "end"
          ? hangUpCall(project, call_id, signal)
          : redirectCall(project, call_id, cxml.url, signal),
      );
    return await run((project, signal) => commandCall(project, call_id, method, params, signal));
  }

  /** What ends the row's call, after these words where there are any. */
  async ending(row: Placement, say: Spoken | undefined): Promise<LegCommand> {
    if (say === undefined) return { method: "calling.end", params: { reason: "hangup" }, cxml: "end" };
    const url = await this.wordsUrl(row, `call ${row.call_id}`, say);
    const dest = render(rejectDocument(say)).body;
    return { method: "calling.transfer", params: { dest }, cxml: url === null ? "end" : { url } };
  }

  /** A URL of ours by which a call that cXML runs joins the row's room; null where SignalWire was not told where we are reached. */
  async moveUrl(row: Placement): Promise<string | null> {
    const { tenant, call_id, room } = row;
    const hooks = hooksOf(row.join);
    if (hooks === null) return null;
    const keys = await sealKeysOf(this.#credentials_key, await this.#host.relayManager.project());
    const iv = crypto.getRandomValues(new Uint8Array(ivBytes));
    const to = { room, join: inlineJoinOf(row) };
    const ticket = await sealMove(keys, { tenant, call_id }, to, this.#now(), iv);
    return ticket === null ? null : `${hooks}/moved?${new URLSearchParams({ call: call_id, ticket })}`;
  }

  /** See {@link NoticeUrls.urlFor}. */
  async wordsUrl(row: Placement, what: string, words: Spoken, good_for_ms?: number): Promise<string | null> {
    return await this.#host.urls.urlFor(row, what, words, good_for_ms);
  }
}
