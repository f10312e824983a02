import { callerParams } from "../../shared/documents/caller-params.ts";
import type { AsksUs } from "../../shared/documents/step.ts";
import type { Placing } from "../../shared/placing.ts";
import { type ResumedAt, resumeUrl } from "../../shared/resume-url.ts";
import { type DocumentSaid, documentResults } from "../session/contract/placement.ts";
import type { CallContext } from "./call-context.ts";

export type { ResumedAt } from "../../shared/resume-url.ts";

/**
 * How the call's document asks us what its join's result means; nothing if we cannot be reached, or nothing is asked.
 * @param joined false: the document joins nothing, and comes back from a hold.
 */
export function asksUs(
  { base_url, tenant, call, authentic }: CallContext,
  { entry, step, asked }: ResumedAt,
  {
    always,
    limited = false,
    keeps_seat = false,
    joined = true,
    sealed,
  }: {
    always: boolean;
    limited?: boolean;
    keeps_seat?: boolean;
    joined?: boolean;
    sealed?: string | undefined;
  },
): { asks?: AsksUs } {
  if (base_url === "" || call.via === "cxml" || !authentic) return {};
  const { url_fragment } = tenant.record;
  const fragment = url_fragment === undefined ? "" : `#${url_fragment}`;
  const dest = resumeUrl(
    `${base_url}/hooks/${tenant.tenant}`,
    { entry, step, asked: asked + 1 },
    { joined, fragment },
  );
  return {
    asks: {
      dest,
      params: callerParams(call.params).params,
      always,
      ...(keeps_seat ? { over: true as const } : {}),
      ...(limited ? { failed: true as const } : {}),
      ...(sealed === undefined ? {} : { sealed }),
    },
  };
}

/**
 * What a call carries whose document asks how it stands, and who may go back to its line: what was decided stands, whatever the rules
 * say by then and whatever was asked before. Nothing for other calls, and where it is too long to be carried.
 */
export async function sealedForLine(
  { base_url, call, authentic, seals }: CallContext,
  { entry, step }: Pick<ResumedAt, "entry" | "step">,
  placing: Placing,
): Promise<string | undefined> {
  if (base_url === "" || call.via === "cxml" || !authentic) return undefined;
  if (placing.wait === undefined || placing.capacity === undefined) return undefined;
  const state = { v: 1, purpose: "resume", entry, step: step + 1, place_step: step, placing } as const;
  return (await seals.seal(state)) ?? undefined;
}

/** What the call's own document says of its join, where it asks about that. */
export function saidIn({ resumed, call }: CallContext): { document_said?: DocumentSaid } {
  if (resumed?.joined !== true) return {};
  const said = call.vars["join_conference_result"];
  const document_said = documentResults.find((result) => result === said);
  // A word that nobody published: all that is sure is that the document has come to the end of its join.
  return { document_said: document_said ?? "completed" };
}
